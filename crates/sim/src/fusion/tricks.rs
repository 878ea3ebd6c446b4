//! Somebody who brings what others brought once more: as it was, elsewhere, cut short, with a bit changed, or under another kind.

use super::{
    keys::{CHAINS, carrier_key},
    net::Net,
};
use bytes::Bytes;
use rand::{RngExt, rngs::StdRng};
use std::sync::Arc;
use yulian_types::{encode, proto::CarryItem};

/// The account among the carriers.
const ACCOUNT: usize = 3;
/// Pauses between two tricks, ms.
const PAUSES_MS: std::ops::Range<u64> = 500..2_500;
/// How long a result is waited for, ms.
const PATIENCE_MS: u64 = 3_000;
/// Kinds of carried items.
const KINDS: u32 = 8;

/// Plays tricks until the network is quiet.
pub(crate) async fn run(net: Arc<Net>, mut random: StdRng) {
    while !net.is_quiet() {
        net.pause(random.random_range(PAUSES_MS)).await;
        let drawn = {
            let carried = net.carried.lock().expect("carried");
            (!carried.is_empty()).then(|| carried[random.random_range(0..carried.len())].clone())
        };
        let Some((mut at, mut carry)) = drawn else { continue };
        match random.random_range(0..6) {
            0 => {}
            1 => at = (at + random.random_range(1..CHAINS)) % CHAINS,
            2 => carry.items.reverse(),
            _ => carry.items.iter_mut().for_each(|item| twist(&mut random, item)),
        }
        let key = carrier_key(ACCOUNT);
        let call = net.call(&mut random, (at, &key), "link.carry", encode(&carry), PATIENCE_MS);
        call.await;
    }
}

fn twist(random: &mut StdRng, item: &mut CarryItem) {
    match random.random_range(0..6) {
        0 => item.packet = damaged(random, &item.packet),
        1 => item.record = damaged(random, &item.record),
        2 => item.kind = random.random_range(1..=KINDS),
        3 => item.relay = item.proof.clone(),
        4 => item.packet = item.packet.slice(..item.packet.len() / 2),
        _ => {
            if let Some(proof) = &mut item.proof {
                proof.proof = damaged(random, &proof.proof);
            }
        }
    }
}

fn damaged(random: &mut StdRng, bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    if !bytes.is_empty() {
        let at = random.random_range(0..bytes.len());
        bytes[at] ^= 1 << random.random_range(0..8);
    }
    bytes.into()
}
