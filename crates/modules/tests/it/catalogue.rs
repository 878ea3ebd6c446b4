//! The modules as a whole: names, codes, roles.

use crate::world::{World, account_of, genesis_message};
use bytes::Bytes;
use std::collections::BTreeSet;
use yulian_exec::codes;
use yulian_modules::registry;

fn with_regulator() -> yulian_types::proto::Genesis {
    let mut message = genesis_message();
    message.accounts.push(account_of("regulator-a", "a", &["regulator"]));
    // All but the register, which a system chain alone has: it is tried in `chain`.
    let all = registry();
    let names = all
        .modules()
        .map(|module| module.name())
        .filter(|name| *name != "chain");
    message.modules = names.map(String::from).collect();
    message
}

fn is_code(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split_once('.')
        .is_some_and(|(module, name)| part(module) && part(name))
}

#[test]
fn every_code_is_unique_and_has_all_its_texts() {
    let registry = registry();
    let mut seen = BTreeSet::new();
    for code in registry.codes() {
        assert!(seen.insert(code.code), "{} twice", code.code);
        assert!(is_code(code.code), "{}", code.code);
        for text in [code.zh, code.zh_hint] {
            assert!(
                text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{}: {text}",
                code.code
            );
        }
        for text in [code.en, code.en_hint] {
            assert!(text.len() > 3 && text.is_ascii(), "{}: {text}", code.code);
        }
    }
    for module in registry.modules() {
        assert!(
            module
                .codes()
                .iter()
                .all(|code| code.code.starts_with(&format!("{}.", module.name())))
        );
    }
    assert!(seen.len() > 80, "{} codes", seen.len());
}

#[test]
fn module_ids_and_methods_are_those_of_the_documentation() {
    let registry = registry();
    let found: Vec<(u32, &str, Vec<&str>)> = registry
        .modules()
        .map(|module| {
            (
                module.id(),
                module.name(),
                module.methods().iter().map(|method| method.name).collect(),
            )
        })
        .collect();
    let expected = [
        (
            2,
            "account",
            vec!["register", "set_roles", "rotate_key", "freeze", "unfreeze"],
        ),
        (
            4,
            "chain",
            vec![
                "offer",
                "create",
                "accept",
                "ready",
                "pause",
                "resume",
                "archive",
                "members",
                "validators",
                "checkpoint",
                "destroyed",
            ],
        ),
        (3, "evidence", vec!["deposit", "deposit_batch", "supersede", "revoke"]),
        (
            1,
            "governance",
            vec!["propose", "vote", "register_node", "remove_node", "join", "leave"],
        ),
        (
            5,
            "link",
            vec!["open", "introduce", "carry", "report_conflict", "tick", "freeze"],
        ),
        (8, "notice", vec!["tell"]),
        (7, "verification", vec!["ask"]),
        (6, "voucher", vec!["issue", "transfer", "send", "redeem", "reclaim"]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_caller_without_the_role_enters_no_block() {
    let mut world = World::with(with_regulator());
    let allowed = |sender: &str, call: &str| match call.split_once('.').expect("module.method") {
        ("account", "rotate_key") | ("governance", "join") => true,
        ("chain", "create" | "ready" | "validators" | "checkpoint" | "destroyed") => true,
        ("evidence", "deposit" | "deposit_batch") => sender.starts_with("writer"),
        ("evidence", _) | ("voucher", "issue") => sender.starts_with("admin") || sender.starts_with("writer"),
        ("link", "freeze") => sender.starts_with("regulator"),
        ("link" | "voucher" | "verification", _) => true,
        _ => sender.starts_with("admin"),
    };
    let calls: Vec<String> = registry()
        .modules()
        .filter(|module| module.name() != "chain")
        .flat_map(|module| {
            module
                .methods()
                .iter()
                .map(|method| format!("{}.{}", module.name(), method.name))
        })
        .collect();
    for call in calls {
        for sender in ["admin-a", "writer-a", "auditor-a", "regulator-a"] {
            let transaction = world.signed_by(sender, sender, &call, Bytes::from_static(b"x"));
            let tip = world.tip();
            let verdict = world
                .chain
                .judge(&tip.digest, &transaction, tip.time_ms() + 1)
                .expect("judged");
            let expected = if allowed(sender, &call) {
                None
            } else {
                Some(&codes::ROLE_MISSING)
            };
            assert_eq!(verdict.err().map(|failure| failure.code), expected, "{sender} {call}");
        }
    }
}

#[test]
fn arguments_that_are_not_the_message_fail_everywhere() {
    let mut world = World::with(with_regulator());
    let calls: Vec<String> = registry()
        .modules()
        .filter(|module| module.name() != "chain")
        .flat_map(|module| {
            module
                .methods()
                .iter()
                .map(|method| format!("{}.{}", module.name(), method.name))
        })
        .collect();
    for call in calls {
        let sender = match call.as_str() {
            "evidence.deposit" | "evidence.deposit_batch" => "writer-a",
            "link.freeze" => "regulator-a",
            _ => "admin-a",
        };
        for arguments in [&b"\xff\xff"[..], b"\x7a\x01a"] {
            let transaction = world.signed_by(sender, sender, &call, Bytes::from_static(arguments));
            let done = world.advance(vec![transaction]);
            let receipt = <yulian_types::proto::Receipt as prost::Message>::decode(done.receipts[0].clone());
            assert_eq!(
                receipt.expect("a receipt").code,
                codes::BAD_ARGUMENTS.code,
                "{call} {arguments:?}"
            );
            assert!(done.writes.is_empty());
        }
    }
}
