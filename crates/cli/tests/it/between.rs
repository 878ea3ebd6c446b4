//! What chains of a fusion network say to each other, with the real binary: links, vouchers, packets, routes, notices. Steps of the
//! test in `fusion`, on its network.

use crate::{
    running::{Up, file, until},
    world::{Answer, text},
};
use serde_json::Value;

const HOME: &str = "郑州";
const OTHER: &str = "开封";
const SERIES: &str = "zhengzhou-data/人才房票";
const WRITER: &str = "zhengzhou-data/writer";
const ADMIN: &str = "zhengzhou-data/admin";

/// Runs a command on the network, whatever comes of it.
fn run(up: &Up, words: &[&str]) -> Answer {
    up.run(&[words, &["--dir", text(&up.dir), "--json"]].concat())
}

/// The code of a command that must not succeed.
fn refused(up: &Up, words: &[&str]) -> (i32, String) {
    let answer = run(up, words);
    assert_ne!(answer.code, 0, "{words:?}: {}", answer.out);
    (
        answer.code,
        answer.json()["error"]["code"].as_str().unwrap_or_default().to_owned(),
    )
}

/// Both know the relay chain by vote and each other on its word.
pub(crate) fn links(up: &Up) {
    let list = up.ok(&["link", "list", "--chain", HOME]);
    let find = |name: &str| {
        let links = list["links"].as_array().expect("links");
        let found = links.iter().find(|link| link["name"] == name);
        found.unwrap_or_else(|| panic!("{name} in {list}")).clone()
    };
    let relay = find("数据中继链");
    assert_eq!((&relay["relay"], &relay["introduced"]), (&true.into(), &false.into()));
    let other = find(OTHER);
    assert_eq!(
        (&other["status"], &other["relay"], &other["introduced"]),
        (&"active".into(), &false.into(), &true.into())
    );
    let day_ms = 24 * 3_600_000;
    let left = other["trust_left_ms"].as_u64().expect("a number");
    assert!((29 * day_ms..=30 * day_ms).contains(&left), "{other}");
    let shown = up.ok(&["link", "show", OTHER, "--chain", HOME]);
    assert_eq!(shown["id"], other["id"]);
    assert!(shown["tip"].as_u64() >= shown["height"].as_u64(), "{shown}");
    let compared = up.ok(&["link", "compare", "--of", OTHER, "--chain", HOME]);
    let nodes = compared["nodes"].as_array().expect("nodes");
    assert_eq!((&compared["same"], nodes.len()), (&true.into(), 4), "{compared}");
    assert!(
        nodes.iter().all(|node| node["digest"] == nodes[0]["digest"]),
        "{compared}"
    );
    assert_eq!(
        refused(up, &["link", "show", "洛阳", "--chain", HOME]).1,
        "unknown_chain"
    );
}

fn send(up: &Up, from: &str, to: &str, holder: &str, amount: &str, more: &[&str]) -> Answer {
    let words = [
        "voucher", "send", SERIES, "--amount", amount, "--chain", from, "--to", to, "--holder", holder,
    ];
    run(up, &[&words[..], more].concat())
}

fn sent(up: &Up, from: &str, to: &str, holder: &str, amount: &str, more: &[&str]) -> Value {
    let answer = send(up, from, to, holder, amount, more);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    answer.json()
}

/// The books at home and on all chains: issued, redeemed, held at home, held elsewhere.
fn books(up: &Up, expected: [u64; 4]) {
    let [issued, redeemed, held, elsewhere] = expected;
    let shown = up.ok(&["voucher", "show", SERIES, "--everywhere", "--chain", HOME]);
    let home = &shown["at_home"];
    assert_eq!(
        [&home["issued"], &home["redeemed"], &shown["held"], &home["outside"]],
        [&issued.into(), &redeemed.into(), &held.into(), &elsewhere.into()] as [&Value; 4],
        "{shown}"
    );
    assert_eq!((&shown["moving"], &home["unclaimed"]), (&0.into(), &0.into()));
    let whole = &shown["everywhere"];
    let all: Value = (held + elsewhere).into();
    assert_eq!((&whole["held"], &whole["on_the_way"]), (&all, &0.into()), "{shown}");
    assert_eq!((&whole["agree"], &shown["agree"]), (&true.into(), &true.into()));
    let chain = &whole["chains"][0];
    assert_eq!(
        (&chain["chain"], &chain["held"], &chain["outside"]),
        (&OTHER.into(), &elsewhere.into(), &elsewhere.into())
    );
}

