//! A validator whose node is honest but for what it proposes and answers.

use crate::plan::Fault;
use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use yulian_crypto::sm2::PublicKey;
use yulian_engine::{Ancestors, Application, Fatal, FinalBlock, Round};
use yulian_types::{Digest, SealedBlock, ValidatorSet};

/// Passes everything on to the honest node, but for the fault it plays.
#[derive(Clone)]
pub(crate) struct Byzantine<A> {
    honest: A,
    fault: Option<Fault>,
    lies: Arc<AtomicU64>,
}

impl<A> Byzantine<A> {
    /// Plays a fault, or none.
    pub(crate) fn new(honest: A, fault: Option<Fault>) -> Self {
        Self {
            honest,
            fault,
            lies: Arc::default(),
        }
    }
}

/// A block that no honest validator may accept: each lie is of another kind.
fn lie(block: SealedBlock, number: u64) -> SealedBlock {
    let mut header = block.header.clone();
    let mut transactions = block.transactions.clone();
    let wrong = Bytes::from(Digest([0xee; 32]).to_vec());
    match number % 7 {
        0 => header.parent_state_root = wrong,
        1 => header.parent_receipt_root = wrong,
        2 => header.parent_write_set_root = wrong,
        3 => header.next_validators = wrong,
        4 => header.time_ms = header.time_ms.saturating_sub(1_000_000),
        5 => header.validators_since += 1,
        // The same transaction twice; a block without transactions lies about its version of the protocol instead.
        _ => match transactions.first().cloned() {
            Some(first) => transactions.push(first),
            None => header.protocol_version += 1,
        },
    }
    SealedBlock::build(header, transactions)
}

/// Some answers are good, most have a byte changed somewhere.
fn damaged(answer: Bytes, number: u64) -> Bytes {
    let mut bytes = answer.to_vec();
    let at = (number as usize).wrapping_mul(7_919) % bytes.len().max(1);
    if !number.is_multiple_of(3)
        && let Some(byte) = bytes.get_mut(at)
    {
        *byte ^= 0x10;
    }
    bytes.into()
}

impl<A: Application> Application for Byzantine<A> {
    async fn propose(&self, round: Round, ancestors: Ancestors) -> Option<SealedBlock> {
        if self.fault == Some(Fault::Silent) {
            return futures::future::pending().await;
        }
        let block = self.honest.propose(round, ancestors).await?;
        match self.fault {
            Some(Fault::Liar) => Some(lie(block, self.lies.fetch_add(1, Relaxed))),
            _ => Some(block),
        }
    }

    async fn verify(&self, round: Round, block: Arc<SealedBlock>, ancestors: Ancestors) -> bool {
        if self.fault == Some(Fault::Silent) {
            return futures::future::pending().await;
        }
        self.honest.verify(round, block, ancestors).await
    }

    async fn finalized(&self, block: FinalBlock) -> Result<(), Fatal> {
        self.honest.finalized(block).await
    }

    fn validator_set(&self, digest: &Digest) -> Option<Arc<ValidatorSet>> {
        self.honest.validator_set(digest)
    }

    fn received(&self, from: PublicKey, message: Bytes) {
        self.honest.received(from, message)
    }

    async fn asked(&self, from: PublicKey, request: Bytes) -> Option<Bytes> {
        let answer = self.honest.asked(from, request).await?;
        match self.fault {
            Some(Fault::Liar) => Some(damaged(answer, self.lies.fetch_add(1, Relaxed))),
            Some(Fault::Silent) => None,
            _ => Some(answer),
        }
    }

    fn fault(&self, validator: PublicKey, kind: &'static str) {
        self.honest.fault(validator, kind)
    }
}
