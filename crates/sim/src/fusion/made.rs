//! Packets that their source never sent, and vouchers that nobody issued.

use super::{
    keys::{CITIES, HOLDERS, ORGANISATION, holder_id},
    net::Net,
    setup,
};
use bytes::Bytes;
use rand::{RngExt, rngs::StdRng};
use yulian_types::{
    Digest, SealedPacket, StateKey,
    proto::{Packet, VoucherAmount, VoucherMove, VoucherSeries},
};

/// Module id and tables of vouchers, as docs/cross-chain.md and the module name them.
const VOUCHER_ID: u32 = 6;
const TABLE_SERIES: u8 = 1;
const TABLE_OUTSIDE: u8 = 3;
/// How long such a packet may take, ms.
const TIMEOUT_MS: u64 = 30_000;

/// What a home chain says of a series.
pub(crate) struct Known {
    /// As others are told of it.
    pub(crate) series: VoucherSeries,
    pub(crate) moving: u64,
    /// With the chain that is asked about.
    pub(crate) outside: u64,
}

/// What a home chain says of a series, and how many of it are with another chain.
pub(crate) async fn known(net: &Net, random: &mut StdRng, (home, id): (usize, Digest), with: usize) -> Option<Known> {
    let key = StateKey::new(VOUCHER_ID, TABLE_SERIES, &[&id.0]);
    let record: VoucherSeries = net.record(random, home, &key).await?;
    let key = StateKey::new(VOUCHER_ID, TABLE_OUTSIDE, &[&id.0, &net.id(with).0]);
    let outside: Option<VoucherAmount> = net.record(random, home, &key).await;
    Some(Known {
        moving: record.moving,
        outside: outside.map_or(0, |record| record.amount),
        series: setup::series(net, home),
    })
}

/// A city that is not at this place.
pub(crate) fn other_city(random: &mut StdRng, place: usize) -> usize {
    let cities: Vec<usize> = (1..=CITIES).filter(|city| *city != place).collect();
    cities[random.random_range(0..cities.len())]
}

/// Vouchers of a home chain for somebody elsewhere; now and then more than fit.
pub(crate) fn minted(net: &Net, random: &mut StdRng, home: usize, to: usize) -> VoucherMove {
    let amounts = [7, 300, u64::MAX / 2 + 1, u64::MAX];
    VoucherMove {
        series: Some(setup::series(net, home)),
        amount: amounts[random.random_range(0..amounts.len())],
        from: holder_id(home, 0).into(),
        to: holder_id(to, random.random_range(0..HOLDERS)).into(),
        ..Default::default()
    }
}

/// A well-formed packet from one chain to another.
pub(crate) fn packet(
    net: &Net,
    (source, to): (usize, usize),
    (module, method, sequence): (&str, &str, u64),
    payload: Bytes,
    end_to_end: bool,
) -> SealedPacket {
    let packet = SealedPacket::new(Packet {
        source: net.id_bytes(source),
        destination: net.id_bytes(to),
        module: module.into(),
        method: method.into(),
        sequence,
        organisation: ORGANISATION.into(),
        payload,
        timeout_ms: net.now_ms(to) + TIMEOUT_MS,
        end_to_end,
        ..Default::default()
    });
    packet.expect("a packet from one chain to another is well formed")
}
