//! Vouchers counted once more, from what happened: `docs/cross-chain.md` section 8 in sums.

use super::told::{Happened, Key, Moved, Told};
use crate::check::Broken;
use bytes::Bytes;
use prost::Message as _;
use std::collections::{BTreeMap, BTreeSet};
use yulian_types::{
    Digest,
    proto::{
        IssueVoucher, Packet, RedeemVoucher, SendVoucher, TransferVoucher, VoucherAmount, VoucherMove, VoucherSeries,
    },
};

/// Module id and tables of `voucher`.
const VOUCHER: u32 = 6;
const TABLE_SERIES: u8 = 1;
const TABLE_BALANCE: u8 = 2;
const TABLE_OUTSIDE: u8 = 3;
const TABLE_UNCLAIMED: u8 = 4;
const DONE: u32 = 1;

/// A sum by series and whose it is; what came to nothing is not there.
type Sums = BTreeMap<(Digest, Vec<u8>), u64>;

/// What one chain must have.
#[derive(Default)]
pub(super) struct Books {
    chain: Digest,
    balances: Sums,
    /// At home: by chain.
    outside: Sums,
    /// At home: by chain ‖ holder.
    unclaimed: Sums,
    issued: BTreeMap<Digest, u64>,
    redeemed: BTreeMap<Digest, u64>,
    moving: BTreeMap<Digest, u64>,
    homes: BTreeMap<Digest, Digest>,
}

/// Whether a chain issued a series.
pub(super) fn is_home(told: &Told, id: &Digest) -> bool {
    let series: Option<VoucherSeries> = told.record(VOUCHER, TABLE_SERIES, &id.0);
    series.is_some_and(|series| series.home[..] == told.id.0)
}

/// The series and the movement of a packet of vouchers.
pub(super) fn movement(packet: &Packet) -> Option<(Digest, VoucherMove)> {
    if packet.module != "voucher" {
        return None;
    }
    let movement = VoucherMove::decode(packet.payload.clone()).ok()?;
    Some((Digest::from_slice(&movement.series.as_ref()?.id)?, movement))
}

fn give(sums: &mut Sums, key: (Digest, Vec<u8>), amount: u64) {
    if amount > 0 {
        *sums.entry(key).or_default() += amount;
    }
}

fn take(sums: &mut Sums, key: (Digest, Vec<u8>), amount: u64, rule: &str) -> Result<(), Broken> {
    let there = sums.get(&key).copied().unwrap_or_default();
    let left = there.checked_sub(amount);
    let left = left.ok_or_else(|| format!("{rule}: {amount} of {} were taken where {there} are", key.0))?;
    match left {
        0 => sums.remove(&key),
        left => sums.insert(key, left),
    };
    Ok(())
}

fn decode<M: prost::Message + Default>(bytes: &Bytes) -> Result<M, Broken> {
    M::decode(bytes.clone()).map_err(|error| error.to_string())
}

fn id(bytes: &[u8]) -> Result<Digest, Broken> {
    Digest::from_slice(bytes).ok_or_else(|| "a series without an id".into())
}

impl Books {
    /// Counts what happened on a chain. `done` says of a packet received there that it was taken, `end` how one that was sent from there ended.
    pub(super) fn follow(
        told: &Told,
        done: impl Fn(&Key) -> bool,
        end: impl Fn(&Key) -> Option<u32>,
    ) -> Result<Self, Broken> {
        let mut books = Self {
            chain: told.id,
            ..Self::default()
        };
        for (key, value) in told.table(VOUCHER, TABLE_SERIES) {
            let series: VoucherSeries = decode(value)?;
            books.homes.insert(id(key)?, id(&series.home)?);
        }
        for happened in &told.happened {
            match happened {
                Happened::Voucher {
                    method,
                    arguments,
                    sender,
                } => books.called(told, method, arguments, sender)?,
                Happened::Received(moved) if done(&moved.key) => books.received(moved)?,
                Happened::Ended(moved) => books.ended(moved, end(&moved.key) == Some(DONE))?,
                _ => {}
            }
        }
        Ok(books)
    }

    fn is_home(&self, series: &Digest) -> bool {
        self.homes.get(series) == Some(&self.chain)
    }

    fn called(&mut self, told: &Told, method: &str, arguments: &Bytes, sender: &Digest) -> Result<(), Broken> {
        let own = sender.0.to_vec();
        match method {
            "issue" => {
                let issue: IssueVoucher = decode(arguments)?;
                // One series is all that a chain's people issue here.
                let series = told.table(VOUCHER, TABLE_SERIES).map(|(key, _)| id(key));
                let series: Vec<Digest> = series.collect::<Result<_, _>>()?;
                let series = series.into_iter().find(|series| self.is_home(series));
                let series = series.ok_or("SERIES: something was issued that is not there")?;
                *self.issued.entry(series).or_default() += issue.amount;
                give(&mut self.balances, (series, issue.holder.to_vec()), issue.amount);
            }
            "transfer" => {
                let transfer: TransferVoucher = decode(arguments)?;
                let series = id(&transfer.series)?;
                take(&mut self.balances, (series, own), transfer.amount, "HELD")?;
                give(&mut self.balances, (series, transfer.holder.to_vec()), transfer.amount);
            }
            "send" => {
                let send: SendVoucher = decode(arguments)?;
                let series = id(&send.series)?;
                take(&mut self.balances, (series, own), send.amount, "HELD")?;
                *self.moving.entry(series).or_default() += send.amount;
            }
            "redeem" => {
                let redeem: RedeemVoucher = decode(arguments)?;
                let series = id(&redeem.series)?;
                take(&mut self.balances, (series, own), redeem.amount, "HELD")?;
                let sums = if self.is_home(&series) {
                    &mut self.redeemed
                } else {
                    &mut self.moving
                };
                *sums.entry(series).or_default() += redeem.amount;
            }
            _ => {}
        }
        Ok(())
    }

