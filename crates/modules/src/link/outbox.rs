//! Packets of this chain: sent, and how they end.

use super::{
    ANSWER_BYTES_MAX, CODE_BYTES_MAX, Link, Outcome, PENDING_MAX, PENDING_PER_ORGANISATION_MAX, TIMEOUT_MS_DEFAULT,
    TIMEOUT_MS_MAX, TIMEOUT_MS_MIN, client, codes, proof, tables,
};
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure};
use yulian_types::{
    SealedPacket, StateKey, decode_canonical, encode,
    limits::PACKET_BYTES_MAX,
    proto::{CarryItem, OutCursor, Packet, PacketEnd, PacketRef, PacketResult, PendingCount},
    state_keys::{LINK_ENDED, PACKET_DONE, PACKET_FAILED, PACKET_GIVEN_UP, PACKET_TIMED_OUT},
};

/// A packet to be sent.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Genesis digest of the chain that it is for.
    pub destination: Digest,
    /// The module that sends it, which is also the one that takes it.
    pub module: &'static str,
    /// What it asks for.
    pub method: &'static str,
    /// What it carries.
    pub payload: Bytes,
    /// Milliseconds from now, by the destination's block time; 0 = [`TIMEOUT_MS_DEFAULT`].
    pub timeout_ms: u64,
    /// Received in the order in which it was sent.
    pub ordered: bool,
    /// Proven by its source itself.
    pub end_to_end: bool,
}

/// Sends a packet in the name of whoever calls. The answer is its encoded [`PacketRef`], which such a call answers too.
///
/// # Errors
/// An unknown, frozen or ended destination, a time-out out of range, too many that have not ended.
pub fn send(call: &mut Call<'_>, outgoing: Outgoing) -> Result<Bytes, Failure> {
    let (organisation, sender) = (call.sender().organisation.clone(), call.sender().id.clone());
    put(call, outgoing, organisation, sender)
}

/// Sends a packet that a module sends by itself, in the name of an organisation. The answer is its encoded [`PacketRef`].
///
/// # Errors
/// As for [`send`].
pub fn send_by_itself(call: &mut Call<'_>, organisation: String, outgoing: Outgoing) -> Result<Bytes, Failure> {
    put(call, outgoing, organisation, Bytes::new())
}

fn put(call: &mut Call<'_>, outgoing: Outgoing, organisation: String, sender: Bytes) -> Result<Bytes, Failure> {
    let destination = outgoing.destination;
    client::active(call, &destination)?;
    let timeout_ms = deadline(call, outgoing.timeout_ms)?;
    let key = StateKey::out_cursor(&destination, outgoing.module);
    let mut cursor: OutCursor = call
        .record(&key, "cursor of packets")?
        .unwrap_or(OutCursor { next: 1, pending: 0 });
    if cursor.pending >= PENDING_MAX {
        return Err(Failure::new(
            &codes::QUEUE_FULL,
            format!("{PENDING_MAX} have not ended"),
        ));
    }
    if !sender.is_empty() {
        count(call, &destination, outgoing.module, &organisation, true)?;
    }
    let sequence = cursor.next;
    let packet = SealedPacket::new(Packet {
        source: call.block().chain_id.to_vec().into(),
        destination: destination.to_vec().into(),
        module: outgoing.module.into(),
        method: outgoing.method.into(),
        sequence,
        organisation,
        sender,
        payload: outgoing.payload,
        timeout_ms,
        ordered: outgoing.ordered,
        end_to_end: outgoing.end_to_end,
        ..Default::default()
    });
    let packet = packet.map_err(|error| Failure::new(&codes::BAD_PACKET, error.to_string()))?;
    cursor.next += 1;
    cursor.pending += 1;
    call.put_record(&key, &cursor)?;
    call.put(&packet.sent_key(), packet.bytes.clone())?;
    emit(call, "packet_sent", &packet)?;
    Ok(encode(&PacketRef {
        chain: destination.to_vec().into(),
        module: outgoing.module.into(),
        sequence,
    }))
}

/// Packets that accounts of an organisation sent and that have not ended: no organisation fills the queue of others.
fn count(
    call: &mut Call<'_>,
    destination: &Digest,
    module: &str,
    organisation: &str,
    more: bool,
) -> Result<(), Failure> {
    let key = tables::pending(destination, module, organisation);
    let mut count: PendingCount = call.record(&key, "pending packets")?.unwrap_or_default();
    if more && count.pending >= PENDING_PER_ORGANISATION_MAX {
        let detail = format!("{PENDING_PER_ORGANISATION_MAX} of {organisation} have not ended");
        return Err(Failure::new(&codes::QUEUE_FULL, detail));
    }
    count.pending = match more {
        true => count.pending + 1,
        false => count.pending.saturating_sub(1),
    };
    match count.pending {
        0 => call.delete(&key),
        _ => call.put_record(&key, &count),
    }
}

fn deadline(call: &Call<'_>, timeout_ms: u64) -> Result<u64, Failure> {
    let timeout_ms = if timeout_ms == 0 {
        TIMEOUT_MS_DEFAULT
    } else {
        timeout_ms
    };
    if !(TIMEOUT_MS_MIN..=TIMEOUT_MS_MAX).contains(&timeout_ms) {
        let detail = format!("{timeout_ms} ms, {TIMEOUT_MS_MIN} to {TIMEOUT_MS_MAX} are allowed");
        return Err(Failure::new(&codes::BAD_TIMEOUT, detail));
    }
    Ok(call.block().time_ms.saturating_add(timeout_ms))
}

