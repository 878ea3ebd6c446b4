//! `yulian node new`: a further node for a network of this machine. `yulian up` starts it by itself; it takes part once
//! it is registered.

use crate::{
    connect::DIR_DEFAULT,
    files, key,
    network::{
        plan::{Holder, PlannedNode},
        record::{NodeEntry, Record},
        topology::{Node, is_file_name},
        write::{GENESIS_FILE, write_node},
    },
    out,
    problem::{Exit, Result},
    text::{problem, say},
};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};
use yulian_crypto::sm2::SecretKey;
use yulian_node::config::SyncMode;
use yulian_types::limits::GENESIS_BYTES_MAX;

/// Where the nodes of one machine meet.
const HOST: &str = "127.0.0.1";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    name: String,
    #[arg(long)]
    cloud: String,
    #[arg(long)]
    organisation: String,
    #[arg(long)]
    api_port: Option<u16>,
    #[arg(long)]
    peer_port: Option<u16>,
    #[arg(long, value_enum, default_value_t)]
    sync: Sync,
    #[arg(long, default_value = DIR_DEFAULT)]
    dir: PathBuf,
    #[arg(long)]
    json: bool,
}

/// How the node comes to the chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Sync {
    #[default]
    Blocks,
    Snapshot,
}

impl From<Sync> for SyncMode {
    fn from(sync: Sync) -> Self {
        match sync {
            Sync::Blocks => Self::Blocks,
            Sync::Snapshot => Self::Snapshot,
        }
    }
}

/// A node that is to be added.
#[derive(Debug, Clone)]
pub(crate) struct NewNode {
    pub(crate) name: String,
    pub(crate) cloud: String,
    pub(crate) organisation: String,
    pub(crate) api_port: Option<u16>,
    pub(crate) peer_port: Option<u16>,
    pub(crate) sync: SyncMode,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let Arguments {
        name,
        cloud,
        organisation,
        api_port,
        peer_port,
        sync,
        dir,
        ..
    } = arguments;
    let new = NewNode {
        name: name.clone(),
        cloud: cloud.clone(),
        organisation: organisation.clone(),
        api_port: *api_port,
        peer_port: *peer_port,
        sync: (*sync).into(),
    };
    let entry = add(dir, &new)?;
    if arguments.json {
        out::json(&json!({
            "name": entry.name, "folder": entry.folder, "api": format!("http://{}", entry.api), "peer": entry.peer,
            "public_key": entry.public_key,
        }));
        return Ok(Exit::Done);
    }
    out::line(say::node_made(&entry.name, dir.join(&entry.folder).display()));
    out::fields(&[
        (say::label_public_key(), entry.public_key.clone()),
        (say::head_address(), entry.peer.clone()),
        ("API".into(), format!("http://{}", entry.api)),
    ]);
    out::note_line(say::node_made_hint(format!("http://{}", entry.api)));
    Ok(Exit::Done)
}

/// Writes the folder of a further node and adds it to the record.
pub(crate) fn add(dir: &Path, new: &NewNode) -> Result<NodeEntry> {
    let mut record = Record::read(dir)?;
    if !is_file_name(&new.name) || record.nodes.iter().any(|node| node.name == new.name) {
        return Err(problem::bad_node_name(&new.name));
    }
    if !record
        .accounts
        .iter()
        .any(|account| account.organisation == new.organisation)
    {
        let known: Vec<&str> = record
            .accounts
            .iter()
            .map(|account| account.organisation.as_str())
            .collect();
        return Err(problem::unknown_organisation(&new.organisation, known.join(", ")));
    }
    let api_port = free_port(&record, new.api_port, |node| &node.api)?;
    let peer_port = free_port(&record, new.peer_port, |node| &node.peer)?;
    let planned = PlannedNode {
        api_clients: Vec::new(),
        node: Node {
            name: new.name.clone(),
            cloud: new.cloud.clone(),
            organisation: new.organisation.clone(),
            host: HOST.into(),
            peer_port,
            api_port,
            validator: false,
            public_key: None,
        },
        key: Holder::Here(SecretKey::generate(&mut key::random())),
        sync: new.sync,
    };
    let genesis = files::read(&dir.join(GENESIS_FILE), GENESIS_BYTES_MAX)?;
    let entry = write_node(&genesis, dir, &planned, &free_folder(dir, record.nodes.len()))?;
    record.nodes.push(entry.clone());
    record.write(dir)?;
    Ok(entry)
}

/// The port named, or the next one behind those of the network that nobody uses.
fn free_port(record: &Record, named: Option<u16>, of: impl Fn(&NodeEntry) -> &String) -> Result<u16> {
    if let Some(port) = named {
        return Ok(port);
    }
    let port = |node: &NodeEntry| of(node).rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let used: Vec<u16> = record
        .nodes
        .iter()
        .flat_map(|node| [&node.api, &node.peer])
        .filter_map(|a| a.rsplit_once(':')?.1.parse().ok())
        .collect();
    let last = record.nodes.iter().filter_map(port).max().unwrap_or_default();
    let free = |port: &u16| !used.contains(port) && TcpListener::bind((HOST, *port)).is_ok();
    (last..u16::MAX)
        .skip(1)
        .find(free)
        .ok_or_else(|| problem::bad_port_base(last))
}

fn free_folder(dir: &Path, nodes: usize) -> String {
    let mut number = nodes + 1;
    while dir.join(format!("node{number}")).exists() {
        number += 1;
    }
    format!("node{number}")
}
