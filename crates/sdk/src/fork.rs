//! Two final blocks of one height: what shows them to the chains that keep a light client.

use crate::{client::Chain, error::SdkError};
use yulian_api::{BlockRef, views::FinalityView};
use yulian_types::proto::{LinkClient, LinkConflict, LinkUpdate};

impl Chain {
    /// What shows to whoever keeps the light client `known` of this chain that two blocks of a height are final: one as this client's
    /// node says, one as the other's. Both are verified first, so a node that merely lies is an error and no conflict. `None` where
    /// both say the same, and where a client that slept for long has to follow the validators first.
    ///
    /// # Errors
    /// As for every request; [`SdkError::Proof`] if a node's block is not final by the chain's own rules.
    pub async fn conflict_with(
        &self,
        other: &Chain,
        known: &LinkClient,
        height: u64,
    ) -> Result<Option<LinkConflict>, SdkError> {
        let (first, second) = (self.final_view(height).await?, other.final_view(height).await?);
        if first.headers.first() == second.headers.first() {
            return Ok(None);
        }
        let (one, two) = (
            self.link_update(known, &first).await?,
            other.link_update(known, &second).await?,
        );
        let reaches = |update: &LinkUpdate, view: &FinalityView| {
            update.headers.first() == view.headers.first().map(|header| &header.0)
        };
        Ok((reaches(&one, &first) && reaches(&two, &second)).then(|| LinkConflict {
            chain_id: self.id().to_vec().into(),
            first: Some(one),
            second: Some(two),
        }))
    }

    async fn final_view(&self, height: u64) -> Result<FinalityView, SdkError> {
        let view = self.finality(BlockRef::Height(height)).await?;
        self.proofs().await?.finality(&view)?;
        Ok(view)
    }
}
