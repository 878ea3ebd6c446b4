//! Named maxima and the prices of metering.

use yulian_types::limits::RECEIPT_BYTES_MAX;

/// Ancestors of a block whose digests a module can look up.
pub const RECENT_DIGESTS: usize = 256;
/// Most versions of the final state that stay in memory, for proofs.
pub const FINAL_STATES_KEPT: usize = 16;
/// Fewer are kept when their blocks changed more keys than this together: a version costs about 3 KB for each.
pub const FINAL_CHANGES_KEPT: usize = 16_000;
/// Versions of the final state that are kept whatever they cost: the last header proves the state before it.
pub const FINAL_STATES_KEPT_MIN: usize = 3;
/// Most executed blocks that are not final. Past it, the oldest that nothing builds on is forgotten.
pub const PENDING_BLOCKS_MAX: usize = 256;
/// Most final blocks whose writes wait for the base. Past it, `finalize` refuses.
pub const UNCOMMITTED_BLOCKS_MAX: usize = 256;
/// Most senders whose records a state keeps decoded, about 450 bytes each.
pub const SENDERS_CACHED_MAX: usize = 32_768;
/// Most organisations whose records a state keeps decoded.
pub const ORGANISATIONS_CACHED_MAX: usize = 1024;

/// Fewest transactions of a block that are worth more than one thread. With 64 and 128 deposits two threads spare the busier
/// one an eighth of its time and cost a quarter more in all; with 256 they spare more than a quarter (`exec_bench`).
pub const PARALLEL_TRANSACTIONS_MIN: usize = 256;
/// Most values that are noted of a transaction which is executed ahead of its turn. One that reads more is executed at its turn.
pub const OBSERVED_MAX: usize = 64;

/// Most bytes of a receipt's detail; longer texts are cut.
pub const DETAIL_BYTES_MAX: usize = 512;
/// Most bytes of a method's answer.
pub const OUTPUT_BYTES_MAX: usize = 16 * 1024;
/// Most events of a transaction.
pub const EVENTS_MAX: usize = 64;
/// Most bytes of the data of a transaction's events together.
pub const EVENT_BYTES_MAX: usize = 32 * 1024;
/// Bytes an event takes in a receipt beside its data: names and framing.
const EVENT_FRAMING_BYTES: usize = 80;

const _: () = assert!(
    DETAIL_BYTES_MAX + OUTPUT_BYTES_MAX + EVENT_BYTES_MAX + EVENTS_MAX * EVENT_FRAMING_BYTES + 256 <= RECEIPT_BYTES_MAX
);

/// Fewest validators of a set: one fault must be survivable.
pub const VALIDATORS_MIN: usize = 4;
/// Most bytes of the reason for accepting a set that a cloud could stop.
pub const RISK_REASON_BYTES_MAX: usize = 512;
/// Most member organisations.
pub const MEMBERS_MAX: usize = 64;
/// Most invitations that wait for an answer.
pub const INVITATIONS_MAX: usize = 64;
/// Longest time for which an invitation is valid: 90 days, ms of block time.
pub const INVITATION_MS_MAX: u64 = 90 * 24 * 3_600_000;
/// Most organisations that have given notice and not left.
pub const LEAVING_MAX: usize = 64;
/// Most organisations of a genesis.
pub const GENESIS_ORGANISATIONS_MAX: usize = 1024;
/// Most accounts of a genesis.
pub const GENESIS_ACCOUNTS_MAX: usize = 4096;
/// Most registered nodes of a chain.
pub const NODES_MAX: usize = 1024;
/// Most registered nodes of one organisation.
pub const NODES_PER_ORGANISATION_MAX: u64 = 16;
/// Most bytes of a node's address, "host:port".
pub const ADDRESS_BYTES_MAX: usize = 262;
/// Shortest voting period, ms of block time.
pub const VOTING_PERIOD_MS_MIN: u64 = 60_000;
/// Longest voting period: 90 days, ms of block time.
pub const VOTING_PERIOD_MS_MAX: u64 = 90 * 24 * 3_600_000;

/// Prices in metering units. One unit is about 0.3 ns on the machine of `docs/benchmarks.md`; the prices are part of consensus.
pub mod cost {
    /// Of every transaction.
    pub const BASE: u64 = 1_000;
    /// Of a byte of arguments.
    pub const ARGUMENT_BYTE: u64 = 2;
    /// Of reading a key, present or not.
    pub const READ: u64 = 500;
    /// Of writing or removing a key.
    pub const WRITE: u64 = 2_000;
    /// Of a byte of a written value.
    pub const WRITTEN_BYTE: u64 = 5;
    /// Of a signature, of the transaction or checked by a module.
    pub const SIGNATURE: u64 = 10_000;
    /// Of an event.
    pub const EVENT: u64 = 200;
    /// Of a byte of an event or of the answer.
    pub const RECEIPT_BYTE: u64 = 2;
}