/// Issued on one chain, sent to the other, sent back, redeemed on both.
pub(crate) fn vouchers(up: &Up) {
    let terms = file(&up.home, "terms.txt", "凭本券抵扣购房款");
    let issue = ["voucher", "issue", "人才房票", "--chain", HOME, "--as", WRITER];
    assert_eq!(
        refused(up, &[&issue[..], &["--amount", "1"]].concat()),
        (2, "new_series_needs".into())
    );
    let first = up.ok(&[
        &issue[..],
        &["--amount", "100", "--terms", text(&terms), "--expires", "2099-12-31"],
    ]
    .concat());
    assert_eq!(
        (&first["amount"], &first["organisation"]),
        (&100.into(), &"zhengzhou-data".into())
    );
    assert_eq!(first["expires_ms"], 4_102_415_999_999_u64);
    // More of the same needs neither terms nor expiry.
    let more = up.ok(&[&issue[..], &["--amount", "20"]].concat());
    assert_eq!((&more["id"], &more["terms"]), (&first["id"], &first["terms"]));
    assert_eq!(
        refused(up, &["voucher", "show", "没有", "--chain", HOME]).1,
        "unknown_series"
    );

    let there = sent(up, HOME, OTHER, ADMIN, "30", &["--as", WRITER]);
    assert_eq!(
        (&there["outcome"], &there["amount"]),
        (&"done".into(), &30.into()),
        "{there}"
    );
    assert_eq!(
        (&there["packets"][0]["status"], &there["packets"][0]["destination"]),
        (&"done".into(), &OTHER.into())
    );
    books(up, [120, 0, 90, 30]);
    let held = up.ok(&["voucher", "list", "--chain", OTHER, "--account", ADMIN]);
    assert_eq!(
        (&held["series"][0]["amount"], &held["series"][0]["home"]),
        (&30.into(), &HOME.into()),
        "{held}"
    );
    let elsewhere = up.ok(&["voucher", "show", SERIES, "--chain", OTHER]);
    assert_eq!((&elsewhere["held"], elsewhere["at_home"].is_null()), (&30.into(), true));

    let back = sent(up, OTHER, HOME, WRITER, "10", &["--as", ADMIN]);
    assert_eq!(back["outcome"], "done");
    books(up, [120, 0, 100, 20]);
    let redeem = |chain: &str, amount: &str, by: &str| {
        up.ok(&[
            "voucher", "redeem", SERIES, "--amount", amount, "--chain", chain, "--as", by,
        ])
    };
    let at_home = redeem(HOME, "1", WRITER);
    assert_eq!(at_home["packets"].as_array().map(Vec::len), Some(0), "{at_home}");
    let abroad = redeem(OTHER, "5", ADMIN);
    assert_eq!(
        (&abroad["outcome"], &abroad["packets"][0]["destination"]),
        (&"done".into(), &HOME.into())
    );
    books(up, [120, 6, 99, 15]);
    up.ok(&[
        "voucher", "transfer", SERIES, "--amount", "9", "--holder", ADMIN, "--chain", HOME, "--as", WRITER,
    ]);
    let list = up.ok(&["voucher", "list", "--chain", HOME]);
    assert_eq!(
        (&list["series"][0]["held"], &list["series"][0]["issued"]),
        (&99.into(), &120.into())
    );
    // Too much is refused at once and changes nothing.
    let answer = send(up, HOME, OTHER, ADMIN, "1000", &["--as", WRITER]);
    assert_eq!(
        (answer.code, &answer.json()["error"]["code"]),
        (1, &"voucher.not_enough".into())
    );
    // Nothing waits at home for the other chain's holder.
    let reclaimed = run(up, &["voucher", "reclaim", SERIES, "--chain", OTHER, "--as", ADMIN]);
    assert_eq!(
        (reclaimed.code, &reclaimed.json()["code"]),
        (1, &"voucher.nothing_unclaimed".into())
    );
    books(up, [120, 6, 99, 15]);
}

