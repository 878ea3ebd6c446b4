mod packs;

use super::*;
use crate::testing::*;
use futures::StreamExt;
use std::{slice::from_ref, sync::Arc};
use yulian_api::{Code, limits::PAGE_ITEMS_MAX};
use yulian_crypto::{
    merkle,
    sm2::{FastVerifier, Signer, Verifier},
    sm3,
};
use yulian_light::{Outcome, Subject, Trust, verify_pack};
use yulian_state::{Path, value_hash};
use yulian_types::{
    BlockLimits, FinalityProof, SealedBlock, SealedTransaction, StateKey, account_id, block_digest, decode_header,
    proto, state_keys::EVIDENCE_ID, tags,
};

type TestService = NodeService<TestRuntime, yulian_store::LogKv<yulian_store::MemoryLog>>;
type TestChain = ChainApi<TestRuntime, yulian_store::LogKv<yulian_store::MemoryLog>>;

const SECOND: Duration = Duration::from_secs(1);
const WAIT: Option<Duration> = Some(Duration::from_secs(5));

fn service(cluster: &Cluster, at: usize) -> TestService {
    let identity = Identity {
        name: format!("node-{at}"),
        cloud: format!("cloud-{at}"),
        organisation: "zz-data".into(),
        address: "127.0.0.1:20000".into(),
        public_key: validator_key(at as u8).public_key(),
    };
    NodeService::new(cluster.runtime.clone(), identity, vec![cluster.node(at)])
}

fn api(cluster: &Cluster) -> TestChain {
    service(cluster, 0).chain(&ChainRef::Default).unwrap()
}

/// One node, blocks of that many deposits each, and a closing block.
async fn chain_of(runtime: &TestRuntime, blocks: &[u32]) -> (Cluster, TestChain) {
    let genesis = genesis("test", 4, 16);
    let cluster = Cluster::start(runtime, 1, genesis.clone()).await;
    let api = api(&cluster);
    let mut next = 0;
    for count in blocks {
        let numbers = next..next + count;
        next += count;
        let list: Vec<_> = numbers.map(|n| deposit(&genesis, (n % 3) as u8, n)).collect();
        for answer in api.submit(bytes(&list), None).await {
            assert!(matches!(answer, Submitted::Queued(_)), "{answer:?}");
        }
        cluster.step(0, SECOND).await.unwrap();
    }
    cluster.step(0, SECOND).await.unwrap();
    (cluster, api)
}

fn bytes(list: &[Arc<SealedTransaction>]) -> Vec<Bytes> {
    list.iter().map(|t| t.bytes.clone()).collect()
}

fn page(limit: usize, cursor: Option<String>) -> PageRequest {
    PageRequest { cursor, limit }
}

fn refusal(answer: &Submitted) -> &str {
    match answer {
        Submitted::Refused { error, .. } => error.code(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn submit_and_wait_gives_the_final_result_or_the_modules_own_error() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 16);
        let cluster = Cluster::start(&runtime, 2, genesis.clone()).await;
        let api = api(&cluster);
        let (first, again) = (
            deposit(&genesis, 0, 1),
            deposit_until(&genesis, 0, 1, START_MS + 200_000),
        );
        assert_ne!(first.id, again.id);
        let (answers, ()) = futures::join!(api.submit(bytes(&[first.clone(), again]), WAIT), async {
            runtime.pause(Duration::from_millis(10)).await;
            cluster.step(1, SECOND).await.unwrap();
        });
        let [Submitted::Final(done), Submitted::Final(failed)] = &answers[..] else {
            panic!("{answers:?}");
        };
        assert!(done.result.success);
        assert_eq!((done.block.height, done.id), (1, first.id.into()));
        assert!(!failed.result.success);
        assert_eq!(failed.result.code, "evidence.already_deposited");
        assert!(failed.result.message.is_some());
        // The same again, at once: it is on the chain already, and so is its result.
        let answer = api.submit(bytes(&[first]), None).await.remove(0);
        assert!(matches!(answer, Submitted::Final(again) if again == *done));
    });
}

