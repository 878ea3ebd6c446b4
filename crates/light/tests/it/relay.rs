//! Packs with the word of a relay chain: whoever knows that chain's digest alone verifies a record of a linked chain.

use crate::support::*;
use bytes::Bytes;
use yulian_crypto::sm2::FastVerifier;
use yulian_light::{
    Blob, Code, EvidencePack, Outcome, PackError, PackRelay, RelayError, RelayParts, Root, Subject, Trust,
    testing::TestChain, verify_pack,
};
use yulian_types::{
    decode_canonical, encode,
    proto::{self, LinkClient, LinkHeader},
    state_keys::{LINK_ENDED, LINK_FROZEN},
};

/// The header of the pack under whose state the record is proven.
const LAST: u64 = 2;

struct World {
    chain: TestChain,
    relay: TestChain,
    /// Height of the relay chain's header that carries its word.
    word: u64,
    plain: Vec<u8>,
}

fn world_of(relay: TestChain) -> World {
    let chain = chain();
    let plain = pack_of(chain.parts(1, 0, LAST, None));
    let mut world = World {
        chain,
        relay,
        word: 0,
        plain,
    };
    world.word = world.relay.learn(&world.chain, LAST);
    world
}

fn world() -> World {
    world_of(TestChain::new("数据中继链", 4, 1_000))
}

impl World {
    fn parts(&self) -> RelayParts {
        self.relay.relay_parts(&self.chain, LAST, self.word, self.word)
    }

    fn add(&self, parts: RelayParts) -> Result<Vec<u8>, PackError> {
        let plain = EvidencePack::decode(&self.plain).expect("pack");
        plain.with_relay(parts, &FastVerifier::default())
    }

    fn pack(&self) -> Vec<u8> {
        self.add(self.parts()).expect("a pack that verifies")
    }

    #[track_caller]
    fn refused(&self, parts: RelayParts, code: Code) {
        let error = self.add(parts).expect_err("refused");
        assert_eq!(error.code(), code, "{error}");
    }

    /// The relay chain learns other records, and a pack is made with them.
    fn with_records(&mut self, edit: impl FnOnce(&mut LinkClient, &mut LinkHeader)) -> Result<Vec<u8>, PackError> {
        let (mut client, mut kept) = self.chain.link_records(LAST);
        edit(&mut client, &mut kept);
        self.word = self.relay.learn_records(&self.chain, LAST, &client, &kept);
        self.add(self.parts())
    }
}

fn ask(json: &[u8], trusted: &[&TestChain]) -> Result<Outcome, PackError> {
    let trust = Trust::chains(trusted.iter().map(|chain| chain.genesis.chain_id));
    verify_pack(json, Some(&Subject::row(ROW)), &trust, &FastVerifier::default())
}

/// A relay pack with one thing of its relay part changed, canonical again.
fn edited(json: &[u8], edit: impl FnOnce(&mut PackRelay)) -> Vec<u8> {
    changed(json, |pack| edit(pack.relay.as_mut().expect("relay part")))
}

