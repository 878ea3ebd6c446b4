use super::*;
use crate::{
    Identity, NodeService,
    snapshot::message::{items, put_item},
    testing::*,
};
use prost::Message;
use std::{collections::VecDeque, sync::Mutex, time::Duration};
use yulian_api::{ChainRef, ChainService, EvidenceFilter, PageRequest, Service};
use yulian_crypto::sm2::Signer;
use yulian_store::{CHAIN_SPACES, LogKv, MemoryLog};
use yulian_types::{SealedBlock, SealedTransaction, account_id, encode, proto};

const SECOND: Duration = Duration::from_secs(1);
const LENGTH: u64 = 8;
/// The node that joins.
const NEW: usize = 4;

type Store = LogKv<MemoryLog>;
/// What becomes of a member's answer on its way; `None` loses it.
type Change = Box<dyn FnMut(&Request, Answer) -> Option<Answer> + Send>;

async fn submit(node: &TestNode, list: &[Arc<SealedTransaction>]) {
    let bytes = list.iter().map(|t| t.bytes.clone()).collect();
    for (_, answer) in node.admission.submit(bytes).await {
        answer.unwrap();
    }
}

/// A chain over five epochs with deposits in many blocks, and a validator less from the second epoch on.
async fn grown(runtime: &TestRuntime) -> Cluster {
    let genesis = genesis("test", 7, LENGTH);
    let cluster = Cluster::start(runtime, 5, genesis.clone()).await;
    cluster.kill(NEW, 1);
    cluster.step(0, SECOND).await.unwrap();
    let removed = validator_key(6).public_key();
    submit(&cluster.node(0), &[propose_removal(&genesis, &removed)]).await;
    cluster.step(0, SECOND).await.unwrap();
    submit(&cluster.node(0), &[vote(&genesis, 1)]).await;
    cluster.step(0, SECOND).await.unwrap();
    while cluster.last().height() < LENGTH {
        cluster.step(0, SECOND).await.unwrap();
    }
    deposits(&cluster, 0..100, 4 * LENGTH + 3).await;
    cluster
}

/// Blocks with deposits up to a height.
async fn deposits(cluster: &Cluster, numbers: std::ops::Range<u32>, height: u64) {
    for number in numbers {
        if cluster.last().height() >= height {
            return;
        }
        let writer = (number % 5) as u8;
        submit(&cluster.node(0), &[deposit(&cluster.genesis, writer, number)]).await;
        cluster.step((number % 3) as usize, SECOND).await.unwrap();
    }
    panic!("more deposits are needed");
}

fn id(at: usize) -> PublicKey {
    validator_key(at as u8).public_key()
}

/// Members that answer at once; what some of them answer is changed.
struct Desk {
    nodes: BTreeMap<PublicKey, TestNode>,
    changes: BTreeMap<PublicKey, Change>,
    answers: Mutex<VecDeque<(PublicKey, Bytes)>>,
}

impl Desk {
    fn new(cluster: &Cluster, members: &[usize]) -> Self {
        Self {
            nodes: members.iter().map(|at| (id(*at), cluster.node(*at))).collect(),
            changes: BTreeMap::new(),
            answers: Mutex::default(),
        }
    }

    fn changing(mut self, at: usize, change: impl FnMut(&Request, Answer) -> Option<Answer> + Send + 'static) -> Self {
        self.changes.insert(id(at), Box::new(change));
        self
    }
}

impl Members for Desk {
    fn send(&mut self, to: &PublicKey, message: Bytes) {
        let Some((request, number)) = Request::decode(message.clone()) else {
            return;
        };
        let answer = self.nodes[to].snapshot_answer(message).unwrap();
        let (_, answer) = decode_answer(answer).unwrap();
        let answer = match self.changes.get_mut(to) {
            Some(change) => change(&request, answer),
            None => Some(answer),
        };
        if let Some(answer) = answer {
            let answer = request.answer(number, &answer);
            self.answers.lock().unwrap().push_back((*to, answer));
        }
    }

    async fn receive(&mut self) -> Option<(PublicKey, Bytes)> {
        let next = self.answers.lock().unwrap().pop_front();
        match next {
            Some(next) => Some(next),
            None => futures::future::pending().await,
        }
    }
}