#[test]
fn a_wait_that_ends_without_a_result_says_so_and_an_expired_one_is_told() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 16);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        let api = api(&cluster);
        let began = cluster.elapsed_ms();
        let answer = api.submit(bytes(&[deposit(&genesis, 0, 1)]), WAIT).await.remove(0);
        assert!(matches!(answer, Submitted::Queued(_)));
        assert_eq!(cluster.elapsed_ms() - began, 5_000);
        assert_eq!(api.node.waiters.count(), 0);
        // Valid for half a second only, while no block is made for one.
        let short = deposit_until(&genesis, 0, 2, runtime.now_ms() + 500);
        let (answers, ()) = futures::join!(api.submit(bytes(&[short]), WAIT), async {
            runtime.pause(SECOND).await;
            cluster.step(0, SECOND).await.unwrap();
        });
        assert_eq!(refusal(&answers[0]), "exec.expired");
    });
}

#[test]
fn bad_submissions_have_codes_and_no_effect() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 16);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        let api = api(&cluster);
        let good = deposit(&genesis, 0, 1);
        let longer = Bytes::from([&good.bytes[..], &[0]].concat());
        let huge = Bytes::from(vec![0; yulian_types::limits::TRANSACTION_BYTES_MAX + 1]);
        let stranger = call(
            &genesis,
            &sender_key(200),
            "evidence",
            "deposit",
            1,
            Bytes::new(),
            START_MS + 1_000,
        );
        let other = deposit(&crate::testing::genesis("other", 4, 16), 0, 1);
        let list = vec![
            good.bytes.slice(1..),
            longer,
            huge,
            stranger.bytes.clone(),
            other.bytes.clone(),
        ];
        let answers = api.submit(list, WAIT).await;
        let codes: Vec<&str> = answers.iter().map(refusal).collect();
        let expected = [
            "malformed_transaction",
            "malformed_transaction",
            "transaction_too_large",
            "exec.unknown_sender",
            "exec.wrong_chain",
        ];
        assert_eq!(codes, expected);
        assert_eq!(api.node.pool.lock().counts().transactions, 0);
    });
}

/// What a client checks for itself, with nothing but the genesis: that headers lead to a quorum's signatures.
fn assert_final(cluster: &Cluster, view: &FinalityView) {
    let headers: Vec<_> = view.headers.iter().map(|hex| decode_header(&hex.0).unwrap()).collect();
    assert_eq!(headers[0].height, view.height);
    for (pair, bytes) in headers.windows(2).zip(&view.headers) {
        assert_eq!(pair[1].parent[..], block_digest(&bytes.0).0);
    }
    let set = &cluster.genesis.validators;
    let proof = FinalityProof::decode(&view.proof.bytes.0, set.len()).unwrap();
    assert_eq!(proof.digest, block_digest(&view.headers.last().unwrap().0));
    proof
        .verify(&cluster.genesis.chain_id, set, &FastVerifier::default())
        .unwrap();
}

#[test]
fn transactions_receipts_and_their_proofs_hold() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[7]).await;
        let transaction = deposit(&cluster.genesis, 2, 5);
        let view = api.transaction(transaction.id).await.unwrap();
        assert_eq!(view.state, TransactionState::Final);
        assert_eq!(
            (view.block.unwrap().height, view.bytes.0.clone()),
            (1, transaction.bytes.clone())
        );
        assert!(view.result.unwrap().success);
        let proof = api.transaction_proof(transaction.id).await.unwrap();
        assert_final(&cluster, &proof.finality);
        let header = decode_header(&proof.finality.headers[0].0).unwrap();
        let child = decode_header(&proof.finality.headers[1].0).unwrap();
        let sealed = SealedTransaction::decode(proof.transaction.0.clone()).unwrap();
        let root = |bytes: &[u8]| Digest::from_slice(bytes).unwrap();
        assert!(merkle::Proof::from(&proof.inclusion).verify(&root(&header.transaction_root), &sealed.leaf));
        let receipt = proof.receipt.unwrap();
        let leaf = merkle::leaf(&receipt.bytes.0);
        assert!(merkle::Proof::from(&receipt.inclusion).verify(&root(&child.parent_receipt_root), &leaf));
        assert_eq!(api.receipt(transaction.id).await.unwrap().bytes, receipt.bytes);
        assert_eq!(
            api.transaction(Digest([9; 32])).await.unwrap_err(),
            Code::UnknownTransaction.into()
        );
        // A transaction that waits is shown as such, and nothing of it can be proven.
        let waiting = deposit(&cluster.genesis, 0, 99);
        api.submit(bytes(from_ref(&waiting)), None).await;
        assert_eq!(
            api.transaction(waiting.id).await.unwrap().state,
            TransactionState::Queued
        );
        assert_eq!(
            api.transaction_proof(waiting.id).await.unwrap_err(),
            Code::NotFinal.into()
        );
    });
}

