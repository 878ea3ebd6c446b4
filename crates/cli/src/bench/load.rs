//! The clients: each keeps transactions under way through the public interface of its node, or takes them to it when they
//! are due.

use super::{
    feed::Feed, flight::Flight, open, outcome::Outcome, samples, schedule::Schedule, supply::Supply, usage::Process,
};
use crate::{
    problem::{Cause, Result},
    refusal::sdk,
    text::problem,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};
use yulian_sdk::{
    Chain, Patience, SdkError, SignedTransaction, SubmitError,
    views::{StreamDetail, SubmitAnswer},
};

/// Pause after a node said that it is full.
const BACK_OFF: Duration = Duration::from_millis(20);
/// Without any commit for this long, a run is over.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long a client tries to hand over the same transactions.
const HAND_OVER_MAX: Duration = Duration::from_secs(60);
/// Codes that say something about the node at this moment, not about the transaction.
pub(super) const PASSING: [&str; 8] = [
    "busy",
    "mempool_full",
    "sender_limit",
    "not_ready",
    "request_timeout",
    "shutting_down",
    "storage",
    "exec.state_unavailable",
];
/// An earlier attempt of the same bytes arrived; the stream of final blocks tells the result.
const ARRIVED: &str = "exec.replayed";

/// How the clients work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) clients: usize,
    /// Transactions of one request.
    pub(crate) batch: usize,
    /// Transactions that a client has under way at most.
    pub(crate) window: usize,
    /// Wait for the final result of each transaction before the next.
    pub(crate) wait: bool,
    /// When clients stop; none until the supply is used up.
    pub(crate) time: Option<Duration>,
}

/// Where the transactions come from, and when they leave.
pub(crate) enum Work {
    /// A client sends when its earlier ones are settled.
    Closed(Supply),
    /// They leave when they are due; at most so many are under way.
    Open(Schedule, Feed, usize),
}

/// What is loaded, and how.
pub(crate) struct Load<'a> {
    pub(crate) chain: &'a Chain,
    /// Sampled while the clients work.
    pub(crate) processes: &'a [Process],
    pub(crate) plan: Plan,
    /// Where each part of the run but the first begins.
    pub(crate) cuts: Vec<Duration>,
}

pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) flight: Flight,
}

impl Load<'_> {
    /// Runs all clients to their end, and waits until everything sent is final.
    /// `tell` hears of every block how many transactions are committed.
    pub(crate) async fn run(self, work: Work, tell: impl FnMut(u64)) -> Result<Outcome> {
        let height = self.chain.info().await.map_err(sdk)?.height;
        let (lanes, window) = match &work {
            Work::Closed(_) => (self.plan.clients, self.plan.window.max(self.plan.batch)),
            Work::Open(_, _, under_way_max) => (1, *under_way_max),
        };
        let run = Arc::new(Run {
            plan: self.plan,
            flight: Flight::new(lanes, window, self.cuts.clone()),
        });
        let (ended, watched) = watch::channel(false);
        let sending = async {
            let used_up = match work {
                Work::Closed(supply) => closed(&run, self.chain, supply).await,
                Work::Open(schedule, feed, _) => open::send(&run, self.chain, &schedule, feed).await,
            };
            ended.send_replace(true);
            used_up
        };
        let (over, sampled) = watch::channel(false);
        let watching = async {
            let blocks = follow(&run, self.chain, height + 1, watched, tell).await;
            over.send_replace(true);
            blocks
        };
        let sampling = async { Ok(samples::watch(&run.flight, self.processes, sampled).await) };
        // Whichever fails ends the others: a run of hours does not go on to nobody's use.
        let (used_up, (), samples) = tokio::try_join!(sending, watching, sampling)?;
        let outcome = run.flight.end(used_up);
        Ok(Outcome { samples, ..outcome })
    }
}

/// Transactions of a closed loop, and until when clients take of them.
struct Stock {
    supply: Supply,
    deadline: Option<Instant>,
}