async fn store(log: &MemoryLog) -> Store {
    LogKv::open(log.clone(), CHAIN_SPACES).await.unwrap()
}

async fn joined(runtime: &TestRuntime, cluster: &Cluster, log: &MemoryLog, members: Desk) -> Result<Joined, JoinError> {
    let sources = members.nodes.keys().copied().collect();
    join(runtime, &store(log).await, &cluster.genesis, members, sources).await
}

/// What a member's snapshot fails with.
async fn fault(runtime: &TestRuntime, cluster: &Cluster, members: Desk) -> Fault {
    let log = MemoryLog::new();
    let kv = store(&log).await;
    let sources = members.nodes.keys().copied().collect();
    let mut joiner = Joiner::new(runtime, &cluster.genesis, members, sources);
    let Found::Offer(source, offer) = joiner.find().await.unwrap() else {
        panic!("no offer");
    };
    let failure = joiner.bring(&kv, source, &offer).await;
    // Nothing of it counts.
    let ledger = Ledger::open(store(&log).await, cluster.genesis.clone())
        .await
        .unwrap()
        .ledger;
    assert_eq!((ledger.tip().height, ledger.floor()), (0, None));
    match failure {
        Err(Failure::Fault(fault)) => fault,
        Err(Failure::End(error)) => panic!("{error}"),
        Ok(_) => panic!("it was brought in"),
    }
}

/// The new node is a member from now on, and has all that was final before.
async fn comes_up(cluster: &Cluster) -> TestNode {
    let node = cluster.up(NEW).await;
    cluster.catch_up(NEW).await;
    cluster.assert_same();
    node
}

#[test]
fn a_node_joins_and_goes_on_like_all_others() {
    simulate(async |runtime| {
        let mut cluster = grown(&runtime).await;
        let log = MemoryLog::new();
        cluster.logs[NEW] = log.clone();
        // The last block has transactions, so nothing proves yet what they did.
        let last = cluster.last();
        assert!(!last.transactions.is_empty());
        let mut members = Desk::new(&cluster, &[0, 1, 2, 3]);
        members.send(&id(0), Request::Offer.encode(1));
        let (_, answer) = members.receive().await.unwrap();
        assert_eq!(decode_answer(answer), Some((1, Err(Refusal::Later))));
        deposits(&cluster, 100..120, last.height() + 1).await;
        let result = joined(&runtime, &cluster, &log, members).await.unwrap();
        let Joined::Snapshot { height, keys, .. } = result else {
            panic!("{result:?}");
        };
        let there = cluster.node(0);
        assert_eq!(height, last.height());
        assert!(keys > 60);

        let node = comes_up(&cluster).await;
        assert_eq!(node.ledger().floor(), Some(height + 1));
        assert_eq!(node.ledger().sets(), there.ledger().sets());
        assert_eq!(node.ledger().organisations(), there.ledger().organisations());
        assert_eq!(
            node.ledger().depositing_organisations(),
            there.ledger().depositing_organisations()
        );
        for height in 0..=height {
            assert_eq!(
                node.ledger().header(height).unwrap(),
                there.ledger().header(height).unwrap()
            );
            // The window is longer than this chain: all blocks are in it.
            assert_eq!(
                node.ledger().final_block(height).unwrap(),
                there.ledger().final_block(height).unwrap()
            );
            assert_eq!(
                node.ledger().receipts(height).unwrap(),
                there.ledger().receipts(height).unwrap()
            );
        }
        for transaction in &last.transactions {
            assert_eq!(
                node.ledger().position(&transaction.id).unwrap(),
                there.ledger().position(&transaction.id).unwrap()
            );
        }
        let boundary = LENGTH - 1;
        assert_eq!(
            node.ledger().own_proof(boundary).unwrap(),
            there.ledger().own_proof(boundary).unwrap()
        );
        let config = node.chain_config().unwrap();
        assert_eq!(config.floor, Some(height + 1));
        assert_eq!(config.history.len(), 2);
        // It proposes, is agreed with, and agrees.
        deposits(&cluster, 120..140, height + 8).await;
        submit(&node, &[deposit(&cluster.genesis, 0, 150)]).await;
        cluster.step(NEW, SECOND).await.unwrap();
        cluster.assert_same();
        // A start finds the same, and a snapshot is not wanted any more.
        cluster.kill(NEW, 7);
        assert!(!is_wanted(&store(&log).await).unwrap());
        let again = Desk::new(&cluster, &[0]);
        assert_eq!(joined(&runtime, &cluster, &log, again).await.unwrap(), Joined::Already);
        comes_up(&cluster).await;
        // It gives snapshots itself.
        cluster.step(0, SECOND).await.unwrap();
        let other = joined(&runtime, &cluster, &MemoryLog::new(), Desk::new(&cluster, &[NEW])).await;
        assert!(matches!(other.unwrap(), Joined::Snapshot { .. }));
    });
}

