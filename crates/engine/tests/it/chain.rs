//! Epochs, a change of validators, a crash and a late node, over lossy links.

use crate::toy::{Disk, EPOCH_LENGTH, Toy, genesis, key, set, signer, snapshot, start};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use yulian_crypto::sm2::Signer;
use yulian_engine::{
    ChainHandle, Runtime as _, Task,
    simulated::{self, Link, World},
};
use yulian_types::FinalityProof;

const LINK: Link = Link {
    latency: Duration::from_millis(5),
    jitter: Duration::from_millis(2),
    loss_per_mille: 10,
};
/// The second set takes over at the end of the epoch of this height.
const CHANGE_AT: u64 = 20;

struct Nodes {
    world: World,
    disks: BTreeMap<u8, Arc<Mutex<Disk>>>,
    tasks: BTreeMap<u8, Task>,
    handles: Arc<Mutex<BTreeMap<u8, ChainHandle>>>,
    lives: u64,
}

impl Nodes {
    async fn new(world: World, all: &[u8]) -> Self {
        world.know(&all.iter().map(|n| key(*n).public_key()).collect::<Vec<_>>());
        for a in all {
            for b in all.iter().filter(|b| *b != a) {
                world
                    .link(&key(*a).public_key(), &key(*b).public_key(), LINK)
                    .await
                    .unwrap();
            }
        }
        Self {
            world,
            disks: BTreeMap::new(),
            tasks: BTreeMap::new(),
            handles: Arc::default(),
            lives: 0,
        }
    }

    async fn up(&mut self, number: u8) {
        self.lives += 1;
        let disk = self.disks.entry(number).or_default().clone();
        let handles = self.handles.clone();
        let sets = Arc::new(vec![set(&[1, 2, 3, 4]), set(&[1, 2, 3, 5])]);
        let node = self
            .world
            .node(signer(number), self.lives, move |context, host| async move {
                let toy = Toy::new(disk, context, CHANGE_AT, sets);
                let handle = start(&host, toy, number, &[1, 2, 3, 4, 5, 6]).await;
                handles.lock().unwrap().insert(number, handle);
                // The host's tasks are the node's: keep it.
                futures::future::pending::<()>().await;
            });
        self.tasks.insert(number, node.await.unwrap());
    }

    fn down(&mut self, number: u8) {
        self.tasks.remove(&number).expect("a running node").stop();
    }

    fn height(&self, number: u8) -> u64 {
        self.disks[&number]
            .lock()
            .unwrap()
            .delivered
            .keys()
            .next_back()
            .copied()
            .unwrap_or(0)
    }

    /// Virtual time passes until every named node has the height.
    async fn reach(&self, numbers: &[u8], height: u64) {
        for _ in 0..600 {
            if numbers.iter().all(|n| self.height(*n) >= height) {
                return;
            }
            self.world.pause(Duration::from_millis(100)).await;
        }
        let heights: Vec<_> = numbers.iter().map(|n| (*n, self.height(*n))).collect();
        panic!("no progress to height {height}: {heights:?}");
    }

    fn agree(&self) {
        let mut chain = BTreeMap::new();
        for (number, disk) in &self.disks {
            let disk = disk.lock().unwrap();
            assert!(disk.faults.is_empty(), "honest node {number} saw {:?}", disk.faults);
            for (height, digest) in &disk.delivered {
                assert_eq!(chain.entry(*height).or_insert(*digest), digest, "fork at {height}");
            }
            let heights: Vec<u64> = disk.delivered.keys().copied().collect();
            assert!(
                heights.iter().zip(1..).all(|(found, expected)| *found == expected),
                "holes at {number}"
            );
        }
    }
}

