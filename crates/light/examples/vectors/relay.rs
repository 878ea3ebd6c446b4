//! Packs with the word of a relay chain, and such that must be refused.

use super::{ROW, hexed, refusals::difference, row_chain};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yulian_crypto::sm2::FastVerifier;
use yulian_light::{
    EvidencePack, Outcome, PackRelay, RelayParts, Subject, Trust, assemble, testing::TestChain, verify_pack,
};
use yulian_types::{
    StateKey, decode_canonical, encode,
    proto::{BlockHeader, LinkClient, LinkHeader},
    state_keys::{LINK_ENDED, LINK_FROZEN},
};

/// Height of the pack's last header.
const LAST: u64 = 2;
/// File of the pack that the refused ones are changed from.
const BASE: &str = "packs/relay-changes.pack.json";

/// How the records of a relay chain are changed.
type Edit = fn(&mut LinkClient, &mut LinkHeader);

/// The row's pack, its chain, and a relay chain whose validators changed once before it learns of the pack's last header.
struct Setting {
    chain: TestChain,
    relay: TestChain,
    plain: EvidencePack,
}

fn relay_chain(epoch_length: u64) -> TestChain {
    let mut relay = TestChain::new("数据中继链", 4, epoch_length);
    relay.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    while relay.height() < 4 {
        relay.push(vec![]);
    }
    relay
}

fn setting(epoch_length: u64) -> Setting {
    let chain = row_chain();
    let json = assemble(chain.parts(1, 2, LAST, None), &FastVerifier::default()).expect("pack");
    Setting {
        plain: EvidencePack::decode(&json).expect("pack"),
        relay: relay_chain(epoch_length),
        chain,
    }
}

impl Setting {
    /// The relay part with the records as `edit` leaves them.
    fn word(&mut self, edit: impl FnOnce(&mut LinkClient, &mut LinkHeader)) -> RelayParts {
        let (mut client, mut kept) = self.chain.link_records(LAST);
        edit(&mut client, &mut kept);
        let at = self.relay.learn_records(&self.chain, LAST, &client, &kept);
        self.relay.relay_parts(&self.chain, LAST, at, at)
    }

    fn with(&self, parts: RelayParts) -> EvidencePack {
        // Not through `with_relay`: that makes no pack that does not hold.
        let part = PackRelay::from(parts);
        EvidencePack {
            relay: Some(part),
            ..self.plain.clone()
        }
    }
}

fn case(files: &mut BTreeMap<String, String>, name: &str, setting: &Setting, pack: &EvidencePack) -> Value {
    let (json, relay) = (pack.encode(), setting.relay.genesis.chain_id);
    let subject = Subject::row(ROW.as_bytes());
    let outcome = verify_pack(&json, Some(&subject), &Trust::chains([relay]), &FastVerifier::default());
    let Ok(Outcome::Proven(report)) = outcome else {
        panic!("{name} is no pack that holds");
    };
    let file = format!("packs/{name}.pack.json");
    files.insert(file.clone(), String::from_utf8(json).expect("JSON"));
    let chain = setting.chain.genesis.chain_id;
    json!({
        "file": file,
        "genesis": chain.to_string(),
        "relay": relay.to_string(),
        "subject": { "row": ROW },
        "keys": {
            "client": hexed(StateKey::link_client(&chain).key),
            "kept": hexed(StateKey::link_header(&chain, LAST).key),
        },
        "report": report,
    })
}

/// The packs and the file that lists them.
pub(super) fn add(files: &mut BTreeMap<String, String>) {
    let mut plain = setting(1_000);
    let at = plain.relay.learn(&plain.chain, LAST);
    plain.relay.push(vec![]);
    let of_descendant = plain.with(plain.relay.relay_parts(&plain.chain, LAST, at, at + 1));
    let mut changed = setting(4);
    let word = changed.word(|_, _| {});
    let base = changed.with(word);
    let cases = [
        case(files, "relay-descendant", &plain, &of_descendant),
        case(files, "relay-changes", &changed, &base),
    ];
    let index = json!({ "cases": cases, "refused": refused(&base) });
    files.insert("relay-packs.json".into(), super::pretty(&index));
}

fn refused(base: &EvidencePack) -> Vec<Value> {
    let mut found = Vec::new();
    let mut add = |name: &str, pack: EvidencePack| {
        let json = pack.encode();
        let trust = Trust::chains([setting(4).relay.genesis.chain_id]);
        let code = verify_pack(&json, None, &trust, &FastVerifier::default())
            .expect_err(name)
            .code();
        let change = difference(&base.encode(), &json);
        found.push(json!({ "name": name, "base": BASE, "change": change, "code": code.as_str() }));
    };
    let records: [(&str, Edit); 7] = [
        ("a frozen client", |client, _| client.status = LINK_FROZEN),
        ("an ended client", |client, _| client.status = LINK_ENDED),
        ("a client without status", |client, _| client.status = 0),
        ("a client of another chain", |client, _| {
            client.chain_id = vec![1; 32].into()
        }),
        ("another block at this height", |_, kept| {
            kept.digest = vec![1; 32].into()
        }),
        ("another time at this height", |_, kept| kept.time_ms += 1),
        ("another state at this height", |_, kept| {
            kept.state_root = vec![1; 32].into()
        }),
    ];
    for (name, edit) in records {
        let mut setting = setting(4);
        let word = setting.word(edit);
        add(name, setting.with(word));
    }
    let edit = |edit: &dyn Fn(&mut PackRelay)| {
        let mut pack = base.clone();
        edit(pack.relay.as_mut().expect("relay part"));
        pack
    };
    let plain = setting(4);
    let relay = plain.relay;
    add("no header of the relay chain", edit(&|part| part.headers.clear()));
    add(
        "a relay header made up",
        edit(&|part| {
            let mut header: BlockHeader = decode_canonical(&part.headers[0].0, usize::MAX).expect("header");
            header.parent_state_root = vec![1; 32].into();
            part.headers[0] = encode(&header).into();
        }),
    );
    add(
        "a missing change of the relay chain's validators",
        edit(&|part| part.set_changes.clear()),
    );
    add(
        "the relay chain's genesis with a changed byte",
        edit(&|part| {
            let mut bytes = part.genesis.0.to_vec();
            bytes[40] ^= 1;
            part.genesis = bytes.into();
        }),
    );
    add(
        "the relay chain's proof of another block",
        edit(&|part| part.finality = relay.finality(4).into()),
    );
    add(
        "records swapped",
        edit(&|part| std::mem::swap(&mut part.client, &mut part.kept)),
    );
    add("a client's path cut", edit(&|part| part.client.path.0.truncate(0)));
    add(
        "the pack's own chain as its relay",
        edit(&|part| {
            part.genesis = base.genesis.clone();
            part.set_changes.clear();
            part.headers = vec![base.headers[1].clone()];
            part.finality = base.finality.clone();
        }),
    );
    found
}
