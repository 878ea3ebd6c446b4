//! Several chains of one fusion network, their clocks, and whoever carries between them.

use crate::world::{World, account_of, genesis_message, id_bytes, secret};
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use yulian_crypto::{Digest, sm2::Signer};
use yulian_exec::{Executed, path_of};
use yulian_modules::governance;
use yulian_state::Tree;
use yulian_types::{
    FinalityProof, SealedPacket, SealedTransaction, StateKey, ValidatorSet, block_digest, encode, finality_message,
    proto::{self, *},
    quorum,
};

/// Kinds of what is carried.
pub(crate) const RELAY: u32 = 1;
pub(crate) const RECEIVE: u32 = 2;
pub(crate) const ACKNOWLEDGE: u32 = 3;
pub(crate) const CONFIRM: u32 = 4;
pub(crate) const TIME_OUT: u32 = 5;
pub(crate) const EXPIRE: u32 = 6;
pub(crate) const GIVE_UP: u32 = 7;
pub(crate) const SKIP: u32 = 8;

/// Whoever carries: an account like any other.
pub(crate) const CARRIER: &str = "auditor-a";
/// What the chains have, beside what every chain has.
const MODULES: [&str; 5] = ["evidence", "link", "notice", "verification", "voucher"];
/// Time between two blocks anywhere, ms.
const STEP_MS: u64 = 100;
/// The relay chain's place.
pub(crate) const HUB: usize = 0;

/// What a block left behind.
#[derive(Clone)]
struct Left {
    header: Bytes,
    /// The state after it.
    tree: Tree,
    /// The state on which it was executed: what its header proves.
    before: Tree,
    validators: Arc<ValidatorSet>,
}

pub(crate) struct Chain {
    pub(crate) world: World,
    left: Vec<Left>,
}

impl Chain {
    pub(crate) fn id(&self) -> Digest {
        self.world.genesis.chain_id
    }

    pub(crate) fn height(&self) -> u64 {
        self.world.height()
    }

    fn left(&self, height: u64) -> &Left {
        &self.left[height as usize]
    }

    pub(crate) fn time_ms(&self) -> u64 {
        self.world.tip().time_ms()
    }

    fn keep(&mut self, executed: &Executed) {
        let before = self.left.last().expect("genesis").tree.clone();
        self.left.push(Left {
            header: encode(&executed.header),
            tree: executed.tree.clone(),
            before,
            validators: executed.validators.clone(),
        });
    }
}

pub(crate) struct Net {
    pub(crate) chains: Vec<Chain>,
    pub(crate) now_ms: u64,
}

/// The name of a chain's account, known on that chain alone.
pub(crate) fn holder(chain: usize) -> String {
    format!("holder-{chain}")
}

impl Net {
    /// A relay chain and `cities` others. All clients are open; any route is.
    pub(crate) fn new(cities: usize) -> Self {
        let mut net = Self::unlinked(cities);
        net.carry_on(HUB, governance::KIND_SET_ROUTE, &any_route());
        for city in 1..=cities {
            net.agree(HUB, city, |_| {});
            net.agree(city, HUB, |agreed| agreed.relay = true);
        }
        for city in 1..=cities {
            for other in 1..=cities {
                if city != other {
                    net.introduce(city, other);
                }
            }
        }
        net
    }

    /// The same chains without any light client.
    pub(crate) fn unlinked(cities: usize) -> Self {
        let chain = |number: usize| {
            let mut message = genesis_message();
            message.name = format!("链 {number}");
            message.modules = MODULES.map(String::from).to_vec();
            message.accounts.push(account_of(&holder(number), "e", &["writer"]));
            message.accounts.push(account_of("regulator", "d", &["regulator"]));
            // No validator key is of two chains, as in a network where one chain's validators may all be captured.
            let validators = message.validators.iter_mut().flat_map(|set| &mut set.validators);
            for validator in validators {
                validator.name = format!("{}-{number}", validator.name);
                validator.public_key = crate::world::public(&validator.name);
            }
            for node in &mut message.nodes {
                node.name = format!("{}-{number}", node.name);
                node.public_key = crate::world::public(&node.name);
            }
            let set = message.validators.take().expect("a set").validators;
            message.validators = Some(ValidatorSet::new(set).expect("a set").message().clone());
            let world = World::with(message);
            let tip = world.tip();
            let first = Left {
                header: world.genesis.block().header_bytes.clone(),
                tree: tip.tree.clone(),
                before: Tree::new(),
                validators: tip.validators.clone(),
            };
            let left = vec![first];
            Chain { world, left }
        };
        let chains: Vec<Chain> = (0..=cities).map(chain).collect();
        let now_ms = chains[0].time_ms();
        Self { chains, now_ms }
    }

