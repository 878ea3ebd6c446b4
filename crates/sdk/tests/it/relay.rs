//! Packs with a relay chain's word, and updates of light clients, from nodes over HTTP.

use crate::world::{Server, chain, nobody, serve};
use std::sync::Arc;
use yulian_api::testing::FakeNode;
use yulian_light::testing::TestChain;
use yulian_sdk::{Chain, PackError, PackFailure, Subject, Trust, Word, limits::UPDATE_CHANGES_MAX, verify_pack};
use yulian_types::{proto::LinkClient, state_keys::LINK_FROZEN};

const FILE: &[u8] = b"a file";

fn over(chain: TestChain) -> FakeNode {
    FakeNode::over(chain, Arc::new(|duration| Box::pin(tokio::time::sleep(duration))))
}

/// A chain with one deposit in block 1, then two empty blocks.
fn depositing() -> TestChain {
    let mut chain = TestChain::new("郑州", 4, 4);
    let deposit = chain.deposit(5, &Subject::file(FILE).digest(), "规划");
    chain.push(vec![deposit]);
    chain.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    chain.push(vec![]);
    chain
}

struct World {
    chain: Chain,
    relay: Chain,
    of_chain: Server,
    of_relay: Server,
}

async fn world(relay: TestChain) -> World {
    let (of_chain, of_relay) = (serve(over(depositing())).await, serve(over(relay)).await);
    World {
        chain: chain(&[&of_chain.url]).await,
        relay: chain(&[&of_relay.url]).await,
        of_chain,
        of_relay,
    }
}

impl World {
    /// The relay chain learns the chain's header at a height, and its own next header proves it.
    fn learn(&self, height: u64) {
        let known = self.of_chain.node.chain.with(|chain| chain.link_records(height));
        self.learn_as(height, &known.0);
    }

    fn learn_as(&self, height: u64, client: &LinkClient) {
        self.of_chain.node.chain.with(|chain| {
            let (_, kept) = chain.link_records(height);
            let learn = |relay: &mut TestChain| relay.learn_records(chain, height, client, &kept);
            self.of_relay.node.chain.with(learn);
        });
    }

    async fn pack(&self) -> bytes::Bytes {
        let digest = Subject::file(FILE).digest();
        self.chain.pack(&digest, Some("zzdata")).await.expect("pack")
    }

    fn verified(&self, pack: &[u8]) -> yulian_sdk::Report {
        let trust = Trust::chains([self.relay.id()]);
        let outcome = verify_pack(pack, Some(&Subject::file(FILE)), &trust).expect("holds");
        assert!(outcome.is_yes());
        outcome.report().clone()
    }
}

#[tokio::test]
async fn a_relay_chain_vouches_for_what_it_knows_and_says_what_it_lacks() {
    let mut relay = TestChain::new("中继", 4, 4);
    relay.push(vec![]);
    let world = world(relay).await;
    let pack = world.pack().await;
    let unknown = world.chain.relayed_pack(&pack, &world.relay).await;
    assert!(matches!(unknown, Err(PackFailure::NotLinked { .. })));

    world.learn(3);
    let word = world.chain.relayed_pack(&pack, &world.relay).await.expect("an answer");
    let Word::Missing { update, kept } = word else {
        panic!("the last header of the pack is that of height 2")
    };
    assert_eq!(kept, [3]);
    let header = world
        .of_chain
        .node
        .chain
        .with(|chain| (chain.header(2), chain.finality(2)));
    assert_eq!((&update.headers[..], &update.finality), (&[header.0][..], &header.1));
    assert_eq!(update.chain_id[..], world.chain.id().0);

    world.learn(2);
    let word = world.chain.relayed_pack(&pack, &world.relay).await.expect("an answer");
    let Word::Given(pack) = word else {
        panic!("it knows the header now")
    };
    let report = world.verified(&pack);
    let path = report.relay.expect("the way");
    assert_eq!((path.vouched_height, report.as_of_height), (2, 1));
}

#[tokio::test]
async fn a_pack_is_stated_under_a_header_that_the_relay_chain_keeps() {
    let world = world(TestChain::new("中继", 4, 4)).await;
    world.of_chain.node.chain.with(|chain| {
        (0..6).for_each(|_| {
            chain.push(vec![]);
        })
    });
    world.learn(6);
    let pack = world.pack().await;
    let again = world
        .chain
        .restated_pack(&pack, 6)
        .await
        .expect("an answer")
        .expect("its own proof");
    let word = world.chain.relayed_pack(&again, &world.relay).await.expect("an answer");
    let Word::Given(pack) = word else {
        panic!("it keeps the header")
    };
    let report = world.verified(&pack);
    assert_eq!((report.as_of_height, report.set_changes), (5, 1));
    assert_eq!(report.relay.expect("the way").vouched_height, 6);
    // Odd heights of these nodes have no finality proof of their own; the deposit was final by that of height 2 already.
    assert_eq!(world.chain.restated_pack(&pack, 5).await.expect("an answer"), None);
    assert!(world.chain.restated_pack(&pack, 2).await.is_err());
}

#[tokio::test]
async fn a_frozen_client_and_a_foreign_pack_are_refused() {
    let world = world(TestChain::new("中继", 4, 4)).await;
    let pack = world.pack().await;
    let frozen = world.of_chain.node.chain.with(|chain| LinkClient {
        status: LINK_FROZEN,
        ..chain.link_records(2).0
    });
    world.learn_as(2, &frozen);
    let refused = world.chain.relayed_pack(&pack, &world.relay).await.expect_err("frozen");
    let PackFailure::Pack(PackError::Relay(why)) = refused else {
        panic!("{refused}")
    };
    assert_eq!(PackError::Relay(why).code().as_str(), "pack_relay_frozen");
    let foreign = world.relay.relayed_pack(&pack, &world.chain).await;
    assert!(matches!(foreign, Err(PackFailure::OtherChain(id)) if id == world.chain.id()));
}

