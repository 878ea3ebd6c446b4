//! A running network among those that do not belong to it: unknown keys, another genesis, connections that say nothing,
//! clocks that are wrong.

use crate::{
    running::{Up, agreed_root, assert_gone, file, free_base, kill, until},
    world::{command, repository, run, text},
};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Connections that are opened to a port and never used.
const SILENT: usize = 300;

#[test]
fn a_network_stands_among_strangers() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("network");
    let base = free_base();
    let up = Up::start(home.path(), &dir, base);
    deposit(&up, "before");
    an_unknown_key_sees_nothing(&up, base);
    a_node_of_another_genesis_meets_nobody(&up);
    connections_that_say_nothing_keep_nobody_away(&up, base);
    clocks_ten_seconds_off_are_borne(&up);
    a_clock_far_off_cuts_its_own_node_off(&up);
    agreed_root(&up);
    an_unknown_protocol_version_stops_the_nodes(&up);
    up.stop("-TERM");
}

/// Deposits one small file and waits until it is final.
fn deposit(up: &Up, name: &str) {
    let path = file(&up.home, &format!("{name}.txt"), name);
    assert_eq!(
        up.ok(&["evidence", "put", text(&path)])["files"][0]["status"],
        "deposited"
    );
}

/// A node beside those of `up`.
struct Node {
    child: Child,
    home: PathBuf,
    url: String,
}

impl Node {
    fn start(mut command: Command, home: &Path, config: &Path) -> Self {
        let settings: toml::Table = fs::read_to_string(config).unwrap().parse().unwrap();
        let log = fs::File::create(config.with_extension("log")).unwrap();
        let child = command
            .args(["node", "run", "--config", text(config)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the node starts");
        let node = Self {
            child,
            home: home.to_owned(),
            url: format!("http://{}", settings["api_address"].as_str().unwrap()),
        };
        until("the node answers", || node.seen()["reachable"] == true);
        node
    }

    /// What the node says of itself.
    fn seen(&self) -> Value {
        run(&self.home, &["status", "--url", &self.url, "--json"]).json()["nodes"][0].clone()
    }

    fn chain(&self) -> Value {
        self.seen()["chains"][0].clone()
    }

    fn is_alone(&self) -> bool {
        let chain = self.chain();
        let reason = chain["reason"].as_str().unwrap_or_default();
        chain["ready"] == false && reason.contains("connected to 0 other validators") && reason.contains("创世文件")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Where the node runs under another program, it is that program's child.
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            kill("-9", child);
            assert_gone(child);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A program killed under a shifted clock leaves these, and another of the same number could not start.
        for name in [format!("faketime_shm_{id}"), format!("sem.faketime_sem_{id}")] {
            let _ = fs::remove_file(Path::new("/dev/shm").join(name));
        }
    }
}

/// The folder of a node of `up`, copied under another name and changed.
fn copy_of(up: &Up, node: &str, name: &str, change: impl FnOnce(&mut toml::Table)) -> PathBuf {
    let (from, to) = (up.dir.join(node), up.home.join(name));
    fs::create_dir(&to).unwrap();
    for name in ["node.toml", "node.pem", "genesis.bin"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let config = to.join("node.toml");
    let mut settings: toml::Table = fs::read_to_string(&config).unwrap().parse().unwrap();
    change(&mut settings);
    fs::write(&config, settings.to_string()).unwrap();
    config
}

fn set(settings: &mut toml::Table, field: &str, value: impl Into<toml::Value>) {
    settings.insert(field.to_owned(), value.into());
}

fn an_unknown_key_sees_nothing(up: &Up, base: u16) {
    let config = copy_of(up, "node1", "unknown", |settings| {
        set(settings, "name", "stranger");
        set(settings, "key_file", "stranger.pem");
        // The places of the fifth node of the network, which is not there.
        set(settings, "api_address", format!("127.0.0.1:{}", base + 4));
        set(settings, "peer_address", format!("127.0.0.1:{}", base + 104));
        settings.remove("public_address");
    });
    let key = config.with_file_name("stranger.pem");
    let made = run(&up.home, &["key", "new", text(&key)]);
    assert_eq!(made.code, 0, "{}", made.err);
    let stranger = Node::start(command(&up.home), &up.home, &config);
    until("the stranger knows that it is alone", || stranger.is_alone());
    deposit(up, "unseen");
    let seen = stranger.chain();
    assert_eq!(
        (&seen["height"], &seen["network_height"], &seen["connected"]),
        (&0.into(), &0.into(), &serde_json::json!([]))
    );
}

fn a_node_of_another_genesis_meets_nobody(up: &Up) {
    let other = up.home.join("other");
    let topology = up.home.join("other.toml");
    fs::write(&topology, run(&up.home, &["network", "example"]).out).unwrap();
    let words = ["network", "init", "--topology", text(&topology), "--out", text(&other)];
    assert_eq!(run(&up.home, &words).code, 0);
    let nodes = up.ok(&["node", "list"]);
    let peers: Vec<toml::Value> = nodes["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            let text = |field: &str| toml::Value::from(node[field].as_str().unwrap());
            toml::Table::from_iter([
                ("key".to_owned(), text("public_key")),
                ("address".to_owned(), text("address")),
            ])
            .into()
        })
        .collect();
    assert_eq!(peers.len(), 4);
    up.ok_plain(&["node", "stop", "telecom-1"]);
    // A validator's own key and everyone's address, and yet not our network.
    let config = copy_of(up, "node3", "elsewhere", |settings| {
        set(settings, "genesis_file", text(&other.join("genesis.bin")));
        set(settings, "peers", peers);
    });
    let lost = Node::start(command(&up.home), &up.home, &config);
    until("the node knows that it is alone", || lost.is_alone());
    deposit(up, "with-three");
    assert_eq!((lost.chain()["height"].clone(), lost.is_alone()), (0.into(), true));
    drop(lost);
    // Our data and another network's genesis: refused before anything is touched.
    let folder = up.dir.join("node3");
    let ours = fs::read(folder.join("genesis.bin")).unwrap();
    fs::copy(other.join("genesis.bin"), folder.join("genesis.bin")).unwrap();
    let refused = run(&up.home, &["node", "run", "--config", text(&folder.join("node.toml"))]);
    fs::write(folder.join("genesis.bin"), ours).unwrap();
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("genesis"), "{}", refused.err);
    up.ok_plain(&["node", "start", "telecom-1"]);
    agreed_root(up);
}

fn connections_that_say_nothing_keep_nobody_away(up: &Up, base: u16) {
    let mut held = Vec::new();
    for port in [base, base + 100] {
        for number in 0..SILENT {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the port is open");
            // Some say nothing, some begin what they never end; a peer's greeting or a request's head.
            let beginning: &[u8] = [b"".as_slice(), b"\0\0", b"POST /v1/"][number % 3];
            let _ = stream.write_all(beginning);
            held.push(stream);
        }
    }
    let url = format!("http://127.0.0.1:{base}");
    let path = file(&up.home, "held-open.txt", "beside silent connections");
    let writer = up.dir.join("organisations/zhengzhou-data/writer.pem");
    let words = ["evidence", "put", text(&path), "--url", &url, "--key", text(&writer)];
    let put = up.run(&words);
    assert_eq!(put.code, 0, "{}{}", put.out, put.err);
    // A peer finds its way in through the silent ones too.
    up.ok_plain(&["node", "stop", "mobile-1"]);
    up.ok_plain(&["node", "start", "mobile-1"]);
    agreed_root(up);
    drop(held);
    deposit(up, "let-go");
}

/// A node of `up` that is held meanwhile, run with its clock off by so much.
fn with_clock(up: &Up, offset: &str) -> Node {
    let binary = command(&up.home);
    let mut command = Command::new("faketime");
    command
        .args(["-f", offset])
        .arg(binary.get_program())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &up.home)
        // Only the time of day is wrong.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .current_dir(&up.home);
    Node::start(command, &up.home, &up.dir.join("node4/node.toml"))
}