fn scenario(seed: u64) -> String {
    let limit = Duration::from_secs(600);
    let run = simulated::run(seed, None, limit, |world| async move {
        let mut nodes = Nodes::new(world, &[1, 2, 3, 4, 5, 6, 7]).await;
        for number in 1..=5 {
            nodes.up(number).await;
        }
        nodes.reach(&[1, 2, 3, 4, 5], 10).await;
        nodes.down(2);
        nodes.reach(&[1, 3, 4, 5], 30).await;
        nodes.up(2).await;
        // A node that joins late follows from genesis over the change of validators.
        nodes.up(6).await;
        nodes.reach(&[1, 2, 3, 4, 5, 6], 60).await;
        // Node 7 is on the network, but no member of the chain.
        nodes.up(7).await;
        let (one, seven) = {
            let handles = nodes.handles.lock().unwrap();
            (handles[&1].clone(), handles.get(&7).cloned())
        };
        one.broadcast(Bytes::from_static(b"to members"));
        if let Some(seven) = seven {
            seven.broadcast(Bytes::from_static(b"from a stranger"));
        }
        nodes.reach(&[1, 2, 3, 5], 90).await;
        let status = nodes.handles.lock().unwrap()[&5].status();
        assert!(status.validating, "node 5 replaced node 4");
        assert!(!nodes.handles.lock().unwrap()[&4].status().validating);
        assert_eq!(nodes.height(7), 0, "a stranger got blocks");
        assert!(
            nodes.disks[&7].lock().unwrap().received.is_empty(),
            "a stranger got a message"
        );
        for (number, disk) in nodes.disks.iter().filter(|(number, _)| **number != 7) {
            let disk = disk.lock().unwrap();
            let stranger = key(7).public_key();
            assert!(
                disk.received.iter().all(|(from, _)| *from != stranger),
                "node {number} heard a stranger"
            );
        }
        proofs_hold(&nodes.disks[&6].lock().unwrap());
        nodes.agree();
        nodes.world.fingerprint()
    });
    run.0
}

/// Every stored proof verifies under the set of its epoch and under no other.
fn proofs_hold(disk: &Disk) {
    let chain = crate::toy::genesis().chain_id;
    let (old, new) = (set(&[1, 2, 3, 4]), set(&[1, 2, 3, 5]));
    let verifier = yulian_crypto::sm2::FastVerifier::default();
    let changed = (CHANGE_AT / crate::toy::EPOCH_LENGTH + 1) * crate::toy::EPOCH_LENGTH;
    assert!(disk.proofs.len() > 20, "too few proofs to say anything");
    for (height, bytes) in &disk.proofs {
        let proof = FinalityProof::decode(bytes, 4).unwrap();
        let current = if *height < changed { &old } else { &new };
        proof.verify(&chain, current, &verifier).unwrap();
        assert_eq!(disk.digests[&proof.digest], *height);
    }
}

#[test]
fn a_chain_lives_through_epochs_a_crash_a_change_and_a_late_node() {
    for seed in [1, 2] {
        scenario(seed);
    }
}

/// A node begins with a snapshot of height `at` of a chain that has gone on over epochs and a change of the set, asks for
/// it first on the snapshot channel, and is a validator later. It crashes as soon as it runs, and again.
fn floor(seed: u64, at: u64) {
    let limit = Duration::from_secs(600);
    simulated::run(seed, None, limit, |world| async move {
        let mut nodes = Nodes::new(world, &[1, 2, 3, 4, 5]).await;
        for number in 1..=4 {
            nodes.up(number).await;
        }
        nodes.reach(&[1, 2, 3, 4], at + 20).await;
        let disk = snapshot(&nodes.disks[&1].lock().unwrap(), at);
        nodes.disks.insert(5, Arc::new(Mutex::new(disk)));
        nodes.up(5).await;
        nodes.world.pause(Duration::from_millis(30 * seed)).await;
        nodes.down(5);
        nodes.world.pause(Duration::from_millis(400)).await;
        nodes.up(5).await;
        nodes.reach(&[1, 2, 3, 4, 5], at + 40).await;
        nodes.down(5);
        nodes.reach(&[1, 2, 3, 4], at + 60).await;
        nodes.up(5).await;
        nodes.reach(&[1, 2, 3, 5], at + 90).await;
        assert!(nodes.handles.lock().unwrap()[&5].status().validating);
        let first = nodes.disks[&5].lock().unwrap().blocks.keys().next().copied();
        assert_eq!(first, Some(at + 1), "it asked for blocks of the snapshot");
        // With node 3 down, nothing is final without the votes of the one that joined.
        nodes.down(3);
        let height = nodes.height(1);
        nodes.reach(&[1, 2, 5], height + 20).await;
        nodes.agree();
    });
}

#[test]
fn a_chain_goes_on_from_a_snapshot() {
    // In the middle of an epoch, after its last and before its last block, before and after the set changes.
    for (seed, at) in [
        (1, 36),
        (2, 3 * EPOCH_LENGTH - 1),
        (3, 4 * EPOCH_LENGTH - 2),
        (4, 17),
        (5, 5 * EPOCH_LENGTH),
    ] {
        floor(seed, at);
    }
}