#[test]
fn a_joined_node_refuses_what_others_refuse() {
    simulate(async |runtime| {
        let mut cluster = grown(&runtime).await;
        let log = MemoryLog::new();
        cluster.logs[NEW] = log.clone();
        let old: Vec<_> = (0..3)
            .map(|number| deposit(&cluster.genesis, number, number.into()))
            .collect();
        // An empty block closes the chain: it proves what is before it, and no other is needed.
        cluster.step(0, SECOND).await.unwrap();
        joined(&runtime, &cluster, &log, Desk::new(&cluster, &[1]))
            .await
            .unwrap();
        let node = comes_up(&cluster).await;
        submit(&cluster.node(0), &[deposit(&cluster.genesis, 3, 777)]).await;
        let good = cluster.propose(0, &cluster.last(), SECOND).await.unwrap();
        for transaction in old {
            let again = vec![transaction.clone()];
            let bad = cluster.remember(SealedBlock::build(good.header.clone(), again));
            for at in 0..=NEW {
                assert!(!cluster.verify(at, &bad).await, "node {at} takes a transaction again");
            }
            let bytes = vec![transaction.bytes.clone()];
            let refusal = |node: TestNode| async move { format!("{:?}", node.admission.submit(bytes).await[0].1) };
            let (here, there) = (refusal.clone()(node.clone()).await, refusal(cluster.node(2)).await);
            assert_eq!(here, there);
            assert!(here.starts_with("Err"), "{here}");
        }
        for at in 0..=NEW {
            assert!(cluster.verify(at, &good).await);
        }
    });
}

#[test]
fn the_blocks_of_the_window_come_and_older_ones_do_not() {
    simulate(async |runtime| {
        let mut cluster = grown(&runtime).await;
        let log = MemoryLog::new();
        cluster.logs[NEW] = log.clone();
        cluster.step(0, SECOND).await.unwrap();
        let old = cluster.last().height();
        let time = cluster.last().header.time_ms;
        // Two beats of an idle chain: what was before is out of the window of ten minutes, or just in it.
        for _ in 0..3 {
            cluster.step(0, 400 * SECOND).await.unwrap();
        }
        let result = joined(&runtime, &cluster, &log, Desk::new(&cluster, &[2]))
            .await
            .unwrap();
        let Joined::Snapshot { height, .. } = result else {
            panic!("{result:?}");
        };
        assert_eq!(height, old + 2);
        let node = comes_up(&cluster).await;
        let ledger = node.ledger();
        let first = (1..=height)
            .find(|at| ledger.header_message(*at).unwrap().unwrap().time_ms >= time)
            .unwrap();
        assert_eq!(ledger.pruned_below(), first);
        for at in 1..first {
            assert_eq!(ledger.final_block(at).unwrap(), None);
            assert!(ledger.is_pruned(at) && ledger.header(at).unwrap().is_some());
        }
        // What is not in the window has expired: no node takes it, for that reason.
        let expired = deposit_until(&cluster.genesis, 0, 0, START_MS + 300_000);
        for at in [0, NEW] {
            let answer = cluster.node(at).admission.submit(vec![expired.bytes.clone()]).await;
            assert!(answer[0].1.is_err());
        }
        tells_what_it_does_not_have(&cluster, node).await;
    });
}

