//! Named maxima of the HTTP interface.

use std::time::Duration;
use yulian_types::limits::{STATE_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX};

/// Most transactions of one batch submission.
pub const BATCH_TRANSACTIONS_MAX: usize = 2_000;
/// Most bytes of the body of one batch submission.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of the length in front of each transaction of a batch: u32 big-endian.
pub const BATCH_LENGTH_BYTES: usize = 4;
/// Most items of one page.
pub const PAGE_ITEMS_MAX: usize = 200;
/// Items of a page when the caller names no number.
pub const PAGE_ITEMS_DEFAULT: usize = 50;
/// Most keys of the state that one request asks for.
pub const STATE_KEYS_MAX: usize = 256;
/// Most bytes of the body of such a request: keys in hexadecimal with what JSON puts around them.
pub const STATE_REQUEST_BYTES_MAX: usize = STATE_KEYS_MAX * (2 * STATE_KEY_BYTES_MAX + 8) + 1_024;
/// Most characters of a cursor.
pub const CURSOR_CHARS_MAX: usize = 256;
/// Most characters of a name in a path or query: chain, module, organisation.
pub const NAME_CHARS_MAX: usize = 64;
/// Most characters of a request id that a caller may bring; longer ones are replaced.
pub const REQUEST_ID_CHARS_MAX: usize = 64;
/// Longest time a submission may wait for its final result.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// Time a submission waits when the caller names none.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(30);
/// Most headers from a height to the finality proof that covers it.
pub const COVER_HEADERS_MAX: usize = 1_024;

/// What one listener admits at a time; past it, the answer is `busy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most requests at a time that read.
    pub reads_max: usize,
    /// Most submissions of one transaction at a time, waiting ones included.
    pub submissions_max: usize,
    /// Most batch submissions at a time, waiting ones included.
    pub batches_max: usize,
    /// Most open streams of blocks.
    pub streams_max: usize,
    /// Longest time from the first byte of a request's head to its answer, apart from the wait that a
    /// submission asks for. A body that comes too slowly ends here.
    pub request_timeout: Duration,
    /// A stream without an event for this long sends a comment, so that both ends notice a dead connection.
    pub stream_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            reads_max: 256,
            submissions_max: 1_024,
            batches_max: 32,
            streams_max: 64,
            request_timeout: Duration::from_secs(10),
            stream_idle: Duration::from_secs(15),
        }
    }
}

const _: () = assert!(BATCH_BYTES_MAX >= TRANSACTION_BYTES_MAX + BATCH_LENGTH_BYTES);
const _: () = assert!(PAGE_ITEMS_DEFAULT <= PAGE_ITEMS_MAX);
