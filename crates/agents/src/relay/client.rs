//! What a chain's light client of another knows, read from the chain.

use prost::Message;
use yulian_sdk::{Chain, SdkError};
use yulian_types::{Digest, StateKey, proto::LinkClient};

/// The light client that `at` keeps of `of`, or `None`.
pub(super) async fn read(at: &Chain, of: &Digest) -> Result<Option<LinkClient>, SdkError> {
    let view = at.state(&StateKey::link_client(of), None).await?;
    Ok(view.value.and_then(|value| LinkClient::decode(value.0).ok()))
}
