//! `yulian agent`: followers of the chains of a platform. The relay agent also runs inside `yulian up`.

use crate::{
    chain,
    connect::{Connect, actor, block_on},
    fusion::{RELAY_ACCOUNT, RELAY_TEMPLATE},
    key::passphrase,
    network::record::Record,
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
};
use clap::{Args, Subcommand};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::signal;
use yulian_agents::relay::{self, Member, RelayConfig};
use yulian_exec::rules::ROLE_AUDITOR;
use yulian_sdk::{
    Account, Chain,
    views::{ChainLife, ChainRecordView},
};

/// Folder of cursors and status below that of the network.
const FOLDER: &str = "relay-agent";
/// How often it looks for new chains.
const LOOK_EVERY: Duration = Duration::from_secs(3);

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Relay(Relay),
}

#[derive(Debug, Args)]
pub(crate) struct Relay {
    #[arg(long)]
    folder: Option<PathBuf>,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    let Command::Relay(arguments) = command;
    let folder = arguments
        .folder
        .clone()
        .unwrap_or_else(|| folder(&arguments.connect.dir));
    block_on(async {
        tokio::select! {
            ended = keep(&arguments.connect, &folder) => ended.map(|()| Exit::Done),
            stopped = signal::ctrl_c() => stopped.or_problem(problem::no_runtime).map(|()| Exit::Done),
        }
    })
}

/// Where the agent of a network keeps its cursors.
pub(crate) fn folder(dir: &Path) -> PathBuf {
    dir.join(FOLDER)
}

/// Whether a chain takes part in the network.
pub(crate) fn is_linked(chain: &ChainRecordView) -> bool {
    chain.template != "evidence"
}

/// Who carries on a chain.
pub(crate) async fn carrier(connect: &Connect, chain: &Chain) -> Result<Account> {
    let record = Record::read(&connect.dir)?;
    let named = record.accounts.iter().find(|account| account.name == RELAY_ACCOUNT);
    let named = named.map(|account| format!("{}/{}", account.organisation, account.name));
    let entry = record.account(named.as_deref(), ROLE_AUDITOR)?;
    let path = connect.dir.join(entry.key.clone().unwrap_or_default());
    Ok(actor(chain, passphrase::Source::default().read_key(&path)?)
        .await?
        .account)
}

/// Runs the agent for ever, anew whenever the chains of the platform change.
pub(crate) async fn keep(connect: &Connect, folder: &Path) -> Result<()> {
    loop {
        let Some((members, hub)) = members(connect).await? else {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        };
        let ids: BTreeSet<String> = members.iter().map(|member| member.chain.id().to_string()).collect();
        out::note_line(say::agent_runs(ids.len()));
        let config = RelayConfig {
            members,
            hub,
            folder: folder.to_owned(),
        };
        tokio::select! {
            ended = relay::run(config) => ended.or_problem(problem::agent_stopped)?,
            changed = until_changed(connect, &ids) => changed?,
        }
    }
}

/// The running chains of the platform that take part, or `None` while there is no relay chain.
async fn members(connect: &Connect) -> Result<Option<(Vec<Member>, yulian_types::Digest)>> {
    let records = running(connect).await?;
    let Some(hub) = records
        .iter()
        .find(|chain| chain.template == RELAY_TEMPLATE)
        .map(|chain| chain.id.0)
    else {
        return Ok(None);
    };
    if records.len() < 2 {
        return Ok(None);
    }
    let mut members = Vec::new();
    for record in records {
        let chain = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
        let account = carrier(connect, &chain).await?;
        members.push(Member { chain, account });
    }
    Ok(Some((members, hub)))
}

async fn running(connect: &Connect) -> Result<Vec<ChainRecordView>> {
    let system = connect.chain().await?;
    let chains = chain::all(&system).await?.into_iter();
    Ok(chains
        .filter(|chain| chain.life == ChainLife::Running && is_linked(chain))
        .collect())
}

async fn until_changed(connect: &Connect, known: &BTreeSet<String>) -> Result<()> {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // A system chain that cannot be reached for a moment changes nothing.
        let Ok(records) = running(connect).await else {
            continue;
        };
        let ids: BTreeSet<String> = records.iter().map(|record| record.id.to_string()).collect();
        if ids != *known {
            return Ok(());
        }
    }
}
