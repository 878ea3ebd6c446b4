//! A chain whose blocks are gone, at a node that has its state alone.

use super::*;
use crate::relay::{Board, Event, Member, PacketKey, Place, Stage, Step, status::Counters, watch};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use yulian_api::{limits::Limits, router, testing::FakeNode};
use yulian_light::testing::{TestChain, secret};
use yulian_sdk::{Account, Client, Options};
use yulian_state::write_set::Write;
use yulian_types::{SealedPacket, encode, proto::Packet};

/// A chain at a node behind a socket.
struct Server {
    node: FakeNode,
    chain: Chain,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(name: &str) -> Server {
    let pause = Arc::new(|duration| Box::pin(tokio::time::sleep(duration)) as _);
    let node = FakeNode::over(TestChain::new(name, 4, 1_000), pause);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = router(node.clone(), Limits::default());
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let chain = Client::new([url], Options::default())
        .unwrap()
        .chain("default")
        .await
        .unwrap();
    Server { node, chain, task }
}

/// A chain that this agent knows. Nothing is said of it here.
fn other(number: u8) -> Digest {
    Digest([number; 32])
}

/// The relay chain.
const HUB: u8 = 0;

/// An agent that carries on some chains and only follows others; relay chain and destinations are not at hand.
fn agent(own: &[&Server], foreign: &[&Server], cursor: u64) -> Shared {
    let account = || Some(Account::of_first_key(secret(105)));
    let place = |server: &&Server, account| {
        let chain = server.chain.clone();
        (chain.id(), Place::new(Member { chain, account }, cursor))
    };
    let own = own.iter().map(|server| place(server, account()));
    let places: std::collections::BTreeMap<_, _> =
        own.chain(foreign.iter().map(|server| place(server, None))).collect();
    let followed = places.keys().copied().chain([other(HUB), other(1), other(2)]).collect();
    Shared {
        places,
        hub: other(HUB),
        board: Mutex::new(Board::new(other(HUB), followed)),
        wake: Notify::new(),
        counters: Counters::default(),
    }
}

fn write(key: StateKey, value: bytes::Bytes) -> Write {
    Write {
        module_id: key.module_id,
        key: key.key,
        value: Some(value),
    }
}

/// What a chain sent to another by a module: how many, and which of them have not ended.
type Sent<'a> = (Digest, &'static str, u64, &'a [u64]);

/// The chain has sent so much after 10 blocks; one more proves it, and its node has dropped all but that.
fn sends(server: &Server, all: &[Sent<'_>]) -> u64 {
    let source = server.chain.id();
    let mut linked: Vec<Digest> = all.iter().map(|sent| sent.0).collect();
    linked.dedup();
    let chains = linked.iter().map(|chain| chain.to_vec().into()).collect();
    let mut writes = vec![write(StateKey::link_list(), encode(&LinkList { chains }))];
    for (destination, module, sent, open) in all {
        let cursor = OutCursor {
            next: sent + 1,
            pending: open.len() as u64,
        };
        writes.push(write(StateKey::out_cursor(destination, module), encode(&cursor)));
        writes.extend(open.iter().map(|sequence| {
            let packet = packet(&source, destination, module, *sequence);
            write(packet.sent_key(), packet.bytes)
        }));
    }
    let height = server.node.chain.with(|chain| {
        (1..10).for_each(|_| {
            chain.push(vec![]);
        });
        chain.push_with(vec![], writes, None)
    });
    server.node.chain.tick();
    server.node.chain.prune_below(height);
    height
}

fn packet(source: &Digest, destination: &Digest, module: &str, sequence: u64) -> SealedPacket {
    let packet = SealedPacket::new(Packet {
        source: source.to_vec().into(),
        destination: destination.to_vec().into(),
        module: module.into(),
        method: "post".into(),
        sequence,
        timeout_ms: 1,
        ..Default::default()
    });
    packet.unwrap()
}

/// What can be done on the relay chain once the chain's block `proof` is known.
fn relayed(shared: &Shared, id: &Digest, proof: u64) -> Vec<Step> {
    let mut board = shared.board();
    board.advanced(id, proof, 1);
    board.take(&other(HUB), 1, usize::MAX)
}

fn names(steps: &[Step]) -> BTreeSet<(Digest, String, u64)> {
    let name = |key: &PacketKey| (key.destination, key.module.clone(), key.sequence);
    steps.iter().map(|step| name(&step.packet)).collect()
}

fn backlog(shared: &Shared) -> usize {
    shared.board().backlog().values().sum()
}

fn last_error(shared: &Shared) -> String {
    let status = crate::relay::status::read(shared);
    status.last_error.map(|error| error.text).unwrap_or_default()
}

#[tokio::test]
async fn every_open_packet_is_found_and_what_comes_later_is_followed() {
    let server = serve("郑州").await;
    let (id, many) = (server.chain.id(), STATE_KEYS_MAX as u64);
    let sent: [Sent<'_>; 4] = [
        (other(1), "voucher", 2 * many + 3, &[1, many, 2 * many + 3]),
        (other(1), "notice", 4, &[]),
        (other(2), "verification", 2, &[2]),
        (other(9), "notice", 1, &[1]),
    ];
    let height = sends(&server, &sent);
    let shared = agent(&[&server], &[], 3);
    assert_eq!(rescue(&shared, &id).await.unwrap(), height);
    assert_eq!((backlog(&shared), shared.board().backlog()["parked"]), (5, 1));
    assert_eq!(relayed(&shared, &id, height), [], "no block proves that state yet");
    let steps = relayed(&shared, &id, height + 1);
    let expected = [
        (other(1), "voucher", 1),
        (other(1), "voucher", many),
        (other(1), "voucher", 2 * many + 3),
        (other(2), "verification", 2),
    ];
    let expected = expected.map(|(chain, module, sequence)| (chain, module.to_owned(), sequence));
    assert_eq!(names(&steps), expected.into());
    for step in steps {
        let content = step.content.expect("it was read");
        let PacketKey {
            destination,
            module,
            sequence,
            ..
        } = &step.packet;
        assert_eq!(content.bytes, packet(&id, destination, module, *sequence).bytes);
        // What others did with it is not known: the blocks that would say so are gone.
        assert_eq!((step.stage, step.sent, step.look), (Stage::Relay, height, true));
    }
    assert_eq!(last_error(&shared), "");
}

#[tokio::test]
async fn an_agent_that_starts_anew_finds_what_is_still_open() {
    let server = serve("郑州").await;
    let id = server.chain.id();
    let height = sends(&server, &[(other(1), "notice", 7, &[3, 5])]);
    let shared = agent(&[&server], &[], 3);
    rescue(&shared, &id).await.unwrap();
    let key = |sequence| PacketKey {
        source: id,
        destination: other(1),
        module: "notice".into(),
        sequence,
    };
    let end = |sequence| shared.board().note(Event::Ended, key(sequence), height + 1, false);
    let done = || shared.board().done_up_to(&id, height + 1);
    assert_eq!(
        done(),
        3,
        "its blocks from 4 on are still what an agent asks for, and learns that they are gone"
    );
    end(3);
    assert_eq!(done(), 3);
    let again = agent(&[&server], &[], done());
    rescue(&again, &id).await.unwrap();
    assert_eq!(backlog(&again), 2);
    end(5);
    assert_eq!(done(), height + 1);
}

#[tokio::test]
async fn what_is_known_already_stays_as_it_is() {
    let server = serve("郑州").await;
    let id = server.chain.id();
    let height = sends(&server, &[(other(1), "notice", 7, &[3, 5])]);
    let shared = agent(&[&server], &[], 6);
    let known = PacketKey {
        source: id,
        destination: other(1),
        module: "notice".into(),
        sequence: 3,
    };
    shared.board().note(Event::Sent, known.clone(), 5, false);
    shared.board().note(Event::Relayed, known, 2, false);
    rescue(&shared, &id).await.unwrap();
    assert_eq!(shared.board().done_up_to(&id, height), 4);
    let steps = relayed(&shared, &id, height + 1);
    assert_eq!(names(&steps), [(other(1), "notice".to_owned(), 5)].into());
}

#[tokio::test]
async fn packets_that_are_none_of_this_agents_business_are_left_alone() {
    let (foreign, own) = (serve("郑州").await, serve("开封").await);
    let id = foreign.chain.id();
    sends(
        &foreign,
        &[(own.chain.id(), "notice", 1, &[1]), (other(1), "notice", 1, &[1])],
    );
    let shared = agent(&[&own], &[&foreign], 0);
    let height = rescue(&shared, &id).await.unwrap();
    let steps = relayed(&shared, &id, height + 1);
    assert_eq!(names(&steps), [(own.chain.id(), "notice".to_owned(), 1)].into());
    assert_eq!(backlog(&shared), 1);
}

#[tokio::test]
async fn what_was_not_looked_for_is_told_and_what_ended_meanwhile_is_not() {
    let server = serve("郑州").await;
    let id = server.chain.id();
    sends(&server, &[(other(1), "notice", 30, &[4, 20])]);
    let shared = agent(&[&server], &[], 0);
    let sequence = (other(1), "notice");
    // One of three ended after the cursor was read.
    let cursor = OutCursor { next: 31, pending: 3 };
    open(&shared, &server.chain, &sequence, &cursor, (1, 1)).await.unwrap();
    assert_eq!((backlog(&shared), last_error(&shared)), (2, String::new()));
    let shared = agent(&[&server], &[], 0);
    let cursor = OutCursor { next: 31, pending: 2 };
    open(&shared, &server.chain, &sequence, &cursor, (11, 1)).await.unwrap();
    assert_eq!(backlog(&shared), 1);
    assert!(
        last_error(&shared).contains("up to 1 older packets of notice"),
        "{}",
        last_error(&shared)
    );
    assert_eq!(shared.places[&id].height.load(Relaxed), 0);
}

#[tokio::test]
async fn a_state_that_says_nonsense_is_an_error_and_the_cursor_stays() {
    let server = serve("郑州").await;
    let id = server.chain.id();
    let height = sends(&server, &[(other(1), "notice", 2, &[1])]);
    let foreign = packet(&other(5), &other(1), "notice", 2);
    server.node.chain.with(|chain| {
        let cursor = encode(&OutCursor { next: 3, pending: 2 });
        let writes = vec![
            write(StateKey::out_cursor(&other(1), "notice"), cursor),
            write(StateKey::packet_sent(&other(1), "notice", 2), foreign.bytes),
        ];
        chain.push_with(vec![], writes, None);
        chain.push(vec![])
    });
    let shared = agent(&[&server], &[], 3);
    let refused = rescue(&shared, &id).await.unwrap_err();
    assert!(refused.to_string().contains("another packet"), "{refused}");
    assert_eq!((backlog(&shared), shared.board().done_up_to(&id, 3)), (0, 3));
    assert!(height > 3);
}

#[tokio::test]
async fn a_follower_whose_blocks_are_gone_reads_the_state_and_goes_on_behind_it() {
    let server = serve("郑州").await;
    let id = server.chain.id();
    let height = sends(&server, &[(other(1), "notice", 2, &[2])]);
    let shared = Arc::new(agent(&[&server], &[], 3));
    let follower = tokio::spawn(watch::follow(shared.clone(), id));
    let reached = async |height| {
        while shared.places[&id].height.load(Relaxed) < height {
            tokio::task::yield_now().await;
        }
    };
    reached(height + 1).await;
    assert_eq!(backlog(&shared), 1);
    server.node.chain.tick();
    reached(height + 2).await;
    assert_eq!(shared.board().done_up_to(&id, height + 2), 3);
    follower.abort();
}

#[tokio::test]
async fn a_chain_that_stands_still_is_followed_once_more_when_there_is_room() {
    let server = serve("郑州").await;
    let id = server.chain.id();
    let height = sends(&server, &[(other(1), "notice", 1, &[1])]);
    let shared = Arc::new(agent(&[&server], &[], 3));
    let key = |sequence| PacketKey {
        source: id,
        destination: other(2),
        module: "notice".into(),
        sequence,
    };
    let most = crate::relay::board::PACKETS_MAX as u64;
    (1..=most).for_each(|sequence| shared.board().note(Event::Sent, key(sequence), 2, false));
    let follower = tokio::spawn(watch::follow(shared.clone(), id));
    while shared.places[&id].height.load(Relaxed) < height + 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        backlog(&shared) as u64,
        most,
        "there was no room for what the state shows"
    );
    (1..=most).for_each(|sequence| shared.board().forget(&key(sequence)));
    crate::relay::follow_again(&shared);
    while backlog(&shared) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(shared.board().done_up_to(&id, height + 1), 3);
    follower.abort();
}
