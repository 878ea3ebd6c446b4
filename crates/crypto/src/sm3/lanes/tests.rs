//! Every kernel that this processor has, against the `sm3` crate.

use super::batch::{Batch, Equal, Pairs, Parts};
use super::{Block, Kernel, State, hash_with, portable};
use crate::sm3::{DIGEST_BYTES, Digest};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use sm3::{Digest as _, Sm3};

#[derive(Clone, Copy)]
struct Portable;

impl Kernel<2> for Portable {
    const GROUP_MIN: usize = 1;

    fn absorb(self, state: &mut State<2>, blocks: &[&Block; 2]) {
        portable::absorb(state, blocks);
    }

    fn digests(self, state: &State<2>) -> [[u8; DIGEST_BYTES]; 2] {
        portable::digests(state)
    }
}

/// The same kernel without the lower limit, so that groups of any size go through it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Always<K>(K);

#[cfg(target_arch = "x86_64")]
impl<const LANES: usize, K: Kernel<LANES>> Kernel<LANES> for Always<K> {
    const GROUP_MIN: usize = 1;

    fn absorb(self, state: &mut State<LANES>, blocks: &[&Block; LANES]) {
        self.0.absorb(state, blocks);
    }

    fn digests(self, state: &State<LANES>) -> [[u8; DIGEST_BYTES]; LANES] {
        self.0.digests(state)
    }
}

/// What every kernel makes of a batch, with its name.
fn by_every_kernel(batch: &impl Batch) -> Vec<(&'static str, Vec<Digest>)> {
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "no kernel to add"))]
    let mut out = vec![
        ("none", super::hash_each(batch)),
        ("portable", hash_with(Portable, batch)),
        ("chosen", super::hash(batch)),
    ];
    #[cfg(target_arch = "x86_64")]
    {
        use crate::simd::{Avx2, Avx512};
        out.extend(Avx2::detect().map(|kernel| ("avx2", hash_with(kernel, batch))));
        out.extend(Avx2::detect().map(|kernel| ("avx2 always", hash_with(Always(kernel), batch))));
        out.extend(Avx512::detect().map(|kernel| ("avx512", hash_with(kernel, batch))));
        out.extend(Avx512::detect().map(|kernel| ("avx512 always", hash_with(Always(kernel), batch))));
    }
    out
}

fn check(batch: &impl Batch, messages: impl IntoIterator<Item = Vec<u8>>) {
    let expected: Vec<_> = messages
        .into_iter()
        .map(|message| Digest(Sm3::digest(message).into()))
        .collect();
    for (kernel, digests) in by_every_kernel(batch) {
        assert_eq!(digests, expected, "{kernel}");
    }
}

/// Bytes that depend on their place and on a seed.
fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 167 + seed * 59 + i / 256) as u8).collect()
}

#[test]
fn published_examples() {
    // GB/T 32905-2016, Annex A; eight times each, so that all take the vectors.
    let long = [b"abcd".repeat(16).try_into().expect("64 bytes"); 8];
    for (kernel, digests) in by_every_kernel(&Equal::<64>(&long)) {
        for digest in digests {
            let expected = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
            assert_eq!(digest.to_string(), expected, "{kernel}");
        }
    }
    for (kernel, digests) in by_every_kernel(&Equal(&[*b"abc"; 8])) {
        for digest in digests {
            let expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
            assert_eq!(digest.to_string(), expected, "{kernel}");
        }
    }
}

#[test]
fn every_length() {
    for length in 0..300 {
        let messages: Vec<_> = (0..17).map(|seed| bytes(seed, length)).collect();
        let parts: Vec<_> = messages.iter().map(|message| [message.as_slice()]).collect();
        check(&Parts::new(b"", &parts), messages.clone());
    }
    // All of them at once: groups by their number of blocks.
    let messages: Vec<_> = (0..300).rev().map(|length| bytes(length, length)).collect();
    let parts: Vec<_> = messages.iter().map(|message| [message.as_slice()]).collect();
    check(&Parts::new(b"", &parts), messages.clone());
}

fn check_equal<const N: usize>() {
    for count in 0..=40 {
        let messages: Vec<[u8; N]> = (0..count)
            .map(|seed| bytes(seed, N).try_into().expect("N bytes"))
            .collect();
        check(&Equal(&messages), messages.iter().map(|message| message.to_vec()));
    }
}

#[test]
fn equal_messages() {
    check_equal::<0>();
    check_equal::<32>();
    check_equal::<55>();
    check_equal::<56>();
    check_equal::<64>();
    check_equal::<65>();
    check_equal::<66>();
    check_equal::<72>();
    check_equal::<119>();
    check_equal::<120>();
    check_equal::<128>();
}

#[test]
fn tagged_pairs() {
    let digest = |seed| Digest::from_slice(&bytes(seed, DIGEST_BYTES)).expect("32 bytes");
    for count in 0..=40 {
        let pairs: Vec<_> = (0..count).map(|i| [digest(i), digest(2 * i + 1)]).collect();
        let messages = pairs
            .iter()
            .map(|[left, right]| [b"ylTested".as_slice(), &left.0, &right.0].concat());
        let tag = b"ylTested";
        check(&Pairs { tag, pairs: &pairs }, messages);
    }
}

fn messages() -> impl Strategy<Value = Vec<[Vec<u8>; 3]>> {
    // Mostly short parts, so that blocks of several of them are common.
    let part = || {
        prop_oneof![3 => 0..40usize, 1 => 0..300usize]
            .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length))
    };
    prop::collection::vec([part(), part(), part()], 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn mixed_lengths_and_parts(messages in messages(), lead in prop::collection::vec(any::<u8>(), 0..100)) {
        let parts: Vec<_> = messages.iter().map(|parts| parts.each_ref().map(Vec::as_slice)).collect();
        let whole = messages.iter().map(|parts| [lead.clone(), parts.concat()].concat());
        check(&Parts::new(&lead, &parts), whole);
    }
}
