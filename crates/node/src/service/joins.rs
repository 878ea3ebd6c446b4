//! Requests of other platforms to be linked with this chain.

use super::ChainApi;
use bytes::Bytes;
use yulian_api::{ApiError, Code, views::JoinView};
use yulian_engine::Runtime;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_store::Kv;
use yulian_types::state_keys::LINK_MODULE;

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    /// Only a chain that keeps light clients of others can be joined.
    pub(super) fn take_join(&self, request: Bytes) -> Result<JoinView, ApiError> {
        let genesis = self.node.ledger().genesis();
        if !genesis.message.modules.iter().any(|module| module == LINK_MODULE) {
            return Err(ApiError::detailed(Code::BadJoin, "this chain links no others"));
        }
        let is_admin = |roles: &[String]| roles.iter().any(|role| role == ROLE_ADMIN);
        let now_ms = self.node.runtime.now_ms();
        self.joins
            .take(&genesis.chain_id, request, now_ms, is_admin, &*self.node.verifier)
    }
}
