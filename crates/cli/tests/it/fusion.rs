//! A fusion network with the real binary: chains made and linked, one asks another through the relay agent, a voucher of proofs.

use crate::{
    between,
    running::{Up, file, free_base, until},
    world::text,
};
use serde_json::Value;

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

    between::links(&up);
    between::vouchers(&up);
    between::routes(&up);
    between::freeze(&up);
    between::notices(&up);
    between::link_anew(&up);
    up.stop("-TERM");
}