impl Stock {
    /// What a client sends next; nothing when the time is over.
    fn take(&self, limit: usize) -> &[SignedTransaction] {
        match self.is_late() {
            true => &[],
            false => self.supply.take(limit),
        }
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Runs the clients of a closed loop; whether the transactions were used up before the time was over.
async fn closed(run: &Arc<Run>, chain: &Chain, supply: Supply) -> Result<bool> {
    let stock = Arc::new(Stock {
        supply,
        deadline: run.plan.time.map(|time| Instant::now() + time),
    });
    let mut clients = JoinSet::new();
    for client in 0..run.plan.clients {
        let (run, stock, chain) = (run.clone(), stock.clone(), chain.only(client));
        clients.spawn(async move {
            match run.plan.wait {
                true => wait_for_each(&run, &stock, client, &chain).await,
                false => keep_going(&run, &stock, client, &chain).await,
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.or_problem(problem::no_runtime)?;
    }
    Ok(run.plan.time.is_some() && stock.supply.is_used_up() && !stock.is_late())
}

/// Submits without waiting: as much as the window allows, at any time.
async fn keep_going(run: &Run, stock: &Stock, client: usize, chain: &Chain) {
    loop {
        if timeout(SILENCE_MAX, run.flight.room(client, run.plan.batch))
            .await
            .is_err()
        {
            return;
        }
        let part = stock.take(run.plan.batch);
        if part.is_empty() {
            return;
        }
        run.flight.spare(client, run.plan.batch - part.len());
        run.flight.enter(client, part);
        hand_over(run, chain, part).await;
    }
}

/// Hands transactions to a node, the same bytes again as long as it has no room for them.
pub(super) async fn hand_over(run: &Run, chain: &Chain, part: &[SignedTransaction]) {
    let deadline = Instant::now() + HAND_OVER_MAX;
    let mut rest = part.to_vec();
    loop {
        rest = match chain.submit_batch(&rest).await {
            Ok(answers) => judge(run, rest, answers),
            Err(error) if passes(&error) => rest,
            Err(error) => {
                rest.iter()
                    .for_each(|transaction| run.flight.refused(&transaction.id, || error.to_string()));
                return;
            }
        };
        // What is still not handed over then stays unresolved, and is reported so.
        if rest.is_empty() || Instant::now() >= deadline {
            return;
        }
        run.flight.paused();
        sleep(BACK_OFF).await;
    }
}

/// Those that have to be sent again.
fn judge(run: &Run, sent: Vec<SignedTransaction>, answers: Vec<SubmitAnswer>) -> Vec<SignedTransaction> {
    let again = |(transaction, answer): (SignedTransaction, SubmitAnswer)| {
        let SubmitAnswer::Refused { error, .. } = answer else {
            return None;
        };
        if PASSING.contains(&error.code.as_str()) {
            return Some(transaction);
        }
        if error.code != ARRIVED {
            run.flight
                .refused(&transaction.id, || format!("{}: {}", error.code, error.message_en));
        }
        None
    };
    sent.into_iter().zip(answers).filter_map(again).collect()
}

fn passes(error: &SdkError) -> bool {
    match error {
        SdkError::Node { .. } => true,
        SdkError::Refused { error, .. } => PASSING.contains(&error.code.as_str()),
        _ => false,
    }
}

/// One transaction at a time, each to its final result.
async fn wait_for_each(run: &Run, stock: &Stock, client: usize, chain: &Chain) {
    loop {
        let [transaction] = stock.take(1) else {
            return;
        };
        run.flight.room(client, 1).await;
        run.flight.enter(client, std::slice::from_ref(transaction));
        match chain
            .submit_and_wait_for(transaction, Patience::For(HAND_OVER_MAX))
            .await
        {
            Ok(result) => run
                .flight
                .settled(&transaction.id, result.result.success, &result.result.code),
            // It may still become final; it stays unresolved.
            Err(SubmitError::Unknown { .. }) => return,
            Err(error) => run.flight.refused(&transaction.id, || error.to_string()),
        }
    }
}

/// Follows the final blocks of one node until everything sent is settled, or nothing more happens. Where clients wait for
/// their results themselves, only the blocks are counted.
async fn follow(
    run: &Run,
    chain: &Chain,
    from: u64,
    mut ended: watch::Receiver<bool>,
    mut tell: impl FnMut(u64),
) -> Result<()> {
    let detail = match run.plan.wait {
        true => StreamDetail::Header,
        false => StreamDetail::Transactions,
    };
    let mut blocks = chain.beginning_with(0).follow(from, detail);
    let mut silent = Instant::now() + SILENCE_MAX;
    loop {
        let all_sent = *ended.borrow();
        if all_sent && run.flight.is_over() {
            return Ok(());
        }
        tokio::select! {
            block = blocks.next() => {
                let Some(block) = block else { return Ok(()) };
                let block = block.map_err(sdk)?;
                if run.plan.wait {
                    run.flight.count_block(block.transaction_count);
                }
                let before = run.flight.committed();
                let committed = run.flight.seen(&block);
                tell(committed);
                if committed > before || run.plan.wait && block.transaction_count > 0 {
                    silent = Instant::now() + SILENCE_MAX;
                }
            }
            // The sender lives until the end of the run.
            _ = ended.changed(), if !all_sent => {}
            () = sleep_until(silent), if all_sent => return Ok(()),
        }
    }
}
