//! The chain behind a fake node.

use super::{Pause, ledger, platform};
use crate::{
    AccountRef, ApiError, BlockRef, BlockStream, ChainService, Code, DigestText, EvidenceFilter, Hex, Joins,
    PageRequest, views::*,
};
use bytes::Bytes;
use futures::{StreamExt, channel::oneshot, stream};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, KEY_CACHE_BYTES, Signer},
};
use yulian_light::testing::{TestChain, secret};
use yulian_types::{SealedTransaction, StateKey, decode_canonical, encode, proto, state_keys};

/// A chain whose blocks the test makes.
#[derive(Clone)]
pub struct FakeChain {
    state: Arc<Mutex<State>>,
    pub(super) pause: Pause,
    joins: Joins,
}

pub(super) struct State {
    pub(super) chain: TestChain,
    /// Height and position of every transaction.
    pub(super) places: BTreeMap<Digest, (u64, usize)>,
    pub(super) pending: Vec<SealedTransaction>,
    pub(super) held: bool,
    pub(super) waiters: Vec<oneshot::Sender<()>>,
    broken_from: Option<u64>,
    pruned_below: u64,
}

impl fmt::Debug for FakeChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeChain")
    }
}

impl FakeChain {
    pub(super) fn over(chain: TestChain, pause: Pause) -> Self {
        let blocks = chain.blocks.iter().enumerate();
        let places = blocks.flat_map(|(height, block)| {
            let transactions = block.sealed.transactions.iter().enumerate();
            transactions.map(move |(index, transaction)| (transaction.id, (height as u64, index)))
        });
        let state = State {
            places: places.collect(),
            chain,
            pending: vec![],
            held: false,
            waiters: vec![],
            broken_from: None,
            pruned_below: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            pause,
            joins: Joins::default(),
        }
    }

    /// Genesis digest.
    pub fn id(&self) -> Digest {
        self.lock().chain.genesis.chain_id
    }

    /// Name.
    pub fn name(&self) -> String {
        self.lock().chain.genesis.message.name.clone()
    }

    /// Height of the last block.
    pub fn height(&self) -> u64 {
        self.lock().chain.height()
    }

    /// Runs `use_it` on the chain itself.
    pub fn with<T>(&self, use_it: impl FnOnce(&mut TestChain) -> T) -> T {
        use_it(&mut self.lock().chain)
    }

    /// Streams fail at this height.
    pub fn break_streams_at(&self, height: Option<u64>) {
        self.lock().broken_from = height;
    }

    /// From now on streams begin at this height or later, as on a node that has dropped what is below.
    pub fn prune_below(&self, height: u64) {
        self.lock().pruned_below = height;
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic under the lock")
    }

    pub(super) fn status(&self, ready: bool) -> ChainStatus {
        let state = self.lock();
        let block = state.chain.latest();
        let place = state.place(state.chain.height());
        ChainStatus {
            id: DigestText(state.chain.genesis.chain_id),
            name: state.chain.genesis.message.name.clone(),
            height: place.height,
            digest: place.digest,
            state_root: DigestText(block.tree.root()),
            time_ms: place.time_ms,
            network_height: place.height,
            kept_from_height: 0,
            epoch: block.sealed.header.epoch,
            view: place.height * 2,
            protocol_version: block.sealed.header.protocol_version,
            validating: true,
            ready,
            reason: None,
            validators: validator_views(&state.chain.genesis.validators),
            mempool: MempoolView {
                transactions: state.pending.len() as u64,
                transactions_max: super::pool::PENDING_MAX as u64,
                ..Default::default()
            },
            connected: vec![],
            faults: vec![],
            stopped: None,
            risk: Some(RiskView::from(&proto::RiskRecord {
                risk: Some(proto::AcceptedRisk {
                    validators: 4,
                    clouds: vec![proto::CloudShare {
                        cloud: "联通".into(),
                        validators: 2,
                    }],
                    reason: "第四朵云下月交付".into(),
                }),
                proposal: 3,
                organisation: "unicom".into(),
                height: 9,
                ..Default::default()
            })),
            regime: RegimeView::default(),
        }
    }
}