/// Look-ups of a node that joined begin there. It says so, and never shows a part as if it were all.
async fn tells_what_it_does_not_have(cluster: &Cluster, node: TestNode) {
    let identity = Identity {
        name: "new".into(),
        cloud: "cloud".into(),
        organisation: "zz-data".into(),
        address: "127.0.0.1:1".into(),
        public_key: id(NEW),
    };
    let service = NodeService::new(cluster.runtime.clone(), identity, vec![node.clone()]);
    let api = service.chain(&ChainRef::Default).unwrap();
    let page = |cursor| PageRequest { cursor, limit: 5 };
    // What the state holds is there, whenever it was written.
    let old = evidence_digest(3);
    let found = api.evidence(EvidenceFilter::Digest(old), page(None)).await.unwrap();
    assert_eq!(found.items.len(), 1);
    assert_eq!(api.evidence_pack(old, None).await.unwrap_err().code(), "pruned");
    let unknown = api.transaction(deposit(&cluster.genesis, 3, 3).id).await.unwrap_err();
    assert_eq!(unknown.code(), "unknown_transaction");
    let ever = EvidenceFilter::Time {
        from_ms: 0,
        to_ms: u64::MAX,
    };
    assert_eq!(api.evidence(ever, page(None)).await.unwrap_err().code(), "pruned");
    let depositor = EvidenceFilter::Depositor(account_id(&writer_key(3).public_key()));
    assert_eq!(api.evidence(depositor, page(None)).await.unwrap_err().code(), "pruned");
    let until = cluster.last().header.time_ms + 300_000;
    let new = deposit_until(&cluster.genesis, 3, 9_999, until);
    submit(&cluster.node(0), &[new]).await;
    let block = cluster.step(0, SECOND).await.unwrap();
    let list = api.evidence(depositor, page(None)).await.unwrap();
    assert_eq!((list.items.len(), list.items[0].height), (1, block.height()));
    assert_eq!(
        api.evidence(depositor, page(list.next)).await.unwrap_err().code(),
        "pruned"
    );
    let since = EvidenceFilter::Time {
        from_ms: block.header.time_ms,
        to_ms: u64::MAX,
    };
    assert_eq!(api.evidence(since, page(None)).await.unwrap().items.len(), 1);
}

fn flipped(body: Bytes, at: usize) -> Bytes {
    let mut bytes = body.to_vec();
    let at = at % bytes.len();
    bytes[at] ^= 0x40;
    bytes.into()
}

/// The list of a body with one item changed.
fn with_item(body: Bytes, at: usize, change: impl Fn(Bytes) -> Option<Bytes>) -> Bytes {
    let mut out = BytesMut::new();
    for (index, item) in items(body).unwrap().into_iter().enumerate() {
        let item = if index == at { change(item) } else { Some(item) };
        item.iter().for_each(|item| put_item(&mut out, item));
    }
    out.freeze()
}

/// Changes the body of the answers to one kind of request.
fn change(
    kind: fn(&Request) -> bool,
    by: impl Fn(Bytes) -> Bytes + Send + 'static,
) -> impl FnMut(&Request, Answer) -> Option<Answer> + Send {
    move |request, answer| Some(if kind(request) { answer.map(&by) } else { answer })
}

const OFFER: fn(&Request) -> bool = |request| matches!(request, Request::Offer);
const SETS: fn(&Request) -> bool = |request| matches!(request, Request::Sets { .. });
const HEADERS: fn(&Request) -> bool = |request| matches!(request, Request::Headers { .. });
const STATE: fn(&Request) -> bool = |request| matches!(request, Request::State { .. });
const BLOCKS: fn(&Request) -> bool = |request| matches!(request, Request::Blocks { .. });

fn offer(change: impl Fn(&mut Offer) + Send + 'static) -> impl Fn(Bytes) -> Bytes + Send {
    move |body| {
        let mut offer = Offer::decode(body).unwrap();
        change(&mut offer);
        offer.encode()
    }
}

/// The offer of a state before the change of the set, with that change.
fn old_offer(cluster: &Cluster) -> impl Fn(Bytes) -> Bytes + Send + use<> {
    let height = LENGTH - 3;
    let ledger = cluster.node(0).ledger().clone();
    let header = ledger.header(height + 1).unwrap().unwrap();
    let proof = ledger.own_proof(height + 1).unwrap().unwrap();
    offer(move |offer| {
        (offer.height, offer.header, offer.proof) = (height, header.clone(), proof.clone());
    })
}