    pub(crate) fn id(&self, chain: usize) -> Digest {
        self.chains[chain].id()
    }

    pub(crate) fn id_bytes(&self, chain: usize) -> Bytes {
        self.id(chain).to_vec().into()
    }

    pub(crate) fn place(&self, id: &Digest) -> usize {
        self.chains.iter().position(|chain| chain.id() == *id).expect("a chain")
    }

    /// A block with these transactions.
    pub(crate) fn block(&mut self, chain: usize, transactions: Vec<Arc<SealedTransaction>>) -> Arc<Executed> {
        self.now_ms += STEP_MS;
        let chain = &mut self.chains[chain];
        let time = self.now_ms.max(chain.time_ms() + 1);
        let executed = chain.world.advance_at(time, transactions);
        chain.keep(&executed);
        executed
    }

    pub(crate) fn run(&mut self, chain: usize, sender: &str, call: &str, message: &impl Message) -> proto::Receipt {
        self.wake(chain);
        let transaction = self.chains[chain].world.transaction(sender, call, message);
        let executed = self.block(chain, vec![transaction]);
        proto::Receipt::decode(executed.receipts[0].clone()).expect("a receipt")
    }

    /// Transactions are valid for minutes from the last block on: a chain that was idle for long makes one first.
    fn wake(&mut self, chain: usize) {
        if self.now_ms > self.chains[chain].time_ms() + 100_000 {
            self.block(chain, vec![]);
        }
    }

    /// A transaction that may not even enter a block, whatever it asks for.
    pub(crate) fn inadmissible(&mut self, code: &str, chain: usize, sender: &str, call: &str, message: &impl Message) {
        self.wake(chain);
        let world = &mut self.chains[chain].world;
        let transaction = world.transaction(sender, call, message);
        assert_eq!(world.judge(transaction), Err(code.into()), "{call}");
    }

    pub(crate) fn ok(&mut self, chain: usize, sender: &str, call: &str, message: &impl Message) -> proto::Receipt {
        let receipt = self.run(chain, sender, call, message);
        assert_eq!(
            (receipt.status, receipt.code.as_str()),
            (0, ""),
            "{call}: {}",
            receipt.detail
        );
        receipt
    }

    /// A transaction that fails with a code and changes nothing.
    pub(crate) fn fails(&mut self, code: &str, chain: usize, sender: &str, call: &str, message: &impl Message) {
        let before = self.chains[chain].world.tip().tree.root();
        let receipt = self.run(chain, sender, call, message);
        assert_eq!(
            (receipt.status, receipt.code.as_str()),
            (1, code),
            "{call}: {}",
            receipt.detail
        );
        assert_eq!(self.chains[chain].world.tip().tree.root(), before);
    }

    /// Proposes and carries by vote.
    pub(crate) fn carry_on(&mut self, chain: usize, kind: u32, action: &impl Message) {
        let proposal = crate::world::proposal(kind, action);
        let receipt = self.ok(chain, "admin-a", "governance.propose", &proposal);
        let proposal = proto::ProposalId::decode(receipt.output).expect("an id").proposal;
        for organisation in ["a", "b", "c"] {
            let vote = proto::Vote {
                proposal,
                approve: true,
            };
            self.ok(chain, &format!("admin-{organisation}"), "governance.vote", &vote);
        }
    }

    pub(crate) fn agreement(&self, other: usize) -> AgreeLink {
        AgreeLink {
            chain_id: self.id_bytes(other),
            name: format!("链 {other}"),
            ..Default::default()
        }
    }

    /// The chain agrees on another and opens its light client at genesis.
    pub(crate) fn agree(&mut self, chain: usize, other: usize, settings: impl Fn(&mut AgreeLink)) {
        let mut agreed = self.agreement(other);
        settings(&mut agreed);
        self.carry_on(chain, governance::KIND_AGREE_LINK, &agreed);
        let open = OpenLink {
            genesis: self.chains[other].world.genesis.bytes.clone(),
            ..Default::default()
        };
        self.ok(chain, CARRIER, "link.open", &open);
    }

    /// What opens a client of `other` on the relay's word.
    pub(crate) fn introduction(&mut self, chain: usize, other: usize) -> IntroduceLink {
        let update = self.fresh(other);
        self.carry(HUB, vec![update], vec![]);
        self.block(HUB, vec![]);
        let update = self.update(HUB, self.chains[HUB].height(), &[]);
        self.carry(chain, vec![update], vec![]);
        let id = self.id(other);
        let client: LinkClient = self.chains[HUB]
            .world
            .record(&StateKey::link_client(&id))
            .expect("known");
        let word = self.prove(HUB, &StateKey::link_client(&id));
        let known = self.chains[other].left(client.height);
        IntroduceLink {
            height: word.height,
            client: encode(&client),
            proof: word.proof,
            genesis: self.chains[other].world.genesis.bytes.clone(),
            header: known.header.clone(),
            validators: known.validators.encode(),
        }
    }

