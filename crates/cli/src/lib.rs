//! The one shipped binary: start a network, deposit and verify evidence, govern, look after nodes.
//!
//! Output is Chinese unless `--lang en` or `YULIAN_LANG=en` asks for English; every text stands in both languages in
//! `text`. Exit codes: 0 done, 1 the answer is no, 2 could not run. Every error has a stable code, what failed, why, and
//! what to do.

mod account;
mod agent;
mod arguments;
mod bench;
mod between;
mod block;
mod chain;
mod clock;
mod connect;
mod demo;
mod doctor;
mod drill;
mod evidence;
mod files;
mod fusion;
mod governance;
mod key;
mod ledger;
mod network;
mod node;
mod out;
mod platform;
mod problem;
mod progress;
mod refusal;
mod risk;
mod status;
mod text;
mod transaction;
mod up;
mod verify;

use arguments::Run;
use problem::{Exit, Result};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    arguments::choose_language(&words);
    let as_json = words
        .iter()
        .skip(1)
        .take_while(|word| *word != "--")
        .any(|word| word == "--json");
    let arguments = match arguments::parse(words) {
        Ok(arguments) => arguments,
        Err((text, code)) => return explained(&text, code),
    };
    let exit = run(arguments.command).unwrap_or_else(|problem| {
        if as_json {
            out::json(&problem.json());
        } else {
            out::note_line(problem.render());
        }
        problem.exit()
    });
    if exit == Exit::Done && out::failed() {
        out::note_line(text::say::output_lost());
        return Exit::CannotRun.code().into();
    }
    exit.code().into()
}

/// Help goes to standard output, a mistake to standard error.
fn explained(text: &str, code: u8) -> ExitCode {
    // If nobody can read it, the exit code still says it.
    let _ = match code {
        0 => io::stdout().write_all(text.as_bytes()),
        _ => io::stderr().write_all(text.as_bytes()),
    };
    code.into()
}

fn run(command: Run) -> Result<Exit> {
    match command {
        Run::Up(arguments) => up::run(&arguments),
        Run::Evidence(command) => evidence::run(command),
        Run::Verify(arguments) => verify::run(&arguments),
        Run::Trust(command) => verify::trust::run(command),
        Run::Key(command) => key::run(command),
        Run::Tx(command) => transaction::run(command),
        Run::Block(command) => block::run(&command),
        Run::Status(arguments) => status::run(&arguments),
        Run::Chain(command) => chain::run(command),
        Run::Node(command) => node::run(command),
        Run::Fusion(command) => fusion::run(command),
        Run::Link(command) => between::link::run(command),
        Run::Voucher(command) => between::voucher::run(command),
        Run::Packet(command) => between::packet::run(command),
        Run::Route(command) => between::route::run(command),
        Run::Notice(command) => between::notice::run(command),
        Run::Platform(command) => platform::run(command),
        Run::Topology(command) => platform::topology(command),
        Run::Agent(command) => agent::run(command),
        Run::Network(command) => network::run(&command),
        Run::Validator(command) => governance::validator::run(command),
        Run::Proposal(command) => governance::proposal::run(command),
        Run::Parameter(command) => governance::parameter::run(command),
        Run::Organisation(command) => governance::organisation::run(command),
        Run::Charter(command) => governance::charter::run(command),
        Run::Protocol(command) => governance::protocol::run(command),
        Run::Account(command) => account::run(command),
        Run::Backup(arguments) => ledger::backup(&arguments),
        Run::Restore(arguments) => ledger::restore(&arguments),
        Run::Replay(arguments) => ledger::replay(&arguments),
        Run::Doctor(arguments) => doctor::run(&arguments),
        Run::Bench(arguments) => bench::run(&arguments),
        Run::Demo(arguments) => demo::run(&arguments),
        Run::Drill(command) => drill::run(&command),
    }
}
