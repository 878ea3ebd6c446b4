//! What this node signs to become a validator, or to have its address registered.

use super::{ChainApi, records::hex};
use bytes::Bytes;
use yulian_api::{ApiError, Code, DigestText, KeyText, views::*};
use yulian_crypto::sm3;
use yulian_engine::Runtime;
use yulian_store::Kv;
use yulian_types::{proto, tags};

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    /// Signs the last final header: proof that this node follows the chain and holds its key.
    pub(super) fn sign_candidate(&self) -> Result<CandidateView, ApiError> {
        let identity = &self.identity;
        let chain_id = self.node.ledger().chain_id();
        let tip = self.node.ledger().tip();
        let sign = |message: &yulian_crypto::Digest| {
            let signature = self.node.signer.sign(&message.0);
            let signature = signature.map_err(|error| ApiError::detailed(Code::NoNodeKey, error))?;
            Ok::<_, ApiError>(Bytes::copy_from_slice(signature.as_bytes()))
        };
        let candidate = sm3::tagged(
            &tags::CANDIDATE,
            &[&chain_id.0, &tip.height.to_be_bytes(), &tip.digest.0],
        );
        let registration = sm3::tagged(&tags::NODE_REGISTRATION, &[&chain_id.0, identity.address.as_bytes()]);
        let node = proto::NodeRecord {
            public_key: Bytes::copy_from_slice(identity.public_key.as_bytes()),
            name: identity.name.clone(),
            cloud: identity.cloud.clone(),
            organisation: identity.organisation.clone(),
            address: identity.address.clone(),
        };
        Ok(CandidateView {
            public_key: KeyText(identity.public_key),
            name: identity.name.clone(),
            cloud: identity.cloud.clone(),
            organisation: identity.organisation.clone(),
            address: identity.address.clone(),
            height: tip.height,
            digest: DigestText(tip.digest),
            candidate_proof: hex(&proto::CandidateProof {
                height: tip.height,
                digest: Bytes::copy_from_slice(&tip.digest.0),
                signature: sign(&candidate)?,
            }),
            registration: hex(&proto::RegisterNode {
                node: Some(node),
                possession: sign(&registration)?,
            }),
        })
    }
}
