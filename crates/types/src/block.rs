//! Blocks: header, body, digests and roots.

use crate::{
    codec::{CodecError, decode_canonical, decode_counted, encode},
    genesis::SealedGenesis,
    limits::*,
    proto, tags,
    transaction::{SealedTransaction, TransactionError},
};
use bytes::{Buf, Bytes};
use prost::encoding::{decode_varint, encoded_len_varint};
use std::{fmt, sync::Arc};
use yulian_crypto::{Digest, merkle, sm3};

const VERSION: u32 = 1;
/// Number of the field `header` of a block.
const HEADER_FIELD: u32 = 1;
/// The key of a block's header and that of a transaction: number of the field × 8 + 2, length-delimited.
const HEADER_KEY: u8 = (HEADER_FIELD as u8) << 3 | 2;
const TRANSACTION_KEY: u8 = 2 << 3 | 2;

/// Limits under which a block is decoded; taken from the chain's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimits {
    /// Most bytes of the encoded transactions together, framing included.
    pub body_bytes_max: usize,
    /// Most transactions.
    pub transactions_max: usize,
}

impl Default for BlockLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: BLOCK_BYTES_MAX,
            transactions_max: BLOCK_TRANSACTIONS_MAX,
        }
    }
}

/// Why bytes are not a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The block message is not canonical protobuf within its limit.
    #[error("block: {0}")]
    Codec(#[source] CodecError),
    /// The header is not canonical protobuf.
    #[error("header: {0}")]
    Header(#[source] CodecError),
    /// The header's version is unknown.
    #[error("header of unknown version {0}")]
    Version(u32),
    /// A digest of the header is not 32 bytes.
    #[error("header field {0} is not a digest")]
    Digest(&'static str),
    /// Too many transactions.
    #[error("{found} transactions, at most {limit} are allowed")]
    TooMany {
        /// Transactions in the block.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A transaction is malformed.
    #[error("transaction {index}: {source}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// What is wrong with it.
        source: TransactionError,
    },
    /// The header's transaction root is not that of the body.
    #[error("the transaction root does not match the transactions")]
    TransactionRoot,
}

/// The root that commits to nothing: of a block without transactions, of an unused message queue.
pub fn empty_root() -> Digest {
    merkle::root(&[])
}

/// Root over the leaves of the transactions, in block order.
pub fn transaction_root(transactions: &[Arc<SealedTransaction>]) -> Digest {
    merkle::root(&transactions.iter().map(|t| t.leaf).collect::<Vec<_>>())
}

/// Root over the encoded receipts, in block order.
pub fn receipt_root(receipts: &[Bytes]) -> Digest {
    let receipts: Vec<_> = receipts.iter().map(|bytes| [&bytes[..]]).collect();
    merkle::root(&merkle::leaves(&receipts))
}

/// Results of executing a block, which its child's header carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentResults {
    /// State root after the block.
    pub state_root: Digest,
    /// Root over its receipts.
    pub receipt_root: Digest,
    /// Root over its sorted write set.
    pub write_set_root: Digest,
    /// Root over its outgoing messages.
    pub message_root: Digest,
    /// Digest of the validator set of the next epoch as decided by the state after the block.
    pub next_validators: Digest,
}

/// A block whose form has been checked once: every byte is fixed by its digest.
#[derive(Debug, Clone)]
pub struct SealedBlock {
    /// SM3("ylBlockH" ‖ header bytes).
    pub digest: Digest,
    /// The canonical block bytes.
    pub bytes: Bytes,
    /// The canonical header bytes.
    pub header_bytes: Bytes,
    /// The header.
    pub header: proto::BlockHeader,
    /// Digest of the parent, from the header.
    pub parent: Digest,
    /// The transactions in order.
    pub transactions: Vec<Arc<SealedTransaction>>,
}

/// Digest of header bytes.
pub fn block_digest(header_bytes: &[u8]) -> Digest {
    sm3::tagged(&tags::BLOCK, &[header_bytes])
}

/// Transactions that were decoded before, for a decoder of blocks: the same bytes are parsed and hashed once.
pub trait KnownTransactions: fmt::Debug + Send + Sync {
    /// For each of the list the transaction of exactly these bytes, if it is known; as many answers as questions.
    fn find(&self, list: &[Bytes]) -> Vec<Option<Arc<SealedTransaction>>>;
}

/// No transaction was decoded before.
#[derive(Debug, Clone, Copy)]
pub struct NothingKnown;

impl KnownTransactions for NothingKnown {
    fn find(&self, list: &[Bytes]) -> Vec<Option<Arc<SealedTransaction>>> {
        vec![None; list.len()]
    }
}

impl SealedBlock {
    /// Encodes a new block. The header's version and transaction root are filled in.
    pub fn build(mut header: proto::BlockHeader, transactions: Vec<Arc<SealedTransaction>>) -> Self {
        header.version = VERSION;
        header.transaction_root = transaction_root(&transactions).to_vec().into();
        let header_bytes = encode(&header);
        let block = proto::Block {
            header: header_bytes.clone(),
            transactions: transactions.iter().map(|t| t.bytes.clone()).collect(),
        };
        let parent = Digest::from_slice(&header.parent).unwrap_or(Digest::ZERO);
        Self {
            digest: block_digest(&header_bytes),
            bytes: encode(&block),
            header_bytes,
            header,
            parent,
            transactions,
        }
    }

    pub(crate) fn genesis(genesis: &SealedGenesis) -> Self {
        let set = genesis.validators.digest().to_vec();
        let root = Bytes::from(empty_root().to_vec());
        let header = proto::BlockHeader {
            chain_id: genesis.chain_id.to_vec().into(),
            parent: Digest::ZERO.to_vec().into(),
            time_ms: genesis.message.time_ms,
            protocol_version: genesis.message.protocol_version,
            parent_state_root: Digest::ZERO.to_vec().into(),
            parent_receipt_root: root.clone(),
            parent_write_set_root: root.clone(),
            parent_message_root: root,
            validators: set.clone().into(),
            next_validators: set.into(),
            ..Default::default()
        };
        Self::build(header, vec![])
    }

    /// Decodes and checks foreign bytes: form, limits, and that the body is the one the header commits to.
    pub fn decode(bytes: Bytes, limits: &BlockLimits) -> Result<Self, BlockError> {
        Self::decode_with(bytes, limits, &NothingKnown)
    }

    /// [`Self::decode`], which takes the transactions that are `known` as they are and decodes the others.
    ///
    /// # Errors
    /// Those of [`Self::decode`]: what is known makes no difference but to the time it takes.
    pub fn decode_with(bytes: Bytes, limits: &BlockLimits, known: &dyn KnownTransactions) -> Result<Self, BlockError> {
        let block = Self::parse(bytes, limits, known)?;
        if block.header.transaction_root[..] != transaction_root(&block.transactions).0 {
            return Err(BlockError::TransactionRoot);
        }
        Ok(block)
    }

    fn parse(bytes: Bytes, limits: &BlockLimits, known: &dyn KnownTransactions) -> Result<Self, BlockError> {
        let limit = limits.body_bytes_max + HEADER_BYTES_MAX + TRANSACTION_FRAMING_BYTES;
        // One field is the header; the transactions are counted exactly below.
        let fields = limits.transactions_max.saturating_add(2);
        let message = match split(&bytes, limit, limits.transactions_max) {
            Some(message) => message,
            // Whatever is wrong with it, the other decoder finds out and says.
            None => {
                decode_counted(&bytes, limit, fields, (HEADER_FIELD, HEADER_BYTES_MAX)).map_err(BlockError::Codec)?
            }
        };
        let header = decode_header(&message.header)?;
        let found = message.transactions.len();
        if found > limits.transactions_max {
            return Err(BlockError::TooMany {
                found,
                limit: limits.transactions_max,
            });
        }
        let transactions = transactions_of(message.transactions, known)?;
        let parent = Digest::from_slice(&header.parent).ok_or(BlockError::Digest("parent"))?;
        Ok(Self {
            digest: block_digest(&message.header),
            bytes,
            header_bytes: message.header,
            header,
            parent,
            transactions,
        })
    }

    /// Height of the block; genesis is 0.
    pub fn height(&self) -> u64 {
        self.header.height
    }

    /// Bytes that one transaction takes in a block's body.
    pub fn body_cost(transaction: &SealedTransaction) -> usize {
        transaction.bytes.len() + TRANSACTION_FRAMING_BYTES
    }
}

/// The parts of a canonical block within its limits, without a copy: a block is long, and to compare it with its
/// encoding costs as much as all else that is done to read it.
fn split(bytes: &Bytes, limit: usize, transactions_max: usize) -> Option<proto::Block> {
    let mut message = proto::Block::default();
    if bytes.len() > limit {
        return None;
    }
    let mut rest = bytes.clone();
    if rest.first() == Some(&HEADER_KEY) {
        message.header = take_field(&mut rest).filter(|header| (1..=HEADER_BYTES_MAX).contains(&header.len()))?;
    }
    while let Some(&key) = rest.first() {
        if key != TRANSACTION_KEY || message.transactions.len() == transactions_max {
            return None;
        }
        message.transactions.push(take_field(&mut rest)?);
    }
    Some(message)
}

/// The content of the length-delimited field that `rest` begins with, if its length is written as short as it can be.
fn take_field(rest: &mut Bytes) -> Option<Bytes> {
    let mut after = &rest[1..];
    let length = decode_varint(&mut after).ok()?;
    let start = rest.len() - after.len();
    let end = usize::try_from(length).ok()?.checked_add(start)?;
    if encoded_len_varint(length) != start - 1 || end > rest.len() {
        return None;
    }
    let content = rest.slice(start..end);
    rest.advance(end);
    Some(content)
}

/// Takes what is known and decodes the others together.
fn transactions_of(list: Vec<Bytes>, known: &dyn KnownTransactions) -> Result<Vec<Arc<SealedTransaction>>, BlockError> {
    let mut found = known.find(&list);
    let others: Vec<Bytes> = list
        .into_iter()
        .zip(&found)
        .filter(|(_, found)| found.is_none())
        .map(|(bytes, _)| bytes)
        .collect();
    let mut decoded = SealedTransaction::decode_many(others).into_iter();
    for (index, place) in found.iter_mut().enumerate().filter(|(_, place)| place.is_none()) {
        let transaction = decoded.next().expect("one for each that was not known");
        let transaction = transaction.map_err(|source| BlockError::Transaction { index, source })?;
        *place = Some(Arc::new(transaction));
    }
    Ok(found.into_iter().flatten().collect())
}

/// Decodes and checks a header by itself.
pub fn decode_header(bytes: &Bytes) -> Result<proto::BlockHeader, BlockError> {
    let header: proto::BlockHeader = decode_canonical(bytes, HEADER_BYTES_MAX).map_err(BlockError::Header)?;
    if header.version != VERSION {
        return Err(BlockError::Version(header.version));
    }
    for (name, field) in [
        ("chain_id", &header.chain_id),
        ("parent", &header.parent),
        ("transaction_root", &header.transaction_root),
        ("parent_state_root", &header.parent_state_root),
        ("parent_receipt_root", &header.parent_receipt_root),
        ("parent_write_set_root", &header.parent_write_set_root),
        ("parent_message_root", &header.parent_message_root),
        ("validators", &header.validators),
        ("next_validators", &header.next_validators),
    ] {
        if field.len() != sm3::DIGEST_BYTES {
            return Err(BlockError::Digest(name));
        }
    }
    Ok(header)
}
