//! Two platforms with nodes of their own: a city asks, the province approves, each side believes proofs alone.

use crate::{
    running::{Up, file, free_base, until},
    world::text,
};
use serde_json::Value;

const CITY: &str = "开封";
const PROVINCE: &str = "省数据共享链";

/// Deposits a file with the platform's own authority and returns its digest.
fn deposit(up: &Up, chain: &str, name: &str) -> String {
    let path = file(&up.home, name, name);
    let put = up.ok(&["evidence", "put", text(&path), "--chain", chain]);
    put["files"][0]["digest"].as_str().expect("a digest").to_owned()
}

fn topology(up: &Up) -> Value {
    up.ok(&["topology", "show"])
}

/// Asks until the agent has introduced the two chains to each other; the answer is the other platform's.
fn verify(up: &Up, from: &str, of: &str, digest: &str, organisation: &str, more: &[&str]) -> Value {
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
        organisation,
        "--json",
    ];
    let words = [&words[..], &["--dir", &dir], more].concat();
    let mut answer = Value::Null;
    until("they know each other", || {
        let asked = up.run(&words);
        let known = !asked.out.contains("chain_not_linked");
        assert!(!known || asked.code == 0, "{}{}", asked.out, asked.err);
        if known {
            answer = asked.json();
        }
        known
    });
    answer
}

fn linked(up: &Up) -> bool {
    let shown = topology(up);
    let upstream = &shown["upstream"];
    upstream["at_relay"] == "active" && upstream["of_relay"] == "active"
}

#[test]
fn a_city_joins_the_province_over_the_network() {
    let home = tempfile::tempdir().unwrap();
    let folder = |name: &str| home.path().join(name);
    let province = Up::start_as(home.path(), &folder("province"), free_base(), &["--role", "province"]);
    let mut relay = String::new();
    until("the relay chain runs and links the province's chain", || {
        let shown = topology(&province);
        relay = shown["relay"]["id"].as_str().unwrap_or_default().to_owned();
        shown["members"].as_array().is_some_and(|members| members.len() == 1)
    });
    let url = province.running()["url"].as_str().expect("an address").to_owned();
    let port = free_base();
    let words = ["--role", "city", "--city", CITY, "--join", &url];
    let city = province.start_beside(&folder("city"), port, &words);

    // Nobody named the digest: nothing is asked before it was compared.
    let wrong = city.run(&["platform", "confirm", &"7".repeat(64), "--dir", text(&city.dir)]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert!(wrong.err.contains("other_relay"), "{}", wrong.err);
    assert_eq!(province.ok(&["platform", "requests"])["requests"], Value::Array(vec![]));
    city.ok_plain(&["platform", "confirm", &relay]);

    let mut asked = Value::Null;
    until("the city asks", || {
        asked = province.ok(&["platform", "requests"])["requests"][0].clone();
        asked.is_object()
    });
    // What the vote shows is the digest of the city's own chain.
    assert_eq!(asked["chain"], topology(&city)["chains"][0]["id"]);
    assert_eq!(asked["organisation"], "kaifeng-data");
    province.ok_plain(&["platform", "approve", CITY]);
    until("both sides are linked", || linked(&city));
    let mut member = Value::Null;
    until("its heartbeat is there", || {
        let shown = topology(&province);
        let members = shown["members"].as_array().expect("members");
        member = members
            .iter()
            .find(|member| member["name"] == CITY)
            .cloned()
            .unwrap_or_default();
        member["heartbeat"].is_object()
    });
    assert_eq!(
        (&member["here"], &member["heartbeat"]["up"]),
        (&false.into(), &4.into()),
        "{member}"
    );

    // Both ways, each platform with its own keys alone.
    let ours = deposit(&province, PROVINCE, "province.txt");
    let answer = verify(&city, CITY, PROVINCE, &ours, "henan-data", &[]);
    assert_eq!(
        (&answer["found"], &answer["status"]),
        (&true.into(), &1.into()),
        "{answer}"
    );
    let theirs = deposit(&city, CITY, "city.txt");
    let pack = text(&folder("city.pack.json")).to_owned();
    let answer = verify(&province, PROVINCE, CITY, &theirs, "kaifeng-data", &["--pack", &pack]);
    assert_eq!(
        (&answer["found"], &answer["status"]),
        (&true.into(), &1.into()),
        "{answer}"
    );
    // The province's relay chain vouches for the record of another platform, offline.
    let verify_offline = |genesis: &str| province.run(&["verify", &pack, "--genesis", genesis]).code;
    assert_eq!((verify_offline(&relay), verify_offline(&"7".repeat(64))), (0, 1));

    let told = province.ok(&["platform", "tell", "统一编码规则", "--to", CITY]);
    assert_eq!(told[0]["arrived"], true, "{told}");
    let policies = topology(&city)["upstream"]["told"].clone();
    assert_eq!(
        (&policies[0]["kind"], &policies[0]["text"]),
        (&"policy".into(), &"统一编码规则".into())
    );

    // The city's platform ends and comes back: it goes on where it was.
    let (dir, out) = (city.dir.clone(), city.home.clone());
    city.stop("-TERM");
    let city = province.start_beside(&dir, port, &[]);
    assert_eq!(city.home, out);
    until("still linked", || linked(&city));
    verify(&city, CITY, PROVINCE, &ours, "henan-data", &[]);

    city.ok_plain(&["platform", "leave"]);
    // The node that is asked may be a block behind the one that showed the notice's arrival.
    until("its notice is there", || {
        let shown = topology(&province);
        let members = shown["members"].as_array().expect("members");
        members
            .iter()
            .any(|member| member["name"] == CITY && member["leaving"] == true)
    });
    province.ok_plain(&["platform", "remove", CITY]);
    assert_eq!(topology(&province)["members"].as_array().expect("members").len(), 1);
    assert_eq!(topology(&city)["upstream"], Value::Null);
    city.stop("-TERM");
    province.stop("-TERM");
}
