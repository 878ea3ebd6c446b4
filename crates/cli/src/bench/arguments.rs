//! What the command line of `yulian bench` asks for.

use super::{chains, crypto, flood, load::Plan, relay, rounds::Round};
use crate::{connect::DIR_DEFAULT, key::passphrase, problem::Result, text::problem};
use clap::{Args, Subcommand};
use std::{path::PathBuf, time::Duration};

/// Transactions per second and client that wait for their results: more than any node can answer.
const WAITED_TPS: u64 = 200;
/// Transactions per second and client that do not: two batches in the time of a block on an idle chain.
const STREAMED_TPS: u64 = 4_000;
/// Transactions per second that are signed for a run in advance: more than two cores commit.
const SIGNED_TPS: u64 = 16_000;
/// Most transactions that are in memory at a time, about 350 bytes each.
pub(super) const SIGNED_MAX: u64 = 400_000;
/// Transactions of a request: more gain little, and make latencies longer.
const BATCH_DEFAULT: u64 = 25;
/// Bytes of a transaction.
const SIZE_DEFAULT: usize = 200;
/// Batches that a client has under way unless a window is named.
const WINDOW_BATCHES: usize = 4;
/// Most clients: each has an account in the genesis and a connection.
const CLIENTS_MAX: u64 = 4000;
/// Longest run in which all transactions are signed before: they are valid for 300 s.
pub(super) const SECONDS_SIGNED_MAX: u64 = 180;
/// Longest run: four hours.
const SECONDS_MAX: u64 = 4 * 3600;
/// Most accounts that sign.
const SIGNERS_MAX: u64 = 100_000;
/// Most transactions per second of an open loop.
const RATE_MAX: u64 = 100_000;
/// Transactions that an open loop has under way at most unless a window is named: those of so many seconds,
const UNDER_WAY_SECONDS: f64 = 10.0;
/// but not fewer nor more than this.
const UNDER_WAY: (f64, f64) = (1_000.0, 100_000.0);

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) other: Option<Other>,
    #[arg(long, default_value_t = 4)]
    pub(super) nodes: usize,
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    pub(super) seconds: u64,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=CLIENTS_MAX))]
    clients: u64,
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=RATE_MAX))]
    pub(super) rate: Option<u64>,
    #[arg(long, value_enum, conflicts_with_all = ["total", "count"])]
    pub(super) round: Option<Round>,
    #[arg(long, value_enum, requires = "rate", conflicts_with_all = ["round", "total", "count", "wait"])]
    pub(super) flood: Option<flood::Kind>,
    #[arg(long, conflicts_with_all = ["url", "key"], value_parser = clap::value_parser!(u64).range(1..=SIGNERS_MAX))]
    signers: Option<u64>,
    #[arg(long, requires = "signers")]
    pub(super) new_signers: bool,
    #[arg(long, default_value_t = SIZE_DEFAULT)]
    pub(super) size: usize,
    #[arg(long, conflicts_with = "rate")]
    wait: bool,
    #[arg(long, default_value_t = BATCH_DEFAULT, value_parser = clap::value_parser!(u64).range(1..=2000))]
    batch: u64,
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    window: Option<u64>,
    #[arg(long, conflicts_with = "rate", value_parser = clap::value_parser!(u64).range(1..=SIGNED_MAX))]
    count: Option<u64>,
    #[arg(long, conflicts_with_all = ["count", "wait", "seconds", "rate"], value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(super) total: Option<u64>,
    #[arg(long)]
    pub(super) svg: Option<PathBuf>,
    #[arg(long)]
    pub(super) work_dir: Option<PathBuf>,
    #[arg(long)]
    pub(super) json: bool,
    #[arg(long)]
    pub(super) url: Vec<String>,
    #[arg(long, default_value = DIR_DEFAULT)]
    pub(super) dir: PathBuf,
    #[arg(long, default_value = "default")]
    pub(super) chain: String,
    #[arg(long)]
    pub(super) key: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) passphrase: passphrase::Source,
}

/// What is measured beside the transactions of one chain.
#[derive(Debug, Subcommand)]
pub(crate) enum Other {
    Chains(chains::Arguments),
    Crypto(crypto::Arguments),
    Relay(relay::Arguments),
}

