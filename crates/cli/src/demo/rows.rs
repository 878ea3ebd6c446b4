//! The whole table, one transaction for each row.

use super::{
    data::{self, TABLE_FILE, TABLE_SOURCE},
    say,
    scene::Scene,
};
use crate::{
    clock,
    problem::{Cause, Problem, Result},
    progress::Progress,
    refusal,
    text::problem,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{ops::Range, sync::Arc, time::Instant};
use tokio::task::spawn_blocking;
use yulian_modules::evidence::codes::ALREADY_DEPOSITED;
use yulian_sdk::{Chain, Patience, SignedTransaction, Table};

/// Rows of one request.
const WINDOW: usize = 500;
/// Requests under way at a time, spread over the nodes.
const WINDOWS_AT_ONCE: usize = 12;
/// Look-ups under way at a time within a window.
const LOOK_UPS_AT_ONCE: usize = 16;

/// Deposits every row that an earlier run has not.
pub(super) async fn deposit(scene: &Arc<Scene>) -> Result<String> {
    let table = Arc::new(data::table()?);
    let rows = table.rows().len();
    let mut progress = Progress::new(say::demo_table_progress(), Some(rows as u64));
    let started = Instant::now();
    let windows = (0..rows)
        .step_by(WINDOW)
        .map(|from| from..(from + WINDOW).min(rows))
        .enumerate();
    let mut done = stream::iter(windows)
        .map(|(at, rows)| {
            let (scene, table) = (scene.clone(), table.clone());
            async move {
                let count = rows.len();
                Ok::<_, Problem>((count, window(&scene, at, &table, rows).await?))
            }
        })
        .buffer_unordered(WINDOWS_AT_ONCE);
    let (mut seen, mut deposited) = (0, 0);
    while let Some((count, new)) = done.try_next().await? {
        seen += count;
        deposited += new;
        progress.set(seen as u64);
    }
    drop(progress);
    let elapsed = started.elapsed();
    let tps = format!("{:.0}", deposited as f64 / elapsed.as_secs_f64());
    let span = clock::span(elapsed.as_millis() as u64);
    Ok(say::demo_table_figure(rows, deposited, rows - deposited, span, tps))
}

/// Deposits some rows and returns how many were new.
async fn window(scene: &Arc<Scene>, at: usize, table: &Arc<Table>, rows: Range<usize>) -> Result<usize> {
    let chain = scene.chain.beginning_with(at);
    let new = missing(scene, &chain, table, rows).await?;
    let transactions = sign(scene, table, new).await?;
    let mut deposited = 0;
    for result in chain.submit_all_and_wait(&transactions, Patience::UntilExpiry).await {
        match result.map_err(refusal::submission).and_then(refusal::effective) {
            Ok(_) => deposited += 1,
            Err(problem) if problem.code() == ALREADY_DEPOSITED.code => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(deposited)
}

/// The rows that are not on the chain. Where neither the first nor the last is, an earlier run did not come here; single
/// rows that are there nevertheless are recognised when they are refused.
async fn missing(scene: &Scene, chain: &Chain, table: &Table, rows: Range<usize>) -> Result<Vec<usize>> {
    let is_there = |row: usize| scene.is_deposited(chain, table.digest(&table.rows()[row]));
    if !is_there(rows.start).await? && !is_there(rows.end - 1).await? {
        return Ok(rows.collect());
    }
    let asked = stream::iter(rows)
        .map(|row| async move { Ok::<_, Problem>((!is_there(row).await?).then_some(row)) })
        .buffered(LOOK_UPS_AT_ONCE);
    let missing: Vec<Option<usize>> = asked.try_collect().await?;
    Ok(missing.into_iter().flatten().collect())
}

async fn sign(scene: &Arc<Scene>, table: &Arc<Table>, rows: Vec<usize>) -> Result<Vec<SignedTransaction>> {
    let (scene, table) = (scene.clone(), table.clone());
    let signing = spawn_blocking(move || {
        let sign = |row: usize| {
            let row = &table.rows()[row];
            scene.sign(&table.digest(row), &format!("{TABLE_FILE} {}", row.id), TABLE_SOURCE)
        };
        rows.into_iter().map(sign).collect::<Result<Vec<_>>>()
    });
    signing.await.or_problem(problem::no_runtime)?
}
