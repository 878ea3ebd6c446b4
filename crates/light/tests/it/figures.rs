//! Size and speed of a pack.

use crate::support::*;
use std::time::{Duration, Instant};
use yulian_crypto::{Digest, sm3};
use yulian_light::{row_digest, testing::TestChain};
use yulian_state::{Path, Sibling};

/// Longest pack of a table row on a chain whose validators never changed, bytes.
const ROW_PACK_BYTES: usize = 8_192;
/// Transactions of the block.
const BLOCK_TRANSACTIONS: u32 = 2_000;

/// A pack of one of many rows in a block, 1,000,000 keys in the state, late in a long chain: levels beyond those of the
/// small test chain are added to the size, 33 bytes each.
fn row_of_a_long_chain() -> (TestChain, Vec<u8>, usize) {
    let mut chain = TestChain::new("郑州市政务链", 4, 1_000);
    let rows = (0..BLOCK_TRANSACTIONS).map(|n| format!("4101020010{n:02},某某社区居民委员会,village,410102001"));
    let digests: Vec<Digest> = rows.map(|row| row_digest(row.as_bytes())).collect();
    let transactions = digests
        .iter()
        .map(|row| chain.deposit(5, row, "河南省统计用区划代码"))
        .collect();
    chain.push(transactions);
    chain.push(vec![]);
    let parts = chain.parts(1, 1_234, 2, None);
    let (levels, wanted) = (parts.record.proof.siblings.len(), 24);
    let json = pack_of(parts);
    let more = wanted_bytes(wanted.max(levels) - levels);
    (chain, json, more)
}

/// Base64 characters of that many more levels of a state proof.
fn wanted_bytes(levels: usize) -> usize {
    let sibling = Sibling {
        depth: 0,
        hash: Digest::ZERO,
    };
    let proof = yulian_state::Proof {
        siblings: vec![sibling; levels],
        leaf: Some((Path::from_bytes([0; 32]), sm3::hash(&[]))),
    };
    (proof.to_bytes().len() - 65).div_ceil(3) * 4
}

#[test]
#[allow(clippy::print_stdout, reason = "the figures are for docs/benchmarks.md")]
fn a_pack_of_a_table_row_is_small_and_quick_to_verify() {
    let (chain, json, more) = row_of_a_long_chain();
    let size = json.len() + more;
    assert!(size <= ROW_PACK_BYTES, "{size} bytes");
    // The least of some runs: the machine may be busy with other tests.
    let once = || {
        let start = Instant::now();
        assert!(verify(&chain, &json, None).expect("holds").is_yes());
        start.elapsed()
    };
    let least = (0..10).map(|_| once()).min().expect("runs");
    println!(
        "pack {} B, at a million keys {size} B, verified in {least:?}",
        json.len()
    );
    assert!(least <= Duration::from_millis(20), "{least:?}");
}
