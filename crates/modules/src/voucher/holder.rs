//! What issuers and holders do.

use super::{
    MOVE, RECLAIM, REDEEM, SERIES_BYTES_MAX, TITLE_BYTES_MAX,
    books::{add, keep, known_or, less, load, more, parse, take},
    codes,
    travel::{described, has_account, outgoing},
};
use crate::link;
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, rules};
use yulian_types::{
    StateKey, encode,
    proto::{
        IssueVoucher, ReclaimVoucher, RedeemVoucher, SendVoucher, TransferVoucher, VoucherId, VoucherMove,
        VoucherSeries,
    },
    voucher_series_id,
};

pub(super) fn issue(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: IssueVoucher = call.decode(arguments)?;
    check_issue(call, &arguments)?;
    let home = call.block().chain_id;
    let organisation = call.sender().organisation.clone();
    let id = voucher_series_id(&home, &organisation, &arguments.series);
    let new = VoucherSeries {
        home: home.to_vec().into(),
        id: id.to_vec().into(),
        organisation,
        series: arguments.series,
        title: arguments.title,
        terms: arguments.terms,
        expires_ms: arguments.expires_ms,
        ..Default::default()
    };
    let mut record = known_or(call, &id, new)?;
    record.issued = more(record.issued, arguments.amount)?;
    record.held = more(record.held, arguments.amount)?;
    add(
        call,
        &StateKey::voucher_balance(&id, &arguments.holder),
        arguments.amount,
    )?;
    keep(call, &id, &record)?;
    call.emit("issued", id.to_vec().into())?;
    Ok(encode(&VoucherId { series: record.id }))
}

fn check_issue(call: &mut Call<'_>, arguments: &IssueVoucher) -> Result<(), Failure> {
    let bad = |what: &str| Failure::new(&codes::BAD_VOUCHER, what);
    let name = &arguments.series;
    if name.is_empty() || name.trim() != name || !rules::is_text(name, SERIES_BYTES_MAX) || name.contains('\n') {
        return Err(bad("name of the series"));
    }
    if arguments.title.is_empty() || !rules::is_text(&arguments.title, TITLE_BYTES_MAX) {
        return Err(bad("title"));
    }
    if arguments.terms.len() != 32 {
        return Err(bad("digest of the terms"));
    }
    if arguments.expires_ms <= call.block().time_ms {
        return Err(bad("expiry is in the past"));
    }
    check_amount(arguments.amount)?;
    has_account(call, &arguments.holder)
}

fn check_amount(amount: u64) -> Result<(), Failure> {
    match amount {
        0 => Err(Failure::from(&codes::BAD_AMOUNT)),
        _ => Ok(()),
    }
}

pub(super) fn transfer(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: TransferVoucher = call.decode(arguments)?;
    let id = parse(&arguments.series)?;
    load(call, &id)?;
    check_amount(arguments.amount)?;
    has_account(call, &arguments.holder)?;
    let own = StateKey::voucher_balance(&id, &call.sender().id.clone());
    take(call, &own, arguments.amount, &codes::NOT_ENOUGH)?;
    add(
        call,
        &StateKey::voucher_balance(&id, &arguments.holder),
        arguments.amount,
    )?;
    call.emit("transferred", arguments.series)?;
    Ok(Bytes::new())
}

/// Sends to another chain: from home as it is, from elsewhere through home.
pub(super) fn send(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: SendVoucher = call.decode(arguments)?;
    let id = parse(&arguments.series)?;
    let mut record = load(call, &id)?;
    check_amount(arguments.amount)?;
    let (here, home) = (call.block().chain_id, parse(&record.home)?);
    let target = parse(&arguments.destination)?;
    if target == here || arguments.holder.len() != 32 {
        return Err(Failure::new(&codes::BAD_VOUCHER, "destination or holder"));
    }
    let holder = call.sender().id.clone();
    take(
        call,
        &StateKey::voucher_balance(&id, &holder),
        arguments.amount,
        &codes::NOT_ENOUGH,
    )?;
    less(call, &mut record.held, arguments.amount)?;
    let onward = here != home && target != home;
    let movement = VoucherMove {
        series: Some(described(&record)),
        amount: arguments.amount,
        from: holder,
        to: arguments.holder,
        onward: if onward { arguments.destination } else { Bytes::new() },
        onward_timeout_ms: if onward { arguments.timeout_ms } else { 0 },
        ..Default::default()
    };
    let next = if here == home { target } else { home };
    record.moving = more(record.moving, arguments.amount)?;
    keep(call, &id, &record)?;
    go(call, next, MOVE, &movement, arguments.timeout_ms)
}

pub(super) fn redeem(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: RedeemVoucher = call.decode(arguments)?;
    let id = parse(&arguments.series)?;
    let mut record = load(call, &id)?;
    check_amount(arguments.amount)?;
    if call.block().time_ms > record.expires_ms {
        return Err(Failure::new(&codes::EXPIRED, record.expires_ms.to_string()));
    }
    let holder = call.sender().id.clone();
    take(
        call,
        &StateKey::voucher_balance(&id, &holder),
        arguments.amount,
        &codes::NOT_ENOUGH,
    )?;
    less(call, &mut record.held, arguments.amount)?;
    let home = parse(&record.home)?;
    if home == call.block().chain_id {
        record.redeemed += arguments.amount;
        keep(call, &id, &record)?;
        call.emit("redeemed", arguments.series)?;
        return Ok(Bytes::new());
    }
    record.moving = more(record.moving, arguments.amount)?;
    keep(call, &id, &record)?;
    let movement = VoucherMove {
        series: Some(described(&record)),
        amount: arguments.amount,
        from: holder,
        ..Default::default()
    };
    go(call, home, REDEEM, &movement, arguments.timeout_ms)
}

pub(super) fn reclaim(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: ReclaimVoucher = call.decode(arguments)?;
    let id = parse(&arguments.series)?;
    let record = load(call, &id)?;
    let home = parse(&record.home)?;
    if home == call.block().chain_id {
        return Err(Failure::new(
            &codes::BAD_VOUCHER,
            "this chain is the home of the series",
        ));
    }
    let movement = VoucherMove {
        series: Some(described(&record)),
        from: call.sender().id.clone(),
        ..Default::default()
    };
    go(call, home, RECLAIM, &movement, arguments.timeout_ms)
}

fn go(
    call: &mut Call<'_>,
    destination: Digest,
    method: &'static str,
    movement: &VoucherMove,
    timeout_ms: u64,
) -> Result<Bytes, Failure> {
    let outgoing = outgoing(destination, method, movement, timeout_ms);
    link::send(call, outgoing)
}
