//! The chains of a fusion network that ask each other in a ring, each with what it is asked for.

use super::source::Source;
use crate::{
    agent,
    bench::{network::processes, usage::Process},
    chain,
    connect::{Connect, SignMany},
    fusion::RELAY_TEMPLATE,
    key::passphrase,
    out,
    problem::{Cause, Result},
    refusal::sdk,
    text::problem,
    transaction,
    up::status_file,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use yulian_agents::relay::{Cursors, RelayStatus};
use yulian_crypto::sm3;
use yulian_exec::rules::ROLE_WRITER;
use yulian_modules::verification::KIND_EVIDENCE;
use yulian_sdk::{Account, Chain};
use yulian_types::{
    Digest,
    proto::{Ask, Inquiry},
    state_keys::LINK_ACTIVE,
};

/// How long the chains have to come to know each other.
const LINKED_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What is loaded.
pub(super) struct Stage {
    pub(super) sources: Vec<Arc<Source>>,
    pub(super) processes: Vec<Process>,
    agent: PathBuf,
}

/// A chain with those who write on it.
struct Member {
    chain: Chain,
    accounts: Vec<Account>,
    /// The organisation that deposited what the chain is asked for.
    organisation: String,
}

impl Stage {
    /// Takes so many linked chains of a network that runs in a folder, gives each a record that it is asked for, and waits until each
    /// knows the one that it asks.
    pub(super) async fn new(dir: &Path, count: usize, timeout_ms: u64) -> Result<Self> {
        let connect = Connect::of_folder(dir);
        let system = connect.chain().await?;
        let all = chain::all(&system).await?.into_iter().filter(agent::is_linked);
        let names: Vec<String> = all
            .filter(|chain| chain.template != RELAY_TEMPLATE)
            .map(|chain| chain.id.to_string())
            .take(count)
            .collect();
        if names.len() < 2 {
            return Err(problem::bench_no_fusion(dir.display()));
        }
        let record = sm3::hash(&[b"yulian bench relay"]);
        let mut members = Vec::new();
        for name in &names {
            members.push(member(&connect, name, &record).await?);
        }
        let mut sources = Vec::new();
        for (at, member) in members.iter().enumerate() {
            let of = &members[(at + 1) % members.len()];
            linked(&member.chain, &of.chain).await?;
            let ask = Ask {
                destination: of.chain.id().to_vec().into(),
                inquiry: Some(Inquiry {
                    kind: KIND_EVIDENCE,
                    digest: record.to_vec().into(),
                    organisation: of.organisation.clone(),
                    ..Default::default()
                }),
                timeout_ms,
            };
            // Each is loaded at another node.
            let chain = member.chain.beginning_with(at);
            sources.push(Arc::new(Source::new(
                chain,
                of.chain.id(),
                member.accounts.clone(),
                ask,
            )));
        }
        let running = status_file::read(dir).ok_or_else(|| problem::bench_no_fusion(dir.display()))?;
        let mut processes = processes(dir, &running);
        processes.push(Process {
            name: "yulian up".into(),
            pid: running.pid,
            folder: None,
        });
        let agent = agent::folder(dir);
        let carrier = Cursors::read_status(&agent)
            .map(|status| status.process)
            .unwrap_or(running.pid);
        if processes.iter().all(|process| process.pid != carrier) {
            processes.push(Process {
                name: "yulian agent".into(),
                pid: carrier,
                folder: None,
            });
        }
        Ok(Self {
            sources,
            processes,
            agent,
        })
    }

    /// What the relay agent of the network says of itself, if it has said anything.
    pub(super) fn agent(&self) -> Option<RelayStatus> {
        Cursors::read_status(&self.agent).ok()
    }
}

/// A chain with its writers; the record is deposited by one of them, unless it was before.
async fn member(connect: &Connect, name: &str, record: &Digest) -> Result<Member> {
    let chain = connect.client()?.chain(name).await.map_err(sdk)?;
    let many = SignMany {
        key: Vec::new(),
        passphrase: passphrase::Source::default(),
    };
    let actors = many.actors(connect, &chain, ROLE_WRITER).await?;
    let first = actors
        .first()
        .ok_or_else(|| problem::bench_no_fusion(connect.dir.display()))?;
    let organisation = first.view.organisation.clone();
    let held = yulian_types::StateKey::evidence(record, &organisation);
    if chain.state(&held, None).await.map_err(sdk)?.value_hash.is_none() {
        let signed = first.account.deposit(chain.terms(), record, "bench", "");
        transaction::result(&chain, &signed.or_problem(problem::cannot_sign)?).await?;
    }
    Ok(Member {
        chain,
        organisation,
        accounts: actors.into_iter().map(|actor| actor.account).collect(),
    })
}

/// Waits until one chain keeps a light client of another.
async fn linked(at: &Chain, of: &Chain) -> Result<()> {
    let until = Instant::now() + LINKED_WITHIN;
    loop {
        let client = at.link_client(&of.id()).await.map_err(sdk)?;
        if client.is_some_and(|client| client.status == LINK_ACTIVE) {
            return Ok(());
        }
        if Instant::now() >= until {
            let (at, of) = (out::one_line(at.name()), out::one_line(of.name()));
            return Err(problem::link_not_active(at, of, LINKED_WITHIN.as_secs()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
