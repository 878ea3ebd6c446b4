//! Light clients: opened, kept up to date, frozen, expired.

use crate::{
    net::{CARRIER, HUB, Net, signed},
    world::{EPOCH_LENGTH, public, validator},
};
use bytes::Bytes;
use prost::Message;
use yulian_modules::{governance, link};
use yulian_state::Tree;
use yulian_types::{
    StateKey, encode,
    proto::*,
    state_keys::{LINK_ACTIVE, LINK_ENDED, LINK_FROZEN},
};

const A: usize = 1;
const B: usize = 2;

fn client(net: &Net, at: usize, of: usize) -> LinkClient {
    net.chains[at]
        .world
        .record(&StateKey::link_client(&net.id(of)))
        .expect("a client")
}

/// Carries one update that is refused.
fn refused(net: &mut Net, code: &str, at: usize, update: LinkUpdate) {
    let receipt = net.carry_receipt(at, vec![update], vec![]);
    assert_eq!(receipt.code, code, "{}", receipt.detail);
}

#[test]
fn a_client_opens_where_it_was_agreed_and_follows() {
    let mut net = Net::unlinked(1);
    let open = OpenLink {
        genesis: net.chains[A].world.genesis.bytes.clone(),
        ..Default::default()
    };
    net.fails("link.not_agreed", HUB, CARRIER, "link.open", &open);
    net.agree(HUB, A, |_| {});
    net.fails("link.not_agreed", HUB, CARRIER, "link.open", &open);
    let update = net.fresh(A);
    net.carry(HUB, vec![update.clone()], vec![]);
    // The same again changes nothing.
    net.carry(HUB, vec![update], vec![]);
    let kept = client(&net, HUB, A);
    assert_eq!((kept.status, kept.height, kept.heights), (LINK_ACTIVE, 1, vec![1]));
    // Far ahead in one step, and a header in between afterwards.
    for _ in 0..20 {
        net.block(A, vec![]);
    }
    let update = net.fresh(A);
    net.carry(HUB, vec![update], vec![]);
    let between = net.update(A, 10, &[]);
    net.carry(HUB, vec![between], vec![]);
    assert_eq!(client(&net, HUB, A).heights, [1, 10, 22]);
}

#[test]
fn a_client_opens_at_an_agreed_header() {
    let mut net = Net::unlinked(1);
    for _ in 0..5 {
        net.block(A, vec![]);
    }
    let update = net.update(A, 3, &[]);
    let header = update.headers[0].clone();
    let digest = yulian_types::block_digest(&header);
    let mut agreed = net.agreement(A);
    agreed.start = Some(LinkPoint {
        height: 3,
        digest: digest.to_vec().into(),
    });
    net.carry_on(HUB, governance::KIND_AGREE_LINK, &agreed);
    let set = net.chains[A].world.tip().validators.encode();
    let mut open = OpenLink {
        genesis: net.chains[A].world.genesis.bytes.clone(),
        header: net.update(A, 4, &[]).headers[0].clone(),
        validators: set,
    };
    net.fails("link.bad_start", HUB, CARRIER, "link.open", &open);
    open.header = header;
    net.ok(HUB, CARRIER, "link.open", &open);
    assert_eq!(client(&net, HUB, A).heights, [3]);
}

