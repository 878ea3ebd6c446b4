//! Light clients that chains keep of each other.

use crate::{client::Chain, error::SdkError};
use yulian_types::{Digest, StateKey, proto::LinkClient};

impl Chain {
    /// The light client that this chain keeps of another, as the node says.
    ///
    /// # Errors
    /// As for every request.
    pub async fn link_client(&self, of: &Digest) -> Result<Option<LinkClient>, SdkError> {
        self.record(&StateKey::link_client(of)).await
    }
}