/// Sends without waiting and returns the packet's number.
fn send_off(up: &Up, seconds: &str) -> String {
    let more = ["--as", WRITER, "--no-wait", "--timeout-s", seconds];
    let off = sent(up, HOME, OTHER, ADMIN, "7", &more);
    assert_eq!(
        (&off["outcome"], &off["packets"][0]["status"]),
        (&"sent".into(), &"sent".into())
    );
    off["packets"][0]["sequence"].to_string()
}

/// What the list of packets says of the one that is on its way.
fn only_packet(up: &Up, sequence: &str) -> Value {
    let list = up.ok(&["packet", "list", "--from", HOME, "--to", OTHER, "--module", "voucher"]);
    let packets = list["packets"].as_array().expect("packets");
    assert_eq!(packets.len(), 1, "{list}");
    assert_eq!(packets[0]["sequence"].to_string(), sequence);
    packets[0].clone()
}

fn packet(up: &Up, sequence: &str) -> Answer {
    let words = [
        "packet", "show", sequence, "--from", HOME, "--to", OTHER, "--module", "voucher",
    ];
    run(up, &words)
}

/// A closed route: what is sent comes back, and the list says why it waits. Removed, the wider route decides again.
pub(crate) fn routes(up: &Up) {
    let way = ["--from", HOME, "--to", OTHER, "--module", "voucher"];
    assert_eq!(
        refused(up, &[&["route", "remove"][..], &way].concat()).1,
        "link.route_not_found"
    );
    let closed = up.ok(&[&["route", "close"][..], &way].concat());
    assert_eq!(closed["status"], "carried");
    let sequence = send_off(up, "5");
    let waits = only_packet(up, &sequence);
    assert_eq!(
        (&waits["stage"], &waits["code"]),
        (&"sent".into(), &"link.route_closed".into())
    );
    let mut ended = Value::Null;
    until("it is refunded", || {
        let answer = packet(up, &sequence);
        ended = answer.json();
        ended["stage"] == "ended" && answer.code == 1
    });
    assert_eq!(
        (&ended["status"], &ended["code"]),
        (&"timed_out".into(), &"link.too_late".into())
    );
    books(up, [120, 6, 99, 15]);
    let empty = up.ok(&["packet", "list"]);
    assert_eq!(empty["packets"].as_array().map(Vec::len), Some(0), "{empty}");

    let two = up.ok(&["route", "list"]);
    assert_eq!(two["routes"].as_array().map(Vec::len), Some(2), "{two}");
    assert_eq!(
        (&two["routes"][1]["source"], &two["routes"][1]["closed"]),
        (&HOME.into(), &true.into())
    );
    up.ok(&[&["route", "remove"][..], &way].concat());
    let one = up.ok(&["route", "list"]);
    assert_eq!(one["routes"].as_array().map(Vec::len), Some(1), "{one}");
    assert_eq!(sent(up, HOME, OTHER, ADMIN, "7", &["--as", WRITER])["outcome"], "done");
    books(up, [120, 6, 92, 22]);
}

/// The regulator stops a way at once; a vote opens it again, and what waited goes on.
pub(crate) fn freeze(up: &Up) {
    let way = ["--from", HOME, "--to", "any"];
    let stop = [&["route", "freeze"][..], &way, &["--reason", "核查"]].concat();
    assert_eq!(
        refused(up, &[&stop[..], &["--as", ADMIN]].concat()).1,
        "exec.role_missing"
    );
    up.ok(&stop);
    let list = up.ok(&["route", "list"]);
    assert_eq!(
        (&list["freezes"][0]["source"], &list["freezes"][0]["reason"]),
        (&HOME.into(), &"核查".into()),
        "{list}"
    );
    let sequence = send_off(up, "120");
    assert_eq!(only_packet(up, &sequence)["code"], "link.frozen");
    up.ok(&[&["route", "lift"][..], &way].concat());
    until("what waited goes on", || {
        let stands = packet(up, &sequence).json();
        stands["stage"] == "ended" && stands["status"] == "done"
    });
    books(up, [120, 6, 85, 29]);
}

