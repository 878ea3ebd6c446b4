//! The life of a consortium with the real binary: an organisation is invited and joins, a chain is made for it, validators change, a
//! risk is accepted, a cloud is lost, organisations leave.

use crate::{
    running::{Up, file, free_base, until},
    world::{Answer, text},
};
use serde_json::Value;

const COURT: &str = "luoyang-court";
const CHAIN: &str = "法院链";
const RISKY: &str = "试点链";

/// Runs a command on the network, whatever comes of it.
fn run(up: &Up, words: &[&str]) -> Answer {
    up.run(&[words, &["--dir", text(&up.dir), "--json"]].concat())
}

/// The code of a command that must not succeed.
fn refused(up: &Up, words: &[&str]) -> String {
    let answer = run(up, words);
    assert_ne!(answer.code, 0, "{words:?}: {}", answer.out);
    answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().expect("a list").iter();
    items.filter_map(|item| item[field].as_str()).collect()
}

#[test]
fn a_consortium_lives() {
    let home = tempfile::tempdir().unwrap();
    let up = Up::start(home.path(), &home.path().join("network"), free_base());
    let key = home.path().join("court.key");
    let key = text(&key);
    joins(&up, key);
    has_a_chain(&up, key);
    let candidate = a_fifth_node(&up);
    accepts_a_risk(&up);
    loses_a_cloud(&up);
    changes_validators(&up, &candidate);
    leaves(&up, key);
    up.stop("-TERM");
}

/// By invitation, with the signature of the invited key under the charter.
fn joins(up: &Up, key: &str) {
    assert_eq!(up.run(&["key", "new", key]).code, 0);
    let invite = [
        "organisation",
        "invite",
        COURT,
        "--name",
        "洛阳法院",
        "--member",
        "--admin-public-key",
        key,
        "--reason",
        "扩容",
    ];
    up.ok(&invite);
    let pending = up.ok(&["organisation", "list", "--pending"]);
    assert_eq!(texts(&pending["invitations"], "organisation"), [COURT], "{pending}");
    let other = up.home.join("other.key");
    assert_eq!(up.run(&["key", "new", text(&other)]).code, 0);
    let paper = up.home.join("joins.json");
    let accept = |key: &str| {
        let _ = std::fs::remove_file(&paper);
        let dir = text(&up.dir);
        let words = [
            "organisation",
            "accept",
            COURT,
            "--key",
            key,
            "--out",
            text(&paper),
            "--dir",
            dir,
        ];
        assert_eq!(up.run(&words).code, 0);
    };
    accept(text(&other));
    assert_eq!(
        refused(up, &["organisation", "join", text(&paper)]),
        "governance.bad_acceptance",
        "only the invited key speaks for it"
    );
    accept(key);
    up.ok(&["organisation", "join", text(&paper)]);
    let list = up.ok(&["organisation", "list"]);
    assert!(texts(&list["organisations"], "id").contains(&COURT), "{list}");
    let accounts = up.ok(&["account", "list", COURT]);
    assert_eq!(accounts["accounts"].as_array().expect("accounts").len(), 1);
    assert_eq!(refused(up, &["account", "list", "nobody"]), "organisation_not_found");
}

/// With its administrator, who was not in the genesis of the platform, and with limits.
fn has_a_chain(up: &Up, key: &str) {
    let create = [
        "chain",
        "create",
        CHAIN,
        "--organisation",
        COURT,
        "--transactions-per-second",
        "3",
    ];
    let created = up.ok(&create);
    assert!(
        created["organisations"]
            .as_array()
            .expect("members")
            .contains(&COURT.into())
    );
    let files: Vec<_> = (0..12)
        .map(|n| file(&up.home, &format!("ruling-{n}"), &n.to_string()))
        .collect();
    let put = |files: &[&str]| {
        run(
            up,
            &[&["evidence", "put", "--chain", CHAIN, "--key", key], files].concat(),
        )
    };
    assert_eq!(put(&[text(&files[0])]).code, 0);
    let names: Vec<&str> = files.iter().map(|file| text(file)).collect();
    let answer = put(&names);
    assert!(answer.out.contains("chain.rate_quota"), "{}{}", answer.out, answer.err);
    let shown = up.ok(&["chain", "show", CHAIN]);
    let counted = |regime: &Value| regime["regime"]["quota_refusals"].as_u64().unwrap_or_default();
    assert!(
        shown["in_use"]
            .as_array()
            .expect("nodes")
            .iter()
            .any(|node| counted(node) > 0),
        "{shown}"
    );
}

/// A second node in a cloud; the address of its API.
fn a_fifth_node(up: &Up) -> String {
    up.ok(&[
        "node",
        "new",
        "unicom-2",
        "--cloud",
        "联通",
        "--organisation",
        "henan-unicom",
    ]);
    let mut api = String::new();
    until("the node starts", || {
        let running = up.running();
        let nodes = running["nodes"].as_array().expect("nodes").clone();
        api = nodes
            .get(4)
            .and_then(|node| node["api"].as_str())
            .unwrap_or_default()
            .into();
        !api.is_empty() && run(up, &["node", "register", "--candidate", &api, "--as", "henan-unicom"]).code == 0
    });
    up.ok(&["node", "add", "unicom-2", "--as", "henan-unicom"]);
    api
}