#[test]
fn blocks_and_headers_are_found_by_every_name() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[2, 2]).await;
        let latest = api.block(BlockRef::Latest).await.unwrap();
        assert_eq!((latest.header.height, latest.transactions.len()), (3, 0));
        let block = api.block(BlockRef::Height(2)).await.unwrap();
        assert_eq!(block.transactions.len(), 2);
        assert!(block.transactions.iter().all(|t| t.result.as_ref().unwrap().success));
        assert_eq!(api.block(BlockRef::Digest(block.header.digest.0)).await.unwrap(), block);
        let raw = api.block_bytes(BlockRef::Height(2)).await.unwrap();
        assert_eq!(
            SealedBlock::decode(raw, &BlockLimits::default()).unwrap().digest,
            block.header.digest.0
        );
        assert_eq!(
            api.header(BlockRef::Height(0)).await.unwrap().digest.0,
            cluster.genesis.block().digest
        );
        assert_eq!(api.headers(1, 2).await.unwrap().len(), 2);
        assert_eq!(api.headers(9, 2).await.unwrap(), []);
        for unknown in [BlockRef::Height(4), BlockRef::Digest(Digest([1; 32]))] {
            assert_eq!(api.block(unknown).await.unwrap_err(), Code::UnknownBlock.into());
        }
        assert_final(&cluster, &api.finality(1).await.unwrap());
        assert_eq!(api.finality(4).await.unwrap_err(), Code::UnknownBlock.into());
        assert_eq!(api.genesis().await.unwrap(), cluster.genesis.bytes);
    });
}

#[test]
fn state_values_and_absences_are_proven_against_a_final_header() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[5, 4]).await;
        let key = |number| StateKey::evidence(&evidence_digest(number), "zz-data").key;
        for (number, module, height, present) in [
            (3, "evidence", None, true),
            (8, "3", None, true),
            (100, "evidence", None, false),
            (8, "evidence", Some(1), false),
            (3, "evidence", Some(1), true),
        ] {
            let view = api.state(module, key(number), height).await.unwrap();
            assert_eq!(view.height, height.unwrap_or(2));
            assert_eq!((view.module_id, view.module.as_str()), (EVIDENCE_ID, "evidence"));
            assert_final(&cluster, &view.finality);
            let header = decode_header(&view.finality.headers[0].0).unwrap();
            assert_eq!(header.parent_state_root[..], view.state_root.0.0);
            let proof = yulian_state::Proof::from_bytes(&view.proof.0).unwrap();
            let found = proof
                .verify(&view.state_root.0, &Path::of(EVIDENCE_ID, &key(number)))
                .unwrap();
            assert_eq!(found, view.value.as_ref().map(|value| value_hash(&value.0)));
            assert_eq!(view.value.is_some(), present, "deposit {number} after block {height:?}");
        }
        assert_eq!(
            api.state("evidence", key(1), Some(3)).await.unwrap_err(),
            Code::NotProvable.into()
        );
        assert_eq!(
            api.state("evidence", key(1), Some(4)).await.unwrap_err(),
            Code::UnknownBlock.into()
        );
        assert_eq!(
            api.state("nonsense", key(1), None).await.unwrap_err(),
            Code::UnknownModule.into()
        );
    });
}