    pub(crate) fn introduce(&mut self, chain: usize, other: usize) {
        let introduction = self.introduction(chain, other);
        self.ok(chain, CARRIER, "link.introduce", &introduction);
    }

    /// The last header's proof of the state before it.
    pub(crate) fn prove(&self, chain: usize, key: &StateKey) -> LinkProof {
        self.prove_at(chain, self.chains[chain].height(), key)
    }

    pub(crate) fn prove_at(&self, chain: usize, height: u64, key: &StateKey) -> LinkProof {
        let tree = &self.chains[chain].left(height).before;
        LinkProof {
            height,
            proof: tree.prove(&path_of(key)).to_bytes().into(),
        }
    }

    /// Signatures of a quorum of a set over a header.
    pub(crate) fn finality(&self, header: &Bytes, set: &ValidatorSet) -> Bytes {
        let signers = (0..quorum(set.len()) as u32).collect();
        signed(header, set, signers).encode()
    }

    /// A header of a chain with these changes of the set.
    pub(crate) fn update(&self, chain: usize, height: u64, changes: &[u64]) -> LinkUpdate {
        let chain = &self.chains[chain];
        let change = |last: &u64| {
            let (old, new) = (chain.left(*last), chain.left(last + 1));
            LinkSetChange {
                header: old.header.clone(),
                finality: self.finality(&old.header, &old.validators),
                validators: new.validators.encode(),
            }
        };
        let left = chain.left(height);
        LinkUpdate {
            chain_id: chain.id().to_vec().into(),
            set_changes: changes.iter().map(change).collect(),
            headers: vec![left.header.clone()],
            finality: self.finality(&left.header, &left.validators),
        }
    }

    /// A new block, whose header proves all that is in the state now.
    pub(crate) fn fresh(&mut self, chain: usize) -> LinkUpdate {
        self.block(chain, vec![]);
        self.update(chain, self.chains[chain].height(), &[])
    }

    pub(crate) fn carry_receipt(&mut self, chain: usize, updates: Vec<LinkUpdate>, items: Vec<CarryItem>) -> Receipt {
        self.run(chain, CARRIER, "link.carry", &Carry { updates, items })
    }

    /// Carries; all must be taken.
    pub(crate) fn carry(&mut self, chain: usize, updates: Vec<LinkUpdate>, items: Vec<CarryItem>) {
        let receipt = self.carry_receipt(chain, updates, items);
        assert_eq!((receipt.status, receipt.code.as_str()), (0, ""), "{}", receipt.detail);
        let answer = CarryAnswer::decode(receipt.output).expect("an answer");
        let codes: Vec<&String> = answer
            .updates
            .iter()
            .chain(&answer.items)
            .filter(|code| !code.is_empty())
            .collect();
        assert!(codes.is_empty(), "{codes:?}");
    }

    /// Carries one item that is refused.
    pub(crate) fn refused(&mut self, code: &str, chain: usize, updates: Vec<LinkUpdate>, item: CarryItem) {
        let receipt = self.carry_receipt(chain, updates.clone(), vec![item]);
        match updates.is_empty() {
            true => assert_eq!(receipt.code, code, "{}", receipt.detail),
            false => {
                let answer = CarryAnswer::decode(receipt.output).expect("an answer");
                assert_eq!(answer.items, [code]);
            }
        }
    }

    /// The packet of an answer that names it.
    pub(crate) fn packet(&self, chain: usize, receipt: &Receipt) -> SealedPacket {
        let named = PacketRef::decode(receipt.output.clone()).expect("names a packet");
        let destination = Digest::from_slice(&named.chain).expect("a chain");
        self.sent(chain, &destination, &named.module, named.sequence)
            .expect("sent")
    }

    pub(crate) fn sent(&self, chain: usize, to: &Digest, module: &str, sequence: u64) -> Option<SealedPacket> {
        let bytes = self.chains[chain]
            .world
            .value(&StateKey::packet_sent(to, module, sequence))?;
        Some(SealedPacket::decode(bytes).expect("a packet"))
    }

    pub(crate) fn end_of(&self, packet: &SealedPacket) -> Option<PacketEnd> {
        self.chains[self.place(&packet.source)]
            .world
            .record(&packet.ended_key())
    }

    pub(crate) fn item(kind: u32, packet: &SealedPacket) -> CarryItem {
        CarryItem {
            kind,
            packet: packet.bytes.clone(),
            ..Default::default()
        }
    }

