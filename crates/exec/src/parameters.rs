//! Chain parameters: their names, defaults and hard limits.

use crate::snapshot::{ReadPath, StateError, read_record};
use yulian_types::{
    BlockLimits, StateKey,
    limits::{BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_FRAMING_BYTES},
    proto,
    state_keys::PARAMETER_CLOCK_DRIFT_MS,
};

/// Replay window W: a transaction may be valid for this long at most, ms of block time. Never shrinks, because a
/// transaction admitted under a longer window could else be replayed after its id has left the shorter one.
pub const REPLAY_WINDOW_MS: &str = "replay_window_ms";
/// Most bytes of a block's transactions together, framing included.
pub const BLOCK_BYTES: &str = "block_bytes_max";
/// Most transactions of a block.
pub const BLOCK_TRANSACTIONS: &str = "block_transactions_max";
/// Most bytes of an encoded transaction.
pub const TRANSACTION_BYTES: &str = "transaction_bytes_max";
/// Highest metering limit that a transaction may ask for, units.
pub const METERING_LIMIT: &str = "metering_limit_max";
/// An idle chain makes a block this long after its last one, ms.
pub const HEARTBEAT_MS: &str = "heartbeat_ms";

const KIB: u64 = 1024;
const MINUTE_MS: u64 = 60_000;

/// A parameter as this program knows it. A genesis may set narrower limits, never wider ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Name on the chain.
    pub name: &'static str,
    /// Value of [`default_parameters`].
    pub default: u64,
    /// Lowest limit that a genesis may set.
    pub minimum: u64,
    /// Highest limit that a genesis may set.
    pub maximum: u64,
    /// The value may only grow.
    pub never_shrinks: bool,
}

/// Every parameter; a genesis names each once.
pub const DEFINITIONS: [Definition; 7] = [
    define(REPLAY_WINDOW_MS, 10 * MINUTE_MS, MINUTE_MS, 60 * MINUTE_MS).growing(),
    define(BLOCK_BYTES, 1024 * KIB, 256 * KIB, BLOCK_BYTES_MAX as u64).growing(),
    define(BLOCK_TRANSACTIONS, 5_000, 1, BLOCK_TRANSACTIONS_MAX as u64),
    define(TRANSACTION_BYTES, 64 * KIB, 8 * KIB, TRANSACTION_BYTES_MAX as u64),
    define(METERING_LIMIT, 10_000_000, 2_000_000, 1_000_000_000),
    define(HEARTBEAT_MS, 5 * MINUTE_MS, MINUTE_MS, 24 * 60 * MINUTE_MS),
    define(PARAMETER_CLOCK_DRIFT_MS, 5_000, 500, MINUTE_MS),
];

// The largest transaction fits into the smallest block.
const _: () = assert!(TRANSACTION_BYTES_MAX + TRANSACTION_FRAMING_BYTES <= 256 * KIB as usize);

const fn define(name: &'static str, default: u64, minimum: u64, maximum: u64) -> Definition {
    assert!(minimum <= default && default <= maximum);
    Definition {
        name,
        default,
        minimum,
        maximum,
        never_shrinks: false,
    }
}

impl Definition {
    const fn growing(self) -> Self {
        Self {
            never_shrinks: true,
            ..self
        }
    }
}

/// The definition of a name.
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

/// The parameters of a new chain, for its genesis.
pub fn default_parameters() -> Vec<proto::Parameter> {
    let parameter = |definition: &Definition| proto::Parameter {
        name: definition.name.into(),
        value: definition.default,
        minimum: definition.minimum,
        maximum: definition.maximum,
        never_shrinks: definition.never_shrinks,
    };
    DEFINITIONS.iter().map(parameter).collect()
}

/// The values of all parameters in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// See [`REPLAY_WINDOW_MS`].
    pub replay_window_ms: u64,
    /// See [`BLOCK_BYTES`].
    pub block_bytes_max: u64,
    /// See [`BLOCK_TRANSACTIONS`].
    pub block_transactions_max: u64,
    /// See [`TRANSACTION_BYTES`].
    pub transaction_bytes_max: u64,
    /// See [`METERING_LIMIT`].
    pub metering_limit_max: u64,
    /// See [`HEARTBEAT_MS`].
    pub heartbeat_ms: u64,
    /// A validator whose clock is behind a block's time by more than this waits, ms.
    pub clock_drift_ms: u64,
}

impl Parameters {
    pub(crate) fn read(state: &mut dyn ReadPath) -> Result<Self, StateError> {
        let mut value = |name: &'static str| {
            let record: Option<proto::Parameter> = read_record(state, &StateKey::parameter(name), "parameter")?;
            let missing = || StateError::Record {
                table: "parameter",
                reason: format!("{name} is missing"),
            };
            record.map(|record| record.value).ok_or_else(missing)
        };
        Ok(Self {
            replay_window_ms: value(REPLAY_WINDOW_MS)?,
            block_bytes_max: value(BLOCK_BYTES)?,
            block_transactions_max: value(BLOCK_TRANSACTIONS)?,
            transaction_bytes_max: value(TRANSACTION_BYTES)?,
            metering_limit_max: value(METERING_LIMIT)?,
            heartbeat_ms: value(HEARTBEAT_MS)?,
            clock_drift_ms: value(PARAMETER_CLOCK_DRIFT_MS)?,
        })
    }

    /// The limits under which a block of this chain is decoded.
    pub fn block_limits(&self) -> BlockLimits {
        BlockLimits {
            body_bytes_max: self.block_bytes_max as usize,
            transactions_max: self.block_transactions_max as usize,
        }
    }
}
