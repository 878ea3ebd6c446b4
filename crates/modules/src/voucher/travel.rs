//! Vouchers on their way between chains.

use super::{
    MOVE, RECLAIM, REDEEM, SERIES_BYTES_MAX, TITLE_BYTES_MAX, VOUCHER_MODULE,
    books::{add, amount, keep, known_or, less, load, more, parse, take},
    codes,
};
use crate::link::{self, Outcome, Outgoing};
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, rules};
use yulian_types::{
    SealedPacket, StateKey, decode_canonical, encode,
    limits::PACKET_PAYLOAD_BYTES_MAX,
    proto::{VoucherMove, VoucherSeries},
    state_keys::PACKET_DONE,
    voucher_series_id,
};

/// Amounts go to accounts that exist, so that none is lost to a slip of the pen.
pub(super) fn has_account(call: &mut Call<'_>, holder: &[u8]) -> Result<(), Failure> {
    let unknown = |detail: String| Failure::new(&codes::HOLDER_NOT_FOUND, detail);
    let id = Digest::from_slice(holder).ok_or_else(|| unknown(format!("{} bytes", holder.len())))?;
    match call.get(&StateKey::account(&id))? {
        Some(_) => Ok(()),
        None => Err(unknown(id.to_string())),
    }
}

/// What another chain needs to know of a series.
pub(super) fn described(record: &VoucherSeries) -> VoucherSeries {
    VoucherSeries {
        held: 0,
        issued: 0,
        redeemed: 0,
        moving: 0,
        outside: 0,
        unclaimed: 0,
        ..record.clone()
    }
}

fn read(packet: &SealedPacket) -> Result<(Digest, VoucherSeries, VoucherMove), Failure> {
    let bad = |what: String| Failure::new(&codes::BAD_VOUCHER, what);
    let mut movement: VoucherMove =
        decode_canonical(&packet.message.payload, PACKET_PAYLOAD_BYTES_MAX).map_err(|error| bad(error.to_string()))?;
    let series = movement.series.take().ok_or_else(|| bad("series".into()))?;
    let (home, id) = (parse(&series.home)?, parse(&series.id)?);
    let texts = series.series.len() <= SERIES_BYTES_MAX
        && rules::is_text(&series.series, SERIES_BYTES_MAX)
        && !series.series.contains('\n')
        && rules::is_text(&series.title, TITLE_BYTES_MAX)
        && rules::is_organisation_id(&series.organisation)
        && series.terms.len() == 32;
    if !texts || id != voucher_series_id(&home, &series.organisation, &series.series) || described(&series) != series {
        return Err(bad("series".into()));
    }
    if movement.from.len() != 32 || (movement.amount == 0) != (packet.message.method == RECLAIM) {
        return Err(bad("holder or amount".into()));
    }
    Ok((id, series, movement))
}

/// The answer is empty, or the `PacketRef` of the packet from here in which the vouchers go on.
pub(super) fn receive(call: &mut Call<'_>, packet: &SealedPacket) -> Result<Bytes, Failure> {
    let (id, series, movement) = read(packet)?;
    let home = parse(&series.home)?;
    match (packet.message.method.as_str(), home == call.block().chain_id) {
        (MOVE, true) => return_home(call, packet, &id, movement),
        (REDEEM, true) => redeem_at_home(call, packet, &id, &movement),
        (RECLAIM, true) => give_back(call, packet, &id, &movement),
        // A chain other than home takes vouchers from their home alone.
        (MOVE, false) if home == packet.source => arrive(call, &id, series, &movement),
        _ => Err(Failure::new(&codes::NOT_FROM_HOME, packet.source.to_string())),
    }
}

/// Takes an amount that a chain gives up from what it holds; more than that it cannot give.
fn claim(call: &mut Call<'_>, id: &Digest, chain: &Digest, amount: u64) -> Result<VoucherSeries, Failure> {
    let mut record = load(call, id)?;
    take(
        call,
        &StateKey::voucher_outside(id, chain),
        amount,
        &codes::OVER_OUTSTANDING,
    )?;
    less(call, &mut record.outside, amount)?;
    Ok(record)
}

fn return_home(
    call: &mut Call<'_>,
    packet: &SealedPacket,
    id: &Digest,
    movement: VoucherMove,
) -> Result<Bytes, Failure> {
    let mut record = claim(call, id, &packet.source, movement.amount)?;
    if movement.onward.is_empty() {
        has_account(call, &movement.to)?;
        record.held += movement.amount;
        add(call, &StateKey::voucher_balance(id, &movement.to), movement.amount)?;
        keep(call, id, &record)?;
        return Ok(Bytes::new());
    }
    let next = parse(&movement.onward)?;
    record.moving += movement.amount;
    keep(call, id, &record)?;
    let onward = VoucherMove {
        series: Some(described(&record)),
        amount: movement.amount,
        from: movement.from,
        to: movement.to,
        from_chain: packet.source.to_vec().into(),
        ..Default::default()
    };
    let organisation = packet.message.organisation.clone();
    depart(call, next, organisation, &onward, movement.onward_timeout_ms)
}