    /// Brings a packet to the relay chain.
    pub(crate) fn relay(&mut self, packet: &SealedPacket) {
        let item = self.relay_item(packet);
        self.carry(HUB, item.0, vec![item.1]);
    }

    pub(crate) fn relay_item(&mut self, packet: &SealedPacket) -> (Vec<LinkUpdate>, CarryItem) {
        let source = self.place(&packet.source);
        let update = self.fresh(source);
        let mut item = Self::item(RELAY, packet);
        item.proof = Some(self.prove(source, &packet.sent_key()));
        (vec![update], item)
    }

    /// What brings a relayed packet to its destination.
    pub(crate) fn receive_item(&mut self, packet: &SealedPacket) -> (Vec<LinkUpdate>, CarryItem) {
        let source = self.place(&packet.source);
        let updates = vec![self.fresh(source), self.fresh(HUB)];
        let mut item = Self::item(RECEIVE, packet);
        item.record = self.chains[HUB].world.value(&packet.relayed_key()).unwrap_or_default();
        item.proof = Some(self.prove(source, &packet.sent_key()));
        item.relay = Some(self.prove(HUB, &packet.relayed_key()));
        (updates, item)
    }

    pub(crate) fn receive(&mut self, packet: &SealedPacket) {
        let (updates, item) = self.receive_item(packet);
        self.carry(self.place(&packet.destination), updates, vec![item]);
    }

    pub(crate) fn acknowledge_item(&mut self, packet: &SealedPacket) -> (Vec<LinkUpdate>, CarryItem) {
        let destination = self.place(&packet.destination);
        let update = self.fresh(destination);
        let mut item = Self::item(ACKNOWLEDGE, packet);
        item.record = self.chains[destination]
            .world
            .value(&packet.result_key())
            .unwrap_or_default();
        item.proof = Some(self.prove(destination, &packet.result_key()));
        (vec![update], item)
    }

    pub(crate) fn acknowledge(&mut self, packet: &SealedPacket) {
        let (updates, item) = self.acknowledge_item(packet);
        self.carry(self.place(&packet.source), updates, vec![item]);
    }

    pub(crate) fn time_out_item(&mut self, packet: &SealedPacket) -> (Vec<LinkUpdate>, CarryItem) {
        let (updates, mut item) = self.acknowledge_item(packet);
        item.kind = TIME_OUT;
        item.record = Bytes::new();
        (updates, item)
    }

    /// All the way and back.
    pub(crate) fn deliver(&mut self, packet: &SealedPacket) -> PacketEnd {
        self.relay(packet);
        self.receive(packet);
        self.acknowledge(packet);
        self.end_of(packet).expect("ended")
    }

    /// Lets the clock pass a time.
    pub(crate) fn pass(&mut self, time_ms: u64) {
        self.now_ms = self.now_ms.max(time_ms);
    }

    /// A header that a chain's validators sign although there is no such block: the state is whatever they like.
    pub(crate) fn lie(&self, chain: usize, ahead: u64, state: &Tree) -> (u64, LinkUpdate) {
        let tip = self.chains[chain].world.tip();
        let mut header = tip.header.clone();
        header.height += ahead;
        header.epoch = header.height / crate::world::EPOCH_LENGTH;
        header.time_ms = self.now_ms.max(header.time_ms + 1);
        header.parent_state_root = state.root().to_vec().into();
        let bytes = encode(&header);
        let update = LinkUpdate {
            chain_id: self.id_bytes(chain),
            headers: vec![bytes.clone()],
            finality: self.finality(&bytes, &tip.validators),
            ..Default::default()
        };
        (header.height, update)
    }

    pub(crate) fn account(&self, chain: usize) -> Bytes {
        id_bytes(&holder(chain))
    }
}

/// A finality proof of some validators of a set; validators' keys follow from their names.
pub(crate) fn signed(header: &Bytes, set: &ValidatorSet, signers: Vec<u32>) -> FinalityProof {
    let message = proto::BlockHeader::decode(header.clone()).expect("a header");
    let (chain, digest) = (
        Digest::from_slice(&message.chain_id).expect("a chain"),
        block_digest(header),
    );
    let (view, parent_view) = (message.height, message.height.saturating_sub(1));
    let text = finality_message(&chain, message.epoch, view, parent_view, &digest);
    let sign = |at: &u32| secret(&set.validators()[*at as usize].name).sign(&text).expect("signs");
    FinalityProof {
        epoch: message.epoch,
        view,
        parent_view,
        digest,
        signatures: signers.iter().map(sign).collect(),
        signers,
        set_size: set.len() as u32,
    }
}

pub(crate) fn any_route() -> SetRoute {
    SetRoute {
        source: Digest::ZERO.to_vec().into(),
        destination: Digest::ZERO.to_vec().into(),
        ..Default::default()
    }
}
