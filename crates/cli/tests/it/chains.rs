//! Chains on demand with the real binary: created, used, paused, resumed, a node killed, archived.

use crate::{
    running::{PATIENCE, Up, file, free_base, kill, until},
    world::text,
};
use serde_json::Value;
use std::time::Instant;

const NAME: &str = "郑州";

#[test]
fn a_chain_is_created_used_paused_killed_and_archived() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("network");
    let up = Up::start(home.path(), &dir, free_base());

    let created = up.ok(&["chain", "create", NAME, "--title", "郑州市存证链"]);
    assert_eq!(
        (&created["life"], &created["title"]),
        (&"running".into(), &"郑州市存证链".into())
    );
    let ready = created["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["ready"] == true);
    assert_eq!(ready.count(), 4, "every validator answered: {created}");
    assert_eq!(
        up.run(&["chain", "create", NAME, "--dir", text(&dir)]).code,
        1,
        "a name is given once"
    );

    let first = deposit(&up, "first.txt");
    assert_eq!(first["files"][0]["status"], "deposited");
    assert!(
        find(&up, "default", "first.txt").is_empty(),
        "it is not on the system chain"
    );
    assert_eq!(find(&up, NAME, "first.txt").len(), 1);

    up.ok(&["chain", "pause", NAME, "--reason", "检修"]);
    until("every node hears of the pause", || standings(&up) == ["paused"; 4]);
    let refused = up.run(&[
        "evidence",
        "put",
        text(&file(&up.home, "second.txt", "2")),
        "--chain",
        NAME,
        "--dir",
        text(&dir),
        "--json",
    ]);
    assert!(
        refused.code != 0 && refused.out.contains("chain.paused"),
        "{}{}",
        refused.out,
        refused.err
    );
    up.ok(&["chain", "resume", NAME]);
    until("every node hears that it goes on", || standings(&up) == ["open"; 4]);
    deposit(&up, "second.txt");

    let pid = up.pids()[2];
    kill("-9", pid);
    deposit(&up, "third.txt");
    until("the node comes back to the same chains", || {
        up.pids()[2] != pid
            && up.pids()[2] != 0
            && heights(&up).is_some_and(|heights| heights.iter().all(|h| *h == heights[0]))
    });

    up.ok(&["chain", "pause", NAME]);
    let began = Instant::now();
    until("the pause has lasted long enough", || {
        assert!(began.elapsed() < PATIENCE);
        up.run(&["chain", "archive", NAME, "--dir", text(&dir)]).code == 0
    });
    let mut shown = Value::Null;
    until("the validators agree on the last block", || {
        shown = up.ok(&["chain", "show", NAME]);
        shown["checkpoint"].is_object()
    });
    assert_eq!(shown["life"], "archived");
    until("every node has closed it", || standings(&up) == ["closed"; 4]);
    assert_eq!(find(&up, NAME, "third.txt").len(), 1, "what it holds can be read");
    let root = crate::running::agreed_root(&up);
    assert_eq!(root.len(), 64, "the system chain goes on");
    up.stop("-TERM");
}

/// Deposits a file on the chain.
fn deposit(up: &Up, name: &str) -> Value {
    let path = file(&up.home, name, name);
    up.ok(&[
        "evidence",
        "put",
        text(&path),
        "--chain",
        NAME,
        "--as",
        "zhengzhou-data/writer",
    ])
}

fn find(up: &Up, chain: &str, name: &str) -> Vec<Value> {
    let path = file(&up.home, name, name);
    let answer = up.run(&[
        "evidence",
        "find",
        text(&path),
        "--chain",
        chain,
        "--dir",
        text(&up.dir),
        "--json",
    ]);
    answer.json()["records"].as_array().cloned().unwrap_or_default()
}

/// The chain as each node's status has it.
fn on_nodes(up: &Up) -> Vec<Value> {
    let nodes = up.running()["nodes"].as_array().expect("nodes").clone();
    let status = |node: &Value| -> Option<Value> {
        let api = node["api"].as_str()?.strip_prefix("http://")?;
        let status = get(api, "/v1/status")?;
        status["chains"]
            .as_array()?
            .iter()
            .find(|chain| chain["name"] == NAME)
            .cloned()
    };
    nodes.iter().filter_map(status).collect()
}

fn standings(up: &Up) -> Vec<String> {
    let standing = |chain: &Value| chain["regime"]["standing"].as_str().unwrap_or_default().to_owned();
    on_nodes(up).iter().map(standing).collect()
}

/// Heights of all four nodes, or none while one is missing.
fn heights(up: &Up) -> Option<Vec<u64>> {
    let heights: Vec<u64> = on_nodes(up)
        .iter()
        .filter_map(|chain| chain["height"].as_u64())
        .collect();
    (heights.len() == 4).then_some(heights)
}

/// One request, read to its end.
fn get(address: &str, path: &str) -> Option<Value> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let body = answer.split_once("\r\n\r\n")?.1;
    serde_json::from_str(&body[body.find('{')?..=body.rfind('}')?]).ok()
}
