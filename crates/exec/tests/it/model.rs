//! Random blocks, forks and discards against a model that knows nothing of the executor: a map for each block.

use crate::{
    toy::{encode_writes, toy_key},
    world::{World, order, receipt},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, collections::BTreeSet, sync::Arc};
use yulian_crypto::Digest;
use yulian_state::{Path, Tree, value_hash};
use yulian_types::{SealedBlock, SealedTransaction};

const KEYS: u8 = 6;

/// What a transaction of the model does.
#[derive(Debug, Clone)]
enum Act {
    Set(u8, Vec<u8>),
    Remove(u8),
    Append(u8, u8),
    SetAndFail(u8),
    /// Submits the transaction of this number again, if there is one.
    Again(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..KEYS, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(key, value)| Act::Set(key, value)),
        (0..KEYS).prop_map(Act::Remove),
        (0..KEYS, any::<u8>()).prop_map(|(key, byte)| Act::Append(key, byte)),
        (0..KEYS).prop_map(Act::SetAndFail),
        (0..20usize).prop_map(Act::Again),
    ]
}

/// A block: which earlier block it stands on, counted back from the newest, and its transactions.
fn plan() -> impl Strategy<Value = Vec<(usize, Vec<Act>)>> {
    proptest::collection::vec((0..3usize, proptest::collection::vec(act(), 0..5)), 1..12)
}

type Values = BTreeMap<u8, Vec<u8>>;

/// A block of the model.
struct Modelled {
    block: SealedBlock,
    parent: usize,
    values: Values,
    /// Ids of the branch.
    ids: BTreeSet<Digest>,
}

fn key_bytes(key: u8) -> Vec<u8> {
    vec![b'm', key]
}

fn transaction(world: &mut World, act: &Act) -> Arc<SealedTransaction> {
    match act {
        Act::Set(key, value) => {
            let writes = encode_writes(&[(toy_key(&key_bytes(*key)), Some(value.clone()))]);
            world.transaction(order("writer-a", "write", writes))
        }
        Act::Remove(key) => {
            let writes = encode_writes(&[(toy_key(&key_bytes(*key)), None)]);
            world.transaction(order("writer-a", "write", writes))
        }
        // `append` has keys of one byte, the number alone.
        Act::Append(key, byte) => world.transaction(order("writer-a", "append", vec![0x80 + key, *byte])),
        Act::SetAndFail(key) => {
            let writes = encode_writes(&[(toy_key(&key_bytes(*key)), Some(vec![0xff]))]);
            world.transaction(order("writer-a", "write_and_fail", writes))
        }
        Act::Again(_) => unreachable!("replaced by an earlier transaction"),
    }
}

fn apply(values: &mut Values, act: &Act) {
    match act {
        Act::Set(key, value) => {
            values.insert(*key, value.clone());
        }
        Act::Remove(key) => {
            values.remove(key);
        }
        Act::Append(key, byte) => values.entry(0x80 + key).or_default().push(*byte),
        Act::SetAndFail(_) | Act::Again(_) => {}
    }
}

/// The root of the genesis state with the model's values added, built from nothing.
fn root(genesis: &[(Path, Digest)], values: &Values) -> Digest {
    let key = |key: u8| {
        if key < 0x80 {
            toy_key(&key_bytes(key))
        } else {
            toy_key(&[key])
        }
    };
    let own = values
        .iter()
        .map(|(number, value)| (Path::of(99, &key(*number).key), value_hash(value)));
    let all: BTreeMap<Path, Digest> = genesis.iter().copied().chain(own).collect();
    Tree::from_sorted(all).root()
}

/// Builds the planned blocks; every proposal goes through `select`, so that repetitions are left out as a node would.
fn build(world: &mut World, plan: &[(usize, Vec<Act>)]) -> Vec<Modelled> {
    let genesis = world.genesis.block();
    let mut blocks = vec![Modelled {
        block: genesis,
        parent: 0,
        values: Values::new(),
        ids: BTreeSet::new(),
    }];
    let mut all: Vec<(Arc<SealedTransaction>, Act)> = Vec::new();
    for (back, acts) in plan {
        let parent = blocks.len() - 1 - back.min(&(blocks.len() - 1));
        let mut candidates = Vec::new();
        for act in acts {
            match act {
                Act::Again(number) => candidates.extend(all.get(*number).cloned()),
                act => {
                    let entry = (transaction(world, act), act.clone());
                    all.push(entry.clone());
                    candidates.push(entry);
                }
            }
        }
        blocks.push(model_block(world, &blocks, parent, candidates));
    }
    blocks
}

