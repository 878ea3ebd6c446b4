//! Named maxima of everything that is decoded. Chain parameters may be stricter, never wider.

/// Most bytes of an encoded transaction.
pub const TRANSACTION_BYTES_MAX: usize = 128 * 1024;
/// Most signatures of a transaction.
pub const SIGNATURES_MAX: usize = 8;
/// Most bytes of a method's arguments.
pub const ARGUMENTS_BYTES_MAX: usize = 96 * 1024;
/// Most declared state keys of a transaction.
pub const DECLARED_KEYS_MAX: usize = 256;
/// Most bytes of one declared key or state key.
pub const STATE_KEY_BYTES_MAX: usize = 256;
/// Most bytes of a state value.
pub const STATE_VALUE_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of a module or method name.
pub const NAME_BYTES_MAX: usize = 32;
/// Most modules that a genesis may list.
pub const GENESIS_MODULES_MAX: usize = 64;
/// Length of a transaction's nonce, bytes.
pub const NONCE_BYTES: usize = 16;
/// Most bytes of a block's transactions that any parameter may allow.
pub const BLOCK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most transactions of a block that any parameter may allow.
pub const BLOCK_TRANSACTIONS_MAX: usize = 20_000;
/// Most bytes of an encoded header.
pub const HEADER_BYTES_MAX: usize = 1024;
/// Room for the framing of one transaction inside a block: field tag and length.
pub const TRANSACTION_FRAMING_BYTES: usize = 5;
/// Most validators of a set.
pub const VALIDATORS_MAX: usize = 64;
/// Most bytes of an encoded validator set.
pub const VALIDATOR_SET_BYTES_MAX: usize = VALIDATORS_MAX * 512;
/// Most bytes of a person-readable name (validator, organisation, cloud, label).
pub const LABEL_BYTES_MAX: usize = 128;
/// Most bytes of an encoded finality proof.
pub const FINALITY_PROOF_BYTES_MAX: usize = 256 + VALIDATORS_MAX * 72;
/// Most bytes of an encoded genesis.
pub const GENESIS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most accounts, organisations, parameters and nodes of a genesis together, and its other fields.
pub const GENESIS_FIELDS_MAX: usize = 20_000;
/// Most bytes of an encoded receipt.
pub const RECEIPT_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of what a packet between chains carries.
pub const PACKET_PAYLOAD_BYTES_MAX: usize = 4 * 1024;
/// Most bytes of an encoded packet between chains.
pub const PACKET_BYTES_MAX: usize = PACKET_PAYLOAD_BYTES_MAX + 512;
/// Most bytes of a genesis that can be linked: it must fit into the arguments of one transaction.
pub const LINKED_GENESIS_BYTES_MAX: usize = ARGUMENTS_BYTES_MAX - 4 * 1024;
/// Most addresses that a platform names when it asks to join another one.
pub const JOIN_URLS_MAX: usize = 16;
/// Most bytes of one of these addresses.
pub const JOIN_URL_BYTES_MAX: usize = 128;
/// Most bytes of the request to join.
pub const JOIN_REQUEST_BYTES_MAX: usize = LINKED_GENESIS_BYTES_MAX + 4 * 1024;

const _: () = assert!(ARGUMENTS_BYTES_MAX < TRANSACTION_BYTES_MAX);
const _: () = assert!(TRANSACTION_BYTES_MAX < BLOCK_BYTES_MAX);
