use super::*;
use crate::{
    admission::Refusal,
    pool::{PoolError, PoolLimits},
    testing::*,
    waiters::Outcome,
};
use std::{slice::from_ref, time::Duration};
use yulian_engine::FinalBlock;
use yulian_exec::codes;
use yulian_types::{SealedTransaction, StateKey};

const SECOND: Duration = Duration::from_secs(1);

fn bytes(list: &[Arc<SealedTransaction>]) -> Vec<Bytes> {
    list.iter().map(|t| t.bytes.clone()).collect()
}

/// Submits and panics unless all are taken.
async fn submit(node: &TestNode, list: &[Arc<SealedTransaction>]) {
    for (_, answer) in node.admission.submit(bytes(list)).await {
        answer.unwrap();
    }
}

async fn refusal(node: &TestNode, bytes: Bytes) -> Refusal {
    node.admission.submit(vec![bytes]).await.remove(0).1.unwrap_err()
}

#[test]
fn a_transaction_sent_to_a_follower_is_final_everywhere_and_its_client_hears_of_it() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 4, genesis.clone()).await;
        let transaction = deposit(&genesis, 0, 7);
        let follower = cluster.node(3);
        let mut waiting = follower.waiters.wait_for(transaction.id).unwrap();
        submit(&follower, from_ref(&transaction)).await;
        let block = cluster.step(0, SECOND).await.unwrap();
        assert_eq!(block.transactions.len(), 1);
        let Some(Outcome::Final {
            height, digest, index, ..
        }) = waiting.outcome().await
        else {
            panic!("no final result");
        };
        assert_eq!((height, digest, index), (1, block.digest, 0));
        cluster.assert_same();
        let key = path_of(&StateKey::evidence(&evidence_digest(7), "zz-data"));
        for at in 0..4 {
            let node = cluster.node(at);
            assert!(node.ledger().value(&key).unwrap().is_some());
            assert_eq!(node.pool.lock().counts().transactions, 0);
        }
    });
}

#[test]
fn an_idle_chain_closes_once_and_then_only_beats() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        // The state of genesis becomes provable by the first block.
        let first = cluster.step(0, SECOND).await.unwrap();
        assert!(first.transactions.is_empty());
        assert_eq!(cluster.propose(0, &first, 10 * SECOND).await.map(|b| b.height()), None);
        submit(&cluster.node(0), &[deposit(&genesis, 0, 1)]).await;
        let began = cluster.elapsed_ms();
        let full = cluster.step(0, SECOND).await.unwrap();
        assert_eq!((full.transactions.len(), cluster.elapsed_ms() - began), (1, 0));
        let closing = cluster.step(0, SECOND).await.unwrap();
        assert!(closing.transactions.is_empty());
        assert_eq!(cluster.elapsed_ms() - began, 150);
        let results = cluster.node(0).latest.borrow().executed.results;
        assert_eq!(
            closing.header.parent_state_root[..],
            results.state_root.0,
            "an empty block changes nothing"
        );
        assert_eq!(
            cluster.propose(0, &closing, 290 * SECOND).await.map(|b| b.height()),
            None
        );
        let beat = cluster.step(0, 20 * SECOND).await.unwrap();
        assert!(beat.transactions.is_empty());
        assert_eq!(beat.header.time_ms - closing.header.time_ms, 300_000);
    });
}

#[test]
fn children_are_built_and_verified_before_their_parents_are_final() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 3, genesis.clone()).await;
        let list: Vec<_> = (0..3).map(|n| deposit(&genesis, 0, n)).collect();
        let mut parent = cluster.last();
        let mut chain = Vec::new();
        for transaction in &list {
            submit(&cluster.node(0), from_ref(transaction)).await;
            parent = cluster.propose(0, &parent, SECOND).await.unwrap();
            assert_eq!(
                parent.transactions.len(),
                1,
                "what stands in an ancestor is not taken again"
            );
            chain.push(parent.clone());
        }
        // Node 1 sees only the last and executes its ancestors; node 2 never verifies and executes at finality.
        assert!(cluster.verify(1, &chain[2]).await);
        for block in &chain {
            cluster.finalize(block, &genesis.validators).await;
        }
        cluster.assert_same();
        assert_eq!(cluster.node(2).ledger().tip().transactions, 3);
    });
}