/// A link on which each answer takes longer than a request waits.
struct Slow {
    desk: Desk,
    runtime: TestRuntime,
    free_ms: u64,
}

impl Slow {
    const ANSWER_TAKES_MS: u64 = ANSWER_MS + 1_000;
}

impl Members for Slow {
    fn send(&mut self, to: &PublicKey, message: Bytes) {
        self.desk.send(to, message);
    }

    async fn receive(&mut self) -> Option<(PublicKey, Bytes)> {
        if self.desk.answers.lock().unwrap().is_empty() {
            return futures::future::pending().await;
        }
        if self.free_ms == 0 {
            self.free_ms = self.runtime.now_ms() + Self::ANSWER_TAKES_MS;
        }
        let rest = self.free_ms.saturating_sub(self.runtime.now_ms());
        self.runtime.pause(Duration::from_millis(rest)).await;
        self.free_ms = 0;
        self.desk.receive().await
    }
}

#[test]
fn a_slow_link_brings_a_snapshot_too() {
    simulate(async |runtime| {
        let cluster = grown(&runtime).await;
        cluster.step(0, SECOND).await.unwrap();
        let desk = Desk::new(&cluster, &[0]);
        let kv = store(&MemoryLog::new()).await;
        let mut joiner = Joiner::new(&runtime, &cluster.genesis, desk, vec![id(0)]);
        let Found::Offer(source, offer) = joiner.find().await.unwrap() else {
            panic!("no offer");
        };
        let desk = Desk::new(&cluster, &[0]);
        let slow = Slow {
            desk,
            runtime: runtime.clone(),
            free_ms: 0,
        };
        let mut joiner = Joiner::new(&runtime, &cluster.genesis, slow, vec![id(0)]);
        let keys = joiner.bring(&kv, source, &offer).await;
        assert!(keys.is_ok_and(|keys| keys > 60));
        assert!(joiner.late > 0, "nothing was late");
    });
}

