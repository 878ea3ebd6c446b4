//! One network through its life: `up`, deposits, packs verified offline, a node killed, votes, backups, restarts.

use crate::{
    running::{Up, agreed_root, assert_gone, file, free_base, kill, until},
    world::{repository, run, text},
};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

#[test]
fn a_network_lives() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("network");
    let base = free_base();
    let up = Up::start(home.path(), &dir, base);
    assert_eq!(up.run(&["up", "--dir", text(&dir)]).code, 2, "a second one is refused");

    deposits_are_proven_offline(&up);
    tables_are_deposited_row_by_row_and_in_batches(&up);
    records_are_found_and_revoked(&up);
    a_killed_node_comes_back(&up);
    the_members_decide(&up);
    the_consortium_changes_its_rules_and_members(&up);
    a_transaction_is_made_here_and_submitted_there(&up);
    a_fifth_node_takes_a_seat(&up);
    the_doctor_finds_nothing_bad(&up);
    let root = online_backup(&up);
    let pids = up.pids();
    up.stop("-TERM");
    pids.into_iter().for_each(assert_gone);

    replay_and_restore(home.path(), &dir, &root);
    let again = Up::start(home.path(), &dir, base);
    assert_eq!(agreed_root(&again), root, "started again, it goes on");
    again.ok(&[
        "evidence",
        "put",
        text(&file(home.path(), "after.txt", "after the restart")),
    ]);
    killed_without_warning_it_leaves_nothing(again);
}

fn deposits_are_proven_offline(up: &Up) {
    let plan = up.home.join("plan.txt");
    fs::copy(repository("examples/data/henan-chain-plan.txt"), &plan).unwrap();
    let put = up.ok(&["evidence", "put", text(&plan)]);
    assert_eq!(put["files"][0]["status"], "deposited");
    // From `openssl dgst -sm3`.
    assert_eq!(
        put["files"][0]["digest"],
        "3ab62bf52fa5434edd31fc18257e439b2f950ca84e9fae65962c22410fcda948"
    );
    let pack = up.home.join("plan.txt.pack.json");
    let genesis = up.dir.join("genesis.txt");
    let verify = |more: &[&str]| up.run(&[&["verify", text(&pack), text(&plan)], more].concat());
    let yes = verify(&["--genesis", text(&genesis)]);
    assert_eq!(yes.code, 0, "{}", yes.out);
    assert!(
        yes.out.contains("郑州市大数据管理局") && yes.out.contains("4 个验证节点中"),
        "{}",
        yes.out
    );
    assert_eq!(verify(&[]).code, 1, "of an unknown chain");
    let again = up.ok(&["evidence", "put", text(&plan)]);
    assert_eq!(again["files"][0]["status"], "already");
    let mut content = fs::read(&plan).unwrap();
    content[1000] ^= 1;
    fs::write(&plan, content).unwrap();
    assert_eq!(verify(&["--genesis", text(&genesis)]).code, 1, "one byte was changed");
}

fn tables_are_deposited_row_by_row_and_in_batches(up: &Up) {
    let whole = fs::read_to_string(repository("examples/data/henan-divisions.csv")).unwrap();
    let part: String = whole.split_inclusive('\n').take(1 + 120).collect();
    let table = file(&up.home, "divisions.csv", &part);
    let row = part.lines().nth(7).unwrap();
    let id = row.split(',').next().unwrap();
    let genesis = up.dir.join("genesis.bin");
    for (how, folder) in [("--batch", "batch"), ("--each", "each")] {
        let packs = up.home.join(folder);
        let words = [
            "evidence",
            "put-table",
            text(&table),
            "--id",
            "code",
            how,
            "--pack-dir",
            text(&packs),
        ];
        let put = up.ok(&words);
        assert_eq!(
            (&put["rows"], &put["deposited"], &put["packs"]),
            (&120.into(), &120.into(), &120.into()),
            "{put}"
        );
        let again = up.ok(&words);
        assert_eq!(
            (&again["deposited"], &again["already"]),
            (&0.into(), &120.into()),
            "{again}"
        );
        let pack = packs.join(format!("{id}.pack.json"));
        assert!(
            fs::metadata(&pack).unwrap().len() <= 8 * 1024,
            "a row's pack has at most 8 KB"
        );
        let verify = |row: &str| {
            up.run(&["verify", text(&pack), "--row", row, "--genesis", text(&genesis)])
                .code
        };
        assert_eq!((verify(row), verify(&format!("{row} "))), (0, 1), "{how}");
    }
    let later = up.home.join("later.pack.json");
    let words = [
        "evidence",
        "pack",
        "--table",
        text(&table),
        "--id",
        "code",
        "--row-id",
        id,
        "-o",
        text(&later),
    ];
    let answer = up.run(&[&words[..], &["--dir", text(&up.dir)]].concat());
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert_eq!(
        up.run(&["verify", text(&later), "--row", row, "--genesis", text(&genesis)])
            .code,
        0
    );
}