#[test]
fn several_values_come_from_one_state_as_each_would_alone() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[5, 4]).await;
        let key = |number| StateKey::evidence(&evidence_digest(number), "zz-data").key;
        let numbers = [8, 100, 3];
        for height in [None, Some(1)] {
            let keys = numbers.map(key).to_vec();
            let all = api.states("evidence", keys, height).await.unwrap();
            assert_final(&cluster, &all.finality);
            assert_eq!((all.height, all.items.len()), (height.unwrap_or(2), 3));
            for (number, item) in numbers.iter().zip(&all.items) {
                let alone = api.state("evidence", key(*number), height).await.unwrap();
                assert_eq!((&item.value, item.value_hash), (&alone.value, alone.value_hash));
                assert_eq!((&item.proof, all.state_root), (&alone.proof, alone.state_root));
                assert_eq!(all.finality, alone.finality);
            }
        }
        let refused = api.states("evidence", vec![key(1)], Some(3)).await;
        assert_eq!(refused.unwrap_err(), Code::NotProvable.into());
    });
}

#[test]
fn former_heights_are_proven_from_records_and_older_ones_are_refused() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, 16);
        let options = crate::ChainOptions {
            history_heights: 8,
            ..Default::default()
        };
        let cluster = Cluster::start_with(&runtime, 1, genesis.clone(), options).await;
        let api = api(&cluster);
        let key = |number| StateKey::evidence(&evidence_digest(number), "zz-data").key;
        let prove = async |number, height| api.state("evidence", key(number), Some(height)).await;
        for height in 1..=63u32 {
            let list = match height {
                50 => vec![revoke(&genesis, 0, 3)],
                _ => vec![deposit(&genesis, 0, height)],
            };
            api.submit(bytes(&list), None).await;
            cluster.step(0, SECOND).await.unwrap();
        }
        for (number, height, present, held) in [
            (2, 1, false, false),
            (2, 2, true, true),
            (3, 10, true, false),
            (3, 55, true, true),
            (200, 20, false, false),
        ] {
            let view = prove(number, height).await.unwrap();
            assert_eq!(view.height, height);
            assert_final(&cluster, &view.finality);
            let header = decode_header(&view.finality.headers[0].0).unwrap();
            assert_eq!(header.parent_state_root[..], view.state_root.0.0);
            let proof = yulian_state::Proof::from_bytes(&view.proof.0).unwrap();
            let path = Path::of(EVIDENCE_ID, &key(number));
            let found = proof.verify(&view.state_root.0, &path).unwrap();
            assert_eq!(found, view.value_hash.map(|hash| hash.0));
            assert_eq!(
                (found.is_some(), view.value.is_some()),
                (present, held),
                "{number} at {height}"
            );
            assert!(view.value.is_none_or(|value| Some(value_hash(&value.0)) == found));
        }
        for height in 64..=140u32 {
            api.submit(bytes(&[deposit(&genesis, 1, height)]), None).await;
            cluster.step(0, SECOND).await.unwrap();
        }
        assert!(prove(2, 63).await.is_ok());
        let refused = prove(2, 62).await.unwrap_err();
        assert_eq!(refused.code(), Code::Pruned.entry().code);
        assert!(
            refused.texts().message_en.contains(" 63,"),
            "{}",
            refused.texts().message_en
        );
    });
}