impl Arguments {
    /// A closed loop of so many clients, for which `count` transactions are signed; all else as when it is not named.
    pub(super) fn closed(seconds: u64, clients: u64, count: u64) -> Self {
        Self {
            other: None,
            nodes: 0,
            seconds,
            clients,
            rate: None,
            round: None,
            flood: None,
            signers: None,
            new_signers: false,
            size: SIZE_DEFAULT,
            wait: false,
            batch: BATCH_DEFAULT,
            window: None,
            count: Some(count),
            total: None,
            svg: None,
            work_dir: None,
            json: true,
            url: Vec::new(),
            dir: DIR_DEFAULT.into(),
            chain: String::new(),
            key: Vec::new(),
            passphrase: passphrase::Source::default(),
        }
    }

    /// What depends on the values of several options.
    pub(super) fn check(&self) -> Result<()> {
        let pressure = self.round == Some(Round::Pressure);
        if pressure && self.rate.is_some() {
            return Err(problem::bench_bad_options("--round pressure", "--rate"));
        }
        if self.round.is_some() && !pressure && self.wait {
            return Err(problem::bench_bad_options("--round spike / stability", "--wait"));
        }
        let open = self.rate.is_some() || self.round == Some(Round::Stability);
        if self.seconds > SECONDS_SIGNED_MAX && (!open || self.flood.is_some()) {
            return Err(problem::bench_too_long(self.seconds, SECONDS_SIGNED_MAX));
        }
        Ok(())
    }

    pub(super) fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(super) fn plan(&self) -> Plan {
        let batch = self.batch as usize;
        Plan {
            clients: self.clients as usize,
            batch,
            window: self
                .window
                .map_or(batch * WINDOW_BATCHES, |window| window as usize)
                .max(batch),
            wait: self.wait,
            time: self.total.is_none().then(|| self.time()),
        }
    }

    /// Most transactions that an open loop of a rate has under way.
    pub(super) fn under_way_max(&self, rate: f64) -> usize {
        let (least, most) = UNDER_WAY;
        let bound = (rate * UNDER_WAY_SECONDS).clamp(least, most) as usize;
        self.window.map_or(bound, |window| (window * self.clients) as usize)
    }

    /// How many transactions are signed for a closed loop.
    pub(super) fn signed(&self, plan: &Plan) -> u64 {
        let each = if plan.wait { WAITED_TPS } else { STREAMED_TPS };
        let rate = SIGNED_TPS.min(each * plan.clients as u64);
        let seconds = plan.time.unwrap_or_default().as_secs().max(1);
        self.count.unwrap_or(rate * seconds).min(SIGNED_MAX)
    }

    /// Accounts that sign on a network of this run.
    pub(super) fn accounts(&self) -> usize {
        let clients = match self.round {
            Some(Round::Pressure) => Round::PRESSURE_CLIENTS_MAX,
            _ => self.clients as usize,
        };
        self.signers.map_or(clients, |signers| signers as usize)
    }

    /// Consecutive transactions of one account. Where it matters who signs, each is by another.
    pub(super) fn together(&self) -> usize {
        let each = self.wait || self.signers.is_some() || self.rate.is_some() || self.round.is_some();
        if each { 1 } else { self.batch as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        bench: Arguments,
    }

    fn parse(words: &str) -> Result<Arguments, String> {
        let line = Line::try_parse_from(std::iter::once("bench").chain(words.split_whitespace()));
        line.map(|line| line.bench).map_err(|error| error.to_string())
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for words in [
            "--flood known",
            "--new-signers",
            "--rate 0",
            "--rate 10 --wait",
            "--rate 10 --total 5",
            "--round spike --total 5",
            "--signers 5 --url http://127.0.0.1:1",
            "--signers 100001",
            "--rate 10 --flood known --round spike",
            "--seconds 14401",
        ] {
            assert!(parse(words).is_err(), "{words}");
        }
        for (words, code) in [
            ("--seconds 181", "bench_too_long"),
            ("--seconds 181 --round spike", "bench_too_long"),
            ("--seconds 181 --rate 5 --flood known", "bench_too_long"),
            ("--round pressure --rate 5", "bench_bad_options"),
            ("--round stability --wait", "bench_bad_options"),
        ] {
            assert_eq!(parse(words).unwrap().check().unwrap_err().code(), code, "{words}");
        }
        for words in [
            "",
            "--seconds 14400 --round stability",
            "--seconds 900 --rate 5",
            "crypto --json",
        ] {
            assert!(parse(words).unwrap().check().is_ok(), "{words}");
        }
    }

    #[test]
    fn what_is_under_way_is_bounded() {
        let bounds = |words: &str, rate| parse(words).unwrap().under_way_max(rate);
        assert_eq!((bounds("", 5.0), bounds("", 500.0)), (1_000, 5_000));
        assert_eq!(
            (bounds("", 1e6), bounds("--window 7 --clients 3", 500.0)),
            (100_000, 21)
        );
    }
}
