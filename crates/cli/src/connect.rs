//! Which nodes a command talks to, and with which key it signs.

use crate::{
    key::passphrase,
    network::record::Record,
    problem::{Cause, Problem, Result},
    refusal::sdk,
    text::problem,
    up::status_file,
};
use clap::Args;
use std::path::{Path, PathBuf};
use yulian_crypto::sm2::{SecretKey, Signer};
use yulian_sdk::{Account, Chain, Client, Options, views::AccountView};

/// Folder of `yulian up` unless another is named.
pub(crate) const DIR_DEFAULT: &str = "./yulian-data";
/// Address that is tried when nothing names one.
const URL_DEFAULT: &str = "http://127.0.0.1:18000";
/// The chain that a node hosts first.
const CHAIN_DEFAULT: &str = "default";

/// Runs the asynchronous part of a command.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.or_problem(problem::no_runtime)?.block_on(work)
}

/// Where the nodes are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Connect {
    #[arg(long)]
    pub(crate) url: Vec<String>,
    #[arg(long, default_value = DIR_DEFAULT)]
    pub(crate) dir: PathBuf,
    #[arg(long, default_value = CHAIN_DEFAULT)]
    pub(crate) chain: String,
}

impl Connect {
    /// The network of a folder, by its first chain.
    pub(crate) fn of_folder(dir: &Path) -> Self {
        Self {
            url: Vec::new(),
            dir: dir.to_owned(),
            chain: CHAIN_DEFAULT.into(),
        }
    }

    /// Addresses: those named, else those of the network in the folder, else the standard one.
    pub(crate) fn urls(&self) -> Result<Vec<String>> {
        if !self.url.is_empty() {
            return Ok(self.url.clone());
        }
        if let Some(running) = status_file::read(&self.dir) {
            return Ok(running.nodes.into_iter().map(|node| node.api).collect());
        }
        match Record::is_in(&self.dir) {
            true => Ok(Record::read(&self.dir)?
                .nodes
                .iter()
                .map(|node| format!("http://{}", node.api))
                .collect()),
            false => Ok(vec![URL_DEFAULT.into()]),
        }
    }

    /// Whether no chain was named.
    pub(crate) fn is_default_chain(&self) -> bool {
        self.chain == CHAIN_DEFAULT
    }

    /// The same nodes' first chain: the system chain of a platform.
    pub(crate) fn to_system(&self) -> Self {
        Self {
            chain: CHAIN_DEFAULT.into(),
            ..self.clone()
        }
    }

    /// A client of the nodes. Nothing is sent yet.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::new(self.urls()?, Options::default()).map_err(sdk)
    }

    /// The chain. Where the folder tells the genesis digest, a node of another chain is refused.
    pub(crate) async fn chain(&self) -> Result<Chain> {
        let known = match self.url.is_empty() && self.chain == CHAIN_DEFAULT && Record::is_in(&self.dir) {
            true => Some(Record::read(&self.dir)?.genesis),
            false => None,
        };
        self.client()?
            .chain(known.as_deref().unwrap_or(&self.chain))
            .await
            .map_err(sdk)
    }
}

/// Who signs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sign {
    #[arg(long)]
    pub(crate) key: Option<PathBuf>,
    #[arg(long = "as", value_name = "ORG[/ACCOUNT]", conflicts_with = "key")]
    pub(crate) actor: Option<String>,
    #[command(flatten)]
    pub(crate) passphrase: passphrase::Source,
}

/// Who signs where several organisations have to.
#[derive(Debug, Clone, Args)]
pub(crate) struct SignMany {
    #[arg(long)]
    pub(crate) key: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: passphrase::Source,
}

/// An account that can sign, as the chain knows it.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) account: Account,
    pub(crate) view: AccountView,
}

impl Sign {
    /// The account that acts: that of the key named, else the fitting one of the network in the folder.
    pub(crate) async fn actor(&self, connect: &Connect, chain: &Chain, role: &str) -> Result<Actor> {
        let path = match &self.key {
            Some(path) => path.clone(),
            None => key_of(&connect.dir, self.actor.as_deref(), role)?,
        };
        actor(chain, self.passphrase.read_key(&path)?).await
    }
}

fn key_of(dir: &Path, named: Option<&str>, role: &str) -> Result<PathBuf> {
    if !Record::is_in(dir) {
        return Err(problem::no_key(dir.display()));
    }
    let record = Record::read(dir)?;
    let account = record.account(named, role)?;
    Ok(dir.join(account.key.clone().unwrap_or_default()))
}

/// The account of a key. It may have had another key before.
pub(crate) async fn actor(chain: &Chain, key: SecretKey) -> Result<Actor> {
    let public = key.public_key();
    let view = match chain.account(yulian_sdk::AccountRef::Key(public)).await {
        Ok(view) => view,
        Err(error) if error.is_not_found() => return Err(problem::key_without_account(public, chain.name())),
        Err(error) => return Err(sdk(error)),
    };
    if view.public_key.0 != public {
        return Err(problem::key_was_rotated(public, &view.label));
    }
    Ok(Actor {
        account: Account::new(view.id.0, key),
        view,
    })
}

impl SignMany {
    /// Every key in the folder.
    pub(crate) fn of_folder() -> Self {
        Self {
            key: Vec::new(),
            passphrase: passphrase::Source::default(),
        }
    }

    /// One account with the role of each organisation for which a key is at hand.
    pub(crate) async fn actors(&self, connect: &Connect, chain: &Chain, role: &str) -> Result<Vec<Actor>> {
        let paths = match self.key.is_empty() {
            false => self.key.clone(),
            true => keys_of(&connect.dir, role)?,
        };
        let mut actors: Vec<Actor> = Vec::new();
        for path in paths {
            let found = actor(chain, self.passphrase.read_key(&path)?).await?;
            let new = actors
                .iter()
                .all(|known| known.view.organisation != found.view.organisation);
            if new && found.view.roles.iter().any(|own| own == role) {
                actors.push(found);
            }
        }
        match actors.is_empty() {
            true => Err(no_actor(&connect.dir, role)),
            false => Ok(actors),
        }
    }
}

fn keys_of(dir: &Path, role: &str) -> Result<Vec<PathBuf>> {
    if !Record::is_in(dir) {
        return Err(problem::no_key(dir.display()));
    }
    let record = Record::read(dir)?;
    let fitting = record
        .accounts
        .iter()
        .filter(|account| account.roles.iter().any(|own| own == role));
    Ok(fitting
        .filter_map(|account| account.key.as_ref())
        .map(|key| dir.join(key))
        .collect())
}

fn no_actor(dir: &Path, role: &str) -> Problem {
    problem::no_account_key("*", role, dir.display())
}