/// What the doctor says of the clocks of nodes.
fn clock_findings(up: &Up) -> (i32, Vec<String>) {
    let answer = up.run(&["doctor", "--dir", text(&up.dir), "--json"]);
    let findings = answer.json()["findings"].as_array().unwrap().clone();
    let verdicts = findings
        .iter()
        .filter(|one| one["check"] == "clock" && one["detail"].as_str().unwrap().contains("http"))
        .map(|one| one["verdict"].as_str().unwrap().to_owned());
    (answer.code, verdicts.collect())
}

fn clocks_ten_seconds_off_are_borne(up: &Up) {
    up.ok_plain(&["node", "stop", "inspur-1"]);
    for (number, offset) in ["+10s", "-10s"].into_iter().enumerate() {
        let off = with_clock(up, offset);
        until("it is connected to all others", || {
            let chain = off.chain();
            chain["ready"] == true && chain["connected"].as_array().is_some_and(|peers| peers.len() == 3)
        });
        // Enough blocks that each validator leads some.
        for deposited in 0..8 {
            deposit(up, &format!("clock-{number}-{deposited}"));
        }
        let (code, mut verdicts) = clock_findings(up);
        verdicts.sort();
        assert_eq!(
            (code, verdicts),
            (1, ["bad", "good", "good", "good"].map(String::from).to_vec())
        );
        agreed_root(up);
    }
    up.ok_plain(&["node", "start", "inspur-1"]);
    assert_eq!(clock_findings(up), (0, vec!["good".to_owned(); 4]));
}

fn a_clock_far_off_cuts_its_own_node_off(up: &Up) {
    up.ok_plain(&["node", "stop", "inspur-1"]);
    let off = with_clock(up, "+20s");
    until("it knows that it is alone", || off.is_alone());
    deposit(up, "without-the-fast-clock");
    assert!(off.is_alone() && off.chain()["reason"].as_str().unwrap().contains("时钟"));
    drop(off);
    up.ok_plain(&["node", "start", "inspur-1"]);
}

fn an_unknown_protocol_version_stops_the_nodes(up: &Up) {
    // Far enough for the proposal and its votes to come before.
    let height = up.ok(&["status"])["chains"][0]["height"].as_u64().unwrap() + 16;
    let words = ["protocol", "activate", "2", &height.to_string()];
    assert_eq!(up.ok(&words)["status"], "carried");
    let table = repository("examples/data/henan-divisions.csv");
    let mut load = command(&up.home)
        .args(["evidence", "put-table", text(&table), "--id", "code", "--each"])
        .args(["--dir", text(&up.dir)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("every node has stopped and says why", || {
        (1..=4).all(|node| {
            let log = fs::read_to_string(up.dir.join(format!("node{node}/node.log"))).unwrap();
            log.contains(&format!("from height {height} on, the chain uses protocol version 2"))
                && log.contains("install a newer one")
        })
    });
    load.kill().unwrap();
    load.wait().unwrap();
    // What was final before is whole.
    up.ok_plain(&["node", "stop", "unicom-1"]);
    let replayed = up.run(&["replay", "--dir", text(&up.dir.join("node1")), "--json"]);
    let expected = (0, Some(height - 1));
    assert_eq!(
        (replayed.code, replayed.json()["nodes"][0]["height"].as_u64()),
        expected,
        "{}",
        replayed.out
    );
}
