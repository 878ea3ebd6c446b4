//! Who holds how much.

use super::{VOUCHER_ID, codes};
use yulian_crypto::{Digest, sm3};
use yulian_exec::{Call, Failure};
use yulian_types::{
    StateKey,
    proto::{VoucherAmount, VoucherSeries},
    tags,
};

/// Table: series by id.
pub const TABLE_SERIES: u8 = 1;
/// Table: what a holder of this chain has, by series ‖ account.
pub const TABLE_BALANCE: u8 = 2;
/// Table, at home: what is held on another chain, by series ‖ chain.
pub const TABLE_OUTSIDE: u8 = 3;
/// Table, at home: what came back and could not be given back, by series ‖ chain ‖ account.
pub const TABLE_UNCLAIMED: u8 = 4;

/// [`VoucherSeries`] of an id.
pub fn series(id: &Digest) -> StateKey {
    StateKey::new(VOUCHER_ID, TABLE_SERIES, &[&id.0])
}

/// [`VoucherAmount`] that a holder of this chain has.
pub fn balance(id: &Digest, holder: &[u8]) -> StateKey {
    StateKey::new(VOUCHER_ID, TABLE_BALANCE, &[&id.0, holder])
}

/// [`VoucherAmount`] that is held on another chain, as its home knows it.
pub fn outside(id: &Digest, chain: &Digest) -> StateKey {
    StateKey::new(VOUCHER_ID, TABLE_OUTSIDE, &[&id.0, &chain.0])
}

/// [`VoucherAmount`] that waits at home for a holder of another chain.
pub fn unclaimed(id: &Digest, chain: &Digest, holder: &[u8]) -> StateKey {
    StateKey::new(VOUCHER_ID, TABLE_UNCLAIMED, &[&id.0, &chain.0, holder])
}

/// Id of a series of an organisation of its home chain.
pub fn series_id(home: &Digest, organisation: &str, name: &str) -> Digest {
    let length = [organisation.len() as u8];
    let parts: [&[u8]; 4] = [&home.0, &length, organisation.as_bytes(), name.as_bytes()];
    sm3::tagged(&tags::VOUCHER_SERIES, &parts)
}

pub(super) fn parse(bytes: &[u8]) -> Result<Digest, Failure> {
    Digest::from_slice(bytes).ok_or_else(|| Failure::new(&codes::BAD_SERIES, format!("{} bytes", bytes.len())))
}

pub(super) fn load(call: &mut Call<'_>, id: &Digest) -> Result<VoucherSeries, Failure> {
    let found = call.record(&series(id), "series of vouchers")?;
    found.ok_or_else(|| Failure::new(&codes::SERIES_NOT_FOUND, id.to_string()))
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
    call.put_record(&series(id), record)
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
