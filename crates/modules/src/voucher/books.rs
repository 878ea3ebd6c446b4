//! Who holds how much.

use super::codes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure};
use yulian_types::{
    StateKey,
    proto::{Counter, VoucherAmount, VoucherId, VoucherSeries},
};

pub(super) fn parse(bytes: &[u8]) -> Result<Digest, Failure> {
    Digest::from_slice(bytes).ok_or_else(|| Failure::new(&codes::BAD_SERIES, format!("{} bytes", bytes.len())))
}

pub(super) fn load(call: &mut Call<'_>, id: &Digest) -> Result<VoucherSeries, Failure> {
    let found = call.record(&StateKey::voucher_series(id), "series of vouchers")?;
    found.ok_or_else(|| Failure::new(&codes::SERIES_NOT_FOUND, id.to_string()))
}

/// The record of a series that need not be there; one that is not gets its number, so that the series of a chain can be listed.
pub(super) fn known_or(call: &mut Call<'_>, id: &Digest, new: VoucherSeries) -> Result<VoucherSeries, Failure> {
    let present: Option<VoucherSeries> = call.record(&StateKey::voucher_series(id), "series of vouchers")?;
    match present {
        Some(record) if record.terms == new.terms && record.expires_ms == new.expires_ms => Ok(record),
        Some(_) => Err(Failure::from(&codes::OTHER_TERMS)),
        None => {
            let key = StateKey::voucher_count();
            let count: Counter = call.record(&key, "number of series")?.unwrap_or_default();
            let series = new.id.clone();
            call.put_record(&StateKey::voucher_at(count.value), &VoucherId { series })?;
            let value = count.value + 1;
            call.put_record(&key, &Counter { value })?;
            Ok(new)
        }
    }
}

pub(super) fn amount(call: &mut Call<'_>, key: &StateKey) -> Result<u64, Failure> {
    let record: Option<VoucherAmount> = call.record(key, "amount of vouchers")?;
    Ok(record.map_or(0, |record| record.amount))
}

fn set(call: &mut Call<'_>, key: &StateKey, amount: u64) -> Result<(), Failure> {
    match amount {
        0 => call.delete(key),
        amount => call.put_record(key, &VoucherAmount { amount }),
    }
}

/// Adds to an entry. No sum exceeds what was issued, which fits.
pub(super) fn add(call: &mut Call<'_>, key: &StateKey, more: u64) -> Result<(), Failure> {
    let before = amount(call, key)?;
    let after = before
        .checked_add(more)
        .ok_or_else(|| Failure::from(&codes::BAD_AMOUNT))?;
    set(call, key, after)
}

/// Takes from an entry what it has, or fails.
pub(super) fn take(
    call: &mut Call<'_>,
    key: &StateKey,
    less: u64,
    code: &'static yulian_exec::Code,
) -> Result<(), Failure> {
    let before = amount(call, key)?;
    let after = before
        .checked_sub(less)
        .ok_or_else(|| Failure::new(code, format!("{before} are there, {less} are asked for")))?;
    set(call, key, after)
}

/// Keeps the record of a series after its sums changed.
pub(super) fn keep(call: &mut Call<'_>, id: &Digest, record: &VoucherSeries) -> Result<(), Failure> {
    let parts = [
        record.redeemed,
        record.held,
        record.moving,
        record.outside,
        record.unclaimed,
    ];
    let sum = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part));
    let at_home = record.home[..] == call.block().chain_id.0;
    if at_home && sum != Some(record.issued) {
        return Err(call.broken("series of vouchers", "the sums do not agree"));
    }
    call.put_record(&StateKey::voucher_series(id), record)
}

/// A part of a sum that grows, or fails.
pub(super) fn more(sum: u64, amount: u64) -> Result<u64, Failure> {
    sum.checked_add(amount).ok_or_else(|| Failure::from(&codes::BAD_AMOUNT))
}

/// A part of a sum that must be there because it was added before.
pub(super) fn less(call: &mut Call<'_>, from: &mut u64, amount: u64) -> Result<(), Failure> {
    match from.checked_sub(amount) {
        Some(rest) => {
            *from = rest;
            Ok(())
        }
        None => Err(call.broken("series of vouchers", "more is taken than there is")),
    }
}