/// One chain tells the other.
pub(crate) fn notices(up: &Up) {
    let text = "按新目录报送";
    let words = [
        "notice", "send", text, "--to", OTHER, "--kind", "policy", "--chain", HOME,
    ];
    let told = up.ok(&[&words[..], &["--as", ADMIN]].concat());
    assert_eq!((&told["status"], &told["module"]), (&"done".into(), &"notice".into()));
    let list = up.ok(&["notice", "list", "--chain", OTHER]);
    let notice = &list["notices"][0];
    assert_eq!(
        (&notice["source"], &notice["kind"], &notice["text"]),
        (&HOME.into(), &"policy".into(), &text.into()),
        "{list}"
    );
}

const NOTICES: [&str; 6] = ["--from", HOME, "--to", OTHER, "--module", "notice"];

fn tell(up: &Up, text: &str, more: &[&str]) -> Value {
    let words = ["notice", "send", text, "--to", OTHER, "--chain", HOME, "--as", ADMIN];
    up.ok(&[&words[..], more].concat())
}

/// Sends a notice that the relay chain does not pass on; its number.
fn told_in_vain(up: &Up, seconds: &str) -> String {
    up.ok(&[&["route", "close"][..], &NOTICES].concat());
    let sent = tell(up, "过时的通告", &["--no-wait", "--timeout-s", seconds]);
    assert_eq!(sent["status"], "sent", "{sent}");
    sent["sequence"].to_string()
}

/// Waits until a notice has ended; how it did.
fn end_of_notice(up: &Up, sequence: &str) -> Value {
    let mut ended = Value::Null;
    until("the notice ends", || {
        ended = run(up, &[&["packet", "show", sequence][..], &NOTICES].concat()).json();
        ended["stage"] == "ended"
    });
    ended["status"].clone()
}

/// Notices go in order: one that its source took back late holds the next one up no longer than its end needs to be proven.
pub(crate) fn late_notice_is_skipped(up: &Up) {
    let late = told_in_vain(up, "5");
    assert_eq!(end_of_notice(up, &late), "timed_out");
    up.ok(&[&["route", "remove"][..], &NOTICES].concat());
    assert_eq!(tell(up, "其后的通告", &[])["status"], "done");
}

/// A link is ended by vote, and made anew at a start that has to be named. What was on its way to the other chain is given up, and
/// what is sent under the light client that begins at a header of today arrives behind it.
pub(crate) fn link_anew(up: &Up) {
    let of = ["--of", OTHER, "--chain", HOME];
    let given_up = told_in_vain(up, "600");
    assert_eq!(up.ok(&[&["link", "end"][..], &of].concat())["status"], "carried");
    let shown = run(up, &["link", "show", OTHER, "--chain", HOME]);
    assert_eq!((shown.code, &shown.json()["status"]), (1, &"ended".into()));
    assert_eq!(end_of_notice(up, &given_up), "given_up");
    up.ok(&[&["route", "remove"][..], &NOTICES].concat());
    let agree = [&["link", "agree"][..], &of].concat();
    assert_eq!(refused(up, &agree).1, "link_not_active");
    let anew = up.ok(&[&agree[..], &["--start", "latest"]].concat());
    assert_eq!(
        (&anew["status"], &anew["of_id"]),
        (&"active".into(), &shown.json()["id"])
    );
    assert!(anew["start_height"].as_u64() > Some(0), "{anew}");
    let known = up.ok(&["link", "show", OTHER, "--chain", HOME]);
    assert_eq!(
        (&known["status"], &known["introduced"]),
        (&"active".into(), &false.into())
    );
    assert_eq!(tell(up, "新链路的通告", &[])["status"], "done");
}
