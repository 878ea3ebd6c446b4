//! Executing transactions of a block on several threads, with the results of one after the other.
//!
//! The block is taken in chunks. Threads try the transactions of a chunk on the state as it is at its start, and note every
//! value that they get to see. Then, in block order and on one thread, each is settled: if the state at its place still
//! gives the same values and the same sender, then executing it there could only do the same again, and what was found is
//! taken; else it is executed at its place. So nothing depends on the threads but time, and no transaction is executed more
//! than twice.

use crate::{
    Base, StateError,
    execute::Executor,
    senders::Sender,
    transaction::{Frame, seal},
    view::{BlockView, Expected, Observed, Observer, TransactionWrites},
};
use bytes::Bytes;
use std::{collections::BTreeSet, sync::Arc};
use yulian_state::workers::{self, Workers};
use yulian_types::SealedTransaction;

/// Transactions of a chunk for each thread. More would meet at a barrier less often and see an older state.
const CHUNK_PER_THREAD: usize = 256;
/// Transactions that a thread takes at a time: enough to hash their keys side by side, few enough that no thread is left
/// with much when the others are done.
const SLICE: usize = 32;
/// After a chunk of which most was tried for nothing, so many are executed one after the other.
const CHUNKS_PAUSED: usize = 4;

/// What is known of a transaction when its chunk begins.
struct Entry {
    sender: Option<Arc<Sender>>,
    /// It is executed at its place and not before: it would most likely be in vain.
    waits: bool,
}

/// What a thread found out about a transaction before its turn.
struct Ahead {
    expected: Option<Expected>,
    tried: Option<Tried>,
}

struct Tried {
    observed: Vec<Observed>,
    receipt: Bytes,
    writes: TransactionWrites,
}

/// Executes transactions in order; encoded receipts.
pub(crate) fn run_all<B: Base>(
    executor: &mut Executor<'_, B>,
    transactions: &[Arc<SealedTransaction>],
    workers: &dyn Workers,
) -> Result<Vec<Bytes>, StateError> {
    let mut receipts = Vec::with_capacity(transactions.len());
    let mut paused = 0;
    for chunk in transactions.chunks(CHUNK_PER_THREAD * workers.threads()) {
        if paused > 0 {
            paused -= 1;
            executor.run_some(chunk, &mut receipts, workers)?;
            continue;
        }
        let entries = enter(executor, chunk);
        let aheads = look_ahead(executor, chunk, &entries, workers);
        let (mut tried, mut lost) = (0, 0);
        for ((transaction, entry), ahead) in chunk.iter().zip(&entries).zip(aheads.into_iter().flatten()) {
            tried += usize::from(ahead.tried.is_some());
            receipts.push(settle(executor, transaction, entry, ahead, &mut lost)?);
        }
        if 2 * lost > tried {
            paused = CHUNKS_PAUSED;
        }
    }
    Ok(receipts)
}

/// Loads the senders of a chunk, and finds out which transactions declare keys that an earlier one has declared.
fn enter<B: Base>(executor: &mut Executor<'_, B>, chunk: &[Arc<SealedTransaction>]) -> Vec<Entry> {
    let mut declared = BTreeSet::new();
    let mut entry = |transaction: &'_ Arc<SealedTransaction>| {
        // If it cannot be read, that is found at the transaction's place, if it is still so then.
        let sender = executor.senders.load(&mut executor.view, &transaction.sender);
        let mut waits = sender.is_err();
        for key in &transaction.payload.declared_keys {
            waits |= !declared.insert(key.clone());
        }
        let sender = sender.ok().flatten();
        Entry { sender, waits }
    };
    chunk.iter().map(&mut entry).collect()
}

fn look_ahead<B: Base>(
    executor: &mut Executor<'_, B>,
    chunk: &[Arc<SealedTransaction>],
    entries: &[Entry],
    workers: &dyn Workers,
) -> Vec<Vec<Ahead>> {
    let frame = executor.frame;
    let slices: Vec<_> = chunk.chunks(SLICE).zip(entries.chunks(SLICE)).collect();
    if executor.view.is_cold() {
        // What a thread brings for a look-up of its own is gone afterwards, and the end of the block needs it again.
        let view = &executor.view;
        let expected = workers::map(workers, slices.len(), |at| expect_slice(frame, view, slices[at]));
        executor.view.bring(expected.iter().flatten().flatten(), workers);
    }
    let view = &executor.view;
    workers::map(workers, slices.len(), |at| try_slice(frame, view, slices[at]))
}

/// Transactions that a thread takes at a time, with what is known of each.
type Slice<'a> = (&'a [Arc<SealedTransaction>], &'a [Entry]);

fn expect_slice<B: Base>(frame: Frame<'_>, view: &BlockView<B>, slice: Slice<'_>) -> Vec<Option<Expected>> {
    let both = slice.0.iter().zip(slice.1);
    let keys = both.map(|(transaction, entry)| frame.expected_key(entry.sender.as_deref(), transaction));
    view.locate(keys.collect())
}

fn try_slice<B: Base>(frame: Frame<'_>, view: &BlockView<B>, slice: Slice<'_>) -> Vec<Ahead> {
    let expected = expect_slice(frame, view, slice);
    let (transactions, entries) = slice;
    let ahead = |(at, (transaction, entry)): (usize, (&Arc<SealedTransaction>, &Entry))| {
        let tried = if entry.waits || is_repeated(&expected, at) {
            None
        } else {
            attempt(frame, view, transaction, entry, expected[at].clone())
        };
        let expected = expected[at].clone();
        Ahead { expected, tried }
    };
    transactions.iter().zip(entries).enumerate().map(ahead).collect()
}

/// Whether an earlier transaction of the slice is expected to read the same key: what it leaves there is not known yet.
fn is_repeated(expected: &[Option<Expected>], at: usize) -> bool {
    let Some((_, own)) = &expected[at] else { return false };
    expected[..at].iter().flatten().any(|(_, path)| path == own)
}

/// `None` where there is nothing to go by: the state could not be read, or more was read than is noted. What fails here need
/// not fail at the transaction's place.
fn attempt<B: Base>(
    frame: Frame<'_>,
    view: &BlockView<B>,
    transaction: &SealedTransaction,
    entry: &Entry,
    expected: Option<Expected>,
) -> Option<Tried> {
    let mut observer = Observer::new(view);
    let effect = frame.run(&mut observer, entry.sender.as_deref(), transaction, expected, None);
    let effect = effect.ok()?;
    Some(Tried {
        observed: observer.finish()?,
        receipt: seal(&effect.receipt),
        writes: effect.writes,
    })
}

/// The receipt of a transaction at its place.
fn settle<B: Base>(
    executor: &mut Executor<'_, B>,
    transaction: &SealedTransaction,
    entry: &Entry,
    ahead: Ahead,
    lost: &mut usize,
) -> Result<Bytes, StateError> {
    let Some(tried) = ahead.tried else {
        return executor.run_sealed(transaction, ahead.expected);
    };
    let sender = executor.senders.load(&mut executor.view, &transaction.sender)?;
    let holds = is_same(sender.as_ref(), entry.sender.as_ref()) && executor.view.still_gives(&tried.observed);
    executor.view.keep(tried.observed);
    if holds {
        executor.accept(tried.writes);
        return Ok(tried.receipt);
    }
    *lost += 1;
    executor.run_sealed(transaction, ahead.expected)
}

/// Whether it is the same decoded record. One that was forgotten and read again counts as another, whatever it says.
fn is_same(one: Option<&Arc<Sender>>, other: Option<&Arc<Sender>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}
