//! One method for each operation that reads. All fail as every request does: [`SdkError::Node`],
//! [`SdkError::Refused`], [`SdkError::Answer`].

use super::{Chain, decode};
use crate::{error::SdkError, http::Request, url::escape};
use bytes::Bytes;
use prost::Message;
use std::fmt::Write;
use yulian_api::{AccountRef, BlockRef, EvidenceFilter, PageRequest, limits::PAGE_ITEMS_MAX, views::*};
use yulian_crypto::Digest;
use yulian_types::StateKey;

/// Which page of a list; the first with as many items as there may be when made by `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(pub PageRequest);

impl Default for Page {
    fn default() -> Self {
        Self(PageRequest {
            cursor: None,
            limit: PAGE_ITEMS_MAX,
        })
    }
}

impl Page {
    /// The page behind the one that ended with this cursor.
    pub fn after(cursor: impl Into<String>) -> Self {
        let mut page = Self::default();
        page.0.cursor = Some(cursor.into());
        page
    }

    /// At most this many items.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.0.limit = limit;
        self
    }

    fn query(&self) -> String {
        let mut out = format!("limit={}", self.0.limit);
        if let Some(cursor) = &self.0.cursor {
            let _ = write!(out, "&cursor={}", escape(cursor));
        }
        out
    }
}

impl Chain {
    async fn read<T: serde::de::DeserializeOwned>(&self, path: String) -> Result<T, SdkError> {
        self.client.get(format!("{}{path}", self.base)).await
    }

    /// The rules of the chain.
    pub async fn info(&self) -> Result<ChainInfo, SdkError> {
        self.read(String::new()).await
    }

    /// A transaction that is final or waits on the node.
    pub async fn transaction(&self, id: &Digest) -> Result<TransactionView, SdkError> {
        self.read(format!("/transactions/{id}")).await
    }

    /// The receipt of a final transaction.
    pub async fn receipt(&self, id: &Digest) -> Result<ReceiptView, SdkError> {
        self.read(format!("/transactions/{id}/receipt")).await
    }

    /// That a transaction stands in a final block; check it with [`crate::Proofs::transaction`].
    pub async fn transaction_proof(&self, id: &Digest) -> Result<TransactionProofView, SdkError> {
        self.read(format!("/transactions/{id}/proof")).await
    }

    /// A final block with what its transactions did.
    pub async fn block(&self, block: BlockRef) -> Result<BlockView, SdkError> {
        self.read(format!("/blocks/{block}")).await
    }

    /// The bytes of a block.
    pub async fn block_bytes(&self, block: BlockRef) -> Result<Bytes, SdkError> {
        self.bytes(&format!("/blocks/{block}/raw")).await
    }

    /// That a block is final; check it with [`crate::Proofs::finality`].
    pub async fn finality(&self, block: BlockRef) -> Result<FinalityView, SdkError> {
        self.read(format!("/blocks/{block}/finality")).await
    }

    /// Headers from a height on.
    pub async fn headers(&self, from: u64, limit: usize) -> Result<HeaderPage, SdkError> {
        self.read(format!("/headers?from={from}&limit={limit}")).await
    }

    /// A header.
    pub async fn header(&self, block: BlockRef) -> Result<HeaderView, SdkError> {
        self.read(format!("/headers/{block}")).await
    }

    /// A state value with its proof, after the block of `height` or the last provable one; check it with
    /// [`crate::Proofs::state`].
    pub async fn state(&self, key: &StateKey, height: Option<u64>) -> Result<StateView, SdkError> {
        let query = height.map(|height| format!("?height={height}")).unwrap_or_default();
        let bytes = yulian_api::Hex(key.key.clone());
        self.read(format!("/state/{}/{bytes}{query}", key.module_id)).await
    }

    /// Several values of a module's state, each with its proof under one final header, after the block of `height` or the last
    /// provable one: 1 to [`STATE_KEYS_MAX`](yulian_api::limits::STATE_KEYS_MAX) keys, an item for each, in their order. Whoever
    /// does not hand the proofs on to be verified elsewhere checks them with [`crate::Proofs::states`].
    pub async fn states(
        &self,
        module_id: u32,
        keys: impl IntoIterator<Item = Bytes>,
        height: Option<u64>,
    ) -> Result<StatesView, SdkError> {
        let keys: Vec<_> = keys.into_iter().map(yulian_api::Hex).collect();
        let asked = keys.len();
        let request = StateRequest {
            module: module_id.to_string(),
            keys,
            height,
        };
        let path = format!("{}/state", self.base);
        // What consists of text and numbers is written without fail.
        let body = serde_json::to_vec(&request).unwrap_or_default();
        let request = Request::post(path, body.into());
        let limit = self.client.options().request_timeout;
        let answer = self.client.fetch(&request, limit).await?;
        let view: StatesView = decode(&request.path, &answer)?;
        match view.items.len() == asked && view.module_id == module_id {
            true => Ok(view),
            false => Err(SdkError::Answer {
                path: request.path,
                status: answer.status,
                reason: format!("{} items of module {}", view.items.len(), view.module_id),
            }),
        }
    }

    /// A record of the state after the last provable block, as the node says; `None` if there is none.
    pub async fn record<T: Message + Default>(&self, key: &StateKey) -> Result<Option<T>, SdkError> {
        self.decoded(key, self.state(key, None).await?.value)
    }