#[test]
fn every_lie_is_found_and_another_member_is_asked() {
    simulate(async |runtime| {
        let cluster = grown(&runtime).await;
        cluster.step(0, SECOND).await.unwrap();
        let record = |item: Bytes| Some(flipped(item, 40));
        let lies: Vec<(&str, Change)> = vec![
            // Another header than the proof's; one that is not the snapshot's; too few signatures.
            (
                "snapshot-header",
                Box::new(change(
                    OFFER,
                    offer(|offer| {
                        let mut header = decode_header(&offer.header).unwrap();
                        header.parent_state_root = Bytes::from(vec![7; 32]);
                        offer.header = encode(&header);
                    }),
                )),
            ),
            (
                "snapshot-form",
                Box::new(change(OFFER, offer(|offer| offer.height += 1))),
            ),
            (
                "snapshot-header",
                Box::new(change(
                    OFFER,
                    offer(|offer| {
                        let mut proof = proto::FinalityProof::decode(offer.proof.clone()).unwrap();
                        proof.signatures.pop();
                        offer.proof = encode(&proof);
                    }),
                )),
            ),
            // The set that was replaced vouches for nothing any more: without the change the header does not hold.
            (
                "snapshot-header",
                Box::new(change(OFFER, offer(|offer| offer.sets = 0))),
            ),
            (
                "snapshot-sets",
                Box::new(change(OFFER, offer(|offer| offer.sets = 5_000))),
            ),
            (
                "snapshot-sets",
                Box::new(change(SETS, |body| {
                    with_item(body, 0, |header| Some(flipped(header, 50)))
                })),
            ),
            (
                "snapshot-sets",
                Box::new(change(SETS, |body| {
                    with_item(body, 1, |proof| Some(flipped(proof, 200)))
                })),
            ),
            (
                "snapshot-sets",
                Box::new(change(SETS, |body| with_item(body, 2, |set| Some(flipped(set, 8))))),
            ),
            (
                "snapshot-form",
                Box::new(change(SETS, |body| with_item(body, 2, |_| None))),
            ),
            ("snapshot-form", Box::new(change(SETS, |_| Bytes::new()))),
            (
                "snapshot-form",
                Box::new(change(SETS, |body| [&body[..], &body[..]].concat().into())),
            ),
            // Headers: one changed, one left out, cut, none, too many.
            (
                "snapshot-ancestor",
                Box::new(change(HEADERS, |body| {
                    with_item(body, 3, |header| Some(flipped(header, 90)))
                })),
            ),
            (
                "snapshot-ancestor",
                Box::new(change(HEADERS, |body| with_item(body, 3, |_| None))),
            ),
            (
                "snapshot-form",
                Box::new(change(HEADERS, |body| body.slice(..body.len() - 1))),
            ),
            ("snapshot-form", Box::new(change(HEADERS, |_| Bytes::new()))),
            (
                "snapshot-form",
                Box::new(change(HEADERS, |body| [&body[..], &[0, 0, 0, 1, 0]].concat().into())),
            ),
            // Fewer than fit: who gives one at a time holds up for ever.
            (
                "snapshot-form",
                Box::new(change(HEADERS, |body| {
                    let mut out = BytesMut::new();
                    put_item(&mut out, &items(body).unwrap()[0]);
                    out.freeze()
                })),
            ),
            ("snapshot-form", Box::new(change(BLOCKS, |body| body.slice(..200)))),
            // An old header, and a set that comes after it.
            ("snapshot-form", Box::new(change(OFFER, old_offer(&cluster)))),
            // A part without keys that is too large still at any depth.
            (
                "snapshot-form",
                Box::new(|request, answer| Some(if STATE(request) { Err(Refusal::TooMuch) } else { answer })),
            ),
            // The state: a value changed, a key left out, one twice, cut, without its proof, of another part.
            (
                "snapshot-part",
                Box::new(change(STATE, move |body| with_item(body, 5, record))),
            ),
            (
                "snapshot-part",
                Box::new(change(STATE, |body| with_item(body, 1, |_| None))),
            ),
            (
                "snapshot-part",
                Box::new(change(STATE, |body| {
                    with_item(body, 1, |item| Some([&item[..], b"x"].concat().into()))
                })),
            ),
            (
                "snapshot-form",
                Box::new(change(STATE, |body| body.slice(..body.len() - 3))),
            ),
            ("snapshot-form", Box::new(change(STATE, |_| Bytes::new()))),
            (
                "snapshot-part",
                Box::new(change(STATE, |body| with_item(body, 0, |_| Some(Bytes::new())))),
            ),
            (
                "snapshot-form",
                Box::new(change(STATE, |body| with_item(body, 2, |item| Some(item.slice(..3))))),
            ),
            // Blocks and receipts: a transaction or a receipt changed, a block for another, more than any block.
            (
                "snapshot-block",
                Box::new(change(BLOCKS, |body| {
                    with_item(body, 38, |block| Some(flipped(block, block_byte())))
                })),
            ),
            (
                "snapshot-other-block",
                Box::new(change(BLOCKS, |body| {
                    let first = items(body.clone()).unwrap().swap_remove(0);
                    with_item(body, 2, move |_| Some(first.clone()))
                })),
            ),
            (
                "snapshot-receipts",
                Box::new(change(BLOCKS, |body| with_item(body, 31, |_| Some(Bytes::new())))),
            ),
            (
                "snapshot-receipts",
                Box::new(change(BLOCKS, |body| {
                    with_item(body, 31, |list| Some(flipped(list, 9)))
                })),
            ),
            (
                "snapshot-form",
                Box::new(change(BLOCKS, |_| Bytes::from_static(&[255; 8]))),
            ),
            ("snapshot-form", Box::new(change(BLOCKS, |_| Bytes::new()))),
            // What is let go of, and what never comes.
            (
                "snapshot-gone",
                Box::new(|request, answer| Some(if STATE(request) { Err(Refusal::Gone) } else { answer })),
            ),
            (
                "snapshot-gone",
                Box::new(|request, answer| Some(if BLOCKS(request) { Err(Refusal::Gone) } else { answer })),
            ),
            (
                "snapshot-silent",
                Box::new(|request, answer| (!STATE(request)).then_some(answer)),
            ),
            (
                "snapshot-silent",
                Box::new(|request, answer| (!HEADERS(request)).then_some(answer)),
            ),
        ];
        for (at, (code, lie)) in lies.into_iter().enumerate() {
            let members = Desk::new(&cluster, &[0]).changing(0, lie);
            let fault = fault(&runtime, &cluster, members).await;
            assert_eq!(fault.code(), code, "lie {at}: {fault}");
        }
        // A member that claims more than all others is asked first; then the others are.
        let high = offer(|offer| offer.height += 100);
        let members = Desk::new(&cluster, &[0, 1, 2]).changing(1, change(OFFER, high));
        let log = MemoryLog::new();
        let result = joined(&runtime, &cluster, &log, members).await.unwrap();
        assert!(matches!(result, Joined::Snapshot { .. }));
        // So does one whose parts are wrong after a hundred good ones.
        let mut asked = 0;
        let late = move |request: &Request, answer: Answer| {
            asked += u32::from(STATE(request));
            Some(if asked > 3 {
                answer.map(|body| flipped(body, 99))
            } else {
                answer
            })
        };
        let halves = |request: &Request, answer: Answer| {
            Some(match request {
                Request::State { prefix, .. } if prefix.bits() < 3 => Err(Refusal::TooMuch),
                _ => answer,
            })
        };
        let members = Desk::new(&cluster, &[0, 1]);
        let mut late = late;
        let members = members
            .changing(0, move |request, answer| late(request, halves(request, answer)?))
            .changing(1, halves);
        let result = joined(&runtime, &cluster, &MemoryLog::new(), members).await.unwrap();
        assert!(matches!(result, Joined::Snapshot { .. }));
    });
}