impl State {
    pub(super) fn place(&self, height: u64) -> BlockPlace {
        let sealed = &self.chain.block(height).sealed;
        BlockPlace::new(height, sealed.digest, sealed.header.time_ms)
    }

    pub(super) fn receipt(&self, height: u64, index: usize) -> proto::Receipt {
        let bytes = &self.chain.block(height).receipts[index];
        decode_canonical(bytes, usize::MAX).expect("receipt")
    }

    /// Resolves when the chain grows.
    pub(super) fn changed(&mut self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiters.push(sender);
        receiver
    }

    pub(super) fn find(&self, id: &Digest) -> Result<(u64, usize), ApiError> {
        self.places
            .get(id)
            .copied()
            .ok_or_else(|| Code::UnknownTransaction.into())
    }

    pub(super) fn height_of(&self, block: BlockRef) -> Result<u64, ApiError> {
        let tip = self.chain.height();
        let height = match block {
            BlockRef::Latest => Some(tip),
            BlockRef::Height(height) => Some(height).filter(|height| *height <= tip),
            BlockRef::Digest(digest) => (0..=tip).find(|at| self.chain.block(*at).sealed.digest == digest),
        };
        height.ok_or_else(|| Code::UnknownBlock.into())
    }

    /// The height after which the state is asked for: the last one that a block proves, unless another is named.
    fn provable(&self, height: Option<u64>) -> Result<u64, ApiError> {
        let last = self.chain.height().checked_sub(1).ok_or(Code::NotProvable)?;
        match height.unwrap_or(last) {
            height if height <= last => Ok(height),
            _ => Err(Code::NotProvable.into()),
        }
    }

    fn records(&self, keep: impl Fn(&proto::EvidenceRecord) -> bool) -> Vec<Bytes> {
        let values = &self.chain.latest().values;
        let records = values
            .iter()
            .filter(|(key, _)| key.module_id == state_keys::EVIDENCE_ID);
        let mut found: Vec<(u64, Bytes)> = records
            .filter_map(|(_, bytes)| {
                let record: proto::EvidenceRecord = decode_canonical(bytes, usize::MAX).expect("record");
                keep(&record).then(|| (record.height, bytes.clone()))
            })
            .collect();
        found.sort_by_key(|(height, _)| *height);
        found.into_iter().map(|(_, bytes)| bytes).collect()
    }
}

/// One page of a list; the cursor is the position of its first item.
fn page<T>(items: Vec<T>, page: &PageRequest) -> Result<(Vec<T>, Option<String>), ApiError> {
    let first = page
        .cursor
        .as_deref()
        .map_or(Ok(0), |text| text.parse::<usize>().map_err(|_| Code::BadCursor))?;
    let last = first.saturating_add(page.limit);
    let next = (last < items.len()).then(|| last.to_string());
    Ok((items.into_iter().skip(first).take(page.limit).collect(), next))
}

impl ChainService for FakeChain {
    async fn info(&self) -> Result<ChainInfo, ApiError> {
        let state = self.lock();
        let message = &state.chain.genesis.message;
        Ok(ChainInfo {
            id: DigestText(state.chain.genesis.chain_id),
            name: message.name.clone(),
            genesis_time_ms: message.time_ms,
            epoch_length: message.epoch_length,
            height: state.chain.height(),
            parameters: message.parameters.iter().map(Into::into).collect(),
            charter: message.charter.as_ref().expect("charter").into(),
            protocols: vec![ProtocolView { version: 1, height: 0 }],
        })
    }

    async fn genesis(&self) -> Result<Bytes, ApiError> {
        Ok(self.lock().chain.genesis.bytes.clone())
    }