/// What an event about a packet says: source ‖ destination ‖ sequence (8) ‖ module.
pub(super) fn emit(call: &mut Call<'_>, name: &'static str, packet: &SealedPacket) -> Result<(), Failure> {
    let Packet { module, sequence, .. } = &packet.message;
    let sequence = sequence.to_be_bytes();
    let data: [&[u8]; 4] = [&packet.source.0, &packet.destination.0, &sequence, module.as_bytes()];
    call.emit(name, data.concat().into())
}

pub(super) fn decode(bytes: &Bytes) -> Result<SealedPacket, Failure> {
    SealedPacket::decode(bytes.clone()).map_err(|error| Failure::new(&codes::BAD_PACKET, error.to_string()))
}

/// A packet that this chain sent and that has not ended.
fn pending(call: &mut Call<'_>, item: &CarryItem) -> Result<SealedPacket, Failure> {
    let packet = decode(&item.packet)?;
    if packet.source != call.block().chain_id {
        return Err(Failure::new(
            &codes::OTHER_CHAIN,
            format!("the packet comes from {}", packet.source),
        ));
    }
    match call.get(&packet.sent_key())? {
        Some(sent) if sent == packet.bytes => Ok(packet),
        _ => Err(Failure::new(
            &codes::NOT_PENDING,
            format!("sequence {}", packet.message.sequence),
        )),
    }
}

pub(super) fn decode_result(packet: &SealedPacket, record: &Bytes) -> Result<PacketResult, Failure> {
    let refused = |reason: String| Failure::new(&codes::BAD_RESULT, reason);
    let result: PacketResult =
        decode_canonical(record, PACKET_BYTES_MAX).map_err(|error| refused(error.to_string()))?;
    if result.packet[..] != packet.digest.0 {
        return Err(refused("of another packet".into()));
    }
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.';
    if result.output.len() > ANSWER_BYTES_MAX || result.code.len() > CODE_BYTES_MAX || !result.code.bytes().all(is_code)
    {
        return Err(refused("code or output".into()));
    }
    if !matches!(result.status, PACKET_DONE | PACKET_FAILED | PACKET_TIMED_OUT) {
        return Err(refused(format!("status {}", result.status)));
    }
    Ok(result)
}

/// The destination's result came back.
pub(super) fn acknowledge(link: &Link, call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let packet = pending(call, item)?;
    let result = decode_result(&packet, &item.record)?;
    match (&item.proof, client::relay(call)?) {
        // The relay's word is enough where the packet says so.
        (None, Some(relay)) if !packet.message.end_to_end => {
            let (proof, key) = (item.relay.as_ref(), packet.confirmed_key());
            proof::verify(call, &relay, proof, &key, Some(&item.record))?;
        }
        (proof, _) => {
            let key = packet.result_key();
            proof::verify(call, &packet.destination, proof.as_ref(), &key, Some(&item.record))?;
        }
    }
    let outcome = Outcome {
        status: result.status,
        code: result.code,
        output: result.output,
    };
    end(link, call, &packet, outcome, (result.height, result.time_ms))
}

/// The destination's state has no result, and every block that could have made one is in that state.
pub(super) fn time_out(link: &Link, call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let packet = pending(call, item)?;
    proof::verify_late(call, &packet, item.proof.as_ref())?;
    let outcome = Outcome {
        status: PACKET_TIMED_OUT,
        code: codes::TOO_LATE.code.into(),
        output: Bytes::new(),
    };
    end(link, call, &packet, outcome, (0, 0))
}

/// The members decided that the destination is gone.
pub(super) fn give_up(link: &Link, call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let packet = pending(call, item)?;
    let client = client::known(call, &packet.destination)?;
    if client.status != LINK_ENDED {
        return Err(Failure::new(&codes::NOT_ENDED, packet.destination.to_string()));
    }
    let outcome = Outcome {
        status: PACKET_GIVEN_UP,
        code: codes::CLIENT_ENDED.code.into(),
        output: Bytes::new(),
    };
    end(link, call, &packet, outcome, (0, 0))
}

fn end(
    link: &Link,
    call: &mut Call<'_>,
    packet: &SealedPacket,
    outcome: Outcome,
    (received_height, received_ms): (u64, u64),
) -> Result<(), Failure> {
    call.delete(&packet.sent_key())?;
    let key = StateKey::out_cursor(&packet.destination, &packet.message.module);
    let mut cursor: OutCursor = call.record(&key, "cursor of packets")?.unwrap_or_default();
    cursor.pending = cursor.pending.saturating_sub(1);
    call.put_record(&key, &cursor)?;
    if !packet.message.sender.is_empty() {
        let message = &packet.message;
        count(call, &packet.destination, &message.module, &message.organisation, false)?;
    }
    let record = PacketEnd {
        packet: packet.digest.to_vec().into(),
        status: outcome.status,
        code: outcome.code.clone(),
        output: outcome.output.clone(),
        height: call.block().height,
        time_ms: call.block().time_ms,
        received_height,
        received_ms,
    };
    call.put_record(&packet.ended_key(), &record)?;
    let Some(port) = link.port(&packet.message.module) else {
        return Err(call.broken("packet", "sent by a module that does not send"));
    };
    port.ended(call, packet, &outcome)?;
    emit(call, "packet_ended", packet)
}