fn records_are_found_and_revoked(up: &Up) {
    let [old, new] = ["old.txt", "new.txt"].map(|name| file(&up.home, name, name));
    up.ok(&[
        "evidence",
        "put",
        text(&old),
        text(&new),
        "--description",
        "通知",
        "--source",
        "测试",
    ]);
    let found = up.ok(&["evidence", "find", text(&old)]);
    assert_eq!(
        (&found["records"][0]["description"], &found["records"][0]["status"]),
        (&"通知".into(), &"active".into())
    );
    up.ok(&[
        "evidence",
        "supersede",
        text(&old),
        "--by",
        text(&new),
        "--reason",
        "更正",
    ]);
    assert_eq!(
        up.ok(&["evidence", "find", text(&old)])["records"][0]["status"],
        "superseded"
    );
    let id = up.ok(&["evidence", "revoke", text(&new), "--reason", "撤销"])["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let twice = up.run(&[
        "evidence",
        "revoke",
        text(&new),
        "--reason",
        "x",
        "--dir",
        text(&up.dir),
        "--json",
    ]);
    assert_eq!(
        (twice.code, twice.json()["error"]["code"].as_str()),
        (1, Some("evidence.not_active"))
    );
    assert_eq!(up.ok(&["tx", "show", &id])["method"], "revoke");
    let pack = up.home.join("revoked.pack.json");
    let fetched = up.run(&[
        "evidence",
        "pack",
        text(&new),
        "-o",
        text(&pack),
        "--dir",
        text(&up.dir),
    ]);
    assert_eq!(fetched.code, 0, "{}", fetched.err);
    let judged = up.run(&[
        "verify",
        text(&pack),
        text(&new),
        "--genesis",
        text(&up.dir.join("genesis.txt")),
    ]);
    assert_eq!(judged.code, 1);
    assert!(judged.out.starts_with("存证已证明，但该记录已被撤销"), "{}", judged.out);
    let nothing = file(&up.home, "nothing.txt", "never deposited");
    assert_eq!(
        up.run(&["evidence", "find", text(&nothing), "--dir", text(&up.dir)])
            .code,
        1
    );
    assert!(up.ok(&["block", "show"])["header"]["height"].as_u64().unwrap() > 0);
}

