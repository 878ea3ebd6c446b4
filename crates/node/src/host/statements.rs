//! What this node says about its chains on the system chain, with its own key and an account without roles.

use crate::ChainNode;
use bytes::Bytes;
use yulian_crypto::{
    sm2::SignError,
    sm3::{self, Tag},
};
use yulian_engine::Runtime;
use yulian_store::Kv;
use yulian_types::{
    Digest, TransactionBuilder, ValidatorSet, account_id, encode,
    proto::{ChainCall, ChainCheckpoint, ChainReady, ChainValidators},
    state_keys::CHAIN_MODULE,
    tags,
};

/// How long a statement may wait for its block, ms.
const VALID_MS: u64 = 60_000;

/// A chain of the register that a statement is about.
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    pub(super) chain_id: Digest,
}

/// The node hosts the chain and holds its key.
pub(super) fn ready<R: Runtime, K: Kv>(system: &ChainNode<R, K>, of: &Subject<'_>) -> Result<Bytes, SignError> {
    let message = ChainReady {
        name: of.name.into(),
        node: own_key(system),
        signature: sign(system, &tags::CHAIN_READY, &[&of.chain_id.0])?,
    };
    call(system, "ready", encode(&message))
}

/// The last block of an archived chain on this node.
pub(super) fn last_block<R: Runtime, K: Kv>(
    system: &ChainNode<R, K>,
    of: &Subject<'_>,
    height: u64,
    digest: &Digest,
) -> Result<Bytes, SignError> {
    let parts: [&[u8]; 3] = [&of.chain_id.0, &height.to_be_bytes(), &digest.0];
    let message = ChainCheckpoint {
        name: of.name.into(),
        node: own_key(system),
        height,
        digest: Bytes::copy_from_slice(&digest.0),
        signature: sign(system, &tags::CHAIN_FINAL, &parts)?,
    };
    call(system, "checkpoint", encode(&message))
}

/// Who validates a chain since it voted on that.
pub(super) fn validators<R: Runtime, K: Kv>(
    system: &ChainNode<R, K>,
    of: &Subject<'_>,
    since_height: u64,
    set: &ValidatorSet,
) -> Result<Bytes, SignError> {
    let parts: [&[u8]; 3] = [&of.chain_id.0, &since_height.to_be_bytes(), &set.digest().0];
    let message = ChainValidators {
        name: of.name.into(),
        node: own_key(system),
        since_height,
        set: Some(set.message().clone()),
        signature: sign(system, &tags::CHAIN_VALIDATORS, &parts)?,
    };
    call(system, "validators", encode(&message))
}

/// The delay before a chain's end is over.
pub(super) fn destroyed<R: Runtime, K: Kv>(system: &ChainNode<R, K>, name: &str) -> Result<Bytes, SignError> {
    let message = ChainCall {
        name: name.into(),
        reason: String::new(),
    };
    call(system, "destroyed", encode(&message))
}

fn own_key<R: Runtime, K: Kv>(system: &ChainNode<R, K>) -> Bytes {
    Bytes::copy_from_slice(system.signer.public_key().as_bytes())
}

fn sign<R: Runtime, K: Kv>(system: &ChainNode<R, K>, tag: &Tag, parts: &[&[u8]]) -> Result<Bytes, SignError> {
    let system_id = system.ledger().chain_id();
    let mut all: Vec<&[u8]> = vec![&system_id.0];
    all.extend_from_slice(parts);
    let signature = system.signer.sign(&sm3::tagged(tag, &all).0)?;
    Ok(Bytes::copy_from_slice(signature.as_bytes()))
}

/// A transaction of the account that belongs to the node's key.
fn call<R: Runtime, K: Kv>(system: &ChainNode<R, K>, method: &str, arguments: Bytes) -> Result<Bytes, SignError> {
    let mut nonce = [0; 16];
    system.runtime.random(&mut nonce);
    let sender = account_id(&system.signer.public_key());
    let valid_until = system.runtime.now_ms().saturating_add(VALID_MS);
    let chain_id = system.ledger().chain_id();
    let builder = TransactionBuilder::new(chain_id, sender, nonce, valid_until, CHAIN_MODULE, method, arguments);
    Ok(builder.sign(&*system.signer)?.0)
}
