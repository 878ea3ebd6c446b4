//! What the tests of this crate share.

mod chain;
mod cluster;

pub(crate) use chain::*;
pub(crate) use cluster::*;

use bytes::Bytes;
use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};
use yulian_crypto::sm2::{SecretKey, Signer};
use yulian_engine::{Runtime, Task};
use yulian_types::{Digest, SealedTransaction, TransactionBuilder, account_id};

/// A key that depends on the number alone.
pub(crate) fn sender_key(number: u8) -> SecretKey {
    SecretKey::from_bytes(&[number; 32]).expect("a number of that size is a key")
}

/// The `number`th transaction of a sender, the same at every call.
pub(crate) fn transaction(key: &SecretKey, number: u32) -> Arc<SealedTransaction> {
    transaction_until(key, number, u64::MAX)
}

/// The same with an end of validity.
pub(crate) fn transaction_until(key: &SecretKey, number: u32, valid_until_ms: u64) -> Arc<SealedTransaction> {
    let mut nonce = [0; 16];
    nonce[..4].copy_from_slice(&number.to_be_bytes());
    let sender = account_id(&key.public_key());
    let builder = TransactionBuilder::new(Digest([1; 32]), sender, nonce, valid_until_ms, "m", "n", Bytes::new());
    let (bytes, _) = builder.sign(key).expect("a key in memory signs");
    Arc::new(SealedTransaction::decode(bytes).expect("a built transaction is well formed"))
}

/// A runtime in virtual time: it passes only when every task waits.
#[derive(Clone)]
pub(crate) struct TestRuntime {
    start: tokio::time::Instant,
    random: Arc<Mutex<u64>>,
}

/// Time of day at which every test begins, ms.
pub(crate) const START_MS: u64 = 1_750_000_000_000;

/// Runs a test in virtual time, on one thread.
pub(crate) fn simulate<T>(test: impl AsyncFnOnce(TestRuntime) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a test runtime");
    runtime.block_on(async {
        let start = tokio::time::Instant::now();
        let random = Arc::new(Mutex::new(1));
        test(TestRuntime { start, random }).await
    })
}

impl Runtime for TestRuntime {
    fn now_ms(&self) -> u64 {
        START_MS + self.start.elapsed().as_millis() as u64
    }

    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(duration)
    }

    fn start<F>(&self, _: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = tokio::spawn(future);
        Task::new(move || task.abort())
    }

    fn start_dedicated<F>(&self, name: &'static str, future: F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.start(name, future)
    }

    fn random(&self, out: &mut [u8]) {
        let mut state = self.random.lock().expect("the test's random state");
        for byte in out {
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (*state >> 56) as u8;
        }
    }
}
