//! Light load on every chain: a transaction every second or so, each with the time until it was final.

use super::scope::{Subject, Task};
use crate::key;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use yulian_crypto::sm3;
use yulian_modules::link::LINK_MODULE;
use yulian_sdk::{Patience, SignedTransaction, succeeded};

/// Between two transactions of a chain, for each chain that there is: a laptop carries 25 a second beside its other work.
const PER_CHAIN: Duration = Duration::from_millis(40);
/// The shortest of these pauses.
const EVERY_MIN: Duration = Duration::from_millis(200);
/// A transaction that is not final after this time is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Transactions of a chain that are under way at most.
const UNDER_WAY_MAX: usize = 64;

/// One transaction.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) sent: Instant,
    pub(super) ended: Instant,
    /// Why it had no effect.
    pub(super) failed: Option<String>,
}

/// The samples of a chain, in the order in which they ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Sample>>>);

impl Log {
    fn note(&self, sample: Sample) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
    }

    pub(super) fn samples(&self) -> Vec<Sample> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the first transaction that was sent after a moment was final.
    pub(super) fn first_after(&self, moment: Instant) -> Option<Instant> {
        let samples = self.samples();
        let later = samples
            .iter()
            .filter(|sample| sample.failed.is_none() && sample.sent >= moment);
        later.map(|sample| sample.ended).min()
    }
}

/// Load on all chains until it is stopped.
pub(super) struct Load {
    logs: Vec<Log>,
    tasks: JoinSet<()>,
    /// A new number asks every chain for a transaction at once; the highest ends the load.
    turn: watch::Sender<u32>,
}

const END: u32 = u32::MAX;

/// Between two transactions of each chain.
pub(super) fn every(chains: usize) -> Duration {
    (PER_CHAIN * chains as u32).max(EVERY_MIN)
}

impl Load {
    pub(super) fn start(subjects: &[Subject]) -> Self {
        let turn = watch::Sender::new(0);
        let every = every(subjects.len());
        let logs: Vec<Log> = subjects.iter().map(|_| Log::default()).collect();
        let mut tasks = JoinSet::new();
        for (subject, log) in subjects.iter().zip(&logs).filter(|(subject, _)| subject.driven()) {
            tasks.spawn(drive(subject.clone(), log.clone(), every, turn.subscribe()));
        }
        Self { logs, tasks, turn }
    }

    /// Asks every chain for a transaction at once.
    pub(super) fn hurry(&self) {
        self.turn.send_modify(|turn| *turn += 1);
    }

    pub(super) fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// Sends no more, and waits for what is under way.
    pub(super) async fn end(mut self) -> Vec<Log> {
        self.turn.send_replace(END);
        while self.tasks.join_next().await.is_some() {}
        self.logs
    }
}

async fn drive(subject: Subject, log: Log, every: Duration, mut turn: watch::Receiver<u32>) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = turn.changed() => if changed.is_err() || *turn.borrow() == END {
                break;
            },
        }
        while under_way.try_join_next().is_some() {}
        if under_way.len() < UNDER_WAY_MAX {
            under_way.spawn(one(subject.clone(), log.clone()));
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn one(subject: Subject, log: Log) {
    let sent = Instant::now();
    let failed = match transaction(&subject) {
        Err(reason) => Some(reason),
        Ok(signed) => match subject
            .chain
            .submit_and_wait_for(&signed, Patience::For(PATIENCE))
            .await
        {
            Ok(result) => succeeded(result).err().map(|failed| failed.result.code.clone()),
            Err(error) => Some(error.to_string()),
        },
    };
    let ended = Instant::now();
    log.note(Sample { sent, ended, failed });
}

fn transaction(subject: &Subject) -> Result<SignedTransaction, String> {
    let terms = subject.chain.terms();
    let signed = match &subject.task {
        Task::Deposit(account) => {
            let mut bytes = [0; 32];
            rand_core::Rng::fill_bytes(&mut key::random(), &mut bytes);
            account.deposit(terms, &sm3::hash(&[&bytes]), "yulian drill", "")
        }
        Task::Tick(account) => account.call(terms, LINK_MODULE, "tick", &()),
        Task::Nothing => return Err("no account".into()),
    };
    signed.map_err(|error| error.to_string())
}