fn a_killed_node_comes_back(up: &Up) {
    let before = up.pids()[1];
    kill("-9", before);
    up.ok(&[
        "evidence",
        "put",
        text(&file(&up.home, "down.txt", "while one of four is down")),
    ]);
    until("it is started again", || up.pids()[1] != before && up.pids()[1] != 0);
    up.ok_plain(&["node", "start", "node2"]);
    agreed_root(up);
    up.ok_plain(&["node", "stop", "telecom-1"]);
    assert_eq!(up.pids()[2], 0);
    up.ok(&[
        "evidence",
        "put",
        text(&file(&up.home, "held.txt", "while one of four is held")),
    ]);
    let seen = up.ok(&["status"]);
    let down: Vec<_> = seen["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["reachable"] == false)
        .collect();
    assert_eq!(down.len(), 1);
    up.ok_plain(&["node", "start", "telecom-1"]);
    agreed_root(up);
}

fn the_members_decide(up: &Up) {
    let set = up.ok(&["parameter", "set", "clock_drift_ms", "4000"]);
    assert_eq!(set["status"], "carried");
    let listed = up.ok(&["parameter", "list"]);
    let drift = listed["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "clock_drift_ms")
        .unwrap();
    assert_eq!(drift["value"], "4000");
    let words = [
        "parameter",
        "set",
        "clock_drift_ms",
        "1",
        "--dir",
        text(&up.dir),
        "--json",
    ];
    let refused = up.run(&words);
    assert_eq!(
        (refused.code, refused.json()["error"]["code"].as_str()),
        (1, Some("governance.parameter_out_of_limits"))
    );
    // One organisation alone decides nothing; the others see the proposal and vote.
    let key = up.dir.join("organisations/henan-unicom/admin.pem");
    let words = [
        "parameter",
        "set",
        "clock_drift_ms",
        "3000",
        "--key",
        text(&key),
        "--dir",
        text(&up.dir),
        "--json",
    ];
    let open = up.run(&words);
    assert_eq!((open.code, open.json()["status"].as_str()), (1, Some("open")));
    let id = open.json()["id"].to_string();
    assert_eq!(up.ok(&["proposal", "vote", &id, "--approve"])["status"], "carried");
    let new_key = up.home.join("clerk.pem");
    let words = [
        "account",
        "add",
        "--new-key",
        text(&new_key),
        "--label",
        "科员",
        "--as",
        "zhengzhou-data/admin",
    ];
    up.ok(&words);
    up.ok(&[
        "evidence",
        "put",
        text(&file(&up.home, "clerk.txt", "by the clerk")),
        "--key",
        text(&new_key),
    ]);
    up.ok(&[
        "account",
        "freeze",
        text(&new_key),
        "--reason",
        "离岗",
        "--as",
        "zhengzhou-data/admin",
    ]);
    let other = file(&up.home, "frozen.txt", "by a frozen account");
    let words = [
        "evidence",
        "put",
        text(&other),
        "--key",
        text(&new_key),
        "--dir",
        text(&up.dir),
        "--json",
    ];
    let frozen = up.run(&words);
    assert_eq!(frozen.code, 1, "{}", frozen.out);
    assert_eq!(frozen.json()["files"][0]["error"]["code"], "exec.account_frozen");
}

fn the_consortium_changes_its_rules_and_members(up: &Up) {
    let rules = file(&up.home, "charter.txt", "联盟章程");
    let words = ["charter", "change", "--parameters", "1/2", "--text", text(&rules)];
    assert_eq!(up.ok(&words)["status"], "carried");
    let charter = up.ok(&["charter", "show"])["charter"].clone();
    assert_eq!(
        charter["parameters"],
        serde_json::json!({ "numerator": 1, "denominator": 2 })
    );
    assert_eq!(
        charter["validators"],
        serde_json::json!({ "numerator": 2, "denominator": 3 })
    );
    // From `openssl dgst -sm3`.
    assert_eq!(
        charter["text_digest"],
        "3dec701a059d4a23a8431e8096de70951d737bada217a5ea6f26392d08606874"
    );
    let too_few = up.run(&[
        "charter",
        "change",
        "--charter",
        "1/4",
        "--dir",
        text(&up.dir),
        "--json",
    ]);
    assert_eq!(
        (too_few.code, too_few.json()["error"]["code"].as_str()),
        (1, Some("governance.bad_charter"))
    );

    let admin = up.home.join("kaifeng.pem");
    assert_eq!(up.run(&["key", "new", text(&admin)]).code, 0);
    let add = [
        "organisation",
        "add",
        "kaifeng-data",
        "--name",
        "开封市大数据局",
        "--admin-key",
        text(&admin),
    ];
    assert_eq!(up.ok(&add)["status"], "carried");
    let clerk = up.home.join("kaifeng-clerk.pem");
    up.ok(&[
        "account",
        "add",
        "--new-key",
        text(&clerk),
        "--label",
        "录入",
        "--key",
        text(&admin),
    ]);
    let by_clerk = |name: &str| {
        let path = file(&up.home, name, name);
        let words = [
            "evidence",
            "put",
            text(&path),
            "--key",
            text(&clerk),
            "--dir",
            text(&up.dir),
            "--json",
        ];
        let put = up.run(&words);
        let code = put.json()["files"][0]["error"]["code"].clone();
        (put.code, code)
    };
    assert_eq!(by_clerk("kaifeng.txt"), (0, Value::Null));
    up.ok(&["organisation", "freeze", "kaifeng-data", "--reason", "调查"]);
    assert_eq!(by_clerk("frozen-org.txt"), (1, "exec.organisation_frozen".into()));
    up.ok(&["organisation", "unfreeze", "kaifeng-data"]);
    assert_eq!(by_clerk("again.txt"), (0, Value::Null));
    up.ok(&["organisation", "remove", "kaifeng-data"]);
    assert_eq!(by_clerk("removed-org.txt").0, 1);
}

/// A file with a signed deposit of a digest whose bytes are all the same.
fn deposit_made(up: &Up, byte: &str) -> PathBuf {
    let made = up.home.join(format!("{byte}.tx"));
    let arguments = format!("0a20{}", byte.repeat(32));
    let words = ["tx", "make", "evidence", "deposit", "--arguments", &arguments, "-o"];
    up.ok_plain(&[&words[..], &[text(&made)]].concat());
    made
}

fn a_transaction_is_made_here_and_submitted_there(up: &Up) {
    let made = deposit_made(up, "07");
    let submitted = up.ok(&["tx", "submit", text(&made)]);
    let id = submitted["id"].as_str().expect("an id").to_owned();
    assert_eq!(up.ok(&["tx", "show", &id])["state"], "final");
    // The same bytes again bring the same result and nothing new.
    assert_eq!(up.ok(&["tx", "submit", text(&made)])["block"], submitted["block"]);
    // Another one, whose signature is changed on the way: refused, and then taken as it was signed.
    let made = deposit_made(up, "08");
    let signed = fs::read(&made).unwrap();
    let mut bytes = signed.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&made, bytes).unwrap();
    let refused = up.run(&["tx", "submit", text(&made), "--dir", text(&up.dir), "--json"]);
    assert_eq!(
        (refused.code, refused.json()["error"]["code"].as_str()),
        (1, Some("exec.wrong_signature"))
    );
    fs::write(&made, signed).unwrap();
    up.ok(&["tx", "submit", text(&made)]);
}

fn a_fifth_node_takes_a_seat(up: &Up) {
    let made = up.ok(&[
        "node",
        "new",
        "mobile-2",
        "--cloud",
        "移动",
        "--organisation",
        "henan-mobile",
        "--sync",
        "snapshot",
    ]);
    let api = made["api"].as_str().unwrap();
    until("up starts the new node", || up.pids().len() == 5 && up.pids()[4] != 0);
    let replaced = up.ok(&["validator", "replace", "mobile-1", "--candidate", api]);
    let log = up.dir.join(made["folder"].as_str().unwrap()).join("node.log");
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("the snapshot is verified and in place"), "{log}");
    let names = |set: &Value| {
        let list = set["current"]["validators"].as_array().unwrap().clone();
        list.iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let now = names(&replaced["validators"]);
    assert!(
        now.contains(&"mobile-2".into()) && !now.contains(&"mobile-1".into()),
        "{now:?}"
    );
    let refused = up.run(&["validator", "remove", "unicom-1", "--dir", text(&up.dir), "--json"]);
    assert_eq!(
        (refused.code, refused.json()["error"]["code"].as_str()),
        (1, Some("governance.too_few_validators"))
    );
    let pack = up.home.join("seat.txt.pack.json");
    let seat = file(&up.home, "seat.txt", "under the new set");
    up.ok(&["evidence", "put", text(&seat)]);
    let genesis = up.dir.join("genesis.txt");
    let judged = up.run(&[
        "verify",
        text(&pack),
        text(&seat),
        "--genesis",
        text(&genesis),
        "--json",
    ]);
    assert_eq!(
        (judged.code, &judged.json()["report"]["set_changes"]),
        (0, &1.into()),
        "{}",
        judged.out
    );
    agreed_root(up);
}

fn the_doctor_finds_nothing_bad(up: &Up) {
    let english = up.run(&["doctor", "--dir", text(&up.dir), "--lang", "en"]);
    assert_eq!(english.code, 0, "{}", english.out);
    assert!(english.out.is_ascii(), "{}", english.out);
    let key = up.dir.join("organisations/zhengzhou-data/writer.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = up.run(&["doctor", "--dir", text(&up.dir), "--json"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!((open.code, open.json()["verdict"].as_str()), (1, Some("bad")));
    let findings = open.json()["findings"].as_array().unwrap().clone();
    let bad: Vec<_> = findings
        .iter()
        .filter(|one| one["verdict"] == "bad")
        .map(|one| one["check"].clone())
        .collect();
    assert_eq!(bad, ["key-files"]);
    assert_eq!(findings.iter().filter(|one| one["check"] == "node").count(), 5);
}

fn online_backup(up: &Up) -> String {
    let root = agreed_root(up);
    let backup = up.home.join("online.backup");
    up.ok(&["backup", "-o", text(&backup)]);
    assert_eq!(
        up.run(&["backup", "-o", text(&backup), "--dir", text(&up.dir)]).code,
        2,
        "nothing is overwritten"
    );
    root
}

fn replay_and_restore(home: &Path, dir: &Path, root: &str) {
    let replayed = run(home, &["replay", "--dir", text(dir), "--json"]);
    assert_eq!(replayed.code, 0, "{}", replayed.out);
    let nodes = replayed.json()["nodes"].as_array().unwrap().clone();
    assert!(
        nodes.len() == 5 && nodes.iter().all(|node| node["state_root"] == root),
        "{nodes:?}"
    );
    let offline = home.join("offline.backup");
    let backed_up = run(
        home,
        &[
            "backup",
            "--node-dir",
            text(&dir.join("node1")),
            "-o",
            text(&offline),
            "--json",
        ],
    );
    assert_eq!(backed_up.code, 0, "{}", backed_up.out);
    for backup in ["offline.backup", "online.backup"] {
        let node = home.join(format!("restored-{backup}"));
        fs::create_dir(&node).unwrap();
        for name in ["node.toml", "genesis.bin"] {
            fs::copy(dir.join("node1").join(name), node.join(name)).unwrap();
        }
        let backup = home.join(backup);
        let words = ["restore", text(&backup), "--node-dir", text(&node), "--json"];
        let restored = run(home, &words);
        assert_eq!(
            (restored.code, restored.json()["state_root"].as_str()),
            (0, Some(root)),
            "{}",
            restored.out
        );
        assert_eq!(run(home, &words).code, 1, "only into an empty folder");
        assert_eq!(run(home, &["replay", "--dir", text(&node)]).code, 0);
    }
    let mut bytes = fs::read(&offline).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&offline, bytes).unwrap();
    let node = home.join("restored-damaged");
    fs::create_dir(&node).unwrap();
    for name in ["node.toml", "genesis.bin"] {
        fs::copy(dir.join("node1").join(name), node.join(name)).unwrap();
    }
    assert_eq!(
        run(home, &["restore", text(&offline), "--node-dir", text(&node)]).code,
        1,
        "a damaged backup"
    );
}

fn killed_without_warning_it_leaves_nothing(mut up: Up) {
    let pids = up.pids();
    up.child.kill().expect("killed");
    up.child.wait().expect("gone");
    pids.into_iter().for_each(assert_gone);
}
