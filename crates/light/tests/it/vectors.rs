//! The committed vectors are what the code makes, and an independent verifier in Python agrees with them.

#[path = "../../examples/vectors/cases.rs"]
mod cases;

use std::{fs, path::PathBuf, process::Command};
use yulian_crypto::sm2::FastVerifier;
use yulian_light::{Subject, Trust, verify_pack};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(root().join("docs/examples").join(script));
    command
}

/// Exit code and standard output. Fails with a clear message on a machine without Python.
fn run(mut command: Command) -> (i32, String) {
    let output = command.output().expect("python3 must be installed for this test");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{errors}");
    (
        output.status.code().expect("exit code"),
        String::from_utf8_lossy(&output.stdout).into(),
    )
}

#[test]
fn the_files_are_what_the_code_makes() {
    for (name, text) in cases::all() {
        let committed = fs::read_to_string(root().join("vectors").join(&name)).unwrap_or_default();
        assert!(
            committed == text,
            "vectors/{name} differs: a format changed. If that is meant, run `cargo run --release -p yulian-light \
             --example vectors` and add a line to docs/formats.md"
        );
    }
}

#[test]
fn packs_of_the_vectors_hold() {
    let text = fs::read_to_string(root().join("vectors/packs.json")).expect("vectors");
    let index: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for case in index["cases"].as_array().expect("cases") {
        let pack = fs::read(root().join("vectors").join(case["file"].as_str().expect("file"))).expect("pack");
        let trust = Trust::chains([case["genesis"].as_str().expect("text").parse().expect("digest")]);
        let text = |field: &str| case["subject"][field].as_str().map(str::as_bytes);
        let subject = text("row").map(Subject::row).or(text("text").map(Subject::file));
        let outcome = verify_pack(&pack, subject.as_ref(), &trust, &FastVerifier::default()).expect("holds");
        assert_eq!(serde_json::to_value(outcome.report()).expect("JSON"), case["report"]);
        assert_eq!(outcome.is_yes(), case["report"]["status"]["status"] == "active");
    }
}

#[test]
fn packs_with_a_relay_chains_word_hold_for_its_digest_alone() {
    let text = fs::read_to_string(root().join("vectors/relay-packs.json")).expect("vectors");
    let index: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for case in index["cases"].as_array().expect("cases") {
        let pack = fs::read(root().join("vectors").join(case["file"].as_str().expect("file"))).expect("pack");
        let trust = Trust::chains([case["relay"].as_str().expect("text").parse().expect("digest")]);
        let subject = Subject::row(case["subject"]["row"].as_str().expect("row").as_bytes());
        let outcome = verify_pack(&pack, Some(&subject), &trust, &FastVerifier::default()).expect("holds");
        assert_eq!(serde_json::to_value(outcome.report()).expect("JSON"), case["report"]);
        assert!(outcome.is_yes());
    }
}

#[test]
fn python_recomputes_every_vector() {
    let (code, output) = run(python("check_vectors.py"));
    assert_eq!(code, 0, "{output}");
}

#[test]
fn python_gives_the_same_answers() {
    let ask = |arguments: &[&str]| {
        let mut command = python("verify_pack.py");
        command.args(arguments).current_dir(root());
        run(command)
    };
    let pack = "vectors/packs/row.pack.json";
    let text = fs::read_to_string(root().join("vectors/packs.json")).expect("vectors");
    let index: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let genesis = index["cases"][0]["genesis"].as_str().expect("genesis");
    let (code, output) = ask(&[pack, "--row", cases::ROW, "--genesis", genesis]);
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("郑州市大数据管理局"), "{output}");
    let (code, output) = ask(&[pack, "--row", cases::ROW]);
    assert_eq!(code, 1, "{output}");
    assert!(
        output.contains(&format!("consistent, but of an unknown chain: {genesis}")),
        "{output}"
    );
    let (code, output) = ask(&[pack, "--row", "410103,中原区,county,4101", "--genesis", genesis]);
    assert_eq!(code, 1, "{output}");
    let (code, output) = ask(&["vectors/packs/none.pack.json"]);
    assert_eq!(code, 2, "{output}");

    let text = fs::read_to_string(root().join("vectors/relay-packs.json")).expect("vectors");
    let index: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let case = &index["cases"][1];
    let (file, relay) = (
        case["file"].as_str().expect("file"),
        case["relay"].as_str().expect("relay"),
    );
    let file = format!("vectors/{file}");
    let (code, output) = ask(&[&file, "--row", cases::ROW, "--genesis", relay]);
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("it vouches for this chain as 郑州"), "{output}");
    let (code, output) = ask(&[&file, "--row", cases::ROW, "--genesis", &"7".repeat(64)]);
    assert_eq!(code, 1, "{output}");
}

/// The messages of a `.proto` text by name: their fields, without comments and spacing.
fn messages(text: &str) -> std::collections::BTreeMap<String, Vec<String>> {
    let mut found = std::collections::BTreeMap::new();
    let mut current: Option<(String, Vec<String>)> = None;
    for line in text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim())
    {
        if let Some(name) = line.strip_prefix("message ") {
            current = Some((name.trim_end_matches('{').trim().into(), vec![]));
        } else if line == "}" {
            found.extend(current.take());
        } else if let Some((_, fields)) = current.as_mut().filter(|_| !line.is_empty()) {
            fields.push(line.into());
        }
    }
    found
}

#[test]
fn the_messages_of_the_text_are_those_of_the_code() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("file");
    let mut code = messages(&read("crates/types/proto/yulian/v1/ledger.proto"));
    code.extend(messages(&read("crates/types/proto/yulian/v1/modules.proto")));
    code.extend(messages(&read("crates/types/proto/yulian/v1/link.proto")));
    let text = read("docs/formats.md");
    let blocks: String = text
        .split("```proto")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    let described = messages(&blocks);
    assert!(described.len() >= 20, "{described:?}");
    for (name, fields) in described {
        assert_eq!(
            Some(&fields),
            code.get(&name),
            "docs/formats.md describes {name} otherwise"
        );
    }
}

/// Every code that the text names is one of the catalogue, and the other way round.
#[test]
fn the_codes_of_the_text_are_those_of_the_code() {
    let text = fs::read_to_string(root().join("docs/formats.md")).expect("file");
    let steps = text.split("## 12. Verifying").nth(1).expect("section 12");
    for code in yulian_light::Code::ALL {
        assert!(
            steps.contains(&format!("`{}`", code.as_str())),
            "{} is not described",
            code.as_str()
        );
    }
    let named = steps.split('`').filter(|word| word.starts_with("pack_"));
    for code in named {
        assert!(
            yulian_light::Code::ALL.iter().any(|known| known.as_str() == code),
            "{code} is unknown"
        );
    }
}
