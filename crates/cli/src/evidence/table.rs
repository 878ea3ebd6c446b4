//! `yulian evidence put-table`: the rows of a CSV file, in Merkle batches or one transaction each.
//!
//! Works on a window of rows at a time. A run that was interrupted is simply run again: what is deposited already is
//! recognised and passed over.

use super::{
    own_record, packs,
    put::{PACK_SUFFIX, worst},
    rows::{Row, Rows},
};
use crate::{
    connect::{Actor, Connect, Sign},
    files, out,
    problem::{Cause, Exit, Problem, Result},
    progress::Progress,
    refusal,
    text::{problem, say},
};
use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use tokio::task::spawn_blocking;
use yulian_crypto::Digest;
use yulian_exec::rules::ROLE_WRITER;
use yulian_modules::evidence::codes::ALREADY_DEPOSITED;
use yulian_sdk::{Chain, Patience, RowBatch, SignedTransaction, row_pack};

/// Rows of a batch unless another number is named.
pub(crate) const BATCH_ROWS_DEFAULT: usize = 4096;
/// Most rows of a batch: its tree is in memory.
const BATCH_ROWS_MAX: usize = 1 << 20;
/// Rows that go to a node together when each is a transaction.
const WINDOW: usize = 1000;
/// Windows under way at a time.
const WINDOWS_AT_ONCE: usize = 4;
/// Look-ups and packs under way at a time.
const REQUESTS_AT_ONCE: usize = 16;
/// Problems that are shown; a table may have as many as rows.
const SHOWN_MAX: usize = 10;
/// Row packs that are made by one task.
const PACKS_TOGETHER: usize = 64;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    table: PathBuf,
    #[arg(long)]
    id: String,
    #[arg(long, conflicts_with = "batch")]
    each: bool,
    #[arg(long)]
    batch: bool,
    #[arg(long, default_value_t = BATCH_ROWS_DEFAULT, conflicts_with = "each")]
    batch_rows: usize,
    #[arg(long)]
    pack_dir: Option<PathBuf>,
    #[arg(long)]
    description: Option<String>,
    #[arg(long)]
    source: Option<String>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

/// What all windows share.
struct Job {
    chain: Chain,
    actor: Actor,
    description: String,
    source: String,
    pack_dir: Option<PathBuf>,
}

/// What became of rows.
#[derive(Debug, Default)]
struct Tally {
    rows: u64,
    deposited: u64,
    before: u64,
    packs: u64,
    batches: Vec<serde_json::Value>,
    problems: Vec<Problem>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.deposited += other.deposited;
        self.before += other.before;
        self.packs += other.packs;
        self.batches.extend(other.batches);
        self.problems.extend(other.problems);
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<Exit> {
    let rows = Rows::open(&arguments.table, &arguments.id)?;
    if let Some(folder) = &arguments.pack_dir {
        files::create_dir(folder)?;
        check_ids(&arguments)?;
    }
    let chain = arguments.connect.chain().await?;
    let actor = arguments.sign.actor(&arguments.connect, &chain, ROLE_WRITER).await?;
    let name = arguments
        .table
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let job = Arc::new(Job {
        chain,
        actor,
        description: arguments.description.clone().unwrap_or_else(|| name.clone()),
        source: arguments.source.clone().unwrap_or(name),
        pack_dir: arguments.pack_dir.clone(),
    });
    let started = Instant::now();
    let tally = match arguments.each {
        true => each(&job, rows).await?,
        false => batches(&job, rows, arguments.batch_rows.clamp(1, BATCH_ROWS_MAX)).await?,
    };
    report(&tally, started, arguments.json);
    Ok(worst(tally.problems.iter()))
}

/// Ids name pack files, so none may come twice. A pass of its own, before anything is deposited.
fn check_ids(arguments: &Arguments) -> Result<()> {
    let mut seen = BTreeSet::new();
    for row in Rows::open(&arguments.table, &arguments.id)? {
        let row = row?;
        if !is_file_name(&row.id) {
            return Err(problem::id_no_file_name(arguments.table.display(), row.line, &row.id));
        }
        // Half a digest tells ids apart as surely, in bounded memory.
        let digest = yulian_crypto::sm3::hash(&[row.id.as_bytes()]);
        if !seen.insert(<[u8; 16]>::try_from(&digest.0[..16]).unwrap_or_default()) {
            return Err(problem::same_id(arguments.table.display(), row.line, &row.id));
        }
    }
    Ok(())
}

fn is_file_name(id: &str) -> bool {
    !id.is_empty() && id.len() <= 200 && !id.starts_with('.') && !id.contains(['/', '\\', '\0'])
}

// ---- One transaction for each row ----

async fn each(job: &Arc<Job>, rows: Rows) -> Result<Tally> {
    let mut progress = Progress::new(say::depositing_rows(), None);
    let windows = stream::iter(Windows { rows, size: WINDOW }).enumerate();
    let mut done = windows
        .map(|(at, window)| {
            let job = job.clone();
            async move { window_of_rows(&job, at, window?).await }
        })
        .buffered(WINDOWS_AT_ONCE);
    let mut tally = Tally::default();
    while let Some(window) = done.try_next().await? {
        progress.add(window.rows);
        tally.add(window);
    }
    Ok(tally)
}

struct Windows {
    rows: Rows,
    size: usize,
}

impl Iterator for Windows {
    type Item = Result<Vec<Row>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.next_rows(self.size) {
            Ok(rows) if rows.is_empty() => None,
            other => Some(other),
        }
    }
}

