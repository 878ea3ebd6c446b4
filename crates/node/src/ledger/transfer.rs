//! Backup and restore: a chain as one stream of bytes that proves itself.
//!
//! The stream is "ylBackup" ‖ version (4), then frames: kind (1) ‖ length (4) ‖ bytes, numbers big-endian.
//! Kind 1 is the genesis, 2 the next block, 3 the finality proof of the block before it, 4 the end: height (8) ‖ digest (32).
//! It ends with a block that has a proof of its own, so what is restored is what a quorum signed. Whoever restores executes
//! every block again; nothing is believed because the stream says it.

use super::{Ledger, LedgerError, ReplayError, ReplayOptions, Replayed, commit::tip_after, replay::Replayer};
use bytes::Bytes;
use std::{
    io::{self, Read, Write},
    sync::Arc,
};
use yulian_crypto::sm2::Verifier;
use yulian_exec::{Registry, SpeculationError};
use yulian_store::Kv;
use yulian_types::{
    Digest, SealedGenesis,
    limits::{BLOCK_BYTES_MAX, FINALITY_PROOF_BYTES_MAX, GENESIS_BYTES_MAX, HEADER_BYTES_MAX},
};

const MAGIC: &[u8; 8] = b"ylBackup";
const VERSION: u32 = 1;
const GENESIS: u8 = 1;
const BLOCK: u8 = 2;
const PROOF: u8 = 3;
const END: u8 = 4;
const END_BYTES: usize = 40;
/// Blocks that are on their way to the disk at a time while a backup is restored.
const COMMITS_AT_ONCE: usize = 32;

const _: () = assert!(COMMITS_AT_ONCE <= yulian_store::COMMITS_MAX);

/// What was written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Height of the last block.
    pub height: u64,
    /// Its digest.
    pub digest: Digest,
    /// Bytes of the stream.
    pub bytes: u64,
}

