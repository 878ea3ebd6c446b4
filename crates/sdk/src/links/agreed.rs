//! Which chains a chain believes, and what others told it.

use crate::{client::Chain, error::SdkError, limits::READS_AT_ONCE};
use futures::{StreamExt, TryStreamExt, stream};
use yulian_types::{
    Digest, StateKey,
    proto::{LinkAgreement, LinkClient, LinkList, NoticeRecord},
};

/// All fail as every request does.
impl Chain {
    /// Every light client that this chain keeps, in the order in which they were opened first.
    pub async fn link_clients(&self) -> Result<Vec<LinkClient>, SdkError> {
        let list: LinkList = self.record(&StateKey::link_list()).await?.unwrap_or_default();
        let ids: Vec<Digest> = list.chains.iter().filter_map(|id| Digest::from_slice(id)).collect();
        let found: Vec<_> = stream::iter(&ids)
            .map(|id| self.link_client(id))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
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
}