async fn window_of_rows(job: &Arc<Job>, at: usize, rows: Vec<Row>) -> Result<Tally> {
    // Clients spread over the nodes: each window begins with another one.
    let chain = job.chain.beginning_with(at);
    let known = known(job, &chain, &rows).await?;
    let new: Vec<&Row> = rows.iter().filter(|row| !known.contains(&row.digest)).collect();
    let transactions = sign(job, &new).await?;
    let results = chain.submit_all_and_wait(&transactions, Patience::UntilExpiry).await;
    let mut tally = Tally {
        rows: rows.len() as u64,
        before: (rows.len() - new.len()) as u64,
        ..Tally::default()
    };
    let mut failed = BTreeSet::new();
    for (row, result) in new.iter().zip(results) {
        match result.map_err(refusal::submission).and_then(refusal::effective) {
            Ok(_) => tally.deposited += 1,
            Err(problem) if problem.code() == ALREADY_DEPOSITED.code => tally.before += 1,
            Err(problem) => {
                failed.insert(row.line);
                tally.problems.push(problem.in_row(row.line));
            }
        }
    }
    if let Some(folder) = &job.pack_dir {
        let packed = rows.iter().filter(|row| !failed.contains(&row.line));
        tally.packs = packs_of_rows(job, &chain, folder, packed).await?;
    }
    Ok(tally)
}

impl Problem {
    /// The same problem, naming the line of the table.
    fn in_row(self, line: u64) -> Self {
        let summary = self.summary();
        self.because(say::in_line(line, summary))
    }
}

/// The rows of a window that are deposited already. Where neither its first nor its last row is, an earlier run did
/// not come here, and single rows that another deposited are noticed when they fail.
async fn known(job: &Job, chain: &Chain, rows: &[Row]) -> Result<BTreeSet<Digest>> {
    let mut known = BTreeSet::new();
    for row in [rows.first(), rows.last()].into_iter().flatten() {
        if is_known(job, chain, row.digest).await? {
            known.insert(row.digest);
        }
    }
    if known.is_empty() {
        return Ok(known);
    }
    let asked = rows.iter().map(|row| row.digest);
    let found = stream::iter(asked)
        .map(|digest| async move { Ok::<_, Problem>(is_known(job, chain, digest).await?.then_some(digest)) })
        .buffer_unordered(REQUESTS_AT_ONCE);
    let found: Vec<Option<Digest>> = found.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn is_known(job: &Job, chain: &Chain, digest: Digest) -> Result<bool> {
    Ok(own_record(chain, &digest, &job.actor.view.organisation)
        .await?
        .is_some())
}

async fn sign(job: &Arc<Job>, rows: &[&Row]) -> Result<Vec<SignedTransaction>> {
    let job = job.clone();
    let rows: Vec<(Digest, String)> = rows
        .iter()
        .map(|row| (row.digest, format!("{} {}", job.description, row.id)))
        .collect();
    let signing = spawn_blocking(move || {
        let sign = |(digest, description): (Digest, String)| {
            job.actor
                .account
                .deposit(job.chain.terms(), &digest, &description, &job.source)
        };
        rows.into_iter().map(sign).collect::<Result<Vec<_>, _>>()
    });
    signing
        .await
        .or_problem(problem::no_runtime)?
        .or_problem(problem::cannot_sign)
}

async fn packs_of_rows<'a>(
    job: &Job,
    chain: &Chain,
    folder: &Path,
    rows: impl Iterator<Item = &'a Row>,
) -> Result<u64> {
    let organisation = &job.actor.view.organisation;
    let written = stream::iter(rows)
        .map(|row| async move {
            let pack = packs::fetch(chain, &row.digest, organisation, None).await?;
            files::write_soon(&pack_path(folder, &row.id), &pack)
        })
        .buffer_unordered(REQUESTS_AT_ONCE);
    let written: Vec<()> = written.try_collect().await?;
    Ok(written.len() as u64)
}

