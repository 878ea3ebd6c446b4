//! `yulian node run`: one node, in the foreground, until it is asked to stop.

use crate::{
    key::passphrase,
    out,
    problem::{Cause, Exit, Result},
    text::{problem, say},
};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    io::{self, IsTerminal, Read},
    path::PathBuf,
    thread,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use tracing_subscriber::EnvFilter;
use yulian_node::{config::NodeConfig, host};

/// Environment variable that says what is logged, in the form of `RUST_LOG`.
const LOG_VARIABLE: &str = "YULIAN_LOG";
/// Of this program everything that matters, of the libraries what is wrong.
const LOG_DEFAULT: &str = "warn,yulian_node=info,yulian_engine=info,yulian_store=info,yulian_api=info";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    exit_on_stdin_close: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    start_log();
    raise_open_files();
    let path = &arguments.config;
    let failed = || problem::node_failed(path.display());
    let config = NodeConfig::read(path).or_problem(|| problem::bad_config(path.display()))?;
    let passphrase = arguments.passphrase.of_file(&config.key_file)?;
    if io::stderr().is_terminal() {
        out::note_line(say::node_runs(&config.name, config.api_address, config.peer_address));
    }
    let closed = arguments.exit_on_stdin_close.then(stdin_closed);
    let passphrase = passphrase.as_ref().map(|text| text.as_str());
    host::run(config, passphrase, Box::new(move || Box::pin(stop_asked(closed)))).or_problem(failed)?;
    Ok(Exit::Done)
}

/// Each hosted chain takes about forty open files: as many as this process may have are asked for. Where the system gives no more,
/// `yulian doctor` says so.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let wanted = Rlimit {
            current: limit.maximum,
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, wanted) {
            tracing::warn!(%error, "the limit of open files stays as it is");
        }
    }
}

/// Lines of JSON for programs, plain lines at a terminal.
fn start_log() {
    let filter = std::env::var(LOG_VARIABLE).ok().filter(|text| !text.is_empty());
    let filter =
        EnvFilter::try_new(filter.as_deref().unwrap_or(LOG_DEFAULT)).unwrap_or_else(|_| EnvFilter::new(LOG_DEFAULT));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A log that was started already stays.
    let _ = match io::stderr().is_terminal() {
        true => log.try_init(),
        false => log.json().flatten_event(true).try_init(),
    };
}

/// Resolves when whoever started this process closes our standard input, which the system does for a process that ends
/// in any way: so no node outlives it.
pub(crate) fn stdin_closed() -> oneshot::Receiver<()> {
    let (tell, closed) = oneshot::channel();
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut buffer = [0; 64];
        while input.read(&mut buffer).is_ok_and(|read| read > 0) {}
        // The node may have ended before.
        let _ = tell.send(());
    });
    closed
}

/// Resolves when a signal asks the node to stop, or its standard input closes.
async fn stop_asked(closed: Option<oneshot::Receiver<()>>) {
    let closed = async {
        match closed {
            Some(closed) => drop(closed.await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = asked(SignalKind::terminate()) => {}
        () = asked(SignalKind::interrupt()) => {}
        () = closed => {}
    }
}

async fn asked(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(error) => {
            // Then the system's own way of ending a process remains.
            tracing::warn!(%error, "a signal cannot be received");
            std::future::pending().await
        }
    }
}
