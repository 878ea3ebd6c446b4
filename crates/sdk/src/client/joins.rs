//! Asking another platform's relay chain to be linked with it, and what waits there.

use super::{Chain, decode};
use crate::{error::SdkError, http::Request};
use bytes::Bytes;
use yulian_api::views::{JoinList, JoinView};
use yulian_crypto::Digest;

impl Chain {
    /// Brings a request (`SealedJoin::sign`) to the current node of this relay chain. It waits there in memory: repeat it until the
    /// chain has a light client of yours.
    ///
    /// # Errors
    /// As for every request; the code `bad_join` says what does not hold.
    pub async fn ask_to_join(&self, request: Bytes) -> Result<JoinView, SdkError> {
        let path = format!("{}/joins", self.base);
        let request = Request::post(path.clone(), request);
        let answer = self
            .client
            .fetch(&request, self.client.options().request_timeout)
            .await?;
        let list: JoinList = decode(&path, &answer)?;
        list.items.into_iter().next().ok_or_else(|| SdkError::Answer {
            path,
            status: answer.status,
            reason: "no request in the answer".into(),
        })
    }

    /// The requests that wait at the current node.
    ///
    /// # Errors
    /// As for every request.
    pub async fn joins(&self) -> Result<Vec<JoinView>, SdkError> {
        let list: JoinList = self.client.get(format!("{}/joins", self.base)).await?;
        Ok(list.items)
    }

    /// The bytes of a request that waits at the current node; check them with `SealedJoin::decode`.
    ///
    /// # Errors
    /// As for every request; the code `unknown_join`.
    pub async fn join_request(&self, joining: &Digest) -> Result<Bytes, SdkError> {
        self.bytes(&format!("/joins/{joining}")).await
    }
}