#[test]
fn a_branch_that_loses_is_forgotten_and_its_transactions_come_again() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 2, genesis.clone()).await;
        let (a, b) = (deposit(&genesis, 0, 1), deposit(&genesis, 1, 2));
        submit(&cluster.node(0), from_ref(&a)).await;
        let root = cluster.last();
        let loser = cluster.propose(0, &root, SECOND).await.unwrap();
        let loser_child = cluster.propose(0, &loser, SECOND).await.unwrap();
        submit(&cluster.node(1), from_ref(&b)).await;
        runtime.pause(Duration::from_millis(50)).await;
        let winner = cluster.propose(1, &root, SECOND).await.unwrap();
        assert!(cluster.verify(0, &winner).await);
        cluster.finalize(&winner, &genesis.validators).await;
        assert!(!cluster.verify(0, &loser).await, "another block is final there");
        // Its parent was overtaken, so no block can be built on it, and it is never valid.
        assert!(cluster.propose(0, &loser, SECOND).await.is_none());
        assert!(
            cluster.verify(1, &winner).await,
            "a final block is valid whenever it is asked for"
        );
        drop(loser_child);
        let next = cluster.step(1, SECOND).await;
        let seen: Vec<_> = [&winner, &next.unwrap()]
            .iter()
            .flat_map(|b| b.transactions.iter().map(|t| t.id))
            .collect();
        for id in [a.id, b.id] {
            assert_eq!(seen.iter().filter(|seen| **seen == id).count(), 1);
        }
    });
}

#[test]
fn blocks_are_delivered_again_without_effect_and_forks_stop_the_node() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        submit(&cluster.node(0), &[deposit(&genesis, 0, 1)]).await;
        let block = cluster.step(0, SECOND).await.unwrap();
        let node = cluster.node(0);
        let tip = node.ledger().tip();
        let again = FinalBlock {
            block: block.clone(),
            proof: None,
        };
        node.finalized(again).await.unwrap();
        assert_eq!(node.ledger().tip(), tip);
        let mut header = block.header.clone();
        header.time_ms += 1;
        let other = FinalBlock {
            block: Arc::new(SealedBlock::build(header, vec![])),
            proof: None,
        };
        let fatal = node.finalized(other).await.unwrap_err();
        assert!(fatal.0.contains("forked"), "{fatal}");
        assert!(node.watch_stopped().borrow().is_some());
    });
}

#[test]
fn a_killed_node_comes_back_to_the_same_state_and_refuses_what_was_final_before() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 8);
        let cluster = Cluster::start(&runtime, 4, genesis.clone()).await;
        let mut sent = Vec::new();
        for round in 0..30u32 {
            let list: Vec<_> = (0..5)
                .map(|n| deposit(&genesis, (n % 4) as u8, round * 5 + n))
                .collect();
            submit(&cluster.node((round % 3) as usize), &list).await;
            sent.extend(list);
            runtime.pause(Duration::from_millis(20)).await;
            cluster.step((round % 3) as usize, SECOND).await.unwrap();
            if round % 7 == 3 {
                cluster.kill(3, u64::from(round));
            }
            if round % 7 == 5 {
                cluster.up(3).await;
                cluster.catch_up(3).await;
                cluster.assert_same();
            }
        }
        let tip = cluster.node(0).ledger().tip();
        assert_eq!(tip.transactions, 150);
        // Everything goes down at once and comes up again.
        for at in 0..4 {
            cluster.kill(at, 99);
        }
        for at in 0..4 {
            let node = cluster.up(at).await;
            assert_eq!(node.ledger().tip(), tip);
            for transaction in sent.iter().step_by(11) {
                let refused = refusal(&node, transaction.bytes.clone()).await;
                assert!(
                    matches!(&refused, Refusal::Invalid(f) if f.code == &codes::REPLAYED),
                    "{refused}"
                );
            }
        }
        submit(&cluster.node(2), &[deposit(&genesis, 0, 1_000)]).await;
        cluster.step(2, SECOND).await.unwrap();
        cluster.assert_same();
        // A proposer that brings a replay is refused by everyone.
        let parent = cluster.last();
        let mut header = cluster.propose(0, &parent, SECOND).await.unwrap().header.clone();
        header.time_ms += 1;
        let bad = cluster.remember(SealedBlock::build(header, vec![sent[0].clone()]));
        assert!(!cluster.verify(1, &bad).await);
    });
}

