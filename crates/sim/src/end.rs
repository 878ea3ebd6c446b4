//! The end of a machine, told to all who wait for it.
//!
//! They wake in the order in which they began to wait. Channels that spread their waiters at random would make two runs of a seed
//! differ.

use futures::{FutureExt, channel::oneshot, future::Shared};

/// Ends with the machine.
pub(crate) type Ended = Shared<oneshot::Receiver<()>>;

/// What tells it, also by being dropped.
pub(crate) type End = oneshot::Sender<()>;

pub(crate) fn end() -> (End, Ended) {
    let (end, ended) = oneshot::channel();
    (end, ended.shared())
}
