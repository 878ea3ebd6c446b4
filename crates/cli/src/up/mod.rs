//! `yulian up`: a whole network on this machine, one process for each node.

mod carrier;
mod child;
pub(crate) mod hold;
mod layout;
mod log;
mod ports;
mod ready;
mod role;
pub(crate) mod status_file;
mod supervise;

pub(crate) use child::CONFIG_FILE;
pub(crate) use layout::{Owner, PEER_PORT_OFFSET, topology};

use crate::{
    clock,
    connect::{DIR_DEFAULT, block_on},
    files,
    network::{
        plan::Plan,
        record::Record,
        write::{self, GENESIS_FILE},
    },
    out, platform,
    problem::{Cause, Exit, Result},
    text::{problem, say},
};
use clap::Args;
use role::{Part, Wanted};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};
use yulian_types::{SealedGenesis, limits::GENESIS_BYTES_MAX};

/// Nodes of a new network unless another number is named.
const NODES_DEFAULT: usize = 4;
/// First port of a new network unless another is named.
const PORT_BASE_DEFAULT: u16 = 18000;
/// File that the running `up` holds locked.
const LOCK_FILE: &str = "up.lock";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    dir: Option<PathBuf>,
    #[arg(long)]
    nodes: Option<usize>,
    #[arg(long)]
    port_base: Option<u16>,
    #[arg(long)]
    fresh: bool,
    #[arg(long)]
    topology: Option<String>,
    #[arg(long)]
    role: Option<role::Role>,
    #[arg(long)]
    city: Option<String>,
    #[arg(long)]
    join: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let wanted = Wanted::new(
        arguments.topology.as_deref(),
        arguments.role,
        arguments.city.as_deref(),
        arguments.join.as_deref(),
    )?;
    let dir = arguments.dir.clone().or(wanted.dir.clone());
    let dir = &dir.unwrap_or_else(|| DIR_DEFAULT.into());
    let (record, lock) = prepare(arguments, dir, &wanted)?;
    if let Some(Part::City(chain, Some(join))) = &wanted.part {
        platform::joins(dir, chain, join)?;
    }
    let founders = founders(dir)?;
    ports::check(&record)?;
    block_on(supervise::run(dir, &record, founders, wanted.part))?;
    drop(lock);
    Ok(Exit::Done)
}

/// The network of the folder, which is made if it is not there, and the lock that keeps a second `up` away.
fn prepare(arguments: &Arguments, dir: &Path, wanted: &Wanted) -> Result<(Record, File)> {
    if arguments.fresh && dir.exists() {
        clear(dir)?;
    }
    if !Record::is_in(dir) {
        create(arguments, dir, wanted)?;
        out::note_line(say::network_made(dir.display()));
    }
    let lock = lock(dir)?;
    let record = Record::read(dir)?;
    check_same(arguments, dir, &record)?;
    Ok((record, lock))
}

fn create(arguments: &Arguments, dir: &Path, wanted: &Wanted) -> Result<()> {
    let topology = layout::topology(
        arguments.nodes.unwrap_or(NODES_DEFAULT),
        arguments.port_base.or(wanted.port_base).unwrap_or(PORT_BASE_DEFAULT),
        &wanted.owner,
    )?;
    let plan = Plan::new(&topology, clock::now_ms())?;
    let folders: Vec<String> = (1..=plan.nodes.len()).map(|number| format!("node{number}")).collect();
    write::network(&plan, dir, &folders)
}

/// Removes a network. A folder without our record is never touched.
fn clear(dir: &Path) -> Result<()> {
    if !Record::is_in(dir) {
        return match is_empty(dir) {
            true => Ok(()),
            false => Err(problem::not_our_folder(dir.display())),
        };
    }
    let lock = lock(dir)?;
    fs::remove_dir_all(dir).or_problem(|| problem::cannot_write(dir.display()))?;
    drop(lock);
    Ok(())
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK_FILE);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.or_problem(|| problem::cannot_write(path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let pid = status_file::read(dir).map_or_else(|| "?".to_owned(), |running| running.pid.to_string());
            Err(problem::runs_already(dir.display(), pid))
        }
        Err(TryLockError::Error(error)) => Err(problem::cannot_write(path.display()).caused_by(&error)),
    }
}

/// Validators of the genesis; their folders come first in the record.
fn founders(dir: &Path) -> Result<usize> {
    let path = dir.join(GENESIS_FILE);
    let genesis = SealedGenesis::decode(&files::read(&path, GENESIS_BYTES_MAX)?.into());
    Ok(genesis
        .or_problem(|| problem::bad_genesis(path.display()))?
        .validators
        .len())
}

/// The genesis of a network fixes its first validators and their ports.
fn check_same(arguments: &Arguments, dir: &Path, record: &Record) -> Result<()> {
    let there = founders(dir)?;
    let dir = dir.display();
    if let Some(asked) = arguments.nodes.filter(|asked| *asked != there) {
        return Err(problem::other_node_count(dir, there, asked));
    }
    let first = record
        .nodes
        .first()
        .and_then(|node| node.api.rsplit_once(':'))
        .map(|(_, port)| port);
    match (arguments.port_base, first) {
        (Some(asked), Some(port)) if asked.to_string() != port => Err(problem::other_ports(dir, port, asked)),
        _ => Ok(()),
    }
}

/// The folder of a network that must not be overwritten.
pub(crate) fn refuse_existing(dir: &Path) -> Result<()> {
    if dir.exists() && !is_empty(dir) {
        return Err(problem::folder_not_empty(dir.display()));
    }
    files::create_dir(
        dir.parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new(".")),
    )
}