#[test]
fn members_are_asked_before_a_chain_runs_and_strangers_are_not_heard() {
    simulated::run(1, None, Duration::from_secs(60), |world| async move {
        let mut nodes = Nodes::new(world, &[1, 2, 3, 4, 6, 7]).await;
        for number in 1..=4 {
            nodes.up(number).await;
        }
        nodes.reach(&[1, 2, 3, 4], 3).await;
        let answers: Arc<Mutex<BTreeMap<u8, Vec<Bytes>>>> = Arc::default();
        for asking in [6, 7] {
            let (answers, runtime) = (answers.clone(), nodes.world.runtime());
            let asker = nodes
                .world
                .node(signer(asking), 100 + u64::from(asking), move |_, host| async move {
                    let validators: Vec<_> = [1, 2, 3, 4].map(|n| key(n).public_key()).into();
                    let chain = genesis().chain_id;
                    let mut exchange = host.exchange(chain, validators.clone(), vec![]).await.unwrap();
                    // Links lose messages: whoever asks, asks again.
                    for _ in 0..20 {
                        exchange.send(&validators[0], Bytes::from_static(b"question"));
                        // Nobody but a member is sent anything.
                        exchange.send(&key(7).public_key(), Bytes::from_static(b"question"));
                        runtime.pause(Duration::from_millis(100)).await;
                    }
                    let second = host.exchange(chain, validators.clone(), vec![]).await;
                    assert!(second.is_err(), "one at a time");
                    while let Some((from, answer)) = exchange.receive().await {
                        assert_eq!(from, validators[0]);
                        answers.lock().unwrap().entry(asking).or_default().push(answer);
                        if answers.lock().unwrap()[&asking].len() > 5 {
                            break;
                        }
                    }
                    drop(exchange);
                    host.exchange(chain, validators, vec![])
                        .await
                        .expect("once it was dropped");
                    futures::future::pending::<()>().await;
                });
            nodes.tasks.insert(asking, asker.await.unwrap());
        }
        nodes.reach(&[1, 2, 3, 4], 100).await;
        let answers = answers.lock().unwrap();
        assert!(answers[&6].len() > 5, "a member was not answered");
        assert!(answers[&6].iter().all(|answer| &answer[..] == b"answer to question"));
        assert!(!answers.contains_key(&7), "a stranger was answered");
        let disk = nodes.disks[&1].lock().unwrap();
        assert!(disk.asked.iter().all(|(from, _)| *from == key(6).public_key()));
    });
}

/// On the network and no member: whatever it says, on no channel does it hear anything, and nobody takes it for a fault.
#[test]
fn a_stranger_hears_nothing_on_any_channel() {
    simulated::run(1, None, Duration::from_secs(120), |world| async move {
        let mut nodes = Nodes::new(world, &[1, 2, 3, 4, 6, 7]).await;
        for number in 1..=4 {
            nodes.up(number).await;
        }
        nodes.reach(&[1, 2, 3, 4], 3).await;
        let strange: Arc<Mutex<[u64; simulated::CHANNELS]>> = Arc::default();
        let member: Arc<Mutex<[u64; simulated::CHANNELS]>> = Arc::default();
        for (number, heard) in [(7, strange.clone()), (6, member.clone())] {
            // The first byte is the epoch on the channels that have one.
            let words = [&b"\x00"[..], b"\x00\x01\x02\x03", &[0; 64], b"question"].map(Bytes::from_static);
            let words = if number == 7 { words.to_vec() } else { vec![] };
            let knocking = nodes.world.node(
                signer(number),
                100 + u64::from(number),
                move |context, host| async move {
                    host.knock(&context, genesis().chain_id, words, heard).await;
                    futures::future::pending::<()>().await;
                },
            );
            nodes.tasks.insert(number, knocking.await.unwrap());
        }
        nodes.reach(&[1, 2, 3, 4], 60).await;
        let (one, stranger) = (nodes.handles.lock().unwrap()[&1].clone(), key(7).public_key());
        one.broadcast(Bytes::from_static(b"to members"));
        nodes.reach(&[1, 2, 3, 4], 80).await;
        assert_eq!(*strange.lock().unwrap(), [0; simulated::CHANNELS]);
        // The same listener hears a chain that it is a member of: the silence above means something.
        assert!(member.lock().unwrap().iter().filter(|count| **count > 0).count() >= 3);
        assert!(!one.connected().contains(&stranger));
        for number in 1..=4 {
            let disk = nodes.disks[&number].lock().unwrap();
            assert!(disk.asked.is_empty() && disk.received.iter().all(|(from, _)| *from != stranger));
        }
        nodes.agree();
    });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(scenario(3), scenario(3));
}
