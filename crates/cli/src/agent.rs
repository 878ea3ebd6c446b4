//! `yulian agent`: followers of the chains of a platform. The relay agent also runs inside `yulian up`.

use crate::{
    chain,
    connect::{Connect, actor, block_on},
    fusion::RELAY_ACCOUNT,
    key::passphrase,
    network::record::Record,
    node::stdin_closed,
    out,
    platform::{Foreign, Platforms, foreign, relay_among, relay_at},
    problem::{Cause, Exit, Problem, Result},
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
use yulian_agents::relay::{self, CursorError, Member, RelayConfig, RelayError};
use yulian_exec::rules::ROLE_AUDITOR;
use yulian_sdk::{
    Account, Chain,
    views::{ChainLife, ChainRecordView},
};

/// Folder of cursors and status below that of the network.
const FOLDER: &str = "relay-agent";
/// How often it looks for new chains.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// After so many looks a chain that was left out is tried again.
const LOOKS_LEFT_OUT: u32 = 3;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Relay(Relay),
}

#[derive(Debug, Args)]
pub(crate) struct Relay {
    #[arg(long)]
    folder: Option<PathBuf>,
    #[arg(long)]
    exit_on_stdin_close: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    let Command::Relay(arguments) = command;
    let folder = arguments
        .folder
        .clone()
        .unwrap_or_else(|| folder(&arguments.connect.dir));
    let closed = arguments.exit_on_stdin_close.then(stdin_closed);
    let closed = async {
        match closed {
            Some(closed) => drop(closed.await),
            None => std::future::pending().await,
        }
    };
    block_on(async {
        tokio::select! {
            ended = keep(&arguments.connect, &folder) => ended.map(|()| Exit::Done),
            () = closed => Ok(Exit::Done),
            stopped = signal::ctrl_c() => stopped.or_problem(problem::no_runtime).map(|()| Exit::Done),
        }
    })
}

/// Where the agent of a network keeps its cursors.
pub(crate) fn folder(dir: &Path) -> PathBuf {
    dir.join(FOLDER)
}