#[test]
fn a_transaction_with_a_wrong_signature_enters_neither_the_pool_nor_a_block() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 2, genesis.clone()).await;
        let good = deposit(&genesis, 0, 1);
        let other = deposit(&genesis, 0, 2);
        // The signature of another transaction of the same key, in place of its own.
        let forged = yulian_types::encode(&proto::Transaction {
            kind: 1,
            payload: yulian_types::encode(&good.payload),
            signatures: vec![proto::TransactionSignature {
                scheme: 1,
                signer: Bytes::copy_from_slice(good.signers[0].key.as_bytes()),
                signature: Bytes::copy_from_slice(other.signers[0].signature.as_bytes()),
            }],
        });
        assert_eq!(refusal(&cluster.node(0), forged.clone()).await, Refusal::Signature);
        let forged = Arc::new(SealedTransaction::decode(forged).unwrap());
        assert_eq!(forged.id, good.id);
        let parent = cluster.last();
        submit(&cluster.node(0), from_ref(&good)).await;
        let header = cluster.propose(0, &parent, SECOND).await.unwrap().header.clone();
        let bad = cluster.remember(SealedBlock::build(header.clone(), vec![forged]));
        // The node holds the right transaction of this id, verified: that says nothing about these signatures.
        assert!(!cluster.verify(0, &bad).await);
        let fine = cluster.remember(SealedBlock::build(header, vec![good]));
        assert!(cluster.verify(1, &fine).await);
    });
}

#[test]
fn bad_transactions_are_refused_with_their_codes() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        let node = cluster.node(0);
        let stranger = sender_key(200);
        let own = writer_key(0);
        let until = START_MS + 60_000;
        let make = |key, module, method, until| call(&genesis, key, module, method, 1, Bytes::new(), until);
        let other_chain = deposit(&super::super::testing::genesis("other", 4, 64), 0, 1);
        for (transaction, code) in [
            (make(&stranger, "evidence", "deposit", until), &codes::UNKNOWN_SENDER),
            (make(&own, "no-such", "deposit", until), &codes::UNKNOWN_MODULE),
            (make(&own, "evidence", "no-such", until), &codes::UNKNOWN_METHOD),
            (make(&own, "account", "register", until), &codes::ROLE_MISSING),
            (make(&own, "evidence", "deposit", START_MS - 1), &codes::EXPIRED),
            (
                make(&own, "evidence", "deposit", START_MS + 3_600_000),
                &codes::VALID_UNTIL_TOO_FAR,
            ),
            (other_chain, &codes::WRONG_CHAIN),
        ] {
            let refused = refusal(&node, transaction.bytes.clone()).await;
            assert!(
                matches!(&refused, Refusal::Invalid(f) if f.code == code),
                "{refused} instead of {}",
                code.code
            );
        }
        let good = deposit(&genesis, 0, 1);
        for cut in [0, 1, good.bytes.len() - 1] {
            assert!(matches!(
                refusal(&node, good.bytes.slice(..cut)).await,
                Refusal::Form(_)
            ));
        }
        let longer = [&good.bytes[..], &[0]].concat();
        assert!(matches!(refusal(&node, longer.into()).await, Refusal::Form(_)));
        assert_eq!(node.pool.lock().counts().transactions, 0);
        assert_eq!(cluster.step(0, SECOND).await.unwrap().transactions.len(), 0);
    });
}

#[test]
fn a_flooding_sender_meets_its_quota_while_others_go_on() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let options = ChainOptions {
            pool: PoolLimits {
                transactions_max: 60,
                sender_transactions_max: 40,
                ..PoolLimits::default()
            },
            ..ChainOptions::default()
        };
        let cluster = Cluster::start_with(&runtime, 2, genesis.clone(), options).await;
        let node = cluster.node(0);
        let flood: Vec<_> = (0..200).map(|n| deposit(&genesis, 0, n)).collect();
        let answers = node.admission.submit(bytes(&flood)).await;
        let taken = answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        assert_eq!(taken, 40);
        let quota = Refusal::Pool(PoolError::SenderQuota(40));
        assert!(
            answers[40..]
                .iter()
                .all(|(id, answer)| id.is_some() && *answer.as_ref().unwrap_err() == quota)
        );
        let others: Vec<_> = (1..=3u8).flat_map(|w| (0..10).map(move |n| (w, n))).collect();
        let others: Vec<_> = others
            .into_iter()
            .map(|(w, n)| deposit(&genesis, w, 1_000 + u32::from(w) * 100 + n))
            .collect();
        submit(&node, &others).await;
        let block = cluster.step(0, SECOND).await.unwrap();
        let final_ids: Vec<_> = block.transactions.iter().map(|t| t.id).collect();
        assert!(others.iter().all(|t| final_ids.contains(&t.id)));
    });
}