    /// Records of one module after the last provable block, as the node says, and the height of that block: 1 to
    /// [`STATE_KEYS_MAX`](yulian_api::limits::STATE_KEYS_MAX) keys of that module.
    pub async fn records<T: Message + Default>(&self, keys: &[StateKey]) -> Result<(u64, Vec<Option<T>>), SdkError> {
        let (height, values) = self.values(keys).await?;
        let decoded = keys.iter().zip(values).map(|(key, value)| self.decoded(key, value));
        Ok((height, decoded.collect::<Result<_, _>>()?))
    }

    /// The same as they are stored.
    pub(crate) async fn values(&self, keys: &[StateKey]) -> Result<(u64, Vec<Option<yulian_api::Hex>>), SdkError> {
        let module_id = keys.first().map_or(0, |key| key.module_id);
        let keys = keys.iter().map(|key| key.key.clone());
        let view = self.states(module_id, keys, None).await?;
        Ok((view.height, view.items.into_iter().map(|item| item.value).collect()))
    }

    pub(crate) fn decoded<T: Message + Default>(
        &self,
        key: &StateKey,
        value: Option<yulian_api::Hex>,
    ) -> Result<Option<T>, SdkError> {
        let record = value.map(|value| T::decode(value.0)).transpose();
        record.map_err(|error| self.undecodable(key, error))
    }

    pub(crate) fn undecodable(&self, key: &StateKey, reason: impl std::fmt::Display) -> SdkError {
        SdkError::Answer {
            path: format!(
                "{}/state/{}/{}",
                self.base,
                key.module_id,
                yulian_api::Hex(key.key.clone())
            ),
            status: 200,
            reason: reason.to_string(),
        }
    }

    /// Evidence records.
    pub async fn evidence(&self, filter: EvidenceFilter, page: &Page) -> Result<EvidencePage, SdkError> {
        let filter = match filter {
            EvidenceFilter::Digest(digest) => format!("digest={digest}"),
            EvidenceFilter::Depositor(account) => format!("depositor={account}"),
            EvidenceFilter::Time { from_ms, to_ms } => format!("from={from_ms}&to={to_ms}"),
        };
        self.read(format!("/evidence?{filter}&{}", page.query())).await
    }

    /// The bytes of an evidence pack. `organisation` is needed where several deposited the digest.
    pub async fn evidence_pack(&self, digest: &Digest, organisation: Option<&str>) -> Result<Bytes, SdkError> {
        let query = organisation
            .map(|id| format!("?organisation={}", escape(id)))
            .unwrap_or_default();
        self.bytes(&format!("/evidence/{digest}/pack{query}")).await
    }

    /// Validators in force and next.
    pub async fn validators(&self) -> Result<ValidatorsView, SdkError> {
        self.read("/validators".into()).await
    }

    /// Changes of the validator set.
    pub async fn validator_history(&self, page: &Page) -> Result<ValidatorHistory, SdkError> {
        self.read(format!("/validator-history?{}", page.query())).await
    }

    /// Organisations.
    pub async fn organisations(&self, page: &Page) -> Result<OrganisationPage, SdkError> {
        self.read(format!("/organisations?{}", page.query())).await
    }

    /// Accounts of an organisation, in ascending order of id, frozen ones too.
    pub async fn accounts(&self, organisation: &str, page: &Page) -> Result<AccountPage, SdkError> {
        self.read(format!(
            "/organisations/{}/accounts?{}",
            escape(organisation),
            page.query()
        ))
        .await
    }

    /// An account.
    pub async fn account(&self, account: impl Into<AccountRef>) -> Result<AccountView, SdkError> {
        self.read(format!("/accounts/{}", account.into())).await
    }

    /// Nodes that may connect.
    pub async fn nodes(&self, page: &Page) -> Result<NodePage, SdkError> {
        self.read(format!("/nodes?{}", page.query())).await
    }

    /// The chains of a platform, if this is its system chain.
    pub async fn register(&self, page: &Page) -> Result<ChainRecordPage, SdkError> {
        self.read(format!("/register?{}", page.query())).await
    }

    /// The templates of chains that can be created.
    pub async fn templates(&self) -> Result<TemplateList, SdkError> {
        self.read("/templates".into()).await
    }

    /// What nodes offer to host.
    pub async fn offers(&self, page: &Page) -> Result<OfferPage, SdkError> {
        self.read(format!("/offers?{}", page.query())).await
    }

    /// What waits: invitations, organisations that leave, open votes.
    pub async fn pending(&self) -> Result<PendingView, SdkError> {
        self.read("/pending".into()).await
    }

    /// Proposals.
    pub async fn proposals(&self, page: &Page) -> Result<ProposalPage, SdkError> {
        self.read(format!("/proposals?{}", page.query())).await
    }

    /// A proposal.
    pub async fn proposal(&self, id: u64) -> Result<ProposalView, SdkError> {
        self.read(format!("/proposals/{id}")).await
    }

    /// What the current node signs to become a validator or to be registered.
    pub async fn candidate_proof(&self) -> Result<CandidateView, SdkError> {
        self.read("/candidate-proof".into()).await
    }
}
