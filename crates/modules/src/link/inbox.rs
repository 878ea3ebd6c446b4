//! Packets for this chain.

use super::{
    ANSWER_BYTES_MAX, Link, client, codes,
    outbox::{decode, emit},
    parse_chain,
    port::Port,
    proof,
};
use bytes::Bytes;
use yulian_exec::{Call, Failure};
use yulian_types::{
    SealedPacket, StateKey, decode_canonical,
    limits::{NAME_BYTES_MAX, PACKET_BYTES_MAX},
    proto::{CarryItem, InCursor, PacketEnd, PacketRef, PacketResult, RelayRecord},
    state_keys::{PACKET_DONE, PACKET_FAILED, PACKET_GIVEN_UP, PACKET_TIMED_OUT},
};

/// Takes a packet, once, and keeps how it ended.
pub(super) fn receive(link: &Link, call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let packet = decode(&item.packet)?;
    if packet.destination != call.block().chain_id {
        return Err(Failure::new(
            &codes::OTHER_CHAIN,
            format!("the packet is for {}", packet.destination),
        ));
    }
    let sequence = packet.message.sequence;
    if call.get(&packet.result_key())?.is_some() {
        return Err(Failure::new(&codes::ALREADY_RECEIVED, format!("sequence {sequence}")));
    }
    let port = link.port(&packet.message.module);
    authenticate(call, &packet, item, port)?;
    let late = call.block().time_ms >= packet.message.timeout_ms;
    if late && !packet.message.ordered {
        let detail = format!(
            "block time {}, time-out {}",
            call.block().time_ms,
            packet.message.timeout_ms
        );
        return Err(Failure::new(&codes::TOO_LATE, detail));
    }
    if packet.message.ordered {
        take_turn(call, &packet)?;
    }
    let result = if late {
        // In an ordered sequence the next one waits for this one's end.
        ended(&packet, PACKET_TIMED_OUT, codes::TOO_LATE.code, Bytes::new())
    } else {
        match call.attempt(|call| take(call, &packet, port)) {
            Ok(output) => ended(&packet, PACKET_DONE, "", output),
            Err(failure) => ended(&packet, PACKET_FAILED, failure.code.code, Bytes::new()),
        }
    };
    let result = PacketResult {
        height: call.block().height,
        time_ms: call.block().time_ms,
        ..result
    };
    call.put_record(&packet.result_key(), &result)?;
    emit(call, "packet_received", &packet)
}

/// The relay's word, the source's own proof, or both: what the packet, the module and the light client ask for.
fn authenticate(
    call: &mut Call<'_>,
    packet: &SealedPacket,
    item: &CarryItem,
    port: Option<&dyn Port>,
) -> Result<(), Failure> {
    let relay = client::relay(call)?;
    let voted = client::find(call, &packet.source)?.is_some_and(|client| client.direct);
    let direct = voted || relay == Some(packet.source);
    if !direct {
        let relay = relay.ok_or_else(|| Failure::from(&codes::NO_RELAY))?;
        let key = packet.relayed_key();
        proof::verify(call, &relay, item.relay.as_ref(), &key, Some(&item.record))?;
        let refused = |reason: String| Failure::new(&codes::NOT_RELAYED, reason);
        let record: RelayRecord =
            decode_canonical(&item.record, PACKET_BYTES_MAX).map_err(|error| refused(error.to_string()))?;
        if record.packet[..] != packet.digest.0 {
            return Err(refused("the relay has seen another packet".into()));
        }
    }
    if direct || packet.message.end_to_end || port.is_some_and(|port| port.end_to_end()) {
        proof::verify(
            call,
            &packet.source,
            item.proof.as_ref(),
            &packet.sent_key(),
            Some(&packet.bytes),
        )?;
    }
    Ok(())
}

fn take_turn(call: &mut Call<'_>, packet: &SealedPacket) -> Result<(), Failure> {
    let key = StateKey::in_cursor(&packet.source, &packet.message.module);
    let cursor = next_of(call, &key)?;
    if packet.message.sequence != cursor.next {
        let detail = format!("sequence {}, {} is next", packet.message.sequence, cursor.next);
        return Err(Failure::new(&codes::OUT_OF_ORDER, detail));
    }
    call.put_record(&key, &InCursor { next: cursor.next + 1 })
}

fn next_of(call: &mut Call<'_>, key: &StateKey) -> Result<InCursor, Failure> {
    Ok(call.record(key, "cursor of packets")?.unwrap_or(InCursor { next: 1 }))
}

/// The next packet of an ordered sequence has ended at its source, late or given up, and will never come: the one after it may.
pub(super) fn skip(call: &mut Call<'_>, item: &CarryItem) -> Result<(), Failure> {
    let bad = |reason: String| Failure::new(&codes::BAD_PACKET, reason);
    let named: PacketRef = decode_canonical(&item.packet, PACKET_BYTES_MAX).map_err(|error| bad(error.to_string()))?;
    let source = parse_chain(&named.chain)?;
    if named.module.is_empty() || named.module.len() > NAME_BYTES_MAX {
        return Err(bad("module".into()));
    }
    let end: PacketEnd = decode_canonical(&item.record, PACKET_BYTES_MAX).map_err(|error| bad(error.to_string()))?;
    if !matches!(end.status, PACKET_TIMED_OUT | PACKET_GIVEN_UP) {
        return Err(Failure::new(
            &codes::BAD_RESULT,
            "the packet did not end late or given up",
        ));
    }
    let key = StateKey::in_cursor(&source, &named.module);
    let cursor = next_of(call, &key)?;
    if named.sequence != cursor.next {
        let detail = format!("sequence {}, {} is next", named.sequence, cursor.next);
        return Err(Failure::new(&codes::OUT_OF_ORDER, detail));
    }
    let ended = StateKey::packet_ended(&call.block().chain_id.clone(), &named.module, named.sequence);
    proof::verify(call, &source, item.proof.as_ref(), &ended, Some(&item.record))?;
    call.put_record(&key, &InCursor { next: cursor.next + 1 })
}

fn take(call: &mut Call<'_>, packet: &SealedPacket, port: Option<&dyn Port>) -> Result<Bytes, Failure> {
    let port = port.ok_or_else(|| Failure::new(&codes::NO_PORT, packet.message.module.clone()))?;
    if port.end_to_end() && !packet.message.end_to_end {
        return Err(Failure::from(&codes::NOT_END_TO_END));
    }
    let output = port.receive(call, packet)?;
    if output.len() > ANSWER_BYTES_MAX {
        return Err(Failure::new(&codes::ANSWER_TOO_LONG, format!("{} bytes", output.len())));
    }
    Ok(output)
}

fn ended(packet: &SealedPacket, status: u32, code: &str, output: Bytes) -> PacketResult {
    PacketResult {
        packet: packet.digest.to_vec().into(),
        status,
        code: code.into(),
        output,
        ..Default::default()
    }
}