#[test]
fn a_block_from_the_future_is_waited_for_and_never_refused_for_its_time() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 2, genesis.clone()).await;
        let parent = cluster.last();
        submit(&cluster.node(0), &[deposit(&genesis, 0, 1)]).await;
        let block = cluster.propose(0, &parent, SECOND).await.unwrap();
        let mut header = block.header.clone();
        header.time_ms = runtime.now_ms() + 12_000;
        let early = cluster.remember(SealedBlock::build(header, block.transactions.clone()));
        let began = cluster.elapsed_ms();
        assert!(cluster.verify(1, &early).await);
        assert_eq!(
            cluster.elapsed_ms() - began,
            12_000 - 5_000,
            "the drift of the chain's parameters is allowed"
        );
    });
}

#[test]
fn empty_blocks_carry_a_change_of_validators_to_the_end_of_the_epoch() {
    simulate(async |runtime| {
        let genesis = genesis("test", 7, 8);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        let node = cluster.node(0);
        cluster.step(0, SECOND).await.unwrap();
        let removed = validator_key(6).public_key();
        submit(&node, &[propose_removal(&genesis, &removed)]).await;
        cluster.step(0, SECOND).await.unwrap();
        submit(&node, &[vote(&genesis, 1)]).await;
        let began = cluster.elapsed_ms();
        let with_vote = cluster.step(0, SECOND).await.unwrap();
        assert_eq!(with_vote.transactions.len(), 1);
        let executed = node.latest.borrow().executed.clone();
        assert!(
            executed.change_pending(),
            "{:?}",
            proto::Receipt::decode(executed.receipts[0].clone())
        );
        while cluster.last().height() < 8 {
            assert!(cluster.step(0, SECOND).await.unwrap().transactions.is_empty());
        }
        assert_eq!(cluster.elapsed_ms() - began, 0, "no time passes on the way");
        assert_eq!(cluster.round(&cluster.last()).validators.len(), 6);
        assert_eq!(
            cluster
                .propose(0, &cluster.last(), 100 * SECOND)
                .await
                .map(|b| b.height()),
            None
        );
        let config = node.chain_config().unwrap();
        let ranges: Vec<_> = config
            .history
            .iter()
            .map(|r| (r.first_epoch, r.first_height, r.validators.len()))
            .collect();
        assert_eq!(ranges, [(0, 0, 7), (1, 8, 6)]);
        // The history is on disk.
        cluster.kill(0, 1);
        let node = cluster.up(0).await;
        assert_eq!(node.chain_config().unwrap().history.len(), 2);
        assert_eq!(node.ledger().set_at(7).first_height, 0);
        assert_eq!(node.ledger().set_at(8).first_height, 8);
    });
}

#[test]
fn under_load_blocks_grow_instead_of_becoming_many() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        let node = cluster.node(0);
        let list: Vec<_> = (0..300).map(|n| deposit(&genesis, (n % 8) as u8, n)).collect();
        submit(&node, &list[..100]).await;
        assert_eq!(cluster.step(0, SECOND).await.unwrap().transactions.len(), 100);
        let began = cluster.elapsed_ms();
        let (stepped, ()) = futures::join!(cluster.step(0, SECOND), async {
            for part in list[100..].chunks(20) {
                submit(&node, part).await;
                runtime.pause(Duration::from_millis(5)).await;
            }
        });
        assert_eq!(stepped.unwrap().transactions.len(), 200);
        assert_eq!(cluster.elapsed_ms() - began, 70);
    });
}

