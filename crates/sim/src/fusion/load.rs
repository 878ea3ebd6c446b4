//! Who uses the network: holders of vouchers, people who ask, people who tell.

use super::{
    keys::{CAPTURED, CITIES, HOLDERS, HUB, ORGANISATION, holder_id, holder_key},
    net::Net,
    setup,
};
use bytes::Bytes;
use rand::{RngExt, rngs::StdRng};
use std::sync::Arc;
use yulian_crypto::sm3;
use yulian_types::{
    Digest, encode,
    proto::{Ask, Deposit, Inquiry, Notice, ReclaimVoucher, RedeemVoucher, SendVoucher, TransferVoucher},
};

/// Shortest and longest time-out of what is sent, ms.
const TIMEOUTS_MS: std::ops::Range<u64> = 6_000..30_000;
/// Shortest and longest pause between two acts of one holder, ms.
const PAUSES_MS: std::ops::Range<u64> = 100..1_400;
/// How long a holder waits for a result, ms.
const PATIENCE_MS: u64 = 3_000;
/// Of so many acts with vouchers one is with those that the captured chain issues.
const FOREIGN: usize = 8;
/// Kind of an inquiry: an evidence record.
const KIND_EVIDENCE: u32 = 1;

/// The digest that a chain's people deposit as their `number`-th.
fn subject(chain: usize, number: u64) -> Digest {
    sm3::hash(&[b"fusion evidence", &(chain as u64).to_be_bytes(), &number.to_be_bytes()])
}

/// Acts for one holder of a city's chain until the network is quiet.
pub(crate) async fn run(net: Arc<Net>, (city, holder): (usize, usize), series: Vec<Digest>, mut random: StdRng) {
    let foreign = setup::series(&net, CAPTURED).id;
    let mut deposited = 0;
    while !net.is_quiet() {
        net.pause(random.random_range(PAUSES_MS)).await;
        let key = holder_key(city, holder);
        // Now and then those of a home that lies, if any came.
        let id = match random.random_range(0..FOREIGN) {
            0 => foreign.clone(),
            _ => series[random.random_range(0..series.len())].to_vec().into(),
        };
        let (call, arguments) = match random.random_range(0..12) {
            0..=4 => ("voucher.send", encode(&sending(&net, &mut random, city, id))),
            5 => ("voucher.redeem", encode(&redeeming(&mut random, id))),
            6 => {
                let reclaim = ReclaimVoucher {
                    series: id,
                    timeout_ms: random.random_range(TIMEOUTS_MS),
                };
                ("voucher.reclaim", encode(&reclaim))
            }
            7 => {
                let transfer = TransferVoucher {
                    series: id,
                    holder: holder_id(city, 1 - holder).into(),
                    amount: random.random_range(1..100),
                };
                ("voucher.transfer", encode(&transfer))
            }
            8 => {
                deposited += 1;
                (
                    "evidence.deposit",
                    encode(&deposit(city, HOLDERS as u64 * deposited + holder as u64)),
                )
            }
            9 | 10 => ("verification.ask", encode(&asking(&net, &mut random, city, deposited))),
            _ => ("notice.tell", encode(&telling(&net, &mut random, city))),
        };
        net.call(&mut random, (city, &key), call, arguments, PATIENCE_MS).await;
    }
}

/// Another chain that is no relay; the captured one too.
fn other(random: &mut StdRng, city: usize) -> usize {
    let to = random.random_range(1..CAPTURED);
    if to == city { CAPTURED } else { to }
}

fn sending(net: &Net, random: &mut StdRng, city: usize, series: Bytes) -> SendVoucher {
    let to = other(random, city);
    // Now and then nobody: the destination refuses, and what was sent comes back.
    let holder = match random.random_range(0..8) {
        0 => vec![3; 32],
        n => holder_id(to, n % HOLDERS),
    };
    SendVoucher {
        series,
        destination: net.id_bytes(to),
        holder: holder.into(),
        amount: random.random_range(1..200),
        timeout_ms: random.random_range(TIMEOUTS_MS),
    }
}

fn redeeming(random: &mut StdRng, series: Bytes) -> RedeemVoucher {
    RedeemVoucher {
        series,
        amount: random.random_range(1..40),
        timeout_ms: random.random_range(TIMEOUTS_MS),
    }
}

fn deposit(city: usize, number: u64) -> Deposit {
    Deposit {
        digest: subject(city, number).to_vec().into(),
        description: "模拟存证".into(),
        source: "simulation".into(),
    }
}

/// Asks another city or the relay chain for something that may be there, or may come, or never.
fn asking(net: &Net, random: &mut StdRng, city: usize, deposited: u64) -> Ask {
    let to = match random.random_range(0..=CITIES) {
        to if to == city => HUB,
        to => to,
    };
    Ask {
        destination: net.id_bytes(to),
        inquiry: Some(Inquiry {
            kind: KIND_EVIDENCE,
            digest: subject(to, random.random_range(2..2 * deposited + 5)).to_vec().into(),
            organisation: ORGANISATION.into(),
            ..Default::default()
        }),
        timeout_ms: random.random_range(TIMEOUTS_MS),
    }
}

fn telling(net: &Net, random: &mut StdRng, city: usize) -> Notice {
    let to = match random.random_range(1..=CITIES) {
        to if to == city => HUB,
        to => to,
    };
    Notice {
        destination: net.id_bytes(to),
        kind: "notice".into(),
        text: "通告".into(),
        timeout_ms: random.random_range(TIMEOUTS_MS),
        ..Default::default()
    }
}