#[test]
fn headers_that_no_quorum_signed_are_refused() {
    let mut net = Net::new(1);
    net.block(A, vec![]);
    let height = net.chains[A].height();
    let good = net.update(A, height, &[]);
    let set = net.chains[A].world.tip().validators.clone();
    let other_set = net.chains[HUB].world.tip().validators.clone();
    let header = good.headers[0].clone();
    let with = |finality: Bytes| LinkUpdate {
        finality,
        ..good.clone()
    };
    refused(
        &mut net,
        "link.header_fails",
        HUB,
        with(signed(&header, &set, vec![0, 1]).encode()),
    );
    refused(
        &mut net,
        "link.header_fails",
        HUB,
        with(signed(&header, &other_set, vec![0, 1, 2]).encode()),
    );
    refused(&mut net, "link.header_fails", HUB, with(Bytes::new()));
    let mut twisted = signed(&header, &set, vec![0, 1, 2]);
    twisted.signatures.swap(0, 1);
    refused(&mut net, "link.header_fails", HUB, with(twisted.encode()));
    let mut changed = BlockHeader::decode(header.clone()).expect("a header");
    changed.parent_state_root = vec![9; 32].into();
    let changed = LinkUpdate {
        headers: vec![encode(&changed)],
        ..good.clone()
    };
    refused(&mut net, "link.header_fails", HUB, changed);
    let other_chain = LinkUpdate {
        chain_id: net.id_bytes(A),
        ..net.update(HUB, 1, &[])
    };
    refused(&mut net, "link.header_fails", HUB, other_chain);
    let genesis = LinkUpdate {
        headers: vec![net.update(A, 0, &[]).headers[0].clone()],
        ..good.clone()
    };
    refused(&mut net, "link.header_fails", HUB, genesis);
    let none = LinkUpdate {
        headers: vec![],
        ..good.clone()
    };
    refused(&mut net, "link.header_fails", HUB, none);
    net.carry(HUB, vec![good], vec![]);
}

/// Replaces validators of A by new ones, `times` times; returns the last heights of the epochs after which it took hold.
fn rotate(net: &mut Net, times: usize) -> Vec<u64> {
    let mut changes = Vec::new();
    for round in 0..times {
        let set = net.chains[A].world.decided();
        let old = set
            .validators()
            .iter()
            .find(|v| v.organisation == "a")
            .expect("one of a")
            .clone();
        let name = format!("new-{round}");
        let world = &net.chains[A].world;
        let registration = world.node_registration(crate::world::node(&name, &old.cloud, "a"), &name);
        net.ok(A, "admin-a", "governance.register_node", &registration);
        let proof = net.chains[A].world.candidate_proof(&name);
        let replace = ReplaceValidator {
            public_key: old.public_key.clone(),
            validator: Some(validator(&name, &old.cloud, "a")),
            proof: Some(proof),
            accept_risk: None,
        };
        net.carry_on(A, governance::KIND_REPLACE_VALIDATOR, &replace);
        while !(net.chains[A].height() + 1).is_multiple_of(EPOCH_LENGTH) {
            net.block(A, vec![]);
        }
        changes.push(net.chains[A].height());
        net.block(A, vec![]);
        assert!(
            net.chains[A]
                .world
                .tip()
                .validators
                .validators()
                .iter()
                .any(|v| v.public_key == public(&name))
        );
    }
    changes
}

#[test]
fn a_client_that_slept_follows_three_changes_of_the_set() {
    let mut net = Net::new(1);
    let changes = rotate(&mut net, 3);
    net.block(A, vec![]);
    let height = net.chains[A].height();
    // The new set's header alone, and with a change left out, prove nothing.
    let alone = net.update(A, height, &[]);
    refused(&mut net, "link.header_fails", HUB, alone);
    let gap = net.update(A, height, &[changes[0], changes[2]]);
    refused(&mut net, "link.header_fails", HUB, gap);
    let whole = net.update(A, height, &changes);
    net.carry(HUB, vec![whole], vec![]);
    assert_eq!(client(&net, HUB, A).ranges.len(), 4);
    // A header from the time of an earlier set still counts, within the trust period.
    let earlier = net.update(A, changes[0] - 1, &[]);
    net.carry(HUB, vec![earlier], vec![]);
}

#[test]
fn retired_keys_cannot_forge_what_comes_after() {
    let mut net = Net::new(1);
    let before = net.chains[A].world.tip().validators.clone();
    let changes = rotate(&mut net, 1);
    let update = net.update(A, changes[0] + 1, &changes);
    net.carry(HUB, vec![update], vec![]);
    net.block(A, vec![]);
    // The retired quorum signs a header above the change that names its own set.
    let tip = net.chains[A].world.tip();
    let mut header = tip.header.clone();
    header.validators = before.digest().to_vec().into();
    header.validators_since = 0;
    header.parent_state_root = vec![5; 32].into();
    let bytes = encode(&header);
    let forged = LinkUpdate {
        chain_id: net.id_bytes(A),
        finality: signed(&bytes, &before, vec![0, 1, 2, 3]).encode(),
        headers: vec![bytes],
        ..Default::default()
    };
    refused(&mut net, "link.header_fails", HUB, forged);
}

