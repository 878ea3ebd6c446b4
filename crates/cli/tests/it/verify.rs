//! `yulian verify` on the packs of `vectors/`, without any network.

use crate::world::{Answer, command, repository, run, text};
use serde_json::Value;
use std::{fs, path::PathBuf};

const PACK: &str = "vectors/packs/row.pack.json";
const ROW: &str = "410102,中原区,county,4101";

struct Case {
    home: tempfile::TempDir,
    pack: PathBuf,
    genesis: String,
}

fn index() -> Value {
    serde_json::from_str(&fs::read_to_string(repository("vectors/packs.json")).unwrap()).unwrap()
}

fn case() -> Case {
    let genesis = index()["cases"][0]["genesis"].as_str().unwrap().to_owned();
    Case {
        home: tempfile::tempdir().unwrap(),
        pack: repository(PACK),
        genesis,
    }
}

impl Case {
    fn verify(&self, more: &[&str]) -> Answer {
        run(self.home.path(), &[&["verify", text(&self.pack)], more].concat())
    }
}

#[test]
fn every_pack_of_the_vectors_is_judged_as_they_say() {
    for case in index()["cases"].as_array().unwrap() {
        let home = tempfile::tempdir().unwrap();
        let pack = repository("vectors").join(case["file"].as_str().unwrap());
        let genesis = case["genesis"].as_str().unwrap();
        let mut words = vec!["verify", text(&pack), "--genesis", genesis, "--json"];
        let file = home.path().join("subject");
        if let Some(row) = case["subject"]["row"].as_str() {
            words.extend(["--row", row]);
        } else if let Some(content) = case["subject"]["text"].as_str() {
            fs::write(&file, content).unwrap();
            words.push(text(&file));
        }
        let answer = run(home.path(), &words);
        let active = case["report"]["status"]["status"] == "active";
        assert_eq!(answer.code, i32::from(!active), "{}", answer.out);
        assert_eq!(answer.json()["report"], case["report"]);
        assert_eq!(answer.json()["answer"], if active { "yes" } else { "no" });
    }
}

#[test]
fn a_yes_says_what_by_whom_when_and_who_signed() {
    let case = case();
    let answer = case.verify(&["--row", ROW, "--genesis", &case.genesis]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    for word in [
        "证据成立",
        "与所给行一致",
        "河南省统计用区划代码 410102",
        "郑州市大数据管理局",
        "2026-11-01 08:00:00.500 UTC+8（±1.0 s",
        "4 个验证节点中 3 个签名（至少 3 个）",
        "telecom-2",
        "电信",
        "有效（截至高度 1",
    ] {
        assert!(answer.out.contains(word), "{word}: {}", answer.out);
    }
    let english = case.verify(&["--row", ROW, "--genesis", &case.genesis, "--lang", "en"]);
    assert_eq!(english.code, 0);
    assert!(english.out.starts_with("the evidence holds"), "{}", english.out);
    assert!(english.out.contains("3 of 4 validators signed"), "{}", english.out);
}

#[test]
fn without_trust_the_answer_is_never_yes() {
    let case = case();
    let unknown = case.verify(&["--row", ROW]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.out.contains(&format!("它所属的链未知：{}", case.genesis)),
        "{}",
        unknown.out
    );
    let english = case.verify(&["--row", ROW, "--lang=en"]);
    assert_eq!(english.code, 1);
    assert!(
        english
            .out
            .contains(&format!("consistent, but of an unknown chain: {}", case.genesis)),
        "{}",
        english.out
    );
    let other = case.verify(&["--row", ROW, "--genesis", &"0".repeat(64), "--json"]);
    assert_eq!((other.code, other.json()["code"].as_str()), (1, Some("unknown_chain")));
}

#[test]
fn a_trusted_list_is_kept_and_used() {
    let case = case();
    let home = case.home.path();
    let listed = |answer: Answer| answer.json()["chains"].as_array().unwrap().len();
    assert_eq!(listed(run(home, &["trust", "list", "--json"])), 0);
    assert_eq!(run(home, &["trust", "add", &case.genesis, "--name", "测试"]).code, 0);
    assert_eq!(run(home, &["trust", "add", &case.genesis]).code, 0, "twice is once");
    assert_eq!(listed(run(home, &["trust", "list", "--json"])), 1);
    assert_eq!(case.verify(&["--row", ROW]).code, 0);
    assert_eq!(run(home, &["trust", "remove", &case.genesis]).code, 0);
    assert_eq!(run(home, &["trust", "remove", &case.genesis]).code, 1);
    assert_eq!(case.verify(&["--row", ROW]).code, 1);
    let list = home.join("mine.toml");
    assert_eq!(
        run(home, &["trust", "add", &case.genesis, "--trusted", text(&list)]).code,
        0
    );
    assert_eq!(case.verify(&["--row", ROW, "--trusted", text(&list)]).code, 0);
    fs::write(&list, "[[chain]]\ngenesis = \"12\"\n").unwrap();
    let broken = case.verify(&["--row", ROW, "--trusted", text(&list), "--json"]);
    assert_eq!(
        (broken.code, broken.json()["error"]["code"].as_str()),
        (2, Some("bad_trusted_list"))
    );
}

#[test]
fn genesis_may_be_a_file() {
    let case = case();
    let file = case.home.path().join("genesis");
    fs::write(&file, format!("{}\n", case.genesis)).unwrap();
    assert_eq!(case.verify(&["--row", ROW, "--genesis", text(&file)]).code, 0);
    let vector: Value = serde_json::from_str(&fs::read_to_string(&case.pack).unwrap()).unwrap();
    let bytes = base64(vector["genesis"].as_str().unwrap());
    fs::write(&file, bytes).unwrap();
    assert_eq!(case.verify(&["--row", ROW, "--genesis", text(&file)]).code, 0);
    fs::write(&file, "nonsense").unwrap();
    assert_eq!(case.verify(&["--row", ROW, "--genesis", text(&file)]).code, 2);
}

/// Base64 as RFC 4648 has it, written out here so that no code under test is asked.
fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text
        .bytes()
        .filter_map(|c| alphabet.iter().position(|a| *a == c).map(|at| at as u32))
        .collect();
    let bytes = digits.chunks(4).flat_map(|chunk| {
        let number = chunk.iter().fold(0, |all, digit| all << 6 | digit) << (6 * (4 - chunk.len()));
        number.to_be_bytes()[1..chunk.len()].to_vec()
    });
    bytes.collect()
}

