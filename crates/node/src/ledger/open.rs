//! Opening a ledger: a new one from its genesis, or the one a store holds, checked.

use super::{
    Inner, Known, LEDGER_FORMAT, Ledger, LedgerError, Tip,
    buffer::Buffer,
    history::Past,
    import,
    keys::{self, Table},
    meta, state,
};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::BTreeSet,
    fmt,
    ops::Bound,
    sync::{Arc, Mutex, RwLock, mpsc::sync_channel},
    thread,
};
use yulian_exec::{Anchor, Executed, ReplayWindow, bootstrap, limits::RECENT_DIGESTS};
use yulian_state::Tree;
use yulian_store::{INDEX, Kv};
use yulian_types::{Digest, SealedBlock, SealedGenesis, block_digest, decode_header, empty_root, proto};

/// Blocks of the replay window that are read ahead.
const WINDOW_READ_AHEAD: usize = 64;
/// Most names of organisations that are read at the start.
const ORGANISATIONS_MAX: usize = 1 << 16;

/// An opened ledger and what execution resumes from.
pub struct Opened<K> {
    /// The ledger.
    pub ledger: Ledger<K>,
    /// Its last final block, with the state tree and the replay window.
    pub anchor: Anchor,
}

impl<K> fmt::Debug for Opened<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("anchor", &self.anchor)
            .finish_non_exhaustive()
    }
}

impl<K: Kv> Ledger<K> {
    /// Opens the ledger in a store, or begins a new one in an empty store.
    ///
    /// # Errors
    /// A store of another chain or of a newer format, a state that does not have the root that the chain agreed on,
    /// and everything that is damaged.
    pub async fn open(kv: K, genesis: Arc<SealedGenesis>) -> Result<Opened<K>, LedgerError> {
        Self::open_within(kv, genesis, None).await
    }

    /// [`Ledger::open`] with a limit of bytes for the state tree, [`Tree::within`], which its versions inherit.
    ///
    /// # Errors
    /// As there.
    pub async fn open_within(
        kv: K,
        genesis: Arc<SealedGenesis>,
        state_memory: Option<usize>,
    ) -> Result<Opened<K>, LedgerError> {
        let mut opened = Self::open_tree(kv, genesis, state_memory).await?;
        opened.anchor.tree = opened.anchor.tree.within(state_memory);
        Ok(opened)
    }

    async fn open_tree(
        kv: K,
        genesis: Arc<SealedGenesis>,
        state_memory: Option<usize>,
    ) -> Result<Opened<K>, LedgerError> {
        let first = bootstrap(&genesis).map_err(|fault| LedgerError::Genesis(fault.to_string()))?;
        if meta::importing(&kv)? {
            tracing::warn!("a snapshot was not brought in to its end; what there was of it is removed");
            import::discard(&kv).await?;
        }
        match meta::format(&kv)? {
            None => Self::begin(kv, genesis, &first).await,
            Some(found) if found > LEDGER_FORMAT => Err(LedgerError::NewerFormat {
                found,
                known: LEDGER_FORMAT,
            }),
            Some(_) => {
                let found = meta::genesis(&kv)?.ok_or_else(|| LedgerError::damaged("the genesis is missing"))?;
                if found != genesis.bytes {
                    let found = SealedGenesis::decode(&found).map_err(LedgerError::damaged)?.chain_id;
                    let expected = genesis.chain_id;
                    return Err(LedgerError::OtherGenesis { found, expected });
                }
                Self::resume(kv, genesis, state_memory).await
            }
        }
    }

    async fn begin(kv: K, genesis: Arc<SealedGenesis>, first: &Executed) -> Result<Opened<K>, LedgerError> {
        let block = genesis.block();
        let (batch, known, past) = Self::genesis_batch(&genesis.bytes, &block, first);
        kv.commit(batch).await?;
        let ledger = Self::assemble(kv, genesis, block, known, past)?;
        let anchor = Anchor::genesis(first);
        Ok(Opened { ledger, anchor })
    }

    async fn resume(kv: K, genesis: Arc<SealedGenesis>, state_memory: Option<usize>) -> Result<Opened<K>, LedgerError> {
        let known = Known {
            tip: meta::tip(&kv)?.ok_or_else(|| LedgerError::damaged("the last final block is not recorded"))?,
            sets: meta::sets(&kv)?,
            depositing: names(&kv, Table::DepositingOrganisation)?,
            organisations: names(&kv, Table::Organisation)?,
            pruned: meta::pruned(&kv)?,
            floor: meta::floor(&kv)?,
        };
        let tree = state::tree(&kv, state_memory)?;
        let block = genesis.block();
        let past = Past::open(&kv, &known.tip, &tree).await?;
        let ledger = Self::assemble(kv, genesis, block, known, past)?;
        ledger.check_root(&tree)?;
        let anchor = ledger.anchor(tree)?;
        Ok(Opened { ledger, anchor })
    }