#[test]
fn retired_keys_cannot_forge_what_was_before_either() {
    let mut net = Net::new(1);
    for _ in 0..10 {
        net.block(A, vec![]);
    }
    let before = net.chains[A].world.tip().validators.clone();
    let old = net.chains[A].height() - 2;
    let honest = net.update(A, old, &[]);
    let changes = rotate(&mut net, 1);
    let update = net.update(A, changes[0] + 1, &changes);
    net.carry(HUB, vec![update], vec![]);
    // Keys of the retired set sign another header at a height at which they were in force, with a time of their choice.
    let forge = |net: &Net, time_ms: u64| {
        let mut header = BlockHeader::decode(honest.headers[0].clone()).expect("a header");
        header.time_ms = time_ms;
        header.parent_state_root = vec![5; 32].into();
        let bytes = encode(&header);
        LinkUpdate {
            chain_id: net.id_bytes(A),
            finality: signed(&bytes, &before, vec![0, 1, 2, 3]).encode(),
            headers: vec![bytes],
            ..Default::default()
        }
    };
    let now = forge(&net, net.now_ms);
    refused(&mut net, "link.header_fails", HUB, now.clone());
    let trust = client(&net, HUB, A).trust_period_ms;
    net.pass(net.now_ms + trust / 2);
    let update = net.fresh(A);
    net.carry(HUB, vec![update], vec![]);
    net.pass(net.now_ms + trust / 2 + 60_000);
    let update = net.fresh(A);
    net.carry(HUB, vec![update], vec![]);
    // A trust period after their last header nothing they sign counts, whatever time it states: no proof, no freeze.
    for time in [net.now_ms, net.now_ms - trust + 1_000] {
        let forged = forge(&net, time);
        refused(&mut net, "link.trust_expired", HUB, forged.clone());
        let conflict = LinkConflict {
            chain_id: net.id_bytes(A),
            first: Some(forged.clone()),
            second: Some(now.clone()),
        };
        net.fails("link.trust_expired", HUB, CARRIER, "link.report_conflict", &conflict);
    }
    assert_eq!(client(&net, HUB, A).status, LINK_ACTIVE);
}

#[test]
fn the_relay_is_the_one_that_was_agreed_upon_last() {
    let mut net = Net::new(2);
    let relay = |net: &Net| net.chains[B].world.value(&StateKey::relay_chain());
    assert_eq!(relay(&net), Some(net.id_bytes(HUB)));
    // A was introduced: to make it the relay it is agreed upon and opened anew.
    let mut agreed = net.agreement(A);
    agreed.relay = true;
    net.carry_on(B, governance::KIND_AGREE_LINK, &agreed);
    assert_eq!(relay(&net), Some(net.id_bytes(HUB)), "not before it is opened");
    let open = OpenLink {
        genesis: net.chains[A].world.genesis.bytes.clone(),
        ..Default::default()
    };
    net.ok(B, CARRIER, "link.open", &open);
    assert_eq!(relay(&net), Some(net.id_bytes(A)));
    assert!(!client(&net, B, HUB).relay && client(&net, B, A).relay);
    // Ending the link to the former relay does not touch the present one.
    let gone = EndLink {
        chain_id: net.id_bytes(HUB),
    };
    net.carry_on(B, governance::KIND_END_LINK, &gone);
    assert_eq!(relay(&net), Some(net.id_bytes(A)));
    let mut agreed = net.agreement(A);
    agreed.direct = true;
    net.carry_on(B, governance::KIND_AGREE_LINK, &agreed);
    assert_eq!(relay(&net), None);
}

