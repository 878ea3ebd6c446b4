//! The open loop: transactions leave when they are due, whatever became of those before. A stall of the chain shows as
//! latency of everything that was due meanwhile, not as a pause of the load.

use super::{
    feed::{Feed, Next},
    load::{Run, hand_over},
    schedule::Schedule,
};
use crate::{
    problem::{Cause, Result},
    text::problem,
};
use std::sync::Arc;
use tokio::{
    sync::mpsc::{self, UnboundedSender},
    task::JoinSet,
    time::{Instant, sleep_until},
};
use yulian_sdk::{Chain, SignedTransaction};

/// The lane of the flight that all transactions of an open loop share.
const LANE: usize = 0;

/// Sends everything when it is due and waits until it is handed over; whether the transactions were used up before.
pub(super) async fn send(run: &Arc<Run>, chain: &Chain, schedule: &Schedule, feed: Feed) -> Result<bool> {
    let mut clients = JoinSet::new();
    let mut queues = Vec::new();
    for client in 0..run.plan.clients {
        // What waits in the queues is under way, and so there is a bound for all of them.
        let (queue, mut due) = mpsc::unbounded_channel::<Vec<SignedTransaction>>();
        queues.push(queue);
        let (run, chain) = (run.clone(), chain.only(client));
        clients.spawn(async move {
            while let Some(part) = due.recv().await {
                hand_over(&run, &chain, &part).await;
            }
        });
    }
    let used_up = pace(run, schedule, feed, &queues).await;
    drop(queues);
    while let Some(client) = clients.join_next().await {
        client.or_problem(problem::no_runtime)?;
    }
    Ok(used_up)
}

/// Gives each client in turn what is due together.
async fn pace(
    run: &Run,
    schedule: &Schedule,
    mut feed: Feed,
    queues: &[UnboundedSender<Vec<SignedTransaction>>],
) -> bool {
    let start = run.flight.started();
    let (mut number, mut turn) = (0, 0);
    while let Some(first) = schedule.due(number) {
        sleep_until(Instant::from_std(start + first)).await;
        let now = start.elapsed();
        let mut group = Vec::new();
        while let Some(due) = schedule
            .due(number)
            .filter(|due| *due <= now && group.len() < run.plan.batch)
        {
            number += 1;
            match feed.next() {
                Next::End => {
                    dispatch(queues, turn, group);
                    return true;
                }
                Next::Late => run.flight.not_sent(start + due, true),
                Next::Transaction(_) if !run.flight.try_room(LANE) => run.flight.not_sent(start + due, false),
                Next::Transaction(transaction) => {
                    run.flight.enter_due(LANE, &transaction, start + due);
                    group.push(transaction);
                }
            }
        }
        dispatch(queues, turn, group);
        turn += 1;
    }
    false
}

fn dispatch(queues: &[UnboundedSender<Vec<SignedTransaction>>], turn: usize, group: Vec<SignedTransaction>) {
    if !group.is_empty() {
        // A client that is gone is reported when it is joined; its transactions stay unresolved.
        let _ = queues[turn % queues.len()].send(group);
    }
}