    fn assemble(
        kv: K,
        genesis: Arc<SealedGenesis>,
        genesis_block: SealedBlock,
        known: Known,
        past: Past,
    ) -> Result<Self, LedgerError> {
        let buffer = Mutex::new(Buffer::read(&kv)?);
        Ok(Self(Arc::new(Inner {
            kv,
            genesis,
            genesis_block: Arc::new(genesis_block),
            buffer,
            known: RwLock::new(known),
            past: Mutex::new(past),
        })))
    }

    /// The values as they stand must give the root that execution gave, and that the next header carries if the store
    /// has it already.
    fn check_root(&self, tree: &Tree) -> Result<(), LedgerError> {
        let tip = self.tip();
        let found = tree.root();
        let mut expected = vec![tip.state_root];
        if let Some(bytes) = self.any_block(tip.height + 1)? {
            let root = header_of(&bytes).and_then(|header| Digest::from_slice(&header.parent_state_root));
            expected.push(root.ok_or_else(|| LedgerError::damaged(format_args!("block {}", tip.height + 1)))?);
        }
        match expected.into_iter().find(|expected| *expected != found) {
            None => Ok(()),
            Some(expected) => Err(LedgerError::StateRoot {
                height: tip.height,
                found,
                expected,
            }),
        }
    }

    fn anchor(&self, tree: Tree) -> Result<Anchor, LedgerError> {
        let tip = self.tip();
        let bytes = self
            .header(tip.height)?
            .ok_or_else(|| LedgerError::damaged("the last header is missing"))?;
        Ok(Anchor {
            header: decode_header(&bytes).map_err(LedgerError::damaged)?,
            digest: tip.digest,
            receipt_root: tip.receipt_root,
            write_set_root: tip.write_set_root,
            tree,
            window: self.window(&tip)?,
            recent: self.recent(&tip)?,
        })
    }

    fn recent(&self, tip: &Tip) -> Result<Vec<Digest>, LedgerError> {
        let first = (tip.height + 1).saturating_sub(RECENT_DIGESTS as u64);
        let missing = |height| LedgerError::damaged(format_args!("the header of height {height} is missing"));
        (first..=tip.height)
            .map(|height| Ok(block_digest(&self.header(height)?.ok_or_else(|| missing(height))?)))
            .collect()
    }

    /// The ids of the blocks of the last W. They may be millions: one thread reads ahead of the other, which inserts.
    fn window(&self, tip: &Tip) -> Result<ReplayWindow, LedgerError> {
        let window_ms = self.replay_window_ms()?;
        // Where the window has grown since blocks were removed: their transactions had expired by then.
        let first = self.first_at_or_after(tip.time_ms.saturating_sub(window_ms))?;
        let first = first.max(self.pruned_below()).max(1);
        let (give, blocks) = sync_channel(WINDOW_READ_AHEAD);
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut blocks = (first..=tip.height).map(|height| self.seen_at(height));
                // Ends with the first that cannot be read, or when nobody listens any more.
                let _ = blocks.try_for_each(|block| {
                    let failed = block.is_err();
                    give.send(block).ok().filter(|()| !failed)
                });
            });
            let mut window = ReplayWindow::new();
            for block in blocks {
                let (time_ms, ids) = block?;
                window.push(time_ms, &ids, window_ms);
            }
            Ok(window)
        })
    }

    /// Time and transaction ids of a block, from what it yielded: its body need be neither read nor hashed.
    fn seen_at(&self, height: u64) -> Result<(u64, Vec<Digest>), LedgerError> {
        let damaged = || LedgerError::damaged(format_args!("the receipts of height {height}, of the replay window"));
        let receipts = self.receipts(height)?.ok_or_else(damaged)?;
        let id = |bytes: Bytes| Digest::from_slice(&proto::Receipt::decode(bytes).ok()?.transaction_id);
        let ids: Option<Vec<_>> = receipts.into_iter().map(id).collect();
        let ids = ids.ok_or_else(damaged)?;
        let header = self.header_message(height)?.ok_or_else(damaged)?;
        // A block without receipts has none in the store either.
        if ids.is_empty() != (header.transaction_root[..] == empty_root().0) {
            return Err(damaged());
        }
        Ok((header.time_ms, ids))
    }

    /// The parameter W in the durable state, ms.
    pub(super) fn replay_window_ms(&self) -> Result<u64, LedgerError> {
        state::replay_window_ms(&self.0.kv)
    }
}

fn names<K: Kv>(kv: &K, table: Table) -> Result<BTreeSet<String>, LedgerError> {
    let prefix = keys::index(table, &[]);
    let end = keys::prefix_end(&prefix);
    let list = kv.range(
        INDEX,
        Bound::Included(&prefix),
        Bound::Excluded(&end),
        ORGANISATIONS_MAX,
        false,
    )?;
    let name = |(key, _): &(Bytes, Bytes)| String::from_utf8(key[prefix.len()..].to_vec());
    let names = list.iter().map(name).collect::<Result<_, _>>();
    names.map_err(|_| LedgerError::damaged("the name of an organisation"))
}

fn header_of(block: &Bytes) -> Option<proto::BlockHeader> {
    let message = proto::Block::decode(block.clone()).ok()?;
    decode_header(&message.header).ok()
}