#[test]
fn a_fork_is_one_whatever_times_it_states() {
    let mut net = Net::new(1);
    for _ in 0..4 {
        net.block(A, vec![]);
    }
    let height = net.chains[A].height();
    let (honest, last) = (net.update(A, height - 2, &[]), net.update(A, height, &[]));
    net.carry(HUB, vec![last], vec![]);
    // The other block of that height was made after the last one that is known.
    let mut header = BlockHeader::decode(honest.headers[0].clone()).expect("a header");
    header.time_ms = net.chains[A].time_ms() + 1;
    let bytes = encode(&header);
    let set = net.chains[A].world.tip().validators.clone();
    let other = LinkUpdate {
        chain_id: net.id_bytes(A),
        finality: signed(&bytes, &set, vec![0, 1, 2, 3]).encode(),
        headers: vec![bytes],
        ..Default::default()
    };
    refused(&mut net, "link.header_fails", HUB, other.clone());
    let conflict = LinkConflict {
        chain_id: net.id_bytes(A),
        first: Some(honest),
        second: Some(other),
    };
    net.ok(HUB, CARRIER, "link.report_conflict", &conflict);
    assert_eq!(client(&net, HUB, A).status, LINK_FROZEN);
}

#[test]
fn two_final_headers_of_one_height_freeze_the_client() {
    let mut net = Net::new(2);
    net.block(A, vec![]);
    let good = net.update(A, net.chains[A].height(), &[]);
    let (_, lie) = net.lie(A, 0, &Tree::new());
    let mut conflict = LinkConflict {
        chain_id: net.id_bytes(A),
        first: Some(good.clone()),
        second: Some(good.clone()),
    };
    net.fails("link.no_conflict", B, CARRIER, "link.report_conflict", &conflict);
    let earlier = net.update(A, net.chains[A].height() - 1, &[]);
    conflict.second = Some(earlier);
    net.fails("link.no_conflict", B, CARRIER, "link.report_conflict", &conflict);
    // Two certificates of one header are none either.
    let set = net.chains[A].world.tip().validators.clone();
    conflict.second = Some(LinkUpdate {
        finality: signed(&good.headers[0], &set, vec![1, 2, 3]).encode(),
        ..good.clone()
    });
    net.fails("link.no_conflict", B, CARRIER, "link.report_conflict", &conflict);
    conflict.second = Some(lie.clone());
    net.ok(B, CARRIER, "link.report_conflict", &conflict);
    assert_eq!(client(&net, B, A).status, LINK_FROZEN);
    refused(&mut net, "link.client_frozen", B, good.clone());
    // An update that contradicts what is kept does the same.
    net.carry(HUB, vec![good], vec![]);
    net.carry(HUB, vec![lie], vec![]);
    assert_eq!(client(&net, HUB, A).status, LINK_FROZEN);
    // The relay's word does not lift it here.
    let introduction = IntroduceLink {
        genesis: net.chains[A].world.genesis.bytes.clone(),
        ..Default::default()
    };
    net.fails("link.already_open", B, CARRIER, "link.introduce", &introduction);
    // A vote with a new start does.
    let height = net.chains[A].height();
    let header = net.update(A, height, &[]).headers[0].clone();
    let mut agreed = net.agreement(A);
    agreed.start = Some(LinkPoint {
        height,
        digest: yulian_types::block_digest(&header).to_vec().into(),
    });
    net.carry_on(B, governance::KIND_AGREE_LINK, &agreed);
    let open = OpenLink {
        genesis: net.chains[A].world.genesis.bytes.clone(),
        header,
        validators: net.chains[A].world.tip().validators.encode(),
    };
    net.ok(B, CARRIER, "link.open", &open);
    assert_eq!(
        (client(&net, B, A).status, client(&net, B, A).heights),
        (LINK_ACTIVE, vec![height])
    );
}

#[test]
fn old_headers_prove_nothing_after_the_trust_period() {
    let mut net = Net::new(1);
    let trust = client(&net, HUB, A).trust_period_ms;
    assert_eq!(trust, link::TRUST_PERIOD_MS_DEFAULT);
    let old = net.fresh(A);
    // Kept up to date, it stays.
    net.pass(net.now_ms + trust / 2);
    let update = net.fresh(A);
    net.carry(HUB, vec![update], vec![]);
    net.pass(net.now_ms + trust / 2 + 60_000);
    refused(&mut net, "link.trust_expired", HUB, old);
    let update = net.fresh(A);
    net.carry(HUB, vec![update], vec![]);
    // Left alone, it is over: only a vote starts it again.
    net.pass(net.now_ms + trust + 60_000);
    let update = net.fresh(A);
    refused(&mut net, "link.trust_expired", HUB, update);
}