#[test]
fn what_does_not_hold_is_refused_with_its_code() {
    let case = case();
    let code = |answer: Answer| {
        (
            answer.code,
            answer.json()["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let refused = |code: &str| (1, code.to_owned());
    let other_row = case.verify(&[
        "--row",
        "410103,二七区,county,4101",
        "--genesis",
        &case.genesis,
        "--json",
    ]);
    assert_eq!(code(other_row), refused("pack_other_content"));

    let bytes = fs::read(&case.pack).unwrap();
    let pack = case.home.path().join("changed.pack.json");
    let verify = |bytes: &[u8]| {
        fs::write(&pack, bytes).unwrap();
        run(
            case.home.path(),
            &["verify", text(&pack), "--genesis", &case.genesis, "--json"],
        )
    };
    assert_eq!(code(verify(&bytes[..bytes.len() - 1])), refused("pack_not_json"));
    assert_eq!(
        code(verify(&[&bytes[..], b"\n"].concat())),
        refused("pack_not_canonical")
    );
    assert_eq!(code(verify(b"")), refused("pack_not_json"));
    assert_eq!(code(verify(&vec![b' '; 9 << 20])), refused("pack_too_long"));
    for at in (0..bytes.len()).step_by(97) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(verify(&changed).code, 1, "byte {at}");
    }
    let said = case.verify(&["--row", "x", "--genesis", &case.genesis]);
    assert!(
        said.out.starts_with("证据不成立") && said.out.contains("[pack_other_content]"),
        "{}",
        said.out
    );
}

#[test]
fn what_cannot_be_read_ends_with_2() {
    let case = case();
    assert_eq!(run(case.home.path(), &["verify", "missing.pack.json"]).code, 2);
    let answer = case.verify(&["missing.txt", "--json"]);
    assert_eq!(
        (answer.code, answer.json()["error"]["code"].as_str()),
        (2, Some("cannot_read"))
    );
    assert_eq!(case.verify(&["--genesis", "12"]).code, 2);
    assert_eq!(case.verify(&["--header", text(&case.pack)]).code, 2);
    // Nowhere to look for the list.
    let answer = command(case.home.path())
        .env_remove("HOME")
        .args(["verify", text(&case.pack)])
        .output()
        .unwrap();
    assert_eq!(Answer::from(answer).code, 2);
}
