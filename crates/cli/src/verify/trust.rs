//! The list of genesis digests that a person trusts: the only root of every "yes".

use crate::{
    clock, files, out,
    problem::{Cause, Exit, Result},
    text::{problem, say},
};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use yulian_crypto::Digest;
use yulian_types::{SealedGenesis, limits::GENESIS_BYTES_MAX};

/// Longest list, bytes.
const LIST_BYTES_MAX: usize = 1 << 20;
/// Most chains of a list.
const CHAINS_MAX: usize = 4096;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Add(Add),
    List(List),
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    genesis: String,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    trusted: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[arg(long)]
    trusted: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    genesis: String,
    #[arg(long)]
    trusted: Option<PathBuf>,
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trusted {
    #[serde(default, rename = "chain")]
    chains: Vec<Chain>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    /// Genesis digest.
    genesis: String,
    /// What the person calls it.
    #[serde(default)]
    name: String,
    /// Day on which it was added.
    #[serde(default)]
    added: String,
}

impl Trusted {
    /// Reads a list. The standard one may be missing: then nothing is trusted.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self> {
        let (path, named) = match path {
            Some(path) => (path.to_owned(), true),
            None => (standard_path()?, false),
        };
        if !named && !path.exists() {
            return Ok(Self::default());
        }
        let text = files::read_text(&path, LIST_BYTES_MAX)?;
        let list: Self = toml::from_str(&text).or_problem(|| problem::bad_trusted_list(path.display()))?;
        list.digests()
            .map_err(|wrong| problem::bad_trusted_list(path.display()).because(wrong))?;
        Ok(list)
    }

    /// The digests of the list, or the first text that is none.
    pub(crate) fn digests(&self) -> std::result::Result<Vec<Digest>, String> {
        let parse = |chain: &Chain| chain.genesis.parse().map_err(|_| chain.genesis.clone());
        self.chains.iter().map(parse).collect()
    }

    fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::create_dir(folder)?;
        }
        let text = toml::to_string(self).or_problem(|| problem::cannot_write(path.display()))?;
        files::write(path, text.as_bytes(), false)
    }
}

/// `$XDG_CONFIG_HOME/yulian/trusted.toml`, by default in `~/.config`.
fn standard_path() -> Result<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    let home = || {
        std::env::var_os("HOME")
            .filter(|home| !home.is_empty())
            .map(|home| PathBuf::from(home).join(".config"))
    };
    let folder = folder.or_else(home).ok_or_else(problem::no_home)?;
    Ok(folder.join("yulian/trusted.toml"))
}

fn path_of(given: Option<PathBuf>) -> Result<PathBuf> {
    given.map_or_else(standard_path, Ok)
}

/// A genesis digest from 64 digits, from a genesis file, or from a file that holds the digits.
pub(crate) fn genesis_digest(text: &str) -> Result<(Digest, Option<String>)> {
    if let Ok(digest) = text.trim().parse() {
        return Ok((digest, None));
    }
    let path = Path::new(text);
    if !path.exists() {
        return Err(problem::bad_genesis(text));
    }
    let bytes = files::read(path, GENESIS_BYTES_MAX)?;
    let digits = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.split_whitespace().next());
    if let Some(Ok(digest)) = digits.map(str::parse) {
        return Ok((digest, None));
    }
    let genesis = SealedGenesis::decode(&bytes.into()).or_problem(|| problem::bad_genesis(text))?;
    Ok((genesis.chain_id, Some(genesis.message.name)))
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Add(add) => self::add(add),
        Command::List(list) => self::list(&list),
        Command::Remove(remove) => self::remove(remove),
    }
}

fn add(arguments: Add) -> Result<Exit> {
    let path = path_of(arguments.trusted)?;
    let (digest, name) = genesis_digest(&arguments.genesis)?;
    let mut list = if path.exists() {
        Trusted::read(Some(&path))?
    } else {
        Trusted::default()
    };
    let digest = digest.to_string();
    if list
        .chains
        .iter()
        .any(|chain| chain.genesis.eq_ignore_ascii_case(&digest))
    {
        out::line(say::trust_known(&digest));
        return Ok(Exit::Done);
    }
    if list.chains.len() >= CHAINS_MAX {
        return Err(problem::too_many_trusted(CHAINS_MAX));
    }
    let name = arguments.name.or(name).unwrap_or_default();
    list.chains.push(Chain {
        genesis: digest.clone(),
        name,
        added: clock::beijing_day(clock::now_ms()),
    });
    list.write(&path)?;
    out::line(say::trust_added(&digest, path.display()));
    Ok(Exit::Done)
}

fn list(arguments: &List) -> Result<Exit> {
    let list = Trusted::read(arguments.trusted.as_deref())?;
    if arguments.json {
        out::json(&serde_json::json!({ "chains": list.chains }));
        return Ok(Exit::Done);
    }
    if list.chains.is_empty() {
        out::line(say::trust_nobody());
        return Ok(Exit::Done);
    }
    let row = |chain: &Chain| vec![chain.genesis.clone(), chain.name.clone(), chain.added.clone()];
    let rows: Vec<_> = list.chains.iter().map(row).collect();
    out::table(&[say::head_genesis(), say::head_name(), say::head_added()], &rows);
    Ok(Exit::Done)
}

fn remove(arguments: Remove) -> Result<Exit> {
    let path = path_of(arguments.trusted)?;
    let (digest, _) = genesis_digest(&arguments.genesis)?;
    let digest = digest.to_string();
    let mut list = if path.exists() {
        Trusted::read(Some(&path))?
    } else {
        Trusted::default()
    };
    let before = list.chains.len();
    list.chains.retain(|chain| !chain.genesis.eq_ignore_ascii_case(&digest));
    if list.chains.len() == before {
        return Err(problem::not_trusted(&digest));
    }
    list.write(&path)?;
    out::line(say::trust_removed(&digest));
    Ok(Exit::Done)
}