#[track_caller]
fn not_proven(world: &World, json: &[u8], code: Code) {
    // Not with the chain's own digest either: a relay part that is there must be right.
    for trusted in [&world.relay, &world.chain] {
        let error = ask(json, &[trusted]).expect_err("refused");
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn the_relay_chains_digest_is_enough() {
    let world = world();
    let json = world.pack();
    let outcome = ask(&json, &[&world.relay]).expect("holds");
    assert!(outcome.is_yes());
    let report = outcome.report();
    assert_eq!(report.chain_id, world.chain.genesis.chain_id);
    let path = report.relay.as_ref().expect("the way");
    assert_eq!(path.chain_id, world.relay.genesis.chain_id);
    assert_eq!(path.chain_name, "数据中继链");
    assert_eq!(path.known_as, "郑州");
    assert_eq!(path.rests_on, Some(Root::Relay));
    assert_eq!((path.vouched_height, path.as_of_height), (LAST, world.word - 1));
    assert_eq!(path.vouched_block, world.chain.block(LAST).sealed.digest);
    let time = world.relay.block(world.word).sealed.header.time_ms;
    assert_eq!((path.as_of_time_ms, path.set_changes), (time, 0));
    assert_eq!(path.finality.signed_by.len(), 3);

    // Without its word the relay chain's digest says nothing.
    let plain = ask(&world.plain, &[&world.relay]).expect("consistent");
    assert!(matches!(plain, Outcome::UnknownChain(_)));
}

#[test]
fn the_chains_own_digest_is_enough_too() {
    let world = world();
    let json = world.pack();
    for trusted in [&[&world.chain][..], &[&world.chain, &world.relay]] {
        let outcome = ask(&json, trusted).expect("holds");
        assert!(outcome.is_yes());
        let path = outcome.report().relay.as_ref().expect("the way");
        assert_eq!(path.rests_on, Some(Root::Chain));
    }
}

#[test]
fn another_digest_is_no_yes() {
    let world = world();
    let other = TestChain::new("另一条链", 4, 1_000);
    for trusted in [&[][..], &[&other]] {
        let outcome = ask(&world.pack(), trusted).expect("consistent");
        assert!(!outcome.is_yes() && matches!(outcome, Outcome::UnknownChain(_)));
        assert_eq!(outcome.report().relay.as_ref().expect("the way").rests_on, None);
    }
}

#[test]
fn the_rest_of_the_pack_stays_as_it_was() {
    let world = world();
    let (json, plain) = (world.pack(), world.plain.clone());
    assert_eq!(json[..plain.len() - 1], plain[..plain.len() - 1]);
    let rest = json.strip_prefix(&plain[..plain.len() - 1]).expect("a prefix");
    assert!(rest.starts_with(b",\"relay\":{\"genesis\":\""));
    // Another word takes the place of the first.
    let again = EvidencePack::decode(&json).expect("pack");
    let again = again.with_relay(world.parts(), &FastVerifier::default());
    assert_eq!(again.expect("pack"), json);
}

#[test]
fn a_row_of_a_batch_keeps_the_way() {
    let (mut relay, chain, digests) = (TestChain::new("relay", 4, 1_000), batch_chain(), batch_digests());
    let tree = yulian_light::testing::batch(&digests);
    let word = relay.learn(&chain, LAST);
    let plain = EvidencePack::decode(&pack_of(chain.parts(1, 0, LAST, None))).expect("pack");
    let whole = plain.with_relay(relay.relay_parts(&chain, LAST, word, word), &FastVerifier::default());
    let whole = EvidencePack::decode(&whole.expect("pack")).expect("pack");
    let proof = tree.prove(3).expect("row");
    let row = whole.for_row(&digests[3], &proof, &FastVerifier::default());
    let trust = Trust::chains([relay.genesis.chain_id]);
    let outcome = verify_pack(&row.expect("row"), None, &trust, &FastVerifier::default());
    assert!(outcome.expect("holds").is_yes());
}

fn batch_digests() -> Vec<yulian_crypto::Digest> {
    (0..5).map(|n| digest(&n.to_string())).collect()
}

fn batch_chain() -> TestChain {
    let mut chain = TestChain::new("batch", 4, 1_000);
    let root = yulian_light::testing::batch(&batch_digests()).root();
    let deposit = chain.deposit_batch(5, &root, 5);
    chain.push(vec![deposit]);
    chain.push(vec![]);
    chain
}

#[test]
fn a_frozen_or_ended_client_is_a_clear_no() {
    for (status, code) in [
        (LINK_FROZEN, Code::RelayFrozen),
        (LINK_ENDED, Code::RelayEnded),
        (0, Code::BadRelay),
        (4, Code::BadRelay),
    ] {
        let refused = world().with_records(|client, _| client.status = status);
        assert_eq!(refused.expect_err("refused").code(), code);
    }
}

#[test]
fn the_client_is_that_of_the_packs_chain() {
    let mut world = world();
    let other = TestChain::new("另一条链", 4, 1_000);
    let mut other = other;
    other.push(vec![]);
    other.push(vec![]);
    world.word = world.relay.learn(&other, LAST);
    // Proven, but under the key of another chain.
    let swapped = RelayParts {
        client: world.relay.relay_parts(&other, LAST, world.word, world.word).client,
        ..world.parts()
    };
    world.refused(swapped, Code::BadRelay);
    let swapped = RelayParts {
        kept: world.relay.relay_parts(&other, LAST, world.word, world.word).kept,
        ..world.parts()
    };
    world.refused(swapped, Code::BadRelay);
    // Under the right key, and still of another chain: only a relay chain that lies has such a record.
    let id = other.genesis.chain_id.to_vec();
    let lie = world.with_records(|client, _| client.chain_id = id.into());
    assert_eq!(lie, Err(PackError::Relay(RelayError::OtherChain)));
}

#[test]
fn another_relay_chain_does_not_do() {
    let (world, mut other) = (world(), TestChain::new("另一条中继链", 4, 1_000));
    other.learn(&world.chain, LAST);
    let json = world.pack();
    let outcome = ask(&json, &[&other]).expect("consistent");
    assert!(!outcome.is_yes());
    let foreign = other.relay_parts(&world.chain, LAST, other.height(), other.height());
    for parts in [
        RelayParts {
            genesis: foreign.genesis.clone(),
            ..world.parts()
        },
        RelayParts {
            headers: foreign.headers.clone(),
            ..world.parts()
        },
        RelayParts {
            finality: foreign.finality.clone(),
            ..world.parts()
        },
        RelayParts {
            headers: foreign.headers.clone(),
            finality: foreign.finality.clone(),
            ..world.parts()
        },
    ] {
        world.refused(parts, Code::BadRelay);
    }
    // The chain's own genesis and headers in the relay's place.
    let own = RelayParts {
        genesis: world.chain.genesis.bytes.clone(),
        headers: vec![world.chain.header(LAST)],
        finality: world.chain.finality(LAST),
        ..world.parts()
    };
    world.refused(own, Code::BadRelay);
}

/// Whoever has the keys of validators that left can sign another history from genesis on: the relay chain knows better.
#[test]
fn a_forged_history_ends_in_another_header() {
    let honest = world();
    let mut forged = TestChain::new("豫链测试", 4, 1_000);
    assert_eq!(forged.genesis.chain_id, honest.chain.genesis.chain_id);
    let row = forged.deposit(5, &Subject::row(ROW).digest(), "never deposited like this");
    forged.push(vec![row]);
    forged.push(vec![]);
    let plain = pack_of(forged.parts(1, 0, LAST, None));
    assert!(ask(&plain, &[&forged]).expect("nothing else tells").is_yes());
    let world = World {
        chain: forged,
        plain,
        ..honest
    };
    world.refused(world.parts(), Code::RelayFork);
}

#[test]
fn the_kept_header_is_that_of_the_packs_last_height() {
    let mut world = world();
    // A word about the next height, proven under its own key, and none about the pack's.
    world.word = world.relay.learn(&world.chain, LAST + 1);
    let next = world.relay.relay_parts(&world.chain, LAST + 1, world.word, world.word);
    let swapped = RelayParts {
        kept: next.kept,
        ..world.parts()
    };
    world.refused(swapped, Code::BadRelay);
    let (_, wrong) = world.chain.link_records(LAST + 1);
    for edit in [
        |kept: &mut LinkHeader, wrong: &LinkHeader| *kept = wrong.clone(),
        |kept: &mut LinkHeader, wrong: &LinkHeader| kept.digest = wrong.digest.clone(),
        |kept: &mut LinkHeader, _: &LinkHeader| kept.time_ms += 1,
        |kept: &mut LinkHeader, _: &LinkHeader| kept.state_root = vec![7; 32].into(),
        |kept: &mut LinkHeader, _: &LinkHeader| kept.digest = Bytes::new(),
    ] {
        let refused = world.with_records(|_, kept| edit(kept, &wrong));
        assert_eq!(refused.expect_err("refused").code(), Code::RelayFork);
    }
}

/// The header that the relay chain knows is the one that proves the status: a later one where the pack has it.
#[test]
fn a_later_header_is_the_one_that_counts() {
    let mut world = world();
    world.plain = pack_of(world.chain.parts(1, 0, LAST, Some(LAST + 1)));
    world.refused(world.parts(), Code::BadRelay);
    world.word = world.relay.learn(&world.chain, LAST + 1);
    let parts = world.relay.relay_parts(&world.chain, LAST + 1, world.word, world.word);
    let outcome = ask(&world.add(parts).expect("pack"), &[&world.relay]).expect("holds");
    let path = outcome.report().relay.as_ref().expect("the way");
    assert_eq!(path.vouched_height, LAST + 1);
}

#[test]
fn the_relay_chains_header_must_be_final() {
    let mut world = world();
    world.relay.push(vec![]);
    let (word, relay) = (world.word, &world.relay);
    let good = world.parts();
    let of_descendant = relay.relay_parts(&world.chain, LAST, word, word + 1);
    let outcome = ask(&world.add(of_descendant.clone()).expect("pack"), &[relay]).expect("holds");
    let path = outcome.report().relay.as_ref().expect("the way");
    assert_eq!((path.as_of_height, path.finality.height), (word - 1, word + 1));
    let finality = |finality: Bytes| RelayParts {
        finality,
        ..good.clone()
    };
    let headers = |headers: Vec<Bytes>| RelayParts {
        headers,
        ..good.clone()
    };
    for parts in [
        finality(relay.finality_by(word, &[0, 1])),
        finality(relay.finality_by(word, &[])),
        finality(relay.finality(word + 1)),
        finality(relay.finality(word - 1)),
        finality(Bytes::new()),
        headers(vec![]),
        headers(vec![relay.header(word), relay.header(word)]),
        headers(vec![relay.header(word - 2), relay.header(word)]),
        // One without the word, however final.
        RelayParts {
            headers: vec![relay.header(word - 1)],
            finality: relay.finality(word - 1),
            ..good.clone()
        },
    ] {
        world.refused(parts, Code::BadRelay);
    }
}

/// A header that says something else is not the one that was signed.
#[test]
fn a_relay_header_cannot_be_made_up() {
    let world = world();
    let json = world.pack();
    let edits: [fn(&mut proto::BlockHeader); 5] = [
        |header| header.parent_state_root = vec![1; 32].into(),
        |header| header.time_ms += 1,
        |header| header.height += 1,
        |header| header.validators = vec![1; 32].into(),
        |header| header.chain_id = vec![1; 32].into(),
    ];
    for edit in edits {
        let json = edited(&json, |relay| {
            let mut header: proto::BlockHeader = decode_canonical(&relay.headers[0].0, 1_024).expect("header");
            edit(&mut header);
            relay.headers[0] = encode(&header).into();
        });
        not_proven(&world, &json, Code::BadRelay);
    }
}

#[test]
fn changes_of_the_relay_chains_validators_are_followed() {
    let mut relay = TestChain::new("数据中继链", 4, 4);
    relay.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    while relay.height() < 5 {
        relay.push(vec![]);
    }
    relay.push_with(vec![], vec![], Some(vec![2, 3, 4, 5, 6]));
    while relay.height() < 9 {
        relay.push(vec![]);
    }
    let world = world_of(relay);
    let good = world.parts();
    assert_eq!(good.set_changes.len(), 2);
    let outcome = ask(&world.pack(), &[&world.relay]).expect("holds");
    assert!(outcome.is_yes());
    let path = outcome.report().relay.as_ref().expect("the way");
    assert_eq!((path.set_changes, path.finality.validators), (2, 5));
    let changes = |changes: Vec<_>| RelayParts {
        set_changes: changes,
        ..good.clone()
    };
    let [first, second] = &good.set_changes[..] else {
        panic!("two changes")
    };
    for wrong in [
        changes(vec![]),
        changes(vec![first.clone()]),
        changes(vec![second.clone()]),
        changes(vec![second.clone(), first.clone()]),
        changes(vec![first.clone(), second.clone(), second.clone()]),
        changes(vec![first.clone(); 1_025]),
    ] {
        world.refused(wrong, Code::BadRelay);
    }
    // A change after the header that it proves nothing about.
    let mut relay = TestChain::new("数据中继链", 4, 4);
    relay.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    let mut early = world_of(relay);
    early.relay.push(vec![]);
    let later = early.relay.set_changes(4);
    assert!(early.word < 4 && later.len() == 1);
    early.refused(
        RelayParts {
            set_changes: later,
            ..early.parts()
        },
        Code::BadRelay,
    );
}

#[test]
fn a_trusted_header_of_the_relay_chain_is_compared() {
    let world = world();
    let json = world.pack();
    let mut other = TestChain::new("数据中继链", 4, 1_000);
    for _ in 0..3 {
        let block = other.deposit(5, &digest(&other.height().to_string()), "");
        other.push(vec![block]);
    }
    let verify = |header: &Bytes| {
        let trust = Trust::chains([world.relay.genesis.chain_id]).with_header(header);
        verify_pack(&json, None, &trust.expect("header"), &FastVerifier::default())
    };
    assert!(verify(&world.relay.header(world.word)).expect("holds").is_yes());
    let error = verify(&other.header(world.word)).expect_err("another history");
    assert_eq!(error.code(), Code::Fork);
}

/// A part of the relay part cut, grown or given an unknown field.
#[test]
fn every_field_is_exact() {
    let world = world();
    let json = world.pack();
    type Part = fn(&mut PackRelay) -> &mut Blob;
    let parts: [Part; 7] = [
        |relay| &mut relay.genesis,
        |relay| &mut relay.headers[0],
        |relay| &mut relay.finality,
        |relay| &mut relay.client.value,
        |relay| &mut relay.client.path,
        |relay| &mut relay.kept.value,
        |relay| &mut relay.kept.path,
    ];
    for part in parts {
        let length = part(
            EvidencePack::decode(&json)
                .expect("pack")
                .relay
                .as_mut()
                .expect("relay part"),
        )
        .0
        .len();
        for cut in 0..length {
            let json = edited(&json, |relay| part(relay).0.truncate(cut));
            not_proven(&world, &json, Code::BadRelay);
        }
        for tail in [&[0][..], &[0xf8, 0x07, 0x01], &[0xff; 11], &[0; 33 * 257]] {
            let json = edited(&json, |relay| {
                let blob = part(relay);
                blob.0 = [&blob.0[..], tail].concat().into();
            });
            not_proven(&world, &json, Code::BadRelay);
        }
    }
}

#[test]
fn its_fields_are_known_and_in_order() {
    let world = world();
    let text = String::from_utf8(world.pack()).expect("UTF-8");
    for (from, to, code) in [
        ("\"relay\":{", "\"relay\":{\"name\":\"x\",", Code::NotJson),
        ("\"kept\":{", "\"held\":{", Code::NotJson),
        ("\"relay\":{", "\"set_changes\":[],\"relay\":{", Code::NotCanonical),
        (",\"kept\":", ",\"set_changes\":[],\"kept\":", Code::NotCanonical),
        (",\"relay\":{", ",\"row\":null,\"relay\":{", Code::NotCanonical),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        let error = ask(changed.as_bytes(), &[&world.relay]).expect_err("refused");
        assert_eq!(error.code(), code, "{error}");
    }
}

/// What the way costs on the test's own network, whose genesis has six accounts and four nodes.
#[test]
#[allow(clippy::print_stdout, reason = "the figures are for docs/benchmarks.md")]
fn the_way_is_small() {
    let world = world();
    let genesis = world.relay.genesis.bytes.len().div_ceil(3) * 4;
    let more = world.pack().len() - world.plain.len();
    println!("relay part {more} B, of it genesis {genesis} B");
    assert!(more - genesis < 2_048, "{more} bytes, {genesis} of genesis");
}