/// Whether a chain takes part in the network. One that is paused does: `link` goes on there.
pub(crate) fn is_linked(chain: &ChainRecordView) -> bool {
    chain.template != "evidence" && matches!(chain.life, ChainLife::Running | ChainLife::Paused)
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

/// The chains of an agent.
struct Network {
    hub: yulian_types::Digest,
    members: Vec<Member>,
    /// Every chain that takes part.
    ids: BTreeSet<String>,
    /// Those on which nothing can be carried now.
    left_out: Vec<ChainRecordView>,
    /// How many chains of other platforms cannot be reached now.
    foreign_left_out: usize,
}

/// What takes part, before anything but the relay chain is asked.
struct TakingPart {
    hub: Chain,
    /// Chains of this platform.
    records: Vec<ChainRecordView>,
    foreign: Vec<Foreign>,
}

impl TakingPart {
    async fn read(connect: &Connect) -> Result<Option<Self>> {
        let records = linked(connect).await?;
        let platforms = Platforms::read(&connect.dir)?;
        let (hub, records) = match (relay_among(connect, &records).await?, &platforms.upstream) {
            (Some(hub), _) => (hub, records),
            (None, Some(upstream)) if upstream.relay.is_some() => {
                let hub = relay_at(upstream).await?;
                let joins = |record: &ChainRecordView| record.name == upstream.chain;
                (hub, records.into_iter().filter(joins).collect())
            }
            (None, _) => return Ok(None),
        };
        let own = records.iter().map(|record| record.id.0).chain([hub.id()]).collect();
        let foreign = foreign(&hub, &own, &platforms).await?;
        Ok(Some(Self { hub, records, foreign }))
    }

    /// What must be the same for an agent to go on as it is.
    fn ids(&self) -> BTreeSet<String> {
        let own = self.records.iter().map(|record| record.id.to_string());
        let foreign = self
            .foreign
            .iter()
            .map(|one| format!("{} {}", one.id, one.urls.join(" ")));
        own.chain(foreign).collect()
    }
}

/// Whether there is anything to carry: a relay chain, of this platform or of the one that it joins.
pub(crate) async fn is_needed(connect: &Connect) -> Result<bool> {
    Ok(TakingPart::read(connect).await?.is_some())
}

/// Runs the agent for ever, anew whenever the chains of the platform change.
pub(crate) async fn keep(connect: &Connect, folder: &Path) -> Result<()> {
    let mut told = out::Once::default();
    loop {
        let network = match network(connect).await {
            Ok(Some(network)) => network,
            Ok(None) => {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            // Nodes that are away for a while, of this platform or another, are no reason to end.
            Err(problem) => {
                told.note_line(problem.render());
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
        };
        told.forget();
        out::note_line(say::agent_runs(network.members.len()));
        let config = RelayConfig {
            members: network.members,
            hub: network.hub,
            folder: folder.to_owned(),
        };
        tokio::select! {
            ended = relay::run(config) => ended.map_err(|error| stopped(&error))?,
            () = until_changed(connect, &network.ids, &network.left_out, network.foreign_left_out) => {}
        }
    }
}

fn stopped(error: &RelayError) -> Problem {
    match error {
        RelayError::Cursor(CursorError::InUse(folder)) => problem::agent_in_use(folder.display()),
        error => problem::agent_stopped().caused_by(error),
    }
}

/// The chains that take part: those of the platform, and those of other platforms that its relay chain links, or the one that it
/// joins. `None` while there is no relay chain, or no other.
async fn network(connect: &Connect) -> Result<Option<Network>> {
    let Some(taking_part) = TakingPart::read(connect).await? else {
        return Ok(None);
    };
    let hub = taking_part.hub.id();
    let mut network = Network {
        hub,
        members: Vec::new(),
        ids: taking_part.ids(),
        left_out: Vec::new(),
        foreign_left_out: 0,
    };
    if !taking_part.records.iter().any(|record| record.id.0 == hub) {
        network.members.push(Member {
            chain: taking_part.hub.clone(),
            account: None,
        });
    }
    for one in &taking_part.foreign {
        match one.open().await {
            Ok(chain) => network.members.push(Member { chain, account: None }),
            Err(problem) => {
                let left_out = problem::chain_left_out(out::one_line(&one.name));
                out::note_line(left_out.because(problem.summary()).render());
                network.foreign_left_out += 1;
            }
        }
    }
    for record in taking_part.records {
        match member(connect, &record).await {
            Ok(member) => network.members.push(member),
            // Without the relay chain nothing goes anywhere.
            Err(problem) if record.id.0 == hub => return Err(problem),
            Err(problem) => {
                let left_out = problem::chain_left_out(out::one_line(&record.name));
                out::note_line(left_out.because(problem.summary()).render());
                network.left_out.push(record);
            }
        }
    }
    Ok((network.members.len() >= 2).then_some(network))
}

/// A chain with the account that carries there.
async fn member(connect: &Connect, record: &ChainRecordView) -> Result<Member> {
    let chain = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
    let account = carrier(connect, &chain).await?;
    Ok(Member {
        chain,
        account: Some(account),
    })
}

async fn linked(connect: &Connect) -> Result<Vec<ChainRecordView>> {
    let system = connect.chain().await?;
    let chains = chain::all(&system).await?.into_iter();
    Ok(chains.filter(is_linked).collect())
}

async fn until_changed(
    connect: &Connect,
    known: &BTreeSet<String>,
    left_out: &[ChainRecordView],
    foreign_left_out: usize,
) {
    let mut looks = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // A system chain that cannot be reached for a moment changes nothing.
        let Ok(Some(taking_part)) = TakingPart::read(connect).await else {
            continue;
        };
        if taking_part.ids() != *known {
            return;
        }
        looks += 1;
        if looks == LOOKS_LEFT_OUT {
            looks = 0;
            let mut reached = 0;
            for one in &taking_part.foreign {
                reached += usize::from(one.open().await.is_ok());
            }
            if taking_part.foreign.len() - reached < foreign_left_out {
                return;
            }
            for record in left_out {
                if member(connect, record).await.is_ok() {
                    return;
                }
            }
        }
    }
}