fn model_block(
    world: &mut World,
    blocks: &[Modelled],
    parent: usize,
    candidates: Vec<(Arc<SealedTransaction>, Act)>,
) -> Modelled {
    let parent_digest = blocks[parent].block.digest;
    let time = blocks[parent].block.header.time_ms + 1_000;
    let offered: Vec<_> = candidates.iter().map(|(transaction, _)| transaction.clone()).collect();
    let selection = world.chain.select(&parent_digest, time, offered).expect("selects");
    let (mut values, mut ids) = (blocks[parent].values.clone(), blocks[parent].ids.clone());
    let mut expected = Vec::new();
    for (transaction, act) in candidates {
        if ids.insert(transaction.id) {
            apply(&mut values, &act);
            expected.push(transaction.id);
        }
    }
    let selected: Vec<Digest> = selection
        .transactions
        .iter()
        .map(|transaction| transaction.id)
        .collect();
    assert_eq!(
        selected, expected,
        "a transaction stands once in a branch, and no other is refused"
    );
    let block = world.child_at(&parent_digest, time, selection.transactions);
    let round = world.round(&parent_digest);
    assert_eq!(world.chain.check_block(&block, &round), Ok(()));
    world.execute(&block).expect("executes");
    Modelled {
        block,
        parent,
        values,
        ids,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(2), ..ProptestConfig::default() })]

    #[test]
    fn results_depend_on_the_branch_alone(
        plan in plan(),
        discards in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        tip in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new();
        let genesis: Vec<(Path, Digest)> = yulian_exec::bootstrap(&world.genesis)
            .expect("a state").changes.iter().map(|(path, hash)| (*path, hash.expect("a value"))).collect();
        let blocks = build(&mut world, &plan);
        let first: Vec<_> = blocks.iter().map(|modelled| world.chain.executed(&modelled.block.digest).cloned()).collect();
        for (modelled, executed) in blocks.iter().zip(&first) {
            let executed = executed.as_ref().expect("executed");
            prop_assert_eq!(executed.results.state_root, root(&genesis, &modelled.values));
        }
        // Discard some blocks, with all that builds on them; then execute what is missing again, parents first.
        for index in &discards {
            let digest = index.get(&blocks).block.digest;
            world.chain.discard(&digest);
        }
        for (modelled, before) in blocks.iter().zip(&first).skip(1) {
            let again = world.execute(&modelled.block).expect("executes");
            let before = before.as_ref().expect("executed");
            prop_assert_eq!(again.results, before.results);
            prop_assert_eq!(&again.receipts, &before.receipts);
            prop_assert_eq!(&again.writes, &before.writes);
        }
        // Finalise one branch; another node executes it block by block, without any forks.
        let mut branch = Vec::new();
        let mut at = tip.index(blocks.len());
        while at != 0 {
            branch.push(at);
            at = blocks[at].parent;
        }
        let mut plain = World::new();
        for at in branch.into_iter().rev() {
            let modelled = &blocks[at];
            let own = world.finalize(&modelled.block.digest).executed;
            plain.execute(&modelled.block).expect("executes");
            let other = plain.finalize(&modelled.block.digest).executed;
            prop_assert_eq!(own.results, other.results);
            prop_assert_eq!(&own.receipts, &other.receipts);
            prop_assert_eq!(own.results.state_root, root(&genesis, &modelled.values));
            for (number, value) in &modelled.values {
                let key = if *number < 0x80 { toy_key(&key_bytes(*number)) } else { toy_key(&[*number]) };
                let found = plain.value(&key);
                prop_assert_eq!(found.as_deref(), Some(&value[..]));
            }
            for bytes in &own.receipts {
                prop_assert!(matches!(receipt(bytes).code.as_str(), "" | "toy.refused"));
            }
        }
    }
}
