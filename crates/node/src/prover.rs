//! The task that proves what the state held at former heights.
//!
//! Rolling a part of the state back takes milliseconds to seconds, so it runs on a thread of its own where there are threads,
//! one proof at a time: neither execution nor the tasks that serve the network wait for it.

use std::fmt;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
use yulian_engine::{Runtime, Task};

/// Most proofs that wait for their turn; one more is refused.
pub const PROOFS_WAITING_MAX: usize = 16;

type Job = Box<dyn FnOnce() + Send>;

/// Why a proof is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProverError {
    /// As many wait as may.
    #[error("too many proofs at former heights are asked for")]
    Busy,
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
}

/// The way to the proving task. Clones share it.
#[derive(Clone)]
pub struct Prover(mpsc::Sender<Job>);

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prover")
    }
}

impl Prover {
    /// Starts the task.
    pub fn start<R: Runtime>(runtime: &R) -> (Self, Task) {
        let (jobs, mut waiting) = mpsc::channel::<Job>(PROOFS_WAITING_MAX);
        let task = runtime.start_dedicated("prover", async move {
            while let Some(job) = waiting.recv().await {
                job();
            }
        });
        (Self(jobs), task)
    }

    /// Runs work in the task and waits for its answer. Nothing happens if the caller has gone away before its turn.
    ///
    /// # Errors
    /// [`ProverError`].
    pub async fn run<T, F>(&self, work: F) -> Result<T, ProverError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        });
        self.0.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => ProverError::Busy,
            TrySendError::Closed(_) => ProverError::Stopping,
        })?;
        answer.await.map_err(|_| ProverError::Stopping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::simulate;
    use futures::future::join_all;

    #[test]
    fn as_many_wait_as_may_and_one_more_is_refused() {
        simulate(async |runtime| {
            let (prover, _task) = Prover::start(&runtime);
            let all = join_all((0..=PROOFS_WAITING_MAX).map(|number| prover.run(move || number))).await;
            let (last, first) = all.split_last().unwrap();
            assert!(first.iter().enumerate().all(|(number, answer)| *answer == Ok(number)));
            assert_eq!(*last, Err(ProverError::Busy));
            assert_eq!(prover.run(|| 7).await, Ok(7));
        });
    }
}