    async fn submit(&self, transactions: Vec<Bytes>, wait: Option<Duration>) -> Vec<Submitted> {
        self.take(transactions, wait).await
    }

    async fn transaction(&self, id: Digest) -> Result<TransactionView, ApiError> {
        let state = self.lock();
        if let Some(waiting) = state.pending.iter().find(|transaction| transaction.id == id) {
            return Ok(TransactionView::queued(waiting));
        }
        let (height, index) = state.find(&id)?;
        let transaction = &state.chain.block(height).sealed.transactions[index];
        let receipt = state.receipt(height, index);
        Ok(TransactionView::included(
            transaction,
            state.place(height),
            index,
            Some(&receipt),
        ))
    }

    async fn receipt(&self, id: Digest) -> Result<ReceiptView, ApiError> {
        let state = self.lock();
        let (height, index) = state.find(&id)?;
        let bytes = &state.chain.block(height).receipts[index];
        Ok(ReceiptView::decode(bytes, state.place(height), index).expect("receipt"))
    }

    async fn transaction_proof(&self, id: Digest) -> Result<TransactionProofView, ApiError> {
        let state = self.lock();
        let (height, index) = state.find(&id)?;
        Ok(ledger::transaction_proof(&state.chain, height, index))
    }

    async fn block(&self, block: BlockRef) -> Result<BlockView, ApiError> {
        let state = self.lock();
        let height = state.height_of(block)?;
        Ok(ledger::block(&state.chain, height))
    }

    async fn block_bytes(&self, block: BlockRef) -> Result<Bytes, ApiError> {
        let state = self.lock();
        let height = state.height_of(block)?;
        Ok(state.chain.block(height).sealed.bytes.clone())
    }

    async fn header(&self, block: BlockRef) -> Result<HeaderView, ApiError> {
        let state = self.lock();
        let height = state.height_of(block)?;
        Ok(ledger::header(&state.chain, height))
    }

    async fn headers(&self, from: u64, limit: usize) -> Result<Vec<HeaderView>, ApiError> {
        let state = self.lock();
        let heights = (from..=state.chain.height()).take(limit);
        Ok(heights.map(|height| ledger::header(&state.chain, height)).collect())
    }

    async fn finality(&self, height: u64) -> Result<FinalityView, ApiError> {
        let state = self.lock();
        state.height_of(BlockRef::Height(height))?;
        // Only even heights hold a proof of their own, as on a node that lacks some.
        let last = (height + height % 2).clamp(1, state.chain.height().max(1));
        if last > state.chain.height() {
            return Err(Code::NotFinal.into());
        }
        Ok(ledger::finality(&state.chain, height, last))
    }

    async fn state(&self, module: &str, key: Bytes, height: Option<u64>) -> Result<StateView, ApiError> {
        let state = self.lock();
        let (module, module_id) = ledger::module(module).ok_or(Code::UnknownModule)?;
        let height = state.provable(height)?;
        Ok(ledger::state(&state.chain, module, StateKey { module_id, key }, height))
    }

    async fn states(&self, module: &str, keys: Vec<Bytes>, height: Option<u64>) -> Result<StatesView, ApiError> {
        let state = self.lock();
        let module = ledger::module(module).ok_or(Code::UnknownModule)?;
        Ok(ledger::states(&state.chain, module, keys, state.provable(height)?))
    }

    async fn evidence(&self, filter: EvidenceFilter, request: PageRequest) -> Result<EvidencePage, ApiError> {
        let state = self.lock();
        let mut found = match filter {
            EvidenceFilter::Digest(digest) => state.records(|record| record.digest[..] == digest.0),
            EvidenceFilter::Depositor(account) => state.records(|record| record.depositor[..] == account.0),
            EvidenceFilter::Time { from_ms, to_ms } => {
                state.records(|record| (from_ms..to_ms).contains(&record.time_ms))
            }
        };
        if matches!(filter, EvidenceFilter::Depositor(_)) {
            found.reverse();
        }
        let (items, next) = page(found, &request)?;
        let items = items
            .iter()
            .map(|bytes| EvidenceView::decode(bytes).expect("record"))
            .collect();
        let height = state.chain.height();
        Ok(EvidencePage { height, items, next })
    }