    /// A packet that was taken here.
    fn received(&mut self, moved: &Moved) -> Result<(), Broken> {
        let Some((series, movement)) = movement(&moved.packet) else {
            return Ok(());
        };
        let source = moved.key.source.0.to_vec();
        if !self.is_home(&series) {
            if self.homes.get(&series) != Some(&moved.key.source) {
                return Err(format!(
                    "HOME: {} was taken from another chain than the home of {series}",
                    moved.key
                ));
            }
            give(&mut self.balances, (series, movement.to.to_vec()), movement.amount);
            return Ok(());
        }
        match moved.packet.method.as_str() {
            "move" => {
                take(&mut self.outside, (series, source), movement.amount, "RELEASED")?;
                match movement.onward.is_empty() {
                    true => give(&mut self.balances, (series, movement.to.to_vec()), movement.amount),
                    false => *self.moving.entry(series).or_default() += movement.amount,
                }
            }
            "redeem" => {
                take(&mut self.outside, (series, source), movement.amount, "RELEASED")?;
                *self.redeemed.entry(series).or_default() += movement.amount;
            }
            _ => {
                let key = (series, [source, movement.from.to_vec()].concat());
                let waiting = self
                    .unclaimed
                    .remove(&key)
                    .ok_or("UNCLAIMED: nothing was there to be given back")?;
                *self.moving.entry(series).or_default() += waiting;
            }
        }
        Ok(())
    }

    /// A packet that was sent from here has ended.
    fn ended(&mut self, moved: &Moved, done: bool) -> Result<(), Broken> {
        let Some((series, movement)) = movement(&moved.packet) else {
            return Ok(());
        };
        let (amount, from) = (movement.amount, movement.from.to_vec());
        let moving = self.moving.entry(series).or_default();
        *moving = moving
            .checked_sub(amount)
            .ok_or_else(|| format!("MOVING: {} ended, and less moved", moved.key))?;
        let home = self.is_home(&series);
        match (done, home) {
            (true, true) => give(&mut self.outside, (series, moved.key.destination.0.to_vec()), amount),
            (true, false) => {}
            (false, _) if movement.from_chain.is_empty() => give(&mut self.balances, (series, from), amount),
            // It goes back to the chain that it came from: another packet went out with this end.
            (false, _) if moved.sends => *self.moving.entry(series).or_default() += amount,
            (false, _) => {
                let key = (series, [movement.from_chain.to_vec(), from].concat());
                give(&mut self.unclaimed, key, amount);
            }
        }
        Ok(())
    }

    /// What the state says is what happened.
    pub(super) fn compare(&self, told: &Told) -> Result<(), Broken> {
        let sums = |table: u8| -> Result<Sums, Broken> {
            let read = |(key, value): (&[u8], &Bytes)| {
                let amount: VoucherAmount = decode(value)?;
                Ok(((id(&key[..32])?, key[32..].to_vec()), amount.amount))
            };
            told.table(VOUCHER, table).map(read).collect()
        };
        for (table, mine) in [
            (TABLE_BALANCE, &self.balances),
            (TABLE_OUTSIDE, &self.outside),
            (TABLE_UNCLAIMED, &self.unclaimed),
        ] {
            let theirs = sums(table)?;
            if theirs != *mine {
                return Err(format!(
                    "BOOKS: table {table} of {} is {theirs:?}, expected {mine:?}",
                    told.id
                ));
            }
        }
        for (key, value) in told.table(VOUCHER, TABLE_SERIES) {
            let (series, record) = (id(key)?, decode::<VoucherSeries>(value)?);
            let of = |sums: &BTreeMap<Digest, u64>| sums.get(&series).copied().unwrap_or_default();
            let theirs = [
                record.issued,
                record.redeemed,
                record.held,
                record.moving,
                record.outside,
                record.unclaimed,
            ];
            let held = self.held(&series);
            let mine = [
                of(&self.issued),
                of(&self.redeemed),
                held,
                of(&self.moving),
                total(&self.outside, &series),
                total(&self.unclaimed, &series),
            ];
            if theirs != mine || record.moving != 0 {
                return Err(format!(
                    "BOOKS: {series} at {} is {theirs:?}, expected {mine:?}",
                    told.id
                ));
            }
        }
        Ok(())
    }

    /// What holders of this chain have.
    pub(super) fn held(&self, series: &Digest) -> u64 {
        total(&self.balances, series)
    }

    /// At home: what another chain has.
    pub(super) fn outside(&self, series: &Digest, chain: &Digest) -> u64 {
        self.outside
            .get(&(*series, chain.0.to_vec()))
            .copied()
            .unwrap_or_default()
    }

    /// At home: what was issued, and what of it no honest chain holds: what liars hold is what home knows, whatever they say.
    pub(super) fn rest(&self, series: &Digest, liars: &BTreeSet<Digest>) -> (u64, u64) {
        let of = |sums: &BTreeMap<Digest, u64>| sums.get(series).copied().unwrap_or_default();
        let with_liars: u64 = liars.iter().map(|chain| self.outside(series, chain)).sum();
        let gone = of(&self.redeemed) + with_liars + total(&self.unclaimed, series);
        (of(&self.issued), gone)
    }
}

fn total(sums: &Sums, series: &Digest) -> u64 {
    sums.iter()
        .filter(|((id, _), _)| id == series)
        .map(|(_, amount)| amount)
        .sum()
}
