//! No byte of a pack can change unnoticed.

use crate::support::*;
use yulian_crypto::{Digest, sm2::FastVerifier};
use yulian_light::{testing, testing::TestChain};

/// A pack that has every field: set changes, a later header, a row, and entries of the state.
pub(crate) fn full_pack() -> (TestChain, Vec<u8>) {
    let mut chain = TestChain::new("every byte", 4, 4);
    let digests: Vec<Digest> = (0..5).map(|n| digest(&n.to_string())).collect();
    let tree = testing::batch(&digests);
    let transaction = chain.deposit_batch(5, &tree.root(), 5);
    let others = (0..2)
        .map(|n| chain.deposit(4, &digests[n], "other"))
        .collect::<Vec<_>>();
    chain.push([others, vec![transaction]].concat());
    chain.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    while chain.height() < 9 {
        chain.push(vec![]);
    }
    let mut parts = chain.parts(1, 2, 2, Some(9));
    parts.row = Some((digests[3], tree.prove(3).expect("row")));
    let key = yulian_types::StateKey::organisation("zzdata");
    parts.organisation = Some(chain.proven(9, &key));
    let json = pack_of(parts);
    (chain, json)
}

fn all_refused(chain: &TestChain, json: &[u8], step: usize) {
    let (trust, verifier) = (trust(chain), FastVerifier::default());
    let verify = |bytes: &[u8]| yulian_light::verify_pack(bytes, None, &trust, &verifier);
    assert!(verify(json).expect("the pack itself").is_yes());
    for at in (0..json.len()).step_by(step) {
        let try_bytes = |what: &str, bytes: Vec<u8>| {
            if bytes != json {
                assert!(
                    verify(&bytes).is_err(),
                    "{what} at byte {at} of {} went unnoticed",
                    json.len()
                );
            }
        };
        for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80] {
            let mut bytes = json.to_vec();
            bytes[at] ^= flip;
            try_bytes("flip", bytes);
        }
        // The neighbour in the base64 alphabet changes the fewest bits of what is decoded.
        let mut bytes = json.to_vec();
        bytes[at] = match bytes[at] {
            b'Z' => b'a',
            b'z' => b'0',
            b'9' => b'+',
            b'+' => b'/',
            b'/' => b'A',
            other => other.wrapping_add(1),
        };
        try_bytes("neighbour", bytes);
        let mut bytes = json.to_vec();
        bytes.remove(at);
        try_bytes("removal", bytes);
        for insert in [b' ', b'A', b'0', b'"', json[at]] {
            let mut bytes = json.to_vec();
            bytes.insert(at, insert);
            try_bytes("insertion", bytes);
        }
        if at + 1 < json.len() {
            let mut bytes = json.to_vec();
            bytes.swap(at, at + 1);
            try_bytes("swap", bytes);
        }
    }
}

#[test]
fn of_a_plain_pack() {
    let (chain, json) = pack();
    all_refused(&chain, &json, 1);
}

/// The chain in the list of those trusted is the relay chain; changes of its validators are part of the pack.
#[test]
fn of_a_pack_with_a_relay_part() {
    let (chain, plain) = pack();
    let mut relay = TestChain::new("中继", 4, 2);
    relay.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    relay.push(vec![]);
    relay.push(vec![]);
    let word = relay.learn(&chain, 2);
    let parts = relay.relay_parts(&chain, 2, word, word);
    assert_eq!(parts.set_changes.len(), 1);
    let pack = yulian_light::EvidencePack::decode(&plain).expect("pack");
    let json = pack.with_relay(parts, &FastVerifier::default()).expect("pack");
    all_refused(&relay, &json, 1);
}

#[test]
fn of_a_pack_with_every_part() {
    let (chain, json) = full_pack();
    all_refused(&chain, &json, 1);
}
