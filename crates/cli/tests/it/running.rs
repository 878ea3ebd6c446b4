//! A running `yulian up`, for the tests that need a network.

use crate::world::{Answer, command, run, text};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// Nothing here takes longer on a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Nodes of the network, and one that joins.
pub(crate) const NODES: u16 = 5;

/// A running `yulian up`.
pub(crate) struct Up {
    pub(crate) child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) home: PathBuf,
    pub(crate) dir: PathBuf,
    /// None where another network of the same test has it.
    _turn: Option<MutexGuard<'static, ()>>,
}

/// Tests with a whole network take turns: several at a time would make each other late.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Up {
    /// Starts it and waits for its line.
    pub(crate) fn start(home: &Path, dir: &Path, port_base: u16) -> Self {
        Self::start_as(home, dir, port_base, &[])
    }

    /// The same with further options.
    pub(crate) fn start_as(home: &Path, dir: &Path, port_base: u16, words: &[&str]) -> Self {
        Self::spawn(home, dir, port_base, words, Some(turn()))
    }

    /// Another network of the same test.
    pub(crate) fn start_beside(&self, dir: &Path, port_base: u16, words: &[&str]) -> Self {
        Self::spawn(&self.home, dir, port_base, words, None)
    }

    fn spawn(home: &Path, dir: &Path, port_base: u16, words: &[&str], turn: Option<MutexGuard<'static, ()>>) -> Self {
        let mut child = command(home)
            .args(["up", "--dir", text(dir), "--port-base", &port_base.to_string()])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("up starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        assert!(line.starts_with("ready"), "{line}");
        assert_eq!(line.matches("http://127.0.0.1:").count(), child_count(dir));
        Self {
            child,
            out,
            home: home.to_owned(),
            dir: dir.to_owned(),
            _turn: turn,
        }
    }

    pub(crate) fn run(&self, words: &[&str]) -> Answer {
        run(&self.home, words)
    }

    /// Runs a command on this network; it must succeed.
    pub(crate) fn ok(&self, words: &[&str]) -> Value {
        let answer = self.run(&[words, &["--dir", text(&self.dir), "--json"]].concat());
        assert_eq!(answer.code, 0, "{words:?}: {}{}", answer.out, answer.err);
        answer.json()
    }

    pub(crate) fn running(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.dir.join("up.json")).expect("up.json")).expect("JSON")
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        let nodes = self.running()["nodes"].as_array().expect("nodes").clone();
        nodes
            .iter()
            .map(|node| node["pid"].as_u64().expect("pid") as u32)
            .collect()
    }

    /// Asks it to stop and waits for its end.
    pub(crate) fn stop(mut self, signal: &str) {
        let pids = self.pids();
        kill(signal, self.child.id());
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(!self.dir.join("up.json").exists());
        pids.into_iter().for_each(assert_gone);
        let mut rest = String::new();
        self.out.read_line(&mut rest).expect("the end");
        assert_eq!(rest, "", "one line is all that programs read");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // After a failure nothing may stay behind; after `stop` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn child_count(dir: &Path) -> usize {
    let record: toml::Table = fs::read_to_string(dir.join("yulian-network.toml"))
        .expect("record")
        .parse()
        .expect("TOML");
    record["node"].as_array().expect("nodes").len()
}

pub(crate) fn kill(signal: &str, pid: u32) {
    let status = std::process::Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    assert!(status.expect("kill is there").success(), "kill {signal} {pid}");
}

pub(crate) fn lives(pid: u32) -> bool {
    // A process that has ended but was not waited for yet is a zombie.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Looks until something holds, at most for [`PATIENCE`].
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

pub(crate) fn assert_gone(pid: u32) {
    until("a process stayed behind", || !lives(pid));
}

/// Ports below those that the system gives to outgoing connections, which could take one at any moment.
const PORTS: std::ops::Range<u16> = 12_000..32_000;
/// A network's own ports, those of its nodes among each other 100 above.
const PORTS_EACH: u16 = 200;

/// A base from which all ports that the network will use are free, another one for each call.
pub(crate) fn free_base() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let places = u32::from((PORTS.end - PORTS.start) / PORTS_EACH);
    for _ in 0..places {
        let place = std::process::id().wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed)) % places;
        let base = PORTS.start + PORTS_EACH * place as u16;
        if (0..NODES).all(|at| free(base + at) && free(base + 100 + at)) {
            return base;
        }
    }
    panic!("no free ports");
}

impl Up {
    /// As [`Up::ok`], for commands that print no JSON.
    pub(crate) fn ok_plain(&self, words: &[&str]) {
        let answer = self.run(&[words, &["--dir", text(&self.dir)]].concat());
        assert_eq!(answer.code, 0, "{words:?}: {}{}", answer.out, answer.err);
    }
}

/// The state root that all nodes have once they stand at one height.
pub(crate) fn agreed_root(up: &Up) -> String {
    let mut root = String::new();
    until("all nodes stand at one height with one root", || {
        let chain = up.ok(&["status"])["chains"][0].clone();
        assert_eq!(chain["agree"], true, "{chain}");
        let nodes = chain["nodes"].as_array().unwrap();
        root = chain["state_root"].as_str().unwrap().to_owned();
        nodes.len() == up.pids().len() && nodes.iter().all(|node| node["height"] == chain["height"])
    });
    root
}

pub(crate) fn file(home: &Path, name: &str, content: &str) -> PathBuf {
    let path = home.join(name);
    fs::write(&path, content).unwrap();
    path
}