/// The relay chain's validators changed before it learned of the header: the pack carries the changes.
#[tokio::test]
async fn changes_of_the_relay_chains_validators_come_along() {
    let mut relay = TestChain::new("中继", 4, 2);
    for set in [vec![1, 2, 3, 4], vec![2, 3, 4, 5]] {
        relay.push_with(vec![], vec![], Some(set));
        relay.push(vec![]);
    }
    let world = world(relay).await;
    world.learn(2);
    let pack = world.pack().await;
    let word = world.chain.relayed_pack(&pack, &world.relay).await.expect("an answer");
    let Word::Given(pack) = word else {
        panic!("it knows the header")
    };
    assert_eq!(world.verified(&pack).relay.expect("the way").set_changes, 2);
}

/// A client that slept through more changes than one update brings follows to the last of them first.
#[tokio::test]
async fn a_light_client_that_slept_for_long_follows_in_several_updates() {
    let mut made = TestChain::new("changing", 4, 2);
    for number in 0..UPDATE_CHANGES_MAX as u32 + 6 {
        made.push_with(vec![], vec![], Some((number..number + 4).collect()));
        made.push(vec![]);
    }
    let starts: Vec<u64> = (1..=made.height()).filter(|at| made.set_at(*at).1 == *at).collect();
    assert!(starts.len() > UPDATE_CHANGES_MAX);
    let first = made.genesis.validators.encode();
    let set = made.set_at(starts[4]).0.encode();
    let server = serve(over(made)).await;
    let chain = chain(&[&server.url]).await;

    let to = chain.finality(yulian_sdk::BlockRef::Latest).await.expect("finality");
    let mut known = LinkClient::default();
    let update = chain.link_update(&known, &to).await.expect("update");
    let boundary = starts[UPDATE_CHANGES_MAX - 1] - 1;
    let header = server.node.chain.with(|chain| chain.header(boundary));
    assert_eq!(
        (update.headers, update.set_changes.len()),
        (vec![header], UPDATE_CHANGES_MAX - 1)
    );
    // The header of a change is final under the set before it: that is the last one that the client knows now.
    known.ranges.push(yulian_types::proto::LinkRange {
        first_height: starts[UPDATE_CHANGES_MAX - 2],
        ..Default::default()
    });
    let update = chain.link_update(&known, &to).await.expect("update");
    assert_eq!(update.headers, [to.headers[0].0.clone()]);
    let left = starts[UPDATE_CHANGES_MAX - 1..]
        .iter()
        .filter(|start| **start <= to.height);
    assert_eq!(update.set_changes.len(), left.count());
    assert!(!update.set_changes.is_empty());

    let found = chain.changes_after(starts[1], starts[4], 2).await.expect("changes");
    let found: Vec<u64> = found.iter().map(|change| change.first_height).collect();
    assert_eq!(found, starts[2..4]);
    assert_eq!(chain.validators_since(0).await.expect("set"), Some(first));
    assert_eq!(chain.validators_since(starts[4]).await.expect("set"), Some(set));
    assert_eq!(chain.validators_since(starts[4] + 1).await.expect("set"), None);
}

/// Of a platform's nodes not every one hosts every chain.
#[tokio::test]
async fn the_node_that_hosts_a_chain_is_found_and_remembered() {
    let servers = [
        serve(over(TestChain::new("a", 4, 4))).await,
        serve(over(TestChain::new("a", 4, 4))).await,
        serve(over(TestChain::new("b", 4, 4))).await,
    ];
    let urls: Vec<&str> = servers.iter().map(|server| server.url.as_str()).collect();
    let client = yulian_sdk::Client::new(&urls, yulian_sdk::Options::default()).expect("client");
    let (a, b) = (client.chain("a").await.expect("a"), client.chain("b").await.expect("b"));
    let counts = || servers.each_ref().map(|server| server.node.requests());
    let before = counts();
    for _ in 0..5 {
        assert_eq!(a.info().await.expect("info").name, "a");
        assert_eq!(b.info().await.expect("info").name, "b");
    }
    let after = counts();
    assert_eq!(
        [0, 1, 2].map(|at| after[at] - before[at]),
        [5, 0, 5],
        "each asks where it found its chain"
    );

    // Nobody hosts it: each node is asked once.
    let before = counts();
    let error = client.chain("c").await.expect_err("no such chain");
    assert_eq!(error.code(), Some("unknown_chain"));
    let after = counts();
    assert_eq!([0, 1, 2].map(|at| after[at] - before[at]), [1, 1, 1]);

    // Another node does not answer: that nobody at hand hosts the chain is known all the same.
    let dead = nobody().await;
    let urls = [dead.as_str(), urls[2], urls[0]];
    let client = yulian_sdk::Client::new(urls, yulian_sdk::Options::default()).expect("client");
    assert_eq!(
        client.chain("c").await.expect_err("nobody").code(),
        Some("unknown_chain")
    );
    // What is asked of a chain that is known ends otherwise: the node that does not answer may host it.
    let cable = crate::world::Cable::to(&servers[0]).await;
    let urls = [cable.url.as_str(), urls[1]];
    let client = yulian_sdk::Client::new(urls, yulian_sdk::Options::default()).expect("client");
    let a = client.chain("a").await.expect("the first hosts it");
    drop(cable);
    let error = a.info().await.expect_err("its node is gone");
    assert!(matches!(error, yulian_sdk::SdkError::Node { .. }), "{error}");
}
