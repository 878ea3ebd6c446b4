//! Executing a chain again from genesis and comparing everything with what the blocks say.

use super::{Ledger, LedgerError};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::sm2::Verifier;
use yulian_exec::{
    Anchor, Base, Executed, MemoryBase, Registry, RoundFacts, Speculation, SpeculationError, bootstrap,
    verify_signatures,
};
use yulian_store::Kv;
use yulian_types::{BlockError, BlockLimits, Digest, FinalityError, FinalityProof, SealedBlock, SealedGenesis};

/// What a replay looks at beside roots and headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayOptions {
    /// Verifies the signatures of every transaction.
    pub signatures: bool,
    /// Verifies every finality proof that is held.
    pub proofs: bool,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            signatures: true,
            proofs: true,
        }
    }
}

/// What was found in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Blocks executed; the height reached.
    pub height: u64,
    /// Digest of the last block.
    pub digest: Digest,
    /// Transactions executed.
    pub transactions: u64,
    /// Signatures verified.
    pub signatures: u64,
    /// Finality proofs verified.
    pub proofs: u64,
    /// State root after the last block.
    pub state_root: Digest,
    /// Keys of the state after it.
    pub keys: u64,
}

/// Why a chain is not what it should be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplayError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The bodies of old blocks were removed: only a node that keeps all blocks can replay.
    #[error("the blocks below height {0} were pruned here; replay on a node that keeps all blocks")]
    Pruned(u64),
    /// Bytes are not a block.
    #[error("block {height}: {source}")]
    Form {
        /// Height at which it stands.
        height: u64,
        /// What is wrong with it.
        source: BlockError,
    },
    /// The block breaks a rule, or does not carry the results of its parent.
    #[error("block {height}: {source}")]
    Execution {
        /// The height.
        height: u64,
        /// What is wrong with it.
        source: SpeculationError,
    },
    /// A transaction's signature is wrong.
    #[error("block {height}: the signature of transaction {index} is wrong")]
    Signature {
        /// The height.
        height: u64,
        /// Place of the transaction.
        index: usize,
    },
    /// A finality proof is wrong.
    #[error("block {height}: {source}")]
    Finality {
        /// The height.
        height: u64,
        /// What is wrong with it.
        source: FinalityError,
    },
    /// The proof of this height is of another block.
    #[error("block {0}: the finality proof is of another block")]
    OtherProof(u64),
    /// The last block left another state than the ledger recorded.
    #[error("block {height}: execution leaves the state root {found}, the ledger recorded {recorded}")]
    LastRoot {
        /// The height.
        height: u64,
        /// Root computed.
        found: Digest,
        /// Root recorded.
        recorded: Digest,
    },
}

/// Executes blocks one after the other and checks all there is to check.
pub(super) struct Replayer<B> {
    pub(super) speculation: Speculation<B>,
    chain_id: Digest,
    verifier: Arc<dyn Verifier>,
    options: ReplayOptions,
    pub(super) report: Replayed,
}

impl<B: Base> Replayer<B> {
    /// Goes on from `anchor`, whose state `base` holds.
    pub(super) fn new(
        genesis: &SealedGenesis,
        registry: Registry,
        verifier: Arc<dyn Verifier>,
        base: B,
        anchor: Anchor,
        options: ReplayOptions,
    ) -> Result<Self, SpeculationError> {
        let report = Replayed {
            height: anchor.header.height,
            digest: anchor.digest,
            transactions: 0,
            signatures: 0,
            proofs: 0,
            state_root: anchor.tree.root(),
            keys: anchor.tree.len() as u64,
        };
        Ok(Self {
            speculation: Speculation::resume(genesis, registry, verifier.clone(), base, anchor)?,
            chain_id: genesis.chain_id,
            verifier,
            options,
            report,
        })
    }

