//! Packs of what is deposited, and `yulian evidence pack`.

use super::{relayed, rows::Rows, target::parse_digest};
use crate::{
    connect::Connect,
    files, out,
    problem::{Exit, Result},
    refusal,
    text::{problem, say},
};
use bytes::Bytes;
use clap::Args;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use yulian_crypto::Digest;
use yulian_sdk::{Chain, Outcome, PackFailure, RowBatch, SdkError, Subject, Trust, row_pack, verify_pack};

/// How long a proof may take to form: the block after that of the deposit must be final.
const PROVABLE_WITHIN: Duration = Duration::from_secs(30);
/// Pauses between two tries.
const PAUSE: Duration = Duration::from_millis(50);
/// Codes that pass by themselves.
const PASSING: [&str; 3] = ["not_provable", "not_final", "unknown_evidence"];

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["file", "digest", "table"])))]
pub(crate) struct Arguments {
    file: Option<PathBuf>,
    #[arg(long)]
    digest: Option<String>,
    #[arg(long, requires = "id", requires = "row_id")]
    table: Option<PathBuf>,
    #[arg(long)]
    id: Option<String>,
    #[arg(long)]
    row_id: Option<String>,
    #[arg(long, default_value_t = super::table::BATCH_ROWS_DEFAULT)]
    batch_rows: usize,
    #[arg(long)]
    organisation: Option<String>,
    #[arg(long)]
    relay: Option<String>,
    #[arg(short, long)]
    out: PathBuf,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let organisation = arguments.organisation.as_deref();
    let pack = match (&arguments.file, &arguments.digest, &arguments.table) {
        (Some(file), ..) => pack(&chain, &files::sm3_of(file)?, organisation).await?,
        (_, Some(digest), _) => pack(&chain, &parse_digest(digest)?, organisation).await?,
        (.., Some(_)) => of_row(&chain, arguments).await?,
        (None, None, None) => return Err(problem::nothing_named()),
    };
    let pack = match &arguments.relay {
        None => pack,
        Some(named) => {
            let relay = arguments.connect.client()?.chain(named).await.map_err(refusal::sdk)?;
            relayed::with_word(&arguments.connect, &chain, &relay, pack).await?
        }
    };
    files::write(&arguments.out, &pack, false)?;
    out::line(say::pack_written(arguments.out.display(), pack.len()));
    Ok(Exit::Done)
}

/// The pack of a row, deposited by itself or in a batch that is cut as `put-table` cuts it.
async fn of_row(chain: &Chain, arguments: &Arguments) -> Result<Bytes> {
    let (Some(table), Some(id), Some(row_id)) = (&arguments.table, &arguments.id, &arguments.row_id) else {
        return Err(problem::nothing_named());
    };
    let organisation = arguments.organisation.as_deref();
    let mut rows = Rows::open(table, id)?;
    loop {
        let some = rows.next_rows(arguments.batch_rows.max(1))?;
        if some.is_empty() {
            return Err(problem::no_row(table.display(), id, row_id));
        }
        let Some(index) = some.iter().position(|row| row.id == *row_id) else {
            continue;
        };
        let digests: Vec<Digest> = some.iter().map(|row| row.digest).collect();
        let batch = RowBatch::new(&digests);
        return match chain.pack(&batch.root(), organisation).await {
            Ok(pack) => Ok(row_pack(&pack, &digests[index], &batch, index as u64)
                .map_err(refusal::pack)?
                .into()),
            Err(PackFailure::Client(SdkError::Refused { error, .. })) if error.code == "unknown_evidence" => {
                pack(chain, &digests[index], organisation).await
            }
            Err(error) => Err(refusal::pack(error)),
        };
    }
}

async fn pack(chain: &Chain, digest: &Digest, organisation: Option<&str>) -> Result<Bytes> {
    chain.pack(digest, organisation).await.map_err(refusal::pack)
}

/// The pack of a new deposit, waiting for its proof; checked, and to be of `subject` if that is given.
pub(crate) async fn fetch(
    chain: &Chain,
    digest: &Digest,
    organisation: &str,
    subject: Option<&Subject>,
) -> Result<Bytes> {
    let deadline = Instant::now() + PROVABLE_WITHIN;
    let pack = loop {
        match chain.pack(digest, Some(organisation)).await {
            Err(PackFailure::Client(SdkError::Refused { error, .. }))
                if PASSING.contains(&error.code.as_str()) && Instant::now() < deadline => {}
            other => break other.map_err(refusal::pack)?,
        }
        sleep(PAUSE).await;
    };
    let Some(subject) = subject else {
        return Ok(pack);
    };
    match verify_pack(&pack, Some(subject), &Trust::chains([chain.id()])) {
        Ok(Outcome::Proven(_)) => Ok(pack),
        Ok(Outcome::UnknownChain(report)) => Err(problem::other_chain(report.chain_id, chain.id())),
        Err(error) => Err(crate::verify::pack_problem(&error)),
    }
}