/// A place inside the first transaction of a block: behind the header.
fn block_byte() -> usize {
    500
}

#[test]
fn another_chain_is_refused_although_it_is_well_signed() {
    simulate(async |runtime| {
        let mut cluster = grown(&runtime).await;
        cluster.step(0, SECOND).await.unwrap();
        let members = Desk::new(&cluster, &[0]);
        // The same validators, another name: all else is alike.
        cluster.genesis = genesis("another", 7, LENGTH);
        let fault = fault(&runtime, &cluster, members).await;
        assert_eq!(fault.code(), "snapshot-sets", "{fault}");
    });
}

#[test]
fn a_set_that_was_replaced_cannot_replace_again() {
    simulate(async |runtime| {
        let cluster = grown(&runtime).await;
        cluster.step(0, SECOND).await.unwrap();
        // The first set, which the second has replaced, signs that a set of its own takes over two epochs later.
        let there = cluster.node(0);
        let boundary = 3 * LENGTH - 1;
        let mut header = there.ledger().header_message(boundary).unwrap().unwrap();
        let forged_set = genesis("x", 5, LENGTH).validators.clone();
        header.next_validators = forged_set.digest().to_vec().into();
        let block = SealedBlock::build(header, vec![]);
        let proof = finality(&cluster.genesis, &cluster.genesis.validators, &block);
        let (header, proof, set) = (block.header_bytes.clone(), proof.encode(), forged_set.encode());
        let forge = move |body: Bytes| {
            let mut out = BytesMut::from(&body[..]);
            [&header, &proof, &set]
                .into_iter()
                .for_each(|item| put_item(&mut out, item));
            out.freeze()
        };
        let mut forge = change(SETS, forge);
        let mut two = change(OFFER, offer(|offer| offer.sets = 2));
        let members = Desk::new(&cluster, &[0]).changing(0, move |request, answer| {
            let answer = two(request, answer)?;
            forge(request, answer)
        });
        let fault = fault(&runtime, &cluster, members).await;
        assert_eq!(fault.code(), "snapshot-sets", "{fault}");
    });
}

#[test]
fn a_chain_that_begins_has_no_snapshot_and_the_silent_do_not_decide_that() {
    simulate(async |runtime| {
        let genesis = genesis("test", 4, LENGTH);
        let cluster = Cluster::start(&runtime, 4, genesis).await;
        let members = Desk::new(&cluster, &[0, 1, 2]);
        let result = joined(&runtime, &cluster, &MemoryLog::new(), members).await.unwrap();
        assert_eq!(result, Joined::Blocks);
        // One of four may lie.
        let mut members = Desk::new(&cluster, &[0, 1, 2, 3]);
        for at in 1..4 {
            members = members.changing(at, |_, _| None);
        }
        let log = MemoryLog::new();
        let never = joined(&runtime, &cluster, &log, members);
        assert!(tokio::time::timeout(100 * SECOND, never).await.is_err());
        assert!(is_wanted(&store(&log).await).unwrap());
    });
}