#[test]
fn evidence_is_found_by_digest_depositor_and_time() {
    simulate(async |runtime| {
        let (_cluster, api) = chain_of(&runtime, &[6, 6]).await;
        let found = api
            .evidence(EvidenceFilter::Digest(evidence_digest(4)), page(10, None))
            .await
            .unwrap();
        assert_eq!(found.items.len(), 1);
        assert_eq!(
            (found.items[0].digest.0, found.items[0].height),
            (evidence_digest(4), 1)
        );
        let none = api
            .evidence(EvidenceFilter::Digest(evidence_digest(99)), page(10, None))
            .await
            .unwrap();
        assert_eq!((none.items.len(), none.next), (0, None));
        let account = account_id(&writer_key(1).public_key());
        let mut digests = Vec::new();
        let mut cursor = None;
        loop {
            let part = api
                .evidence(EvidenceFilter::Depositor(account), page(3, cursor))
                .await
                .unwrap();
            digests.extend(part.items.iter().map(|view| view.digest.0));
            cursor = part.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(digests, [10, 7, 4, 1].map(evidence_digest));
        let time = api.header(BlockRef::Height(2)).await.unwrap().time_ms;
        let filter = EvidenceFilter::Time {
            from_ms: time,
            to_ms: time + 1,
        };
        let first = api.evidence(filter, page(4, None)).await.unwrap();
        let rest = api.evidence(filter, page(4, first.next.clone())).await.unwrap();
        let both = first.items.iter().chain(&rest.items);
        let mut digests: Vec<_> = both.map(|view| view.digest.0).collect();
        let mut expected: Vec<_> = (6..12).map(evidence_digest).collect();
        // Within a block the senders take turns.
        digests.sort();
        expected.sort();
        assert_eq!(digests, expected);
        assert_eq!(rest.next, None);
        let bad = api
            .evidence(filter, page(4, Some("nonsense".into())))
            .await
            .unwrap_err();
        assert_eq!(bad, Code::BadCursor.into());
        let before = EvidenceFilter::Time { from_ms: 0, to_ms: 1 };
        assert_eq!(api.evidence(before, page(4, None)).await.unwrap().items, []);
    });
}

/// The file whose digest is [`evidence_digest`].
fn file(number: u32) -> Subject {
    Subject::file(&[&b"evidence"[..], &number.to_be_bytes()].concat())
}

#[test]
fn a_pack_verifies_offline_and_shows_the_newest_provable_status() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[6]).await;
        let pack = api.evidence_pack(evidence_digest(4), None).await.unwrap();
        assert!(pack.len() < 16 * 1024, "{} bytes", pack.len());
        let trust = Trust::chains([cluster.genesis.chain_id]);
        let verifier = FastVerifier::default();
        let outcome = verify_pack(&pack, Some(&file(4)), &trust, &verifier).unwrap();
        assert!(matches!(outcome, Outcome::Proven(_)));
        assert!(verify_pack(&pack, Some(&file(5)), &trust, &verifier).is_err());
        // Revoked later: the pack of the same deposit says so.
        let revoke = revoke(&cluster.genesis, 1, 4);
        api.submit(bytes(&[revoke]), None).await;
        cluster.step(0, SECOND).await.unwrap();
        cluster.step(0, SECOND).await.unwrap();
        let later = api.evidence_pack(evidence_digest(4), Some("zz-data")).await.unwrap();
        let Outcome::Proven(report) = verify_pack(&later, None, &trust, &verifier).unwrap() else {
            panic!("not proven");
        };
        assert!(
            matches!(report.status, yulian_light::Status::Revoked { .. }),
            "{report:?}"
        );
        assert_eq!(
            api.evidence_pack(Digest([1; 32]), None).await.unwrap_err(),
            Code::UnknownEvidence.into()
        );
        // Before its block has a final child, nothing can be proven.
        api.submit(bytes(&[deposit(&cluster.genesis, 0, 50)]), None).await;
        cluster.step(0, SECOND).await.unwrap();
        assert_eq!(
            api.evidence_pack(evidence_digest(50), None).await.unwrap_err(),
            Code::NotProvable.into()
        );
    });
}