/// Why a backup was not written or not restored.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Reading or writing the stream failed.
    #[error("the backup cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// Bodies of old blocks were removed.
    #[error("the blocks below height {0} were pruned here; make the backup on a node that keeps all blocks")]
    Pruned(u64),
    /// The stream is not a backup, or of a newer version.
    #[error("this is not a backup that this program knows: {0}")]
    NotABackup(&'static str),
    /// The stream ends too early, or goes on after its end, or its frames are out of order.
    #[error("the backup is damaged: {0}")]
    Damaged(&'static str),
    /// The backup is of another chain.
    #[error("the backup holds the chain {found}, not {expected}")]
    OtherChain {
        /// Chain id of the backup.
        found: Digest,
        /// Chain id asked for.
        expected: Digest,
    },
    /// There is a chain in the folder already.
    #[error("the data folder holds a chain already; restore into an empty one")]
    NotEmpty,
    /// A block or a proof does not hold.
    #[error("the backup does not hold: {0}")]
    Content(#[from] ReplayError),
    /// The chain cannot be started.
    #[error("the restored chain cannot be executed: {0}")]
    Start(#[from] SpeculationError),
}

/// Writes the frames of a backup: genesis, then each block, with its proof where it has one of its own, then the end.
#[derive(Debug)]
pub struct BackupWriter<W>(Counting<W>);

impl<W: Write> BackupWriter<W> {
    /// Begins a backup of the chain of a genesis.
    ///
    /// # Errors
    /// All methods fail only if writing does.
    pub fn new(out: W, genesis: &[u8]) -> Result<Self, TransferError> {
        let mut out = Counting { inner: out, bytes: 0 };
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_be_bytes())?;
        frame(&mut out, GENESIS, genesis)?;
        Ok(Self(out))
    }

    /// The next block.
    pub fn block(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        frame(&mut self.0, BLOCK, bytes)
    }

    /// The finality proof of the block before; the last block must have one.
    pub fn proof(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        frame(&mut self.0, PROOF, bytes)
    }

    /// Ends with the height and the digest of the last block.
    pub fn finish(mut self, height: u64, digest: &Digest) -> Result<Transferred, TransferError> {
        frame(&mut self.0, END, &[&height.to_be_bytes()[..], &digest.0].concat())?;
        self.0.flush()?;
        Ok(Transferred {
            height,
            digest: *digest,
            bytes: self.0.bytes,
        })
    }
}

/// Writes the chain of a ledger, up to the highest block with a proof of its own. The ledger may be in use.
pub fn export<K: Kv>(
    ledger: &Ledger<K>,
    out: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<Transferred, TransferError> {
    if ledger.pruned_below() > 0 {
        return Err(TransferError::Pruned(ledger.pruned_below()));
    }
    let mut writer = BackupWriter::new(out, &ledger.genesis().bytes)?;
    let last = ledger.last_proven();
    for height in 1..=last {
        let missing = || LedgerError::damaged(format_args!("block {height} is missing"));
        writer.block(&ledger.final_block(height)?.ok_or_else(missing)?)?;
        if let Some(proof) = ledger.own_proof(height)? {
            writer.proof(&proof)?;
        }
        progress(height);
    }
    let header = ledger
        .header(last)?
        .ok_or_else(|| LedgerError::damaged("the last header is missing"))?;
    writer.finish(last, &yulian_types::block_digest(&header))
}

/// Restores a backup into an empty store, executing and verifying every block. `expected` is the chain id asked for, if any.
pub async fn import<K: Kv>(
    kv: K,
    input: &mut impl Read,
    expected: Option<Digest>,
    registry: Registry,
    verifier: Arc<dyn Verifier>,
    progress: impl FnMut(u64),
) -> Result<(Ledger<K>, Replayed), TransferError> {
    import_within(kv, input, expected, registry, verifier, None, progress).await
}

/// [`import`] with a limit of bytes for the state tree, as in [`Ledger::open_within`].
pub async fn import_within<K: Kv>(
    kv: K,
    input: &mut impl Read,
    expected: Option<Digest>,
    registry: Registry,
    verifier: Arc<dyn Verifier>,
    state_memory: Option<usize>,
    mut progress: impl FnMut(u64),
) -> Result<(Ledger<K>, Replayed), TransferError> {
    let genesis = Arc::new(read_genesis(input, expected)?);
    let opened = Ledger::open_within(kv, genesis.clone(), state_memory).await?;
    let ledger = opened.ledger;
    let mut tip = ledger.tip();
    if tip.height > 0 {
        return Err(TransferError::NotEmpty);
    }
    let options = ReplayOptions::default();
    let mut replayer = Replayer::new(&genesis, registry, verifier, ledger.clone(), opened.anchor, options)?;
    let mut next = read_frame(input)?;
    let mut proven = true;
    let mut commits = Vec::new();
    while let (BLOCK, bytes) = next {
        next = read_frame(input)?;
        let mut proof = None;
        if let (PROOF, bytes) = next {
            proof = Some(bytes);
            next = read_frame(input)?;
        }
        proven = proof.is_some();
        let (block, executed) = replayer.step(bytes, proof.as_ref())?;
        let proof = proof.and_then(|bytes| yulian_types::FinalityProof::decode(&bytes, executed.validators.len()).ok());
        commits.push(ledger.begin_final(&tip, &block, proof.as_ref(), &executed)?);
        tip = tip_after(&tip, &executed);
        if commits.len() == COMMITS_AT_ONCE {
            for commit in commits.drain(..) {
                commit.durable().await?;
            }
            replayer.speculation.committed(tip.height);
        }
        progress(tip.height);
    }
    for commit in commits {
        commit.durable().await?;
    }
    check_end(next, &replayer.report, proven, input)?;
    Ok((ledger, replayer.report))
}

fn check_end(
    (kind, bytes): (u8, Bytes),
    report: &Replayed,
    proven: bool,
    input: &mut impl Read,
) -> Result<(), TransferError> {
    if kind != END {
        return Err(TransferError::Damaged("its parts are out of order"));
    }
    let expected = [&report.height.to_be_bytes()[..], &report.digest.0].concat();
    if bytes[..] != expected {
        return Err(TransferError::Damaged("it does not end with the block that it names"));
    }
    if !proven {
        return Err(TransferError::Damaged("its last block has no finality proof"));
    }
    if input.read(&mut [0])? != 0 {
        return Err(TransferError::Damaged("it goes on after its end"));
    }
    Ok(())
}

fn read_genesis(input: &mut impl Read, expected: Option<Digest>) -> Result<SealedGenesis, TransferError> {
    let mut head = [0; 12];
    input.read_exact(&mut head).map_err(truncated)?;
    if &head[..8] != MAGIC {
        return Err(TransferError::NotABackup("it begins otherwise"));
    }
    if head[8..] != VERSION.to_be_bytes() {
        return Err(TransferError::NotABackup("it has a newer version"));
    }
    let (GENESIS, bytes) = read_frame(input)? else {
        return Err(TransferError::Damaged("it does not begin with a genesis"));
    };
    let genesis = SealedGenesis::decode(&bytes).map_err(|_| TransferError::Damaged("its genesis is malformed"))?;
    match expected.filter(|expected| *expected != genesis.chain_id) {
        None => Ok(genesis),
        Some(expected) => Err(TransferError::OtherChain {
            found: genesis.chain_id,
            expected,
        }),
    }
}

fn frame(out: &mut impl Write, kind: u8, bytes: &[u8]) -> Result<(), TransferError> {
    out.write_all(&[kind])?;
    out.write_all(&(bytes.len() as u32).to_be_bytes())?;
    Ok(out.write_all(bytes)?)
}

fn read_frame(input: &mut impl Read) -> Result<(u8, Bytes), TransferError> {
    let mut head = [0; 5];
    input.read_exact(&mut head).map_err(truncated)?;
    let [kind, length @ ..] = head;
    let limit = match kind {
        GENESIS => GENESIS_BYTES_MAX,
        BLOCK => BLOCK_BYTES_MAX + HEADER_BYTES_MAX + 64,
        PROOF => FINALITY_PROOF_BYTES_MAX,
        END => END_BYTES,
        _ => return Err(TransferError::Damaged("a part of an unknown kind")),
    };
    let length = u32::from_be_bytes(length) as usize;
    if length > limit {
        return Err(TransferError::Damaged("a part is too long"));
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes).map_err(truncated)?;
    Ok((kind, bytes.into()))
}

fn truncated(error: io::Error) -> TransferError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => TransferError::Damaged("it ends too early"),
        _ => TransferError::Io(error),
    }
}

#[derive(Debug)]
struct Counting<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