    /// The next block, with the proof of its own height if there is one. The caller brings what it yields to the base.
    pub(super) fn step(
        &mut self,
        bytes: Bytes,
        proof: Option<&Bytes>,
    ) -> Result<(SealedBlock, Arc<Executed>), ReplayError> {
        let height = self.report.height + 1;
        let execution = |source| ReplayError::Execution { height, source };
        let block = SealedBlock::decode(bytes, &BlockLimits::default());
        let block = block.map_err(|source| ReplayError::Form { height, source })?;
        let round = RoundFacts {
            epoch: block.header.epoch,
            validators: Digest::from_slice(&block.header.validators).unwrap_or(Digest::ZERO),
        };
        self.speculation.check_block(&block, &round).map_err(execution)?;
        if self.options.signatures {
            self.check_signatures(&block)?;
        }
        let executed = self.speculation.execute(&block).map_err(execution)?;
        self.speculation.finalize(&block.digest).map_err(execution)?;
        if let Some(proof) = proof.filter(|_| self.options.proofs) {
            self.check_proof(&executed, proof)?;
        }
        self.note(&executed);
        Ok((block, executed))
    }

    fn check_signatures(&mut self, block: &SealedBlock) -> Result<(), ReplayError> {
        let height = block.height();
        let answers = verify_signatures(&block.transactions, &*self.verifier);
        if let Some(index) = answers.iter().position(|ok| !ok) {
            return Err(ReplayError::Signature { height, index });
        }
        self.report.signatures += block.transactions.iter().map(|t| t.signers.len() as u64).sum::<u64>();
        Ok(())
    }

    fn check_proof(&mut self, executed: &Executed, proof: &Bytes) -> Result<(), ReplayError> {
        let height = executed.height();
        let finality = |source| ReplayError::Finality { height, source };
        let set = &executed.validators;
        let proof = FinalityProof::decode(proof, set.len()).map_err(finality)?;
        if proof.digest != executed.digest || proof.epoch != executed.header.epoch {
            return Err(ReplayError::OtherProof(height));
        }
        proof.verify(&self.chain_id, set, &*self.verifier).map_err(finality)?;
        self.report.proofs += 1;
        Ok(())
    }

    fn note(&mut self, executed: &Executed) {
        self.report.height = executed.height();
        self.report.digest = executed.digest;
        self.report.transactions += executed.ids.len() as u64;
        self.report.state_root = executed.results.state_root;
        self.report.keys = executed.tree.len() as u64;
    }
}

/// Executes the whole chain of a ledger in memory and compares every root with the header that carries it, and the last
/// one with what the ledger recorded. `progress` gets each height.
///
/// # Errors
/// The first thing that is not as it should be.
pub fn replay<K: Kv>(
    ledger: &Ledger<K>,
    registry: Registry,
    verifier: Arc<dyn Verifier>,
    options: ReplayOptions,
    mut progress: impl FnMut(u64),
) -> Result<Replayed, ReplayError> {
    if ledger.pruned_below() > 0 {
        return Err(ReplayError::Pruned(ledger.pruned_below()));
    }
    let first = bootstrap(ledger.genesis()).map_err(|fault| LedgerError::Genesis(fault.to_string()))?;
    let base = MemoryBase::default();
    base.commit(&first.writes);
    let anchor = Anchor::genesis(&first);
    let mut replayer = Replayer::new(ledger.genesis(), registry, verifier, base.clone(), anchor, options)
        .map_err(|source| ReplayError::Execution { height: 0, source })?;
    let tip = ledger.tip();
    for height in 1..=tip.height {
        let missing = || LedgerError::damaged(format_args!("block {height} is missing"));
        let bytes = ledger.final_block(height)?.ok_or_else(missing)?;
        let proof = ledger.own_proof(height)?;
        let (_, executed) = replayer.step(bytes, proof.as_ref())?;
        base.commit(&executed.writes);
        replayer.speculation.committed(height);
        progress(height);
    }
    let report = replayer.report;
    if report.state_root != tip.state_root {
        return Err(ReplayError::LastRoot {
            height: tip.height,
            found: report.state_root,
            recorded: tip.state_root,
        });
    }
    Ok(report)
}