#[test]
fn a_stream_gives_every_height_once_from_the_store_and_then_live() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[1; 30]).await;
        let mut stream = api.stream(0, StreamDetail::Raw).await.unwrap();
        assert_eq!(api.node.metrics().streams.get(), 1);
        for height in 0..=31 {
            let block = stream.next().await.unwrap().unwrap();
            assert_eq!(block.header.height, height);
            assert_eq!(block.transaction_count, u64::from((1..=30).contains(&height)));
            assert_eq!(block.receipts.unwrap().len() as u64, block.transaction_count);
        }
        let early = tokio::time::timeout(SECOND, stream.next()).await;
        assert!(early.is_err(), "it waits at the tip");
        api.submit(bytes(&[deposit(&cluster.genesis, 0, 77)]), None).await;
        let (next, _) = futures::join!(stream.next(), cluster.step(0, SECOND));
        assert_eq!(next.unwrap().unwrap().header.height, 32);
        drop(stream);
        assert_eq!(api.node.metrics().streams.get(), 0);
        let header = api
            .stream(32, StreamDetail::Header)
            .await
            .unwrap()
            .next()
            .await
            .unwrap()
            .unwrap();
        assert_eq!((header.transactions, header.bytes), (None, None));
    });
}

#[test]
fn members_nodes_rules_and_history_are_listed_page_by_page() {
    simulate(async |runtime| {
        let genesis = genesis("test", 7, 8);
        let cluster = Cluster::start(&runtime, 1, genesis.clone()).await;
        let api = api(&cluster);
        cluster.step(0, SECOND).await.unwrap();
        api.submit(
            bytes(&[propose_removal(&genesis, &validator_key(6).public_key())]),
            None,
        )
        .await;
        cluster.step(0, SECOND).await.unwrap();
        let proposal = api.proposals(page(10, None)).await.unwrap().items.remove(0);
        assert_eq!((proposal.id, proposal.status), (1, ProposalStatus::Open));
        assert_eq!(api.proposal(1).await.unwrap(), proposal);
        assert_eq!(api.proposal(2).await.unwrap_err(), Code::UnknownProposal.into());
        api.submit(bytes(&[vote(&genesis, 1)]), None).await;
        cluster.step(0, SECOND).await.unwrap();
        let pending = api.validators().await.unwrap();
        assert_eq!(
            (pending.current.validators.len(), pending.next.unwrap().validators.len()),
            (7, 6)
        );
        while cluster.last().height() < 8 {
            cluster.step(0, SECOND).await.unwrap();
        }
        let now = api.validators().await.unwrap();
        assert_eq!(
            (now.epoch, now.since_height, now.current.validators.len(), now.next),
            (1, 8, 6, None)
        );
        let first = api.validator_history(page(1, None)).await.unwrap();
        let second = api.validator_history(page(1, first.next.clone())).await.unwrap();
        assert_eq!(
            (first.items[0].first_height, second.items[0].first_height, second.next),
            (0, 8, None)
        );
        assert_final(&cluster, second.items[0].finality.as_ref().unwrap());

        let mut nodes = Vec::new();
        let mut cursor = None;
        loop {
            let part = api.nodes(page(3, cursor)).await.unwrap();
            nodes.extend(part.items);
            cursor = part.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(nodes.len(), 7);
        assert_eq!(nodes.iter().filter(|node| node.role == NodeRole::Validator).count(), 6);
        assert_eq!(
            api.organisations(page(PAGE_ITEMS_MAX, None)).await.unwrap().items[0].id,
            "zz-data"
        );
        let key = writer_key(0).public_key();
        let account = api.account(AccountRef::Key(key)).await.unwrap();
        assert_eq!(account.id.0, account_id(&key));
        assert_eq!(api.account(AccountRef::Id(account.id.0)).await.unwrap(), account);
        let mut accounts = Vec::new();
        let mut cursor = None;
        loop {
            let part = api.accounts("zz-data", page(2, cursor)).await.unwrap();
            accounts.extend(part.items);
            cursor = part.next;
            if cursor.is_none() {
                break;
            }
        }
        let of_genesis = &cluster.genesis.message.accounts;
        assert_eq!(accounts.len(), of_genesis.len());
        assert!(accounts.is_sorted_by(|a, b| a.id.0.0 < b.id.0.0));
        assert!(accounts.contains(&account));
        let unknown = api.accounts("zz", page(2, None)).await.unwrap_err();
        assert_eq!(unknown, Code::OrganisationNotFound.into());
        let nobody = AccountRef::Key(sender_key(200).public_key());
        assert_eq!(api.account(nobody).await.unwrap_err(), Code::AccountNotFound.into());
        let info = api.info().await.unwrap();
        assert_eq!(
            (info.epoch_length, info.parameters.len(), info.protocols.len()),
            (8, 7, 1)
        );
    });
}

#[test]
fn status_readiness_metrics_and_the_candidate_are_of_this_node() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[3]).await;
        let service = service(&cluster, 0);
        let status = service.status().await.unwrap();
        let chain = &status.chains[0];
        assert_eq!(
            (status.name.as_str(), chain.height, chain.ready, chain.validating),
            ("node-0", 2, true, true)
        );
        assert_eq!(chain.state_root.0, cluster.node(0).ledger().tip().state_root);
        assert!(service.readiness().await.ready && service.health().await.healthy);
        let metrics = service.metrics().await.unwrap();
        assert!(metrics.contains("yulian_final_height{chain=\"test\"} 2\n"));
        assert!(metrics.contains("yulian_transactions_final_total{chain=\"test\"} 3\n"));
        assert_ne!(service.request_id(), service.request_id());
        let by_name = service.chain(&ChainRef::Name("test".into())).unwrap();
        assert_eq!(by_name.status().unwrap(), *chain);
        assert!(service.chain(&ChainRef::Name("other".into())).is_none());
        assert!(service.chain(&ChainRef::Id(cluster.genesis.chain_id)).is_some());

        let view = api.candidate().await.unwrap();
        let proof: proto::CandidateProof = prost::Message::decode(view.candidate_proof.0.clone()).unwrap();
        let parts: [&[u8]; 3] = [&cluster.genesis.chain_id.0, &proof.height.to_be_bytes(), &proof.digest];
        let message = sm3::tagged(&tags::CANDIDATE, &parts);
        let signature = yulian_crypto::sm2::Signature::from_bytes(&proof.signature).unwrap();
        assert!(FastVerifier::default().verify(&validator_key(0).public_key(), &message.0, &signature));
    });
}

