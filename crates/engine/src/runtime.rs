//! The library's runtime context behind our own [`Runtime`] trait.

use crate::api::{Runtime, Task};
use commonware_runtime::{Clock, Handle, Metrics, Spawner, Storage};
use commonware_utils::SystemTimeExt;
use rand_core::{CryptoRng, Rng};
use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What the engine needs of a runtime context of the library.
pub trait Env: Clock + CryptoRng + Spawner + Storage + Metrics {}
impl<T: Clock + CryptoRng + Spawner + Storage + Metrics> Env for T {}

/// A shareable runtime. Tasks end with the context it was made from.
pub struct Context<E: Env> {
    context: Arc<E>,
    /// Drawing randomness needs exclusive access.
    random: Arc<Mutex<E>>,
}

impl<E: Env> Clone for Context<E> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            random: self.random.clone(),
        }
    }
}

impl<E: Env> fmt::Debug for Context<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}

impl<E: Env> Context<E> {
    /// Wraps a context.
    pub fn new(context: E) -> Self {
        let random = Arc::new(Mutex::new(context.child("random")));
        Self {
            context: Arc::new(context),
            random,
        }
    }

    /// The library's context, for the engine itself.
    pub(crate) fn child(&self, label: &'static str) -> E {
        self.context.child(label)
    }
}

fn task(handle: Handle<()>) -> Task {
    let handle = Mutex::new(Some(handle));
    Task(Box::new(move || {
        if let Some(handle) = handle.lock().expect("task handle").take() {
            handle.abort();
        }
    }))
}

impl<E: Env> Runtime for Context<E> {
    fn now_ms(&self) -> u64 {
        self.context.current().epoch_millis()
    }

    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.context.sleep(duration)
    }

    fn start<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        task(self.context.child(name).spawn(move |_| future))
    }

    fn start_dedicated<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        task(self.context.child(name).dedicated().spawn(move |_| future))
    }

    fn random(&self, out: &mut [u8]) {
        self.random.lock().expect("random source").fill_bytes(out)
    }
}