#[test]
fn a_crash_at_any_point_leaves_nothing_half() {
    simulate(async |runtime| {
        let mut cluster = grown(&runtime).await;
        cluster.step(0, SECOND).await.unwrap();
        let (mut whole, mut cut) = (0, 0);
        for (operations, seed) in (0..18).flat_map(|operations| (0..4).map(move |seed| (operations, seed))) {
            let log = MemoryLog::new();
            if seed % 2 == 0 {
                // A node that had begun by itself has a genesis already.
                Ledger::open(store(&log).await, cluster.genesis.clone()).await.unwrap();
            }
            let kv = store(&log).await;
            log.fail_after(operations);
            let members = Desk::new(&cluster, &[0]);
            let first = join(&runtime, &kv, &cluster.genesis, members, vec![id(0)]).await;
            log.crash(seed);
            match first {
                Err(_) => cut += 1,
                Ok(_) => whole += 1,
            }
            if seed < 2 && first.is_err() {
                // Whoever goes on by blocks finds a ledger of its genesis, or the whole.
                let ledger = Ledger::open(store(&log).await, cluster.genesis.clone())
                    .await
                    .unwrap()
                    .ledger;
                let height = ledger.tip().height;
                assert!(height == 0 || ledger.floor() == Some(height + 1), "height {height}");
            }
            let second = joined(&runtime, &cluster, &log, Desk::new(&cluster, &[1]))
                .await
                .unwrap();
            assert!(first.is_err() || second == Joined::Already);
            cluster.logs[NEW] = log;
            comes_up(&cluster).await;
            cluster.kill(NEW, seed);
        }
        assert!(cut > 40 && whole > 5, "{cut} cut, {whole} whole");
    });
}

#[test]
fn what_is_pinned_is_shared_and_let_go_of() {
    simulate(async |runtime| {
        let cluster = grown(&runtime).await;
        cluster.step(0, SECOND).await.unwrap();
        let mut members = Desk::new(&cluster, &[0]);
        let mut ask = async |request: Request| {
            members.send(&id(0), request.encode(1));
            decode_answer(members.receive().await.unwrap().1).unwrap().1
        };
        let first = Offer::decode(ask(Request::Offer).await.unwrap()).unwrap();
        let state = |offer: &Offer| Request::State {
            snapshot: offer.snapshot,
            prefix: Prefix::ALL,
        };
        let before = ask(state(&first)).await.unwrap();
        // The chain goes on; what is pinned stays as it was.
        deposits(&cluster, 300..320, cluster.last().height() + 3).await;
        cluster.step(0, SECOND).await.unwrap();
        assert_eq!(ask(state(&first)).await.unwrap(), before);
        assert_eq!(Offer::decode(ask(Request::Offer).await.unwrap()).unwrap(), first);
        // Who comes much later gets a newer state, and the first is still there for who uses it.
        for _ in 0..3 {
            runtime.pause(30 * SECOND).await;
            ask(state(&first)).await.unwrap();
        }
        let second = Offer::decode(ask(Request::Offer).await.unwrap()).unwrap();
        assert!(second.height > first.height);
        assert_ne!(ask(state(&second)).await.unwrap(), before);
        assert_eq!(ask(state(&first)).await.unwrap(), before);
        // Whom nobody asks for is let go of.
        runtime.pause(61 * SECOND).await;
        assert_eq!(ask(state(&first)).await, Err(Refusal::Gone));
        assert_eq!(ask(state(&second)).await, Err(Refusal::Gone));
        // However much it is used, nothing is pinned for ever.
        let third = Offer::decode(ask(Request::Offer).await.unwrap()).unwrap();
        let mut held = 0;
        while ask(state(&third)).await.is_ok() {
            runtime.pause(30 * SECOND).await;
            held += 30;
        }
        assert_eq!(held, 3 * 3_600 + 30);
    });
}
