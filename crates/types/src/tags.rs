//! Domain tags: the first eight bytes of every hash that has a meaning on chain.

use yulian_crypto::sm3::Tag;

/// Transaction id.
pub const TRANSACTION_ID: Tag = *b"ylTxIdV1";
/// Digest of a transaction's signature list.
pub const TRANSACTION_SIGNATURES: Tag = *b"ylTxSigs";
/// Leaf of the transaction root: id ‖ digest of the signature list.
pub const TRANSACTION_LEAF: Tag = *b"ylTxLeaf";
/// Block digest: header bytes.
pub const BLOCK: Tag = *b"ylBlockH";
/// Validator set: bytes of the message.
pub const VALIDATOR_SET: Tag = *b"ylValSet";
/// Genesis: bytes of the message; the digest is the chain id.
pub const GENESIS: Tag = *b"ylGenesi";
/// Account id: first public key.
pub const ACCOUNT: Tag = *b"ylAccntI";
/// A new key states that it is held: chain id ‖ account id.
pub const KEY_POSSESSION: Tag = *b"ylKeyOwn";
/// A candidate's signature over a recent header: chain id ‖ height ‖ digest.
pub const CANDIDATE: Tag = *b"ylCandid";
/// A node registers its address: chain id ‖ address.
pub const NODE_REGISTRATION: Tag = *b"ylNodeRg";
/// A node that hosts a new chain answers for it: id of the system chain ‖ chain id.
pub const CHAIN_READY: Tag = *b"ylChRedy";
/// A node names the last block of an archived chain: id of the system chain ‖ chain id ‖ height ‖ block digest.
pub const CHAIN_FINAL: Tag = *b"ylChFinl";
/// A node of a chain says who validates it: id of the system chain ‖ chain id ‖ height ‖ digest of the set.
pub const CHAIN_VALIDATORS: Tag = *b"ylChVals";
/// Digest of a charter: bytes of the record.
pub const CHARTER: Tag = *b"ylChartr";
/// An invited organisation joins: chain id ‖ digest of the charter ‖ organisation id.
pub const JOIN: Tag = *b"ylJoinCo";
/// Digest of a row of a table: the line without its line end.
pub const TABLE_ROW: Tag = *b"ylTblRow";
/// Digest of a packet between chains: its bytes.
pub const PACKET: Tag = *b"ylPacket";
/// Id of a series of vouchers: home chain ‖ length of the organisation's id (1) ‖ the id ‖ name of the series.
pub const VOUCHER_SERIES: Tag = *b"ylVouchr";
/// A platform asks another one to be linked with its relay chain: encoded terms.
pub const JOIN_REQUEST: Tag = *b"ylJoinRq";