#[test]
fn a_node_that_lags_far_waits_for_final_blocks_instead_of_executing_all_ancestors() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 512);
        let cluster = Cluster::start(&runtime, 2, genesis.clone()).await;
        cluster.kill(1, 0);
        for n in 0..200 {
            submit(&cluster.node(0), &[deposit(&genesis, 0, n)]).await;
            cluster.step(0, SECOND).await.unwrap();
        }
        cluster.up(1).await;
        submit(&cluster.node(0), &[deposit(&genesis, 0, 900)]).await;
        let block = cluster.propose(0, &cluster.last(), SECOND).await.unwrap();
        let early = tokio::time::timeout(10 * SECOND, cluster.verify(1, &block)).await;
        assert!(early.is_err(), "it cannot know yet");
        let (valid, ()) = futures::join!(cluster.verify(1, &block), cluster.catch_up(1));
        assert!(valid);
        cluster.finalize(&block, &genesis.validators).await;
        cluster.assert_same();
    });
}

#[test]
fn a_full_disk_stops_the_node_and_says_so() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        submit(&cluster.node(0), &[deposit(&genesis, 0, 1)]).await;
        let block = cluster.propose(0, &cluster.last(), SECOND).await.unwrap();
        let proof = None;
        cluster.logs[0].fail_after(0);
        let fatal = cluster
            .node(0)
            .finalized(FinalBlock {
                block: block.clone(),
                proof,
            })
            .await
            .unwrap_err();
        assert!(fatal.0.contains("disk is full"), "{fatal}");
        cluster.kill(0, 5);
        let node = cluster.up(0).await;
        assert_eq!(node.ledger().tip().height, 0);
        cluster.finalize(&block, &genesis.validators).await;
        assert_eq!(node.ledger().tip().height, 1);
    });
}

#[test]
fn a_protocol_version_that_is_not_known_stops_the_node_with_a_message_and_the_ledger_stays() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let cluster = Cluster::start(&runtime, 2, genesis.clone()).await;
        submit(&cluster.node(0), &[propose_protocol(&genesis, 2, 5)]).await;
        cluster.step(0, SECOND).await.unwrap();
        submit(&cluster.node(0), &[vote(&genesis, 1)]).await;
        cluster.step(0, SECOND).await.unwrap();
        // Up to the height before, all goes on.
        for number in 0..2 {
            submit(&cluster.node(0), &[deposit(&genesis, 0, number)]).await;
            cluster.step(0, SECOND).await.unwrap();
        }
        submit(&cluster.node(0), &[deposit(&genesis, 0, 9)]).await;
        let parent = cluster.last();
        assert_eq!(parent.height(), 4);
        assert!(cluster.propose(0, &parent, SECOND).await.is_none());
        let node = cluster.node(0);
        let reason = node.watch_stopped().borrow().clone().unwrap();
        assert!(
            reason.contains("protocol version 2") && reason.contains("height 5"),
            "{reason}"
        );
        assert_eq!(node.stop_cause(), StopCause::Protocol);
        // A block of a newer program is not judged here: no answer is right.
        let mut header = parent.header.clone();
        header.height = 5;
        header.parent = Bytes::copy_from_slice(&parent.digest.0);
        header.time_ms += 1;
        header.protocol_version = 2;
        let newer = cluster.remember(SealedBlock::build(header, vec![]));
        assert!(tokio::time::timeout(SECOND, cluster.verify(1, &newer)).await.is_err());
        let block = newer.clone();
        let fatal = cluster
            .node(1)
            .finalized(FinalBlock { block, proof: None })
            .await
            .unwrap_err();
        assert!(fatal.0.contains("protocol version 2"), "{fatal}");
        assert_eq!(cluster.node(1).ledger().tip().height, 4);
    });
}

#[test]
fn bodies_of_old_blocks_go_while_the_chain_runs() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 64);
        let options = ChainOptions {
            retain_blocks: Some(0),
            ..ChainOptions::default()
        };
        let cluster = Cluster::start_with(&runtime, 1, genesis.clone(), options).await;
        let mut forge = Forge::new(&genesis);
        let node = cluster.node(0);
        let blocks = 1_024 + 256;
        for _ in 0..blocks {
            let Forged { block, proof, .. } = forge.next(1_000, vec![]);
            let proof = Some(proof);
            node.finalized(FinalBlock { block, proof }).await.unwrap();
        }
        runtime.pause(SECOND).await;
        assert_eq!(node.ledger().pruned_below(), blocks - 1_024);
        assert!(node.final_data(1).unwrap().is_none() && node.final_data(blocks).unwrap().is_some());
    });
}
