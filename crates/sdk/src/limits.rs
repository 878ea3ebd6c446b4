//! Named maxima of the client.

use std::time::Duration;

pub use yulian_api::limits::STATE_KEYS_MAX;

/// Most bytes of the head of an answer.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most header fields of an answer.
pub const HEADERS_MAX: usize = 64;
/// Most bytes of the body of an answer: the largest block in JSON.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most bytes of one event of a stream.
pub const EVENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most bytes of one line of a chunked body's framing.
pub const CHUNK_LINE_BYTES_MAX: usize = 1024;
/// Most idle connections that are kept for one node.
pub const IDLE_CONNECTIONS_MAX: usize = 64;
/// Most nodes of one client.
pub const NODES_MAX: usize = 64;
/// Failures in a row after which a stream gives up.
pub const STREAM_FAILURES_MAX: u32 = 20;
/// Shortest pause before a failed attempt is repeated.
pub const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// Longest pause before a failed attempt is repeated.
pub const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// Most changes of the validators that one update of a light client brings; the same as the module `link` takes.
pub const UPDATE_CHANGES_MAX: usize = 16;
/// Most bytes of the changes that one update brings, the first one aside: there must be room for headers and items.
pub const UPDATE_CHANGE_BYTES_MAX: usize = 16 * 1024;
/// Most pages of a chain's history of validators that are read: a node that never ends it is left.
pub const HISTORY_PAGES_MAX: usize = 64;
/// Most bytes of a table that is read.
pub const TABLE_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Most columns of a table.
pub const COLUMNS_MAX: usize = 4096;

/// Values of a chain's state that are read at a time.
pub const READS_AT_ONCE: usize = 16;
/// Most packets that are looked at for those that have not ended, the newest first.
pub const PACKETS_SEARCHED_MAX: u64 = 4096;
/// How often the books of a series are read anew because they changed meanwhile.
pub const BOOKS_READ_MAX: usize = 16;
/// Most series of vouchers that are listed.
pub const SERIES_LISTED_MAX: u64 = 65_536;

/// The pause before attempt `failures + 1`: doubling from [`BACKOFF_MIN`] to [`BACKOFF_MAX`].
pub(crate) fn backoff(failures: u32) -> Duration {
    BACKOFF_MIN.saturating_mul(1 << failures.min(10)).min(BACKOFF_MAX)
}
