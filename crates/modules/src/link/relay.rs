//! Packets of other chains on their way through this one.

use super::{
    client, codes, freeze,
    outbox::{decode, decode_result, emit},
    proof, route,
};
use yulian_exec::{Call, Failure};
use yulian_types::{
    SealedPacket,
    proto::{CarryItem, PacketResult, RelayRecord},
    state_keys::PACKET_TIMED_OUT,
};

/// Takes note of a packet that stands in its source's state and that a route allows.
pub(super) fn relay(call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let packet = decode(&item.packet)?;
    let here = call.block().chain_id;
    if packet.source == here || packet.destination == here {
        return Err(Failure::new(
            &codes::OTHER_CHAIN,
            "this chain is an end of the packet's way",
        ));
    }
    client::active(call, &packet.destination)?;
    route::check(call, &packet)?;
    freeze::check(call, &packet)?;
    let key = packet.relayed_key();
    if call.get(&key)?.is_some() {
        return Err(Failure::new(
            &codes::ALREADY_RELAYED,
            format!("sequence {}", packet.message.sequence),
        ));
    }
    proof::verify(
        call,
        &packet.source,
        item.proof.as_ref(),
        &packet.sent_key(),
        Some(&packet.bytes),
    )?;
    let record = RelayRecord {
        packet: packet.digest.to_vec().into(),
        height: call.block().height,
        time_ms: call.block().time_ms,
    };
    call.put_record(&key, &record)?;
    emit(call, "packet_relayed", &packet)
}

/// A packet that this chain relays and whose end it does not know.
fn relayed(call: &mut Call<'_>, item: &CarryItem) -> Result<SealedPacket, Failure> {
    let packet = decode(&item.packet)?;
    let record: Option<RelayRecord> = call.record(&packet.relayed_key(), "relay record")?;
    if record.is_none_or(|record| record.packet[..] != packet.digest.0) {
        return Err(Failure::new(
            &codes::NOT_RELAYED,
            format!("sequence {}", packet.message.sequence),
        ));
    }
    if call.get(&packet.confirmed_key())?.is_some() {
        return Err(Failure::new(
            &codes::ALREADY_CONFIRMED,
            format!("sequence {}", packet.message.sequence),
        ));
    }
    Ok(packet)
}

/// Takes note of the destination's result.
pub(super) fn confirm(call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let packet = relayed(call, item)?;
    decode_result(&packet, &item.record)?;
    let key = packet.result_key();
    proof::verify(call, &packet.destination, item.proof.as_ref(), &key, Some(&item.record))?;
    call.put(&packet.confirmed_key(), item.record.clone())?;
    emit(call, "packet_confirmed", &packet)
}

/// Takes note that the destination will not receive it any more.
pub(super) fn expire(call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let packet = relayed(call, item)?;
    proof::verify_late(call, &packet, item.proof.as_ref())?;
    let result = PacketResult {
        packet: packet.digest.to_vec().into(),
        status: PACKET_TIMED_OUT,
        code: codes::TOO_LATE.code.into(),
        ..Default::default()
    };
    call.put_record(&packet.confirmed_key(), &result)?;
    emit(call, "packet_confirmed", &packet)
}