/// Two of four validators in one cloud: never by itself, by vote with a reason, and shown ever after.
fn accepts_a_risk(up: &Up) {
    let create = [
        "chain",
        "create",
        RISKY,
        "--validator",
        "unicom-1",
        "--validator",
        "unicom-2",
        "--validator",
        "mobile-1",
        "--validator",
        "telecom-1",
    ];
    assert_eq!(refused(up, &create), "chain.too_many_in_cloud");
    up.ok(&[&create[..], &["--vote", "--accept-risk", "两个联通机房"]].concat());
    let risk = up.ok(&["chain", "show", RISKY])["risk"]["accepted"].clone();
    assert_eq!(
        (
            &risk["reason"],
            &risk["clouds"][0]["cloud"],
            &risk["clouds"][0]["validators"]
        ),
        (&"两个联通机房".into(), &"联通".into(), &2.into()),
        "{risk}"
    );
    let status = up.run(&["status", "--dir", text(&up.dir)]);
    assert!(status.out.contains("两个联通机房"), "{}", status.out);
}

/// The chain at risk stops as its members accepted, the others go on.
fn loses_a_cloud(up: &Up) {
    let report = up.ok(&["drill", "lose-cloud", "联通", "--seconds", "5"]);
    let chains = report["chains"].as_array().expect("chains");
    assert_eq!(chains.len(), 3, "{report}");
    for chain in chains {
        let expected = if chain["name"] == RISKY {
            "stopped_as_accepted"
        } else {
            "went_on"
        };
        assert_eq!(chain["fate"], expected, "{chain}");
    }
    assert_eq!(report["held"], true, "{report}");
}

/// A chain votes on its own validators: the register follows, and the new one answers for it.
fn changes_validators(up: &Up, candidate: &str) {
    up.ok(&[
        "chain",
        "members",
        CHAIN,
        "--add-observer",
        "unicom-2",
        "--as",
        "zhengzhou-data",
    ]);
    let register = [
        "node",
        "register",
        "--candidate",
        candidate,
        "--as",
        "henan-unicom",
        "--chain",
        CHAIN,
    ];
    until("the node hosts the chain", || run(up, &register).code == 0);
    let onto = ["--candidate", candidate, "--chain", CHAIN];
    let add = [&["validator", "add"], &onto[..]].concat();
    assert_eq!(refused(up, &add), "governance.too_many_in_cloud");
    up.ok(&[&["validator", "replace", "unicom-1"], &onto[..]].concat());
    let mut nodes = Value::Null;
    until("the register follows", || {
        let shown = up.ok(&["chain", "show", CHAIN]);
        nodes = shown["nodes"].clone();
        let all = nodes.as_array().expect("nodes");
        shown["validators_since"].as_u64() > Some(0)
            && all
                .iter()
                .filter(|node| node["validator"] == true)
                .all(|node| node["ready"] == true)
    });
    let validators = nodes.as_array().expect("nodes").iter();
    let unicom: Vec<&Value> = validators
        .filter(|node| node["organisation"] == "henan-unicom")
        .collect();
    assert_eq!(
        unicom.iter().filter(|node| node["validator"] == true).count(),
        1,
        "{nodes}"
    );
    let path = file(&up.home, "after", "after");
    up.ok(&[
        "evidence",
        "put",
        text(&path),
        "--chain",
        CHAIN,
        "--as",
        "zhengzhou-data/writer",
    ]);
}

/// An organisation without duties leaves by itself; one whose nodes host chains has to hand them over first.
fn leaves(up: &Up, key: &str) {
    let leave = |more: &[&str]| run(up, &[&["organisation", "leave", "--reason", "改组"], more].concat());
    let hosts = leave(&["--as", "henan-mobile"]);
    assert_ne!(hosts.code, 0);
    assert_eq!(
        hosts.json()["error"]["code"],
        "governance.nodes_host_chains",
        "{}",
        hosts.out
    );
    let free = leave(&["--key", key]);
    assert_eq!(free.code, 0, "{}{}", free.out, free.err);
    let list = up.ok(&["organisation", "list"]);
    let organisations = list["organisations"].as_array().expect("organisations");
    let left = organisations
        .iter()
        .find(|one| one["id"] == COURT)
        .expect("it is remembered");
    assert_eq!(
        (&left["removed"], &left["member"]),
        (&true.into(), &false.into()),
        "{left}"
    );
    let path = file(&up.home, "late", "late");
    assert_ne!(
        run(up, &["evidence", "put", text(&path), "--key", key]).code,
        0,
        "it has no say any more"
    );
}
