//! The runtime of a simulated node, whose clock may be wrong.

use std::{future::Future, time::Duration};
use yulian_engine::{Runtime, Task, simulated::SimContext};

/// The simulation's runtime with a clock that differs from virtual time by a fixed amount.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    context: SimContext,
    /// How far the clock is ahead, ms; below 0 it is behind.
    ahead_ms: i64,
}

impl Clock {
    /// A clock that is ahead by so much, ms.
    pub(crate) fn new(context: SimContext, ahead_ms: i64) -> Self {
        Self { context, ahead_ms }
    }
}

impl Runtime for Clock {
    fn now_ms(&self) -> u64 {
        self.context.now_ms().saturating_add_signed(self.ahead_ms)
    }

    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.context.pause(duration)
    }

    fn start<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.context.start(name, future)
    }

    fn start_dedicated<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.context.start_dedicated(name, future)
    }

    fn random(&self, out: &mut [u8]) {
        self.context.random(out)
    }
}