fn pack_path(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}{PACK_SUFFIX}"))
}

// ---- Merkle batches ----

async fn batches(job: &Arc<Job>, rows: Rows, size: usize) -> Result<Tally> {
    let mut progress = Progress::new(say::depositing_rows(), None);
    let mut tally = Tally::default();
    for window in (Windows { rows, size }) {
        let window = window?;
        let count = window.len() as u64;
        tally.add(batch(job, tally.rows, window).await?);
        progress.add(count);
    }
    Ok(tally)
}

async fn batch(job: &Arc<Job>, before: u64, rows: Vec<Row>) -> Result<Tally> {
    let count = rows.len() as u64;
    let digests: Vec<Digest> = rows.iter().map(|row| row.digest).collect();
    let tree = Arc::new(RowBatch::new(&digests));
    let root = tree.root();
    let mut tally = Tally {
        rows: count,
        ..Tally::default()
    };
    let organisation = &job.actor.view.organisation;
    match own_record(&job.chain, &root, organisation).await? {
        Some(_) => tally.before = count,
        None => {
            deposit_batch(job, &root, before, count).await?;
            tally.deposited = count;
        }
    }
    tally
        .batches
        .push(json!({ "root": root.to_string(), "first_row": before + 1, "rows": count }));
    if let Some(folder) = &job.pack_dir {
        let pack = packs::fetch(&job.chain, &root, organisation, None).await?;
        tally.packs = row_packs(folder, pack, tree, rows).await?;
    }
    Ok(tally)
}

async fn deposit_batch(job: &Job, root: &Digest, before: u64, count: u64) -> Result<()> {
    let description = format!("{} {}-{}", job.description, before + 1, before + count);
    let signed = job
        .actor
        .account
        .deposit_batch(job.chain.terms(), root, count, &description, &job.source);
    let signed = signed.or_problem(problem::cannot_sign)?;
    let result = job.chain.submit_and_wait(&signed).await.map_err(refusal::submission)?;
    match refusal::effective(result) {
        Err(problem) if problem.code() == ALREADY_DEPOSITED.code => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Narrows the pack of a batch to each of its rows; every one is verified before it is written.
async fn row_packs(folder: &Path, pack: Bytes, tree: Arc<RowBatch>, rows: Vec<Row>) -> Result<u64> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rows: Vec<(usize, Row)> = rows.into_iter().enumerate().collect();
    let parts = rows.chunks(PACKS_TOGETHER).map(<[_]>::to_vec).collect::<Vec<_>>();
    let written = stream::iter(parts)
        .map(|part| {
            let (folder, pack, tree) = (folder.to_owned(), pack.clone(), tree.clone());
            async move {
                let made = spawn_blocking(move || write_row_packs(&folder, &pack, &tree, &part)).await;
                made.or_problem(problem::no_runtime)?
            }
        })
        .buffer_unordered(cores);
    let counts: Vec<u64> = written.try_collect().await?;
    Ok(counts.iter().sum())
}

fn write_row_packs(folder: &Path, pack: &Bytes, tree: &RowBatch, rows: &[(usize, Row)]) -> Result<u64> {
    for (index, row) in rows {
        let made = row_pack(pack, &row.digest, tree, *index as u64).map_err(refusal::pack)?;
        files::write_soon(&pack_path(folder, &row.id), &made)?;
    }
    Ok(rows.len() as u64)
}

fn report(tally: &Tally, started: Instant, as_json: bool) {
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if as_json {
        let problems: Vec<_> = tally
            .problems
            .iter()
            .map(|problem| problem.json()["error"].clone())
            .collect();
        out::json(&json!({
            "rows": tally.rows, "deposited": tally.deposited, "already": tally.before, "packs": tally.packs,
            "failed": problems, "batches": tally.batches, "duration_ms": ms,
        }));
        return;
    }
    let failed = tally.problems.len();
    out::line(say::table_done(
        tally.rows,
        tally.deposited,
        tally.before,
        failed,
        crate::clock::span(ms),
    ));
    if tally.packs > 0 {
        out::line(say::table_packs(tally.packs));
    }
    for problem in tally.problems.iter().take(SHOWN_MAX) {
        out::note_line(problem.render());
    }
    if failed > SHOWN_MAX {
        out::note_line(say::more_problems(failed - SHOWN_MAX));
    }
}
