//! What a drill is about: the nodes of a cloud, those that stay, and every chain that they host.

use crate::{
    chain,
    connect::{self, Connect},
    key::passphrase,
    network::record::{AccountEntry, NodeEntry, Record},
    out,
    problem::{Exit, Problem, Result},
    refusal::sdk,
    text::problem,
    up::status_file::{self, RunningNode},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};
use yulian_exec::rules::ROLE_WRITER;
use yulian_modules::link::LINK_MODULE;
use yulian_sdk::{
    Account, Chain, Client, Options,
    views::{ChainLife, RiskView, ValidatorSetView},
};
use yulian_types::state_keys::EVIDENCE_MODULE;

/// Chains that are looked at together.
const AT_ONCE: usize = 6;

/// All that a drill needs.
pub(super) struct Scope {
    pub(super) dir: PathBuf,
    pub(super) cloud: String,
    /// Nodes of the cloud.
    pub(super) leaving: Vec<NodeEntry>,
    /// Addresses of the nodes that stay.
    pub(super) staying: Vec<String>,
    /// Addresses of all nodes that run.
    pub(super) all: Vec<String>,
    pub(super) subjects: Vec<Subject>,
}

/// One chain.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) chain: Chain,
    pub(super) validators: usize,
    /// Validators in the cloud.
    pub(super) leaving: usize,
    /// Validators that the set can lose.
    pub(super) faults_max: usize,
    /// The risk that its members accepted.
    pub(super) risk: Option<RiskView>,
    pub(super) task: Task,
}

/// What makes a block on a chain.
#[derive(Clone)]
pub(super) enum Task {
    /// Deposits of a digest that nobody else deposits.
    Deposit(Account),
    /// `link.tick`.
    Tick(Account),
    /// The folder has no account that may do either.
    Nothing,
}

impl Subject {
    /// Whether the chain must outlive the loss.
    pub(super) fn survives(&self) -> bool {
        self.leaving <= self.faults_max
    }

    /// Whether it can be driven from here.
    pub(super) fn driven(&self) -> bool {
        !matches!(self.task, Task::Nothing)
    }
}

impl Scope {
    /// The running network of a folder. Refuses one that `up` does not supervise, and one that is not whole.
    pub(super) async fn find(dir: &Path, cloud: &str) -> Result<Self> {
        let running = status_file::read(dir).ok_or_else(|| problem::drill_not_supervised(dir.display()))?;
        let record = Record::read(dir)?;
        let (leaving, staying): (Vec<_>, Vec<_>) = record.nodes.iter().cloned().partition(|node| node.cloud == cloud);
        if leaving.is_empty() || staying.is_empty() {
            return Err(unknown_cloud(cloud, &record.nodes));
        }
        let runs = |node: &NodeEntry| running.nodes.iter().any(|seen| seen.name == node.name && seen.pid != 0);
        let connect = Connect {
            url: addresses(staying.iter().filter(|node| runs(node))),
            ..Connect::of_folder(dir)
        };
        let subjects = subjects(&connect, &record, cloud).await?;
        check_whole(&subjects, &running.nodes)?;
        Ok(Self {
            dir: dir.to_owned(),
            cloud: cloud.into(),
            all: addresses(record.nodes.iter().filter(|node| runs(node))),
            staying: connect.url,
            leaving: leaving.into_iter().filter(runs).collect(),
            subjects: subjects.into_iter().map(|(subject, _)| subject).collect(),
        })
    }
}

fn addresses<'a>(nodes: impl Iterator<Item = &'a NodeEntry>) -> Vec<String> {
    nodes.map(|node| format!("http://{}", node.api)).collect()
}

fn unknown_cloud(cloud: &str, nodes: &[NodeEntry]) -> Problem {
    let clouds: BTreeSet<String> = nodes.iter().map(|node| out::one_line(&node.cloud)).collect();
    problem::unknown_cloud(cloud, clouds.into_iter().collect::<Vec<_>>().join(", "))
}

/// The system chain and every chain of its register that runs.
async fn subjects(connect: &Connect, record: &Record, cloud: &str) -> Result<Vec<(Subject, ValidatorSetView)>> {
    // Asked for by its digest: nodes of another network are refused.
    let client = Client::new(connect.url.iter().map(String::as_str), Options::default()).map_err(sdk)?;
    let system = client.chain(&record.genesis).await.map_err(sdk)?;
    let mut ids = vec![record.genesis.clone()];
    let chains = chain::all(&system).await?;
    let running = chains.iter().filter(|chain| chain.life == ChainLife::Running);
    ids.extend(running.map(|chain| chain.id.to_string()));
    let nodes = client.urls().count();
    stream::iter(ids.into_iter().enumerate())
        .map(|(at, id)| {
            let client = client.beginning_with(at % nodes);
            async move {
                let chain = client.chain(&id).await.map_err(sdk)?;
                subject(connect, record, chain, cloud).await
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn subject(connect: &Connect, record: &Record, chain: Chain, cloud: &str) -> Result<(Subject, ValidatorSetView)> {
    let set = chain.validators().await.map_err(sdk)?.current;
    let task = task(connect, record, &chain).await?;
    let leaving = set.validators.iter().filter(|validator| validator.cloud == cloud);
    let subject = Subject {
        validators: set.validators.len(),
        leaving: leaving.count(),
        faults_max: set.faults_max as usize,
        risk: set.risk.clone(),
        chain,
        task,
    };
    Ok((subject, set))
}

/// What can be done on a chain with the keys of the folder: the least that makes a block.
async fn task(connect: &Connect, record: &Record, chain: &Chain) -> Result<Task> {
    let genesis = chain.genesis().await.map_err(sdk)?;
    let modules = &genesis.message.modules;
    let has = |name: &str| modules.iter().any(|module| module == name);
    if modules.is_empty() || has(EVIDENCE_MODULE) {
        let writes = |entry: &&AccountEntry| entry.roles.iter().any(|role| role == ROLE_WRITER);
        if let Some(account) = known(connect, chain, record.accounts.iter().filter(writes)).await? {
            return Ok(Task::Deposit(account));
        }
    }
    if has(LINK_MODULE)
        && let Some(account) = known(connect, chain, record.accounts.iter()).await?
    {
        return Ok(Task::Tick(account));
    }
    Ok(Task::Nothing)
}

/// The first of these accounts that may act on the chain.
async fn known<'a>(
    connect: &Connect,
    chain: &Chain,
    entries: impl Iterator<Item = &'a AccountEntry>,
) -> Result<Option<Account>> {
    let nobody = passphrase::Source::default();
    for key in entries.filter_map(|entry| entry.key.as_ref()) {
        let key = nobody.read_key(&connect.dir.join(key))?;
        match connect::actor(chain, key).await {
            Ok(actor) if actor.view.frozen => {}
            Ok(actor) => return Ok(Some(actor.account)),
            // The chain does not know this key, or not any more.
            Err(problem) if problem.exit() == Exit::No => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(None)
}

/// A network that has lost nodes already would be asked for more than it promises.
fn check_whole(subjects: &[(Subject, ValidatorSetView)], nodes: &[RunningNode]) -> Result<()> {
    let runs = |name: &str| nodes.iter().any(|node| node.name == name && node.pid != 0);
    let missing: BTreeSet<String> = subjects
        .iter()
        .flat_map(|(_, set)| &set.validators)
        .filter(|validator| !runs(&validator.name))
        .map(|validator| out::one_line(&validator.name))
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(problem::drill_not_whole(
            missing.into_iter().collect::<Vec<_>>().join(", "),
        )),
    }
}
