//! `yulian evidence find`: records by digest, depositor or time.

use super::{account_ref, target::parse_digest};
use crate::{
    clock,
    connect::Connect,
    files, out,
    problem::{Exit, Result},
    refusal::sdk,
    text::{problem, say},
};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use yulian_sdk::{
    EvidenceFilter, Page, row_digest,
    views::{EvidenceKind, EvidencePage, EvidenceStatus, EvidenceView},
};

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["file", "digest", "row", "depositor", "from_ms"])))]
pub(crate) struct Arguments {
    file: Option<PathBuf>,
    #[arg(long)]
    digest: Option<String>,
    #[arg(long)]
    row: Option<String>,
    #[arg(long)]
    depositor: Option<String>,
    #[arg(long, requires = "to_ms")]
    from_ms: Option<u64>,
    #[arg(long, requires = "from_ms")]
    to_ms: Option<u64>,
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let filter = match arguments {
        Arguments { file: Some(file), .. } => EvidenceFilter::Digest(files::sm3_of(file)?),
        Arguments {
            digest: Some(digest), ..
        } => EvidenceFilter::Digest(parse_digest(digest)?),
        Arguments { row: Some(row), .. } => {
            EvidenceFilter::Digest(row_digest(row.trim_end_matches(['\r', '\n']).as_bytes()))
        }
        Arguments {
            depositor: Some(account),
            ..
        } => EvidenceFilter::Depositor(chain.account(account_ref(account)?).await.map_err(sdk)?.id.0),
        Arguments {
            from_ms: Some(from_ms),
            to_ms: Some(to_ms),
            ..
        } => EvidenceFilter::Time {
            from_ms: *from_ms,
            to_ms: *to_ms,
        },
        _ => return Err(problem::nothing_named()),
    };
    let page = Page::default().limit(arguments.limit.clamp(1, Page::default().0.limit));
    let found = chain.evidence(filter, &page).await.map_err(sdk)?;
    show(&found, arguments.json);
    Ok(if found.items.is_empty() { Exit::No } else { Exit::Done })
}

fn show(found: &EvidencePage, as_json: bool) {
    if as_json {
        out::json(&json!({ "height": found.height, "records": found.items, "next": found.next }));
        return;
    }
    if found.items.is_empty() {
        out::line(say::found_nothing(found.height));
    }
    for record in &found.items {
        out::line(record.digest.to_string());
        out::fields(&rows(record));
    }
    if found.next.is_some() {
        out::note_line(say::found_more());
    }
}

fn rows(record: &EvidenceView) -> Vec<(String, String)> {
    let kind = match record.kind {
        EvidenceKind::Batch => say::batch_whole(record.count),
        _ => say::kind_single(),
    };
    let status = match record.status {
        EvidenceStatus::Active => say::active(),
        EvidenceStatus::Superseded => say::superseded(),
        EvidenceStatus::Revoked => say::revoked(),
        EvidenceStatus::Unknown => say::unknown(),
    };
    let mut rows = vec![
        (say::label_kind(), kind),
        (say::label_description(), out::one_line(&record.description)),
        (say::label_source(), out::one_line(&record.source)),
        (say::label_organisation(), record.organisation.clone()),
        (say::label_account(), record.depositor.to_string()),
        (say::label_height(), record.height.to_string()),
        (say::label_time(), clock::beijing(record.time_ms)),
        (say::label_transaction(), record.transaction_id.to_string()),
        (say::label_status(), status),
    ];
    if let Some(by) = &record.superseded_by {
        rows.push((say::label_superseded_by(), by.to_string()));
    }
    if let Some(reason) = &record.reason {
        rows.push((say::label_reason(), out::one_line(reason)));
    }
    rows
}