#[test]
fn a_node_without_enough_others_is_not_ready_and_says_so() {
    simulate(async |runtime| {
        let (cluster, _) = chain_of(&runtime, &[1]).await;
        let service = service(&cluster, 0);
        let leave = |at: u8| cluster.hub.apart.lock().unwrap().insert(validator_key(at).public_key());
        leave(3);
        let of = async || service.readiness().await.chains[0].clone();
        let three = service.status().await.unwrap().chains[0].connected.len();
        assert_eq!((three, of().await.ready), (2, true), "three of four are a quorum");
        leave(2);
        let alone = of().await;
        let reason = alone.reason.unwrap();
        assert!(
            !alone.ready && reason.contains("connected to 1 other validators, at least 2"),
            "{reason}"
        );
        assert_eq!(service.status().await.unwrap().chains[0].reason.as_ref(), Some(&reason));
    });
}

#[test]
fn a_stopped_chain_says_why_and_takes_nothing() {
    simulate(async |runtime| {
        let (cluster, api) = chain_of(&runtime, &[1]).await;
        let transaction = deposit(&cluster.genesis, 0, 9);
        api.submit(bytes(from_ref(&transaction)), None).await;
        let block = cluster.propose(0, &cluster.last(), SECOND).await.unwrap();
        cluster.logs[0].fail_after(0);
        use yulian_engine::{Application, FinalBlock};
        let failed = cluster.node(0).finalized(FinalBlock { block, proof: None }).await;
        assert!(failed.is_err());
        let service = service(&cluster, 0);
        let health = service.health().await;
        assert!(!health.healthy && health.problems[0].contains("disk is full"));
        assert!(!service.readiness().await.ready);
        let answer = api.submit(bytes(&[deposit(&cluster.genesis, 0, 10)]), WAIT).await;
        assert_eq!(refusal(&answer[0]), "disk_full");
        // What is final can still be read.
        assert!(api.block(BlockRef::Latest).await.is_ok());
    });
}
