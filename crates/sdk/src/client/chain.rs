//! A chain as a client knows it.

use super::Client;
use crate::{account::Terms, error::SdkError, http::Request, url::escape};
use bytes::Bytes;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use yulian_api::{ChainRef, views::ChainInfo};
use yulian_crypto::{Digest, sm3};
use yulian_types::{SealedGenesis, tags};

/// Name of the parameter that bounds how far ahead a transaction may be valid, ms.
const REPLAY_WINDOW: &str = "replay_window_ms";

/// A chain at the nodes of a client. Cheap to clone; clones share the choice of node.
#[derive(Debug, Clone)]
pub struct Chain {
    pub(super) client: Client,
    /// "/v1/chains/DIGEST": by digest, so that no node can answer for another chain of that name.
    pub(super) base: String,
    id: Digest,
    name: String,
    terms: Terms,
}

impl Chain {
    pub(super) async fn open(client: Client, chain: &str) -> Result<Self, SdkError> {
        let asked: ChainRef = chain.parse().unwrap_or_else(|never| match never {});
        let info: ChainInfo = client.find(format!("/v1/chains/{}", escape(chain))).await?;
        let id = info.id.0;
        if let ChainRef::Id(expected) = asked
            && expected != id
        {
            return Err(SdkError::OtherChain { expected, found: id });
        }
        let before = now_ms();
        let node = client.status().await?.now_ms;
        // The node read its clock between the two moments.
        let own = before.midpoint(now_ms());
        let offset_ms = i64::try_from(node)
            .unwrap_or(i64::MAX)
            .saturating_sub(i64::try_from(own).unwrap_or(i64::MAX));
        Ok(Self {
            base: format!("/v1/chains/{id}"),
            terms: terms(&info, offset_ms),
            name: info.name,
            id,
            client,
        })
    }

    /// Where its operations are.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Genesis digest.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client that this chain is reached through.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same chain through a client that begins with another node, see [`Client::beginning_with`].
    #[must_use]
    pub fn beginning_with(&self, index: usize) -> Self {
        Self {
            client: self.client.beginning_with(index),
            ..self.clone()
        }
    }

    /// The same chain through one node alone, see [`Client::only`].
    #[must_use]
    pub fn only(&self, index: usize) -> Self {
        Self {
            client: self.client.only(index),
            ..self.clone()
        }
    }

    /// What transactions of this chain are made with: chain id, validity by the node's clock.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The genesis message, whose digest is checked to be the chain's.
    ///
    /// # Errors
    /// As for every request, and [`SdkError::OtherChain`].
    pub async fn genesis(&self) -> Result<SealedGenesis, SdkError> {
        let bytes = self.bytes("/genesis").await?;
        let found = sm3::tagged(&tags::GENESIS, &[&bytes]);
        if found != self.id {
            return Err(SdkError::OtherChain {
                expected: self.id,
                found,
            });
        }
        SealedGenesis::decode(&bytes).map_err(|error| SdkError::Answer {
            path: format!("{}/genesis", self.base),
            status: 200,
            reason: error.to_string(),
        })
    }

    pub(super) async fn bytes(&self, path: &str) -> Result<Bytes, SdkError> {
        let request = Request::get(format!("{}{path}", self.base));
        let answer = self
            .client
            .fetch(&request, self.client.options().request_timeout)
            .await?;
        Ok(answer.body)
    }
}

/// At most half of what the chain admits, so that clocks may differ.
fn terms(info: &ChainInfo, offset_ms: i64) -> Terms {
    let window = info.parameters.iter().find(|parameter| parameter.name == REPLAY_WINDOW);
    let half = window.map_or(Terms::VALID_FOR_DEFAULT, |window| {
        Duration::from_millis(window.value.0 / 2)
    });
    Terms::new(info.id.0)
        .clock_offset_ms(offset_ms)
        .valid_for(half.min(Terms::VALID_FOR_DEFAULT))
}

/// This machine's clock, ms since 1970-01-01 UTC; zero when it stands before that.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
