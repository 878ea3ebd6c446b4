//! Transactions: ids, leaves, building and checking the form.

use crate::{
    codec::{CodecError, decode_canonical, encode},
    limits::*,
    proto, tags,
};
use bytes::Bytes;
use yulian_crypto::{
    Digest,
    sm2::{PublicKey, SignError, Signature, Signer},
    sm3,
};

/// Transaction kind of this platform's own payload.
pub const KIND_NATIVE: u32 = 1;
/// Signature scheme: SM2 over the 32-byte transaction id.
pub const SCHEME_SM2: u32 = 1;
const PAYLOAD_VERSION: u32 = 1;

/// Why bytes are not a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// The envelope is not canonical protobuf within its limit.
    #[error("envelope: {0}")]
    Envelope(#[source] CodecError),
    /// The payload is not canonical protobuf.
    #[error("payload: {0}")]
    Payload(#[source] CodecError),
    /// The kind is reserved.
    #[error("transaction kind {0} is not switched on")]
    Kind(u32),
    /// The payload's format version is unknown.
    #[error("payload version {0} is unknown")]
    Version(u32),
    /// No signature, or too many.
    #[error("{0} signatures, 1 to {SIGNATURES_MAX} are allowed")]
    SignatureCount(usize),
    /// A signature's scheme is unknown.
    #[error("signature scheme {0} is not switched on")]
    Scheme(u32),
    /// A signer is not an SM2 public key.
    #[error("signer {index} is not an SM2 public key")]
    SignerKey {
        /// Position in the signature list.
        index: usize,
    },
    /// A signature is not 64 bytes r‖s in range.
    #[error("signature {index} is malformed")]
    SignatureForm {
        /// Position in the signature list.
        index: usize,
    },
    /// A field of the payload has a wrong length.
    #[error("field {field} has a wrong length")]
    Field {
        /// Name of the field.
        field: &'static str,
    },
}

/// SM3("ylTxIdV1" ‖ kind ‖ payload).
pub fn transaction_id(kind: u32, payload: &[u8]) -> Digest {
    sm3::tagged(&tags::TRANSACTION_ID, &[&kind.to_be_bytes(), payload])
}

/// The id of the account whose first key this is.
pub fn account_id(first_key: &PublicKey) -> Digest {
    sm3::tagged(&tags::ACCOUNT, &[first_key.as_bytes()])
}

/// A signature of a transaction, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerEntry {
    /// The key that signed.
    pub key: PublicKey,
    /// Its signature over the id.
    pub signature: Signature,
}

/// A transaction whose form has been checked once. Its signatures have been parsed, not verified.
#[derive(Debug, Clone)]
pub struct SealedTransaction {
    /// The bytes as they came.
    pub bytes: Bytes,
    /// Digest that is signed and judged for replays.
    pub id: Digest,
    /// Leaf of the transaction root: commits to the id and to every signature byte.
    pub leaf: Digest,
    /// The payload.
    pub payload: proto::TransactionPayload,
    /// Sender of the payload.
    pub sender: Digest,
    /// The signatures; the first is the sender's.
    pub signers: Vec<SignerEntry>,
}

impl SealedTransaction {
    /// Parses and checks an envelope. `bytes` is kept as it came.
    ///
    /// # Errors
    /// Why these are not the bytes of a transaction: nothing of foreign bytes is trusted but what this checked.
    pub fn decode(bytes: Bytes) -> Result<Self, TransactionError> {
        let mut one = Self::decode_many(vec![bytes]);
        one.pop().expect("as many answers as transactions")
    }

    /// [`Self::decode`] of each, in order. Many are hashed side by side, which is faster than one after the other.
    pub fn decode_many(list: Vec<Bytes>) -> Vec<Result<Self, TransactionError>> {
        let parsed: Vec<_> = list.into_iter().map(Parsed::read).collect();
        let good: Vec<&Parsed> = parsed.iter().filter_map(|parsed| parsed.as_ref().ok()).collect();
        let kind = KIND_NATIVE.to_be_bytes();
        let payloads: Vec<_> = good.iter().map(|parsed| [&kind[..], &parsed.payload_bytes]).collect();
        let lists: Vec<_> = good.iter().map(|parsed| [&parsed.signatures[..]]).collect();
        let ids = sm3::tagged_many(&tags::TRANSACTION_ID, &payloads);
        let lists = sm3::tagged_many(&tags::TRANSACTION_SIGNATURES, &lists);
        let pairs: Vec<_> = ids.iter().zip(&lists).map(|(id, list)| [&id.0[..], &list.0]).collect();
        let leaves = sm3::tagged_many(&tags::TRANSACTION_LEAF, &pairs);
        let mut hashes = ids.into_iter().zip(leaves);
        let mut seal = |parsed: Parsed| parsed.seal(hashes.next().expect("two hashes for each that was read"));
        parsed.into_iter().map(|parsed| parsed.map(&mut seal)).collect()
    }
}

/// An envelope whose form is right; what is missing are its hashes.
struct Parsed {
    bytes: Bytes,
    payload: proto::TransactionPayload,
    payload_bytes: Bytes,
    /// The list of signatures, encoded for its digest.
    signatures: Bytes,
    sender: Digest,
    signers: Vec<SignerEntry>,
}

