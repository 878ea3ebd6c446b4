//! A fusion network with the real binary: chains made and linked, one asks another through the relay agent, a voucher of proofs.

use crate::{
    between,
    running::{Up, file, free_base, until},
    world::{run, text},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

const ORGANISATION: &str = "zhengzhou-data";
const RELAY: &str = "数据中继链";

/// Deposits a file on a chain and returns its digest.
fn deposit(up: &Up, chain: &str, name: &str) -> String {
    let path = file(&up.home, name, name);
    let put = up.ok(&[
        "evidence",
        "put",
        text(&path),
        "--chain",
        chain,
        "--as",
        "zhengzhou-data/writer",
    ]);
    put["files"][0]["digest"].as_str().expect("a digest").to_owned()
}

fn ask(up: &Up, from: &str, of: &str, digest: &str) -> crate::world::Answer {
    let dir = text(&up.dir).to_owned();
    let words = [
        "fusion",
        "ask",
        digest,
        "--from",
        from,
        "--of",
        of,
        "--organisation",
        ORGANISATION,
    ];
    up.run(&[&words[..], &["--as", "zhengzhou-data/writer", "--dir", &dir, "--json"]].concat())
}

#[test]
fn chains_verify_what_others_hold_and_move_vouchers() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("network");
    let up = Up::start(home.path(), &dir, free_base());
    assert_eq!(
        up.run(&["fusion", "show", "--dir", text(&dir)]).code,
        1,
        "there is none yet"
    );

    let members = ["--member", "郑州", "--member", "开封"];
    let built = up.run(&[&["fusion", "build"][..], &members, &["--dir", text(&dir)]].concat());
    assert_eq!(built.code, 0, "{}{}", built.out, built.err);
    // Everything is there already: nothing changes.
    let again = up.run(&[&["fusion", "build"][..], &members, &["--dir", text(&dir)]].concat());
    assert_eq!(again.code, 0, "{}{}", again.out, again.err);

    let mut shown = Value::Null;
    until("the agent runs and both believe the relay chain", || {
        shown = up.ok(&["fusion", "show"]);
        let members = shown["members"].as_array().expect("members");
        let linked = |member: &&Value| member["at_relay"] == "active" && member["of_relay"] == "active";
        members.iter().filter(linked).count() == 2 && shown["agent"].is_object()
    });
    assert_eq!(shown["relay"], RELAY);

    let digest = deposit(&up, "郑州", "record.txt");
    // The light clients of each other are opened by the agent on the relay chain's word.
    until("they know each other", || {
        let answer = ask(&up, "开封", "郑州", &digest);
        assert!(
            answer.code == 0 || answer.out.contains("link.unknown_chain"),
            "{}{}",
            answer.out,
            answer.err
        );
        answer.code == 0
    });
    let answer = ask(&up, "开封", "郑州", &digest).json();
    assert_eq!(
        (&answer["found"], &answer["status"]),
        (&true.into(), &1.into()),
        "{answer}"
    );
    let unknown = ask(&up, "开封", "郑州", &"7".repeat(64));
    assert_eq!((unknown.code, &unknown.json()["found"]), (1, &false.into()));

    let packs = packs_with_the_relay_path(&up, home.path(), &digest);
    let digest_of = |name: &str| up.ok(&["chain", "show", name])["id"].as_str().expect("id").to_owned();
    let (relay, own, other) = (digest_of(RELAY), digest_of("郑州"), digest_of("开封"));
    between::links(&up);
    between::vouchers(&up);
    between::routes(&up);
    between::freeze(&up);
    between::notices(&up);
    between::link_anew(&up);
    up.stop("-TERM");
    // A court has the file, the pack and 64 digits; there is no network any more.
    for pack in &packs {
        court(home.path(), pack, &relay, &own, &other);
    }
}

/// One that the answer to a question comes with; one that a reader without any key gets after the chain went on.
fn packs_with_the_relay_path(up: &Up, home: &Path, digest: &str) -> [PathBuf; 2] {
    let packs = ["asked.pack.json", "fetched.pack.json"].map(|name| home.join(name));
    let words = ["--from", "开封", "--of", "郑州", "--organisation", ORGANISATION];
    let words = [
        &["fusion", "ask", digest][..],
        &words,
        &["--as", "zhengzhou-data/writer"],
    ]
    .concat();
    let asked = up.ok(&[&words[..], &["--pack", text(&packs[0])]].concat());
    let bytes = fs::metadata(&packs[0]).expect("the pack").len();
    assert_eq!(asked["pack_bytes"], bytes, "{asked}");

    deposit(up, "郑州", "another.txt");
    let url = up.running()["nodes"][0]["api"].as_str().expect("address").to_owned();
    let nowhere = home.join("nowhere");
    let words = [
        "evidence", "pack", "--digest", digest, "--chain", "郑州", "--relay", RELAY,
    ];
    let connect = ["--url", &url, "--dir", text(&nowhere), "--out", text(&packs[1])];
    let fetched = up.run(&[&words[..], &connect].concat());
    assert_eq!(fetched.code, 0, "{}{}", fetched.out, fetched.err);
    packs
}

fn court(home: &Path, pack: &Path, relay: &str, own: &str, other: &str) {
    let record = home.join("record.txt");
    let verify = |genesis: &str| {
        let words = ["verify", text(pack), text(&record), "--genesis", genesis, "--json"];
        run(home, &words)
    };
    let yes = verify(relay);
    assert_eq!((yes.code, &yes.json()["answer"]), (0, &"yes".into()), "{}", yes.out);
    let answer = yes.json();
    let path = &answer["report"]["relay"];
    let said = [
        &path["chain_id"],
        &path["chain_name"],
        &path["known_as"],
        &path["rests_on"],
    ];
    assert_eq!(said, [relay, RELAY, "郑州", "relay"], "{answer}");
    assert_eq!(answer["report"]["chain_id"], own);
    assert_eq!(verify(own).json()["report"]["relay"]["rests_on"], "chain");
    let no = verify(other);
    assert_eq!(
        (no.code, &no.json()["code"]),
        (1, &"unknown_chain".into()),
        "{}",
        no.out
    );
    let shown = run(home, &["verify", text(pack), text(&record), "--genesis", relay]);
    assert!(
        shown.out.contains("您信任的是中继链") && shown.out.contains(RELAY),
        "{}",
        shown.out
    );
}