    async fn evidence_pack(&self, digest: Digest, organisation: Option<&str>) -> Result<Bytes, ApiError> {
        let state = self.lock();
        let of = |record: &proto::EvidenceRecord| {
            record.digest[..] == digest.0 && organisation.is_none_or(|id| id == record.organisation)
        };
        let found = state.records(of);
        match &found[..] {
            [] => Err(Code::UnknownEvidence.into()),
            [one] => {
                let record: proto::EvidenceRecord = decode_canonical(one, usize::MAX).expect("record");
                let id = Digest::from_slice(&record.transaction_id).expect("id");
                let (height, index) = state.find(&id)?;
                Ok(ledger::pack(&state.chain, height, index))
            }
            _ => Err(Code::AmbiguousEvidence.into()),
        }
    }

    async fn validators(&self) -> Result<ValidatorsView, ApiError> {
        let state = self.lock();
        let header = &state.chain.latest().sealed.header;
        Ok(ValidatorsView {
            epoch: header.epoch,
            epoch_last_height: (header.epoch + 1) * state.chain.genesis.message.epoch_length - 1,
            since_height: header.validators_since,
            current: (&state.chain.genesis.validators).into(),
            next: None,
        })
    }

    async fn validator_history(&self, request: PageRequest) -> Result<ValidatorHistory, ApiError> {
        let state = self.lock();
        let genesis = ValidatorChangeView {
            first_epoch: 0,
            first_height: 0,
            set: (&state.chain.genesis.validators).into(),
            finality: None,
        };
        let tip = state.chain.height();
        let changes = ledger::set_changes(&state.chain, tip);
        let (items, next) = page(std::iter::once(genesis).chain(changes).collect(), &request)?;
        Ok(ValidatorHistory { items, next })
    }

    async fn organisations(&self, request: PageRequest) -> Result<OrganisationPage, ApiError> {
        let state = self.lock();
        let list = &state.chain.genesis.message.organisations;
        let view = |organisation| OrganisationView::decode(&encode(organisation)).expect("organisation");
        let (items, next) = page(list.iter().map(view).collect(), &request)?;
        Ok(OrganisationPage { items, next })
    }

    async fn accounts(&self, organisation: &str, request: PageRequest) -> Result<AccountPage, ApiError> {
        let state = self.lock();
        let message = &state.chain.genesis.message;
        if !message.organisations.iter().any(|one| one.id == organisation) {
            return Err(Code::OrganisationNotFound.into());
        }
        let own = message
            .accounts
            .iter()
            .filter(|account| account.organisation == organisation);
        let view = |account| AccountView::decode(&encode(account)).expect("account");
        let (items, next) = page(own.map(view).collect(), &request)?;
        Ok(AccountPage { items, next })
    }

    async fn account(&self, account: AccountRef) -> Result<AccountView, ApiError> {
        let id = match account {
            AccountRef::Id(id) => id,
            AccountRef::Key(key) => yulian_types::account_id(&key),
        };
        let state = self.lock();
        let values = &state.chain.latest().values;
        let bytes = values.get(&StateKey::account(&id)).ok_or(Code::AccountNotFound)?;
        Ok(AccountView::decode(bytes).expect("account"))
    }

    async fn nodes(&self, request: PageRequest) -> Result<NodePage, ApiError> {
        let state = self.lock();
        let list = &state.chain.genesis.message.nodes;
        let view = |record| NodeView::new(record, NodeRole::Validator).expect("node");
        let (items, next) = page(list.iter().map(view).collect(), &request)?;
        Ok(NodePage { items, next })
    }