fn redeem_at_home(
    call: &mut Call<'_>,
    packet: &SealedPacket,
    id: &Digest,
    movement: &VoucherMove,
) -> Result<Bytes, Failure> {
    let mut record = claim(call, id, &packet.source, movement.amount)?;
    if call.block().time_ms > record.expires_ms {
        return Err(Failure::new(&codes::EXPIRED, record.expires_ms.to_string()));
    }
    record.redeemed += movement.amount;
    keep(call, id, &record)?;
    Ok(Bytes::new())
}

/// What could not be given back goes to its holder after all.
fn give_back(
    call: &mut Call<'_>,
    packet: &SealedPacket,
    id: &Digest,
    movement: &VoucherMove,
) -> Result<Bytes, Failure> {
    let mut record = load(call, id)?;
    let key = StateKey::voucher_unclaimed(id, &packet.source, &movement.from);
    let waiting = amount(call, &key)?;
    if waiting == 0 {
        return Err(Failure::from(&codes::NOTHING_UNCLAIMED));
    }
    call.delete(&key)?;
    less(call, &mut record.unclaimed, waiting)?;
    record.moving += waiting;
    keep(call, id, &record)?;
    let organisation = packet.message.organisation.clone();
    back(call, &record, packet.source, organisation, &movement.from, waiting)
}

fn arrive(
    call: &mut Call<'_>,
    id: &Digest,
    described: VoucherSeries,
    movement: &VoucherMove,
) -> Result<Bytes, Failure> {
    has_account(call, &movement.to)?;
    let mut record = known_or(call, id, described)?;
    record.held = more(record.held, movement.amount)?;
    // What is on its way from here may come back: it needs its place too.
    more(record.held, record.moving)?;
    add(call, &StateKey::voucher_balance(id, &movement.to), movement.amount)?;
    keep(call, id, &record)?;
    Ok(Bytes::new())
}

/// A packet of this module: always proven by its source itself.
pub(super) fn outgoing(destination: Digest, method: &'static str, movement: &VoucherMove, timeout_ms: u64) -> Outgoing {
    Outgoing {
        destination,
        module: VOUCHER_MODULE,
        method,
        payload: encode(movement),
        timeout_ms,
        ordered: false,
        end_to_end: true,
    }
}

/// A packet from home that no account sends.
fn depart(
    call: &mut Call<'_>,
    destination: Digest,
    organisation: String,
    movement: &VoucherMove,
    timeout_ms: u64,
) -> Result<Bytes, Failure> {
    link::send_by_itself(call, organisation, outgoing(destination, MOVE, movement, timeout_ms))
}

/// Sends an amount from home back to a holder of another chain.
fn back(
    call: &mut Call<'_>,
    record: &VoucherSeries,
    chain: Digest,
    organisation: String,
    holder: &Bytes,
    amount: u64,
) -> Result<Bytes, Failure> {
    let movement = VoucherMove {
        series: Some(described(record)),
        amount,
        from: holder.clone(),
        to: holder.clone(),
        from_chain: chain.to_vec().into(),
        ..Default::default()
    };
    depart(call, chain, organisation, &movement, 0)
}

/// A packet of this chain has ended: what did not arrive goes back to whom it came from.
pub(super) fn ended(call: &mut Call<'_>, packet: &SealedPacket, outcome: &Outcome) -> Result<(), Failure> {
    let broken = |call: &mut Call<'_>| call.broken("packet of vouchers", "not as this chain sends them");
    let Ok((id, series, movement)) = read(packet) else {
        return Err(broken(call));
    };
    let at_home = series.home[..] == call.block().chain_id.0;
    let done = outcome.status == PACKET_DONE;
    let mut record = load(call, &id)?;
    less(call, &mut record.moving, movement.amount)?;
    if !at_home {
        if !done {
            record.held += movement.amount;
            add(call, &StateKey::voucher_balance(&id, &movement.from), movement.amount)?;
        }
        return keep(call, &id, &record);
    }
    if done {
        record.outside += movement.amount;
        add(
            call,
            &StateKey::voucher_outside(&id, &packet.destination),
            movement.amount,
        )?;
        return keep(call, &id, &record);
    }
    if movement.from_chain.is_empty() {
        record.held += movement.amount;
        add(call, &StateKey::voucher_balance(&id, &movement.from), movement.amount)?;
        return keep(call, &id, &record);
    }
    let Some(chain) = Digest::from_slice(&movement.from_chain) else {
        return Err(broken(call));
    };
    // What goes back and does not arrive either waits at home.
    let returning = chain != packet.destination
        && call
            .attempt(|call| {
                let mut record = record.clone();
                record.moving += movement.amount;
                keep(call, &id, &record)?;
                let organisation = packet.message.organisation.clone();
                back(call, &record, chain, organisation, &movement.from, movement.amount)
            })
            .is_ok();
    if returning {
        return Ok(());
    }
    record.unclaimed += movement.amount;
    add(
        call,
        &StateKey::voucher_unclaimed(&id, &chain, &movement.from),
        movement.amount,
    )?;
    keep(call, &id, &record)
}
