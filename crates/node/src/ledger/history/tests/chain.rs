//! A chain of writes that a test chooses, with what the state was after each block.

use crate::{
    ledger::{Ledger, Opened},
    testing::{Forge, Forged, START_MS, call, genesis_with, writer_key},
};
use bytes::Bytes;
use futures::executor::block_on;
use std::{collections::BTreeMap, ops::Bound, sync::Arc};
use yulian_exec::{Call, Code, Failure, Method, Module, Registry};
use yulian_state::{Path, Tree};
use yulian_store::{Batch, CHAIN_SPACES, Kv, LogKv, MemoryLog, Space};
use yulian_types::{SealedGenesis, StateKey};

pub(super) type Store = LogKv<MemoryLog>;
pub(super) type TestLedger = Ledger<Store>;
/// Values by key; 0 is none.
pub(super) type Model = BTreeMap<u16, u16>;

/// Keys are below this.
pub(super) const KEYS: u16 = 400;
const TOY_ID: u32 = 900;
/// Most pairs of a transaction, within its metering.
const PAIRS_MAX: usize = 400;

/// Sets and removes keys: arguments are pairs of key and value, two bytes each.
struct Toy;

impl Module for Toy {
    fn id(&self) -> u32 {
        TOY_ID
    }

    fn name(&self) -> &'static str {
        "toy"
    }

    fn methods(&self) -> &'static [Method] {
        &[Method {
            name: "write",
            roles: &[],
            doc: "",
        }]
    }

    fn codes(&self) -> &'static [&'static Code] {
        &[]
    }

    fn call(&self, call: &mut Call<'_>, _: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        for pair in arguments.chunks_exact(4) {
            let key = state_key(&pair[..2]);
            match &pair[2..] {
                [0, 0] => call.delete(&key)?,
                value => call.put(&key, Bytes::copy_from_slice(value))?,
            }
        }
        Ok(Bytes::new())
    }
}

pub(super) fn state_key(key: &[u8]) -> StateKey {
    StateKey {
        module_id: TOY_ID,
        key: Bytes::copy_from_slice(key),
    }
}

pub(super) fn path(key: u16) -> Path {
    yulian_exec::path_of(&state_key(&key.to_be_bytes()))
}

pub(super) fn value(model: &Model, key: u16) -> Option<Bytes> {
    model
        .get(&key)
        .map(|value| Bytes::copy_from_slice(&value.to_be_bytes()))
}

pub(super) fn registry() -> Registry {
    let modules = yulian_modules::registry().modules().cloned().collect::<Vec<_>>();
    Registry::new(modules.into_iter().chain([Arc::new(Toy) as Arc<dyn Module>]).collect())
}

/// Blocks of a chain, and the state after each height from 0 on.
pub(super) struct Chain {
    pub(super) genesis: Arc<SealedGenesis>,
    pub(super) blocks: Vec<Forged>,
    pub(super) models: Vec<Model>,
}

impl Chain {
    /// Inserts, overwrites and removals, and every seventh block empty.
    pub(super) fn new(heights: u16) -> Self {
        let pairs = |height: u16| {
            let count = if height.is_multiple_of(7) { 0 } else { 1 + height % 9 };
            let pair = |at: u16| {
                let removed = (height + at).is_multiple_of(5);
                ((height * 31 + at * 57) % KEYS, if removed { 0 } else { height })
            };
            (0..count).map(pair).collect()
        };
        Self::of((1..=heights).map(pairs))
    }

    /// Blocks that write these keys and values.
    pub(super) fn of(writes: impl Iterator<Item = Vec<(u16, u16)>>) -> Self {
        let genesis = genesis_with("test", 4, 16, &["evidence", "toy"]);
        let mut forge = Forge::with(&genesis, registry());
        let mut model = Model::new();
        let (mut blocks, mut models) = (Vec::new(), vec![Model::new()]);
        for (height, pairs) in (1..).zip(writes) {
            for (key, value) in &pairs {
                match value {
                    0 => model.remove(key),
                    value => model.insert(*key, *value),
                };
            }
            blocks.push(forge.next(500, transactions(&genesis, height, &pairs)));
            models.push(model.clone());
        }
        Self {
            genesis,
            blocks,
            models,
        }
    }

    /// The tree after a height.
    pub(super) fn tree(&self, height: u64) -> Tree {
        match height.checked_sub(1) {
            None => yulian_exec::bootstrap(&self.genesis).unwrap().tree,
            Some(at) => self.blocks[at as usize].executed.tree.clone(),
        }
    }

    pub(super) fn open(&self, log: &MemoryLog) -> Result<Opened<Store>, crate::ledger::LedgerError> {
        self.open_within(log, None)
    }

    pub(super) fn open_within(
        &self,
        log: &MemoryLog,
        state_memory: Option<usize>,
    ) -> Result<Opened<Store>, crate::ledger::LedgerError> {
        block_on(async {
            let kv = LogKv::open(log.clone(), CHAIN_SPACES).await?;
            Ledger::open_within(kv, self.genesis.clone(), state_memory).await
        })
    }

    pub(super) fn commit(&self, ledger: &TestLedger, heights: impl Iterator<Item = u64>) {
        for height in heights {
            let forged = &self.blocks[height as usize - 1];
            let tip = ledger.tip();
            let commit = ledger.begin_final(&tip, &forged.block, Some(&forged.proof), &forged.executed);
            block_on(commit.unwrap().durable()).unwrap();
        }
    }

    /// A ledger with blocks up to a height.
    pub(super) fn ledger(&self, log: &MemoryLog, height: u64) -> TestLedger {
        let ledger = self.open(log).unwrap().ledger;
        self.commit(&ledger, 1..=height);
        ledger
    }
}

fn transactions(
    genesis: &SealedGenesis,
    number: u16,
    pairs: &[(u16, u16)],
) -> Vec<Arc<yulian_types::SealedTransaction>> {
    let transaction = |(part, pairs): (usize, &[(u16, u16)])| {
        let bytes = pairs
            .iter()
            .flat_map(|(key, value)| [key.to_be_bytes(), value.to_be_bytes()]);
        let arguments = Bytes::from(bytes.flatten().collect::<Vec<u8>>());
        let until = START_MS + 300_000;
        let key = writer_key((number % 20) as u8);
        let number = u32::from(number) + ((part as u32) << 16);
        call(genesis, &key, "toy", "write", number, arguments, until)
    };
    pairs.chunks(PAIRS_MAX).enumerate().map(transaction).collect()
}

/// All items of a space.
pub(super) fn items(kv: &Store, space: Space) -> Vec<(Bytes, Bytes)> {
    let all = kv.range(space, Bound::Unbounded, Bound::Unbounded, usize::MAX, false);
    all.unwrap()
}

/// A store with the same items, changed on the way; `None` leaves one out.
pub(super) fn copy(kv: &Store, change: impl Fn(Space, &[u8], Bytes) -> Option<Bytes>) -> MemoryLog {
    let log = MemoryLog::new();
    let other = block_on(LogKv::open(log.clone(), CHAIN_SPACES)).unwrap();
    let mut batch = Batch::new();
    for space in CHAIN_SPACES {
        for (key, value) in items(kv, *space) {
            if let Some(value) = change(*space, &key, value) {
                batch.put(*space, &key, value);
            }
        }
    }
    block_on(other.commit(batch)).unwrap();
    log
}