impl Parsed {
    fn read(bytes: Bytes) -> Result<Self, TransactionError> {
        let envelope: proto::Transaction =
            decode_canonical(&bytes, TRANSACTION_BYTES_MAX).map_err(TransactionError::Envelope)?;
        if envelope.kind != KIND_NATIVE {
            return Err(TransactionError::Kind(envelope.kind));
        }
        let signers = parse_signers(&envelope.signatures)?;
        let payload: proto::TransactionPayload =
            decode_canonical(&envelope.payload, TRANSACTION_BYTES_MAX).map_err(TransactionError::Payload)?;
        let sender = check_payload(&payload)?;
        let signatures = envelope.signatures;
        Ok(Self {
            bytes,
            payload,
            payload_bytes: envelope.payload,
            signatures: encode(&proto::TransactionSignatures { signatures }),
            sender,
            signers,
        })
    }

    fn seal(self, (id, leaf): (Digest, Digest)) -> SealedTransaction {
        SealedTransaction {
            bytes: self.bytes,
            id,
            leaf,
            payload: self.payload,
            sender: self.sender,
            signers: self.signers,
        }
    }
}

fn parse_signers(list: &[proto::TransactionSignature]) -> Result<Vec<SignerEntry>, TransactionError> {
    if list.is_empty() || list.len() > SIGNATURES_MAX {
        return Err(TransactionError::SignatureCount(list.len()));
    }
    let parse = |(index, entry): (usize, &proto::TransactionSignature)| {
        if entry.scheme != SCHEME_SM2 {
            return Err(TransactionError::Scheme(entry.scheme));
        }
        let key = PublicKey::from_bytes(&entry.signer).map_err(|_| TransactionError::SignerKey { index })?;
        let signature =
            Signature::from_bytes(&entry.signature).map_err(|_| TransactionError::SignatureForm { index })?;
        Ok(SignerEntry { key, signature })
    };
    list.iter().enumerate().map(parse).collect()
}

fn check_payload(payload: &proto::TransactionPayload) -> Result<Digest, TransactionError> {
    if payload.version != PAYLOAD_VERSION {
        return Err(TransactionError::Version(payload.version));
    }
    let field = |ok: bool, field: &'static str| {
        if ok {
            Ok(())
        } else {
            Err(TransactionError::Field { field })
        }
    };
    let name = |text: &str| !text.is_empty() && text.len() <= NAME_BYTES_MAX;
    let sender = Digest::from_slice(&payload.sender).ok_or(TransactionError::Field { field: "sender" })?;
    field(payload.chain_id.len() == sm3::DIGEST_BYTES, "chain_id")?;
    field(
        matches!(payload.on_behalf_of.len(), 0 | sm3::DIGEST_BYTES),
        "on_behalf_of",
    )?;
    field(payload.nonce.len() == NONCE_BYTES, "nonce")?;
    field(name(&payload.module), "module")?;
    field(name(&payload.method), "method")?;
    field(payload.arguments.len() <= ARGUMENTS_BYTES_MAX, "arguments")?;
    field(payload.declared_keys.len() <= DECLARED_KEYS_MAX, "declared_keys")?;
    let key = |key: &Bytes| (4..=STATE_KEY_BYTES_MAX).contains(&key.len());
    field(payload.declared_keys.iter().all(key), "declared_keys")?;
    Ok(sender)
}

/// What a client fills in to make a transaction.
#[derive(Debug, Clone)]
pub struct TransactionBuilder {
    payload: proto::TransactionPayload,
}

impl TransactionBuilder {
    /// A call of `module`.`method` by `sender`. `nonce` must be random; `valid_until_ms` is block time.
    pub fn new(
        chain_id: Digest,
        sender: Digest,
        nonce: [u8; NONCE_BYTES],
        valid_until_ms: u64,
        module: &str,
        method: &str,
        arguments: Bytes,
    ) -> Self {
        let payload = proto::TransactionPayload {
            chain_id: chain_id.to_vec().into(),
            version: PAYLOAD_VERSION,
            sender: sender.to_vec().into(),
            nonce: nonce.to_vec().into(),
            valid_until_ms,
            metering_limit: Self::METERING_LIMIT_DEFAULT,
            module: module.into(),
            method: method.into(),
            arguments,
            ..Default::default()
        };
        Self { payload }
    }

    /// Metering units a transaction may use unless the builder is told otherwise.
    pub const METERING_LIMIT_DEFAULT: u64 = 1_000_000;

    /// Another metering limit.
    pub fn metering_limit(mut self, units: u64) -> Self {
        self.payload.metering_limit = units;
        self
    }

    /// Acts for another account.
    pub fn on_behalf_of(mut self, account: Digest) -> Self {
        self.payload.on_behalf_of = account.to_vec().into();
        self
    }

    /// Declares every state key (module id ‖ key) that the execution may touch.
    pub fn declared_keys(mut self, keys: Vec<Bytes>) -> Self {
        self.payload.declared_keys = keys;
        self
    }

    /// Signs the id with the sender's key and returns the transaction's bytes and id.
    pub fn sign(self, signer: &dyn Signer) -> Result<(Bytes, Digest), SignError> {
        let payload = encode(&self.payload);
        let id = transaction_id(KIND_NATIVE, &payload);
        let signature = signer.sign(&id.0)?;
        let entry = proto::TransactionSignature {
            scheme: SCHEME_SM2,
            signer: signer.public_key().as_bytes().to_vec().into(),
            signature: signature.as_bytes().to_vec().into(),
        };
        let envelope = proto::Transaction {
            kind: KIND_NATIVE,
            payload,
            signatures: vec![entry],
        };
        Ok((encode(&envelope), id))
    }
}