    async fn register(&self, request: PageRequest) -> Result<ChainRecordPage, ApiError> {
        let (items, next) = page(platform::chains(), &request)?;
        Ok(ChainRecordPage { items, next })
    }

    async fn templates(&self) -> Result<TemplateList, ApiError> {
        let items = platform::templates();
        Ok(TemplateList { items })
    }

    async fn offers(&self, request: PageRequest) -> Result<OfferPage, ApiError> {
        let record = self.lock().chain.genesis.message.nodes[0].clone();
        let (items, next) = page(platform::offers(&record), &request)?;
        Ok(OfferPage { items, next })
    }

    async fn ask_to_join(&self, request: Bytes) -> Result<JoinView, ApiError> {
        let now_ms = self.lock().chain.latest().sealed.header.time_ms;
        let is_admin = |roles: &[String]| roles.iter().any(|role| role == "admin");
        self.joins.take(
            &self.id(),
            request,
            now_ms,
            is_admin,
            &FastVerifier::new(KEY_CACHE_BYTES),
        )
    }

    async fn joins(&self) -> Result<Vec<JoinView>, ApiError> {
        Ok(self.joins.list(&self.id()))
    }

    async fn join_request(&self, joining: Digest) -> Result<Bytes, ApiError> {
        self.joins.bytes(&self.id(), &joining)
    }

    async fn pending(&self) -> Result<PendingView, ApiError> {
        Ok(ledger::pending())
    }

    async fn proposals(&self, request: PageRequest) -> Result<ProposalPage, ApiError> {
        let (items, next) = page(ledger::proposals(), &request)?;
        Ok(ProposalPage { items, next })
    }

    async fn proposal(&self, id: u64) -> Result<ProposalView, ApiError> {
        let found = ledger::proposals().into_iter().find(|proposal| proposal.id == id);
        found.ok_or_else(|| Code::UnknownProposal.into())
    }

    async fn candidate(&self) -> Result<CandidateView, ApiError> {
        let state = self.lock();
        let record = &state.chain.genesis.message.nodes[0];
        let place = state.place(state.chain.height());
        let node = NodeView::new(record, NodeRole::Validator).expect("node");
        let proof = proto::CandidateProof {
            height: place.height,
            digest: place.digest.0.to_vec().into(),
            signature: secret(0)
                .sign(&place.digest.0.0)
                .expect("signature")
                .as_bytes()
                .to_vec()
                .into(),
        };
        let registration = proto::RegisterNode {
            node: Some(record.clone()),
            possession: secret(0)
                .sign(b"address")
                .expect("signature")
                .as_bytes()
                .to_vec()
                .into(),
        };
        Ok(CandidateView {
            public_key: node.public_key,
            name: node.name,
            cloud: node.cloud,
            organisation: node.organisation,
            address: node.address,
            height: place.height,
            digest: place.digest,
            candidate_proof: Hex(encode(&proof)),
            registration: Hex(encode(&registration)),
        })
    }

    async fn stream(&self, from: u64, detail: StreamDetail) -> Result<BlockStream, ApiError> {
        if from < self.lock().pruned_below {
            return Err(Code::Pruned.into());
        }
        let next = move |(chain, height): (Self, u64)| async move {
            let block = chain.next_block(height, detail).await;
            Some((block, (chain, height + 1)))
        };
        Ok(stream::unfold((self.clone(), from), next).boxed())
    }
}

impl FakeChain {
    async fn next_block(&self, height: u64, detail: StreamDetail) -> Result<StreamBlock, ApiError> {
        loop {
            let changed = {
                let mut state = self.lock();
                if state.broken_from.is_some_and(|broken| broken <= height) {
                    return Err(Code::Pruned.into());
                }
                if height <= state.chain.height() {
                    return Ok(ledger::stream_block(&state.chain, height, detail));
                }
                state.changed()
            };
            let _ = changed.await;
        }
    }
}
