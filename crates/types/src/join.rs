//! A platform's request to be linked with another one's relay chain, checked once.

use crate::{
    codec::{CodecError, decode_canonical, encode},
    genesis::{GenesisError, SealedGenesis},
    limits::{JOIN_REQUEST_BYTES_MAX, JOIN_URL_BYTES_MAX, JOIN_URLS_MAX, LINKED_GENESIS_BYTES_MAX},
    proto::{Account, JoinRequest, JoinTerms},
    tags,
};
use bytes::Bytes;
use yulian_crypto::{
    Digest,
    sm2::{PublicKey, SignError, Signature, Signer, Verifier},
    sm3,
};

/// What addresses begin with.
const URL_SCHEME: &str = "http://";

/// Why bytes are not a request to join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Not canonical protobuf, or too long.
    #[error("request to join: {0}")]
    Codec(#[from] CodecError),
    /// The genesis is not one.
    #[error("request to join: {0}")]
    Genesis(#[from] GenesisError),
    /// The genesis is longer than what one transaction can bring, so that no chain could open a light client of it.
    #[error("a genesis of {0} bytes cannot be linked, the limit is {LINKED_GENESIS_BYTES_MAX}")]
    GenesisTooLong(usize),
    /// A field has a length or a value that no request has.
    #[error("a request to join with a malformed {0}")]
    Field(&'static str),
    /// The genesis is not that of the chain that the signed terms name.
    #[error("the genesis is that of chain {0}, another one than the terms name")]
    OtherGenesis(Digest),
    /// No account of the genesis has this key.
    #[error("the key is that of no account of the genesis")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature of the request does not hold")]
    Signature,
}

/// A request that holds together: its key is one of the genesis, and signed the terms.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedJoin {
    /// The relay chain that is asked.
    pub relay: Digest,
    /// The chain that wants to join.
    pub genesis: SealedGenesis,
    /// APIs of its nodes.
    pub urls: Vec<String>,
    /// When it was signed, ms since 1970-01-01 UTC.
    pub time_ms: u64,
    /// The account of the genesis that signed.
    pub account: Account,
    /// The canonical bytes.
    pub bytes: Bytes,
}

impl SealedJoin {
    /// Signs a request.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn sign(
        relay: Digest,
        genesis: &SealedGenesis,
        urls: Vec<String>,
        time_ms: u64,
        key: &dyn Signer,
    ) -> Result<Bytes, SignError> {
        let terms = encode(&JoinTerms {
            relay: relay.to_vec().into(),
            chain: genesis.chain_id.to_vec().into(),
            urls,
            time_ms,
        });
        let signature = key.sign(&message(&terms).0)?;
        Ok(encode(&JoinRequest {
            terms,
            genesis: genesis.bytes.clone(),
            public_key: Bytes::copy_from_slice(key.public_key().as_bytes()),
            signature: Bytes::copy_from_slice(signature.as_bytes()),
        }))
    }

    /// Decodes canonical bytes of at most [`JOIN_REQUEST_BYTES_MAX`] and checks all that can be checked without a chain. Whether the
    /// key's account may speak for its chain is for the caller to judge by [`SealedJoin::account`].
    ///
    /// # Errors
    /// If they are not a well-formed, signed request.
    pub fn decode(bytes: Bytes, verifier: &dyn Verifier) -> Result<Self, JoinError> {
        let request: JoinRequest = decode_canonical(&bytes, JOIN_REQUEST_BYTES_MAX)?;
        let terms: JoinTerms = decode_canonical(&request.terms, JOIN_REQUEST_BYTES_MAX)?;
        let relay = Digest::from_slice(&terms.relay).ok_or(JoinError::Field("relay"))?;
        if !(1..=JOIN_URLS_MAX).contains(&terms.urls.len()) || !terms.urls.iter().all(|url| is_url(url)) {
            return Err(JoinError::Field("urls"));
        }
        let key = PublicKey::from_bytes(&request.public_key).map_err(|_| JoinError::Field("public_key"))?;
        let signature = Signature::from_bytes(&request.signature).map_err(|_| JoinError::Field("signature"))?;
        if request.genesis.len() > LINKED_GENESIS_BYTES_MAX {
            return Err(JoinError::GenesisTooLong(request.genesis.len()));
        }
        let genesis = SealedGenesis::decode(&request.genesis)?;
        if genesis.chain_id.0 != terms.chain[..] {
            return Err(JoinError::OtherGenesis(genesis.chain_id));
        }
        if genesis.chain_id == relay {
            return Err(JoinError::Field("relay"));
        }
        let of_key = |account: &&Account| account.public_key == request.public_key;
        let account = genesis
            .message
            .accounts
            .iter()
            .find(of_key)
            .cloned()
            .ok_or(JoinError::UnknownKey)?;
        if !verifier.verify(&key, &message(&request.terms).0, &signature) {
            return Err(JoinError::Signature);
        }
        Ok(Self {
            relay,
            genesis,
            urls: terms.urls,
            time_ms: terms.time_ms,
            account,
            bytes,
        })
    }
}

fn message(terms: &[u8]) -> Digest {
    sm3::tagged(&tags::JOIN_REQUEST, &[terms])
}

/// Printable, without white space: it is shown to people and put into files.
fn is_url(url: &str) -> bool {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    url.len() <= JOIN_URL_BYTES_MAX && url.len() > URL_SCHEME.len() && url.starts_with(URL_SCHEME) && is_plain
}