#[test]
fn headers_from_the_future_are_refused() {
    let mut net = Net::new(1);
    net.pass(net.now_ms + link::AHEAD_MS_MAX + 10_000);
    let ahead = net.fresh(A);
    let now = net.chains[HUB].time_ms();
    net.now_ms = now;
    refused(&mut net, "link.header_ahead", HUB, ahead);
}

#[test]
fn only_so_many_headers_are_kept() {
    let mut net = Net::new(1);
    let rounds = link::HEADERS_KEPT_MAX as u64 + 5;
    for _ in 0..rounds {
        let update = net.fresh(A);
        net.carry(HUB, vec![update], vec![]);
    }
    let kept = client(&net, HUB, A);
    assert_eq!(kept.heights.len(), link::HEADERS_KEPT_MAX);
    assert_eq!(kept.heights.last(), Some(&net.chains[A].height()));
    let dropped = net.update(A, kept.heights[0] - 1, &[]);
    refused(&mut net, "link.header_too_old", HUB, dropped);
}

#[test]
fn the_relay_introduces_only_what_it_trusts() {
    let mut net = Net::new(2);
    // B knows A through the hub.
    assert!(client(&net, B, A).introduced);
    let again = net.introduction(B, A);
    net.fails("link.already_open", B, CARRIER, "link.introduce", &again);
    // The hub ends its link to A: nobody is introduced to it any more.
    let mut net = Net::unlinked(2);
    net.agree(HUB, A, |_| {});
    net.agree(B, HUB, |agreed| agreed.relay = true);
    let mut introduction = net.introduction(B, A);
    let mut other = introduction.clone();
    other.client = encode(&LinkClient {
        name: "别的".into(),
        ..client(&net, HUB, A)
    });
    net.fails("link.proof_fails", B, CARRIER, "link.introduce", &other);
    let gone = EndLink {
        chain_id: net.id_bytes(A),
    };
    net.carry_on(HUB, governance::KIND_END_LINK, &gone);
    assert_eq!(client(&net, HUB, A).status, LINK_ENDED);
    let update = net.fresh(HUB);
    net.carry(B, vec![update], vec![]);
    introduction.client = encode(&client(&net, HUB, A));
    let word = net.prove(HUB, &StateKey::link_client(&net.id(A)));
    (introduction.height, introduction.proof) = (word.height, word.proof);
    net.fails("link.bad_start", B, CARRIER, "link.introduce", &introduction);
}

#[test]
fn proposals_about_links_are_checked() {
    let mut net = Net::unlinked(1);
    let good = net.agreement(A);
    let broken = [
        (
            "link.bad_chain_id",
            AgreeLink {
                chain_id: Bytes::new(),
                ..good.clone()
            },
        ),
        (
            "link.bad_chain_id",
            AgreeLink {
                chain_id: net.id_bytes(HUB),
                ..good.clone()
            },
        ),
        (
            "link.bad_name",
            AgreeLink {
                name: String::new(),
                ..good.clone()
            },
        ),
        (
            "link.bad_trust_period",
            AgreeLink {
                trust_period_ms: 1,
                ..good.clone()
            },
        ),
        (
            "link.bad_start",
            AgreeLink {
                start: Some(LinkPoint::default()),
                ..good.clone()
            },
        ),
    ];
    for (code, action) in broken {
        let proposal = crate::world::proposal(governance::KIND_AGREE_LINK, &action);
        net.fails(code, HUB, "admin-a", "governance.propose", &proposal);
    }
    let unknown = EndLink {
        chain_id: net.id_bytes(A),
    };
    let proposal = crate::world::proposal(governance::KIND_END_LINK, &unknown);
    net.fails("link.unknown_chain", HUB, "admin-a", "governance.propose", &proposal);
    let route = SetRoute::default();
    let proposal = crate::world::proposal(governance::KIND_SET_ROUTE, &route);
    net.fails("link.bad_route", HUB, "admin-a", "governance.propose", &proposal);
}
