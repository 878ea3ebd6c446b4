//! The clients: each keeps transactions under way through the public interface of its node.

use super::{
    flight::{Flight, Outcome},
    supply::Supply,
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
const PASSING: [&str; 8] = [
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

struct Run {
    plan: Plan,
    supply: Arc<Supply>,
    flight: Flight,
    deadline: Option<Instant>,
}

impl Run {
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

/// Runs all clients to their end, and waits until everything sent is final.
/// `tell` hears of every block how many transactions are committed.
pub(crate) async fn run(chain: &Chain, plan: Plan, supply: Supply, tell: impl FnMut(u64)) -> Result<Outcome> {
    let height = chain.info().await.map_err(sdk)?.height;
    let run = Arc::new(Run {
        plan,
        flight: Flight::new(plan.clients, plan.window.max(plan.batch)),
        deadline: plan.time.map(|time| Instant::now() + time),
        supply: Arc::new(supply),
    });
    let (ended, watched) = watch::channel(false);
    let mut clients = JoinSet::new();
    for client in 0..plan.clients {
        let (run, chain) = (run.clone(), chain.only(client));
        clients.spawn(async move {
            match run.plan.wait {
                true => wait_for_each(&run, client, &chain).await,
                false => keep_going(&run, client, &chain).await,
            }
        });
    }
    let all = async {
        while let Some(client) = clients.join_next().await {
            client.or_problem(problem::no_runtime)?;
        }
        ended.send_replace(true);
        Ok(())
    };
    let watching = follow(&run, chain, height + 1, watched, tell);
    let (all, blocks) = tokio::join!(all, watching);
    all?;
    blocks?;
    let early = run.supply.is_used_up() && !run.is_late();
    Ok(run.flight.end(plan.time.is_some() && early))
}

/// Submits without waiting: as much as the window allows, at any time.
async fn keep_going(run: &Run, client: usize, chain: &Chain) {
    loop {
        if timeout(SILENCE_MAX, run.flight.room(client, run.plan.batch))
            .await
            .is_err()
        {
            return;
        }
        let part = run.take(run.plan.batch);
        if part.is_empty() {
            return;
        }
        run.flight.spare(client, run.plan.batch - part.len());
        run.flight.enter(client, part);
        hand_over(run, chain, part).await;
    }
}

/// Hands transactions to a node, the same bytes again as long as it has no room for them.
async fn hand_over(run: &Run, chain: &Chain, part: &[SignedTransaction]) {
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
async fn wait_for_each(run: &Run, client: usize, chain: &Chain) {
    loop {
        let [transaction] = run.take(1) else {
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
