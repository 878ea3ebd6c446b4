//! Which chains a chain believes, and what others told it.

use crate::{client::Chain, error::SdkError};
use prost::Message;
use yulian_api::limits::STATE_KEYS_MAX;
use yulian_types::{
    Digest, StateKey,
    proto::{LinkAgreement, LinkClient, LinkList, NoticeRecord},
};

/// All fail as every request does.
impl Chain {
    /// Genesis digests of the chains of which this chain keeps light clients, in the order in which they were opened first.
    pub async fn linked_chains(&self) -> Result<Vec<Digest>, SdkError> {
        let list: LinkList = self.record(&StateKey::link_list()).await?.unwrap_or_default();
        Ok(list.chains.iter().filter_map(|id| Digest::from_slice(id)).collect())
    }

    /// The light clients that this chain keeps of these chains, in their order; those that it has none of are left out.
    pub async fn link_clients_of(&self, chains: &[Digest]) -> Result<Vec<LinkClient>, SdkError> {
        let keys: Vec<StateKey> = chains.iter().map(StateKey::link_client).collect();
        Ok(self.many(&keys).await?.into_iter().flatten().collect())
    }

    /// Any number of records of one module.
    async fn many<T: Message + Default>(&self, keys: &[StateKey]) -> Result<Vec<Option<T>>, SdkError> {
        let mut found = Vec::with_capacity(keys.len());
        for some in keys.chunks(STATE_KEYS_MAX) {
            found.extend(self.records(some).await?.1);
        }
        Ok(found)
    }

    /// Every light client that this chain keeps, in the order in which they were opened first.
    pub async fn link_clients(&self) -> Result<Vec<LinkClient>, SdkError> {
        self.link_clients_of(&self.linked_chains().await?).await
    }

    /// What this chain's members agreed about another chain whose light client was not opened since.
    pub async fn link_agreement(&self, of: &Digest) -> Result<Option<LinkAgreement>, SdkError> {
        self.record(&StateKey::link_agreement(of)).await
    }

    /// Genesis digest of this chain's relay, if it has one.
    pub async fn relay_chain(&self) -> Result<Option<Digest>, SdkError> {
        let value = self.state(&StateKey::relay_chain(), None).await?.value;
        Ok(value.and_then(|value| Digest::from_slice(&value.0)))
    }

    /// The last notice of a kind that a chain sent here.
    pub async fn notice(&self, source: &Digest, kind: &str) -> Result<Option<NoticeRecord>, SdkError> {
        self.record(&StateKey::notice(source, kind)).await
    }

    /// The same of several chains, in their order.
    pub async fn notices(&self, sources: &[Digest], kind: &str) -> Result<Vec<Option<NoticeRecord>>, SdkError> {
        let keys: Vec<StateKey> = sources.iter().map(|source| StateKey::notice(source, kind)).collect();
        self.many(&keys).await
    }
}
