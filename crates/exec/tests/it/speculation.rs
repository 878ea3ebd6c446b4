//! Forks, finality, old states, restart.

use crate::{
    toy::toy_key,
    world::{World, order, resume},
};
use yulian_crypto::Digest;
use yulian_exec::{Anchor, Base, MemoryBase, ReplayWindow, SpeculationError, StateError, limits, path_of};
use yulian_state::{value_hash, write_set::Write};
use yulian_types::SealedBlock;

/// A block that appends a letter to the value of `k`.
fn letter(world: &mut World, parent: &Digest, letter: char) -> SealedBlock {
    let transaction = world.transaction(order("writer-a", "append", format!("k{letter}").into_bytes()));
    let block = world.child(parent, vec![transaction]);
    world.execute(&block).expect("executes");
    block
}

fn text_after(world: &World, digest: &Digest) -> String {
    let value = world
        .chain
        .snapshot(digest)
        .expect("known")
        .get(&toy_key(b"k"))
        .expect("reads");
    String::from_utf8(value.unwrap_or_default().to_vec()).expect("text")
}

#[test]
fn forks_do_not_see_each_other_and_finality_drops_the_others() {
    let mut world = World::new();
    let genesis = world.tip().digest;
    let a = letter(&mut world, &genesis, 'a');
    let b = letter(&mut world, &genesis, 'b');
    let ac = letter(&mut world, &a.digest, 'c');
    let bd = letter(&mut world, &b.digest, 'd');
    let ace = letter(&mut world, &ac.digest, 'e');
    let texts: Vec<String> = [&genesis, &a.digest, &b.digest, &ac.digest, &bd.digest, &ace.digest]
        .map(|d| text_after(&world, d))
        .into();
    assert_eq!(texts, ["", "a", "b", "ac", "bd", "ace"]);
    assert_eq!(world.chain.pending(), 5);

    let done = world.chain.finalize(&a.digest).expect("final");
    let mut dropped = done.dropped;
    dropped.sort_unstable();
    let mut expected = vec![b.digest, bd.digest];
    expected.sort_unstable();
    assert_eq!(dropped, expected);
    assert_eq!(world.chain.pending(), 2);
    assert!(world.chain.executed(&b.digest).is_none() && world.chain.executed(&genesis).is_none());
    assert_eq!(
        world.chain.snapshot(&b.digest).unwrap_err(),
        SpeculationError::UnknownBlock(b.digest)
    );
    // The base holds nothing of it yet.
    assert_eq!(text_after(&world, &ace.digest), "ace");
    world.base.commit(&done.executed.writes);
    world.chain.committed(1);
    assert_eq!(text_after(&world, &ace.digest), "ace");
    world.finalize(&ac.digest);
    world.finalize(&ace.digest);
    assert_eq!(
        (text_after(&world, &ace.digest), world.chain.pending()),
        ("ace".into(), 0)
    );
}

#[test]
fn only_a_child_of_the_last_final_block_becomes_final() {
    let mut world = World::new();
    let genesis = world.tip().digest;
    let a = letter(&mut world, &genesis, 'a');
    let b = letter(&mut world, &a.digest, 'b');
    assert_eq!(
        world.chain.finalize(&b.digest).unwrap_err(),
        SpeculationError::NotNext(b.digest)
    );
    assert_eq!(
        world.chain.finalize(&genesis).unwrap_err(),
        SpeculationError::NotNext(genesis)
    );
    let unknown = Digest([3; 32]);
    assert_eq!(
        world.chain.finalize(&unknown).unwrap_err(),
        SpeculationError::UnknownBlock(unknown)
    );
}

#[test]
fn discarding_takes_descendants_and_executing_again_gives_the_same() {
    let mut world = World::new();
    let genesis = world.tip().digest;
    let a = letter(&mut world, &genesis, 'a');
    let b = letter(&mut world, &a.digest, 'b');
    let c = letter(&mut world, &genesis, 'c');
    let before = world.chain.executed(&b.digest).expect("executed").clone();
    world.chain.discard(&a.digest);
    assert_eq!(world.chain.pending(), 1);
    assert!(world.chain.executed(&b.digest).is_none() && world.chain.executed(&c.digest).is_some());
    assert_eq!(world.execute(&b).unwrap_err(), SpeculationError::UnknownBlock(a.digest));
    world.execute(&a).expect("executes");
    let again = world.execute(&b).expect("executes");
    assert_eq!(
        (again.results, &again.receipts, &again.writes),
        (before.results, &before.receipts, &before.writes)
    );
    // The last final block and what is unknown stay as they are.
    world.chain.discard(&genesis);
    world.chain.discard(&Digest([3; 32]));
    assert_eq!(world.chain.pending(), 3);
}

#[test]
fn too_many_pending_blocks_forget_the_oldest_leaf() {
    let mut world = World::new();
    let genesis = world.tip().digest;
    let kept = letter(&mut world, &genesis, 'k');
    let child = letter(&mut world, &kept.digest, 'c');
    let mut siblings = Vec::new();
    while world.chain.pending() < limits::PENDING_BLOCKS_MAX {
        let time = world.tip().time_ms() + 10 + siblings.len() as u64;
        let block = world.child_at(&genesis, time, vec![]);
        world.execute(&block).expect("executes");
        siblings.push(block.digest);
    }
    let one_more = world.child_at(&child.digest, u64::MAX, vec![]);
    world.execute(&one_more).expect("executes");
    assert_eq!(world.chain.pending(), limits::PENDING_BLOCKS_MAX);
    assert!(world.chain.executed(&siblings[0]).is_none() && world.chain.executed(&siblings[1]).is_some());
    for digest in [kept.digest, child.digest, one_more.digest, genesis] {
        assert!(world.chain.executed(&digest).is_some());
    }
}

#[test]
fn final_blocks_wait_for_the_base_in_a_bounded_number() {
    let mut world = World::new();
    for _ in 0..limits::UNCOMMITTED_BLOCKS_MAX {
        let tip = world.tip().digest;
        let block = world.child(&tip, vec![]);
        world.execute(&block).expect("executes");
        world.chain.finalize(&block.digest).expect("final");
    }
    let tip = world.tip();
    let block = world.child(&tip.digest, vec![]);
    world.execute(&block).expect("executes");
    let refused = world.chain.finalize(&block.digest).unwrap_err();
    assert_eq!(refused, SpeculationError::Uncommitted(limits::UNCOMMITTED_BLOCKS_MAX));
    world.chain.committed(1);
    assert!(world.chain.finalize(&block.digest).is_ok());
}

#[test]
fn the_last_final_states_can_be_read_and_proven() {
    let mut world = World::new();
    let mut roots = vec![world.tip().tree.root()];
    for number in 0..20u8 {
        let transaction = world.transaction(order("writer-a", "append", vec![b'k', b'a' + number]));
        // Every third block is not committed before the next ones are final.
        let tip = world.tip().digest;
        let block = world.child(&tip, vec![transaction]);
        world.execute(&block).expect("executes");
        let done = world.chain.finalize(&block.digest).expect("final").executed;
        world.base.commit(&done.writes);
        if number % 3 == 0 {
            world.chain.committed(done.height());
        }
        roots.push(done.tree.root());
    }
    let kept = limits::FINAL_STATES_KEPT as u64;
    assert!(world.chain.final_state(20 - kept).is_none() && world.chain.final_state(21).is_none());
    for height in 21 - kept..=20 {
        let state = world.chain.final_state(height).expect("kept");
        let (value, proof) = state.prove(&toy_key(b"k")).expect("reads");
        let expected: Vec<u8> = (0..height as u8).map(|number| b'a' + number).collect();
        assert_eq!(value.as_deref(), Some(&expected[..]), "height {height}");
        let root = roots[height as usize];
        assert_eq!(state.tree().root(), root);
        let proven = proof.verify(&root, &path_of(&toy_key(b"k")));
        assert_eq!(proven, Ok(Some(value_hash(&expected))));
        let (absent, proof) = state.prove(&toy_key(b"nothing")).expect("reads");
        assert_eq!(absent, None);
        assert_eq!(proof.verify(&root, &path_of(&toy_key(b"nothing"))), Ok(None));
    }
}

#[test]
fn fewer_states_are_kept_when_blocks_change_many_keys() {
    let mut world = World::new();
    for block in 0..8u32 {
        let transactions = (0..5u32).map(|part| {
            let key = |number: u32| toy_key(&(block * 5_000 + part * 1_000 + number).to_be_bytes());
            let writes: Vec<_> = (0..1_000).map(|number| (key(number), Some(vec![1]))).collect();
            order("writer-a", "write", crate::toy::encode_writes(&writes))
        });
        let time = world.tip().time_ms();
        let transactions: Vec<_> = transactions.collect();
        let signed = transactions
            .into_iter()
            .map(|order| crate::world::sign(world.builder(order, time).metering_limit(10_000_000), "writer-a"))
            .collect();
        assert_eq!(world.advance(signed).executed.writes.len(), 5_000);
    }
    // 16,000 changes are those of three blocks, between four states.
    let kept: Vec<u64> = (0..=8)
        .filter(|height| world.chain.final_state(*height).is_some())
        .collect();
    assert_eq!(kept, [5, 6, 7, 8]);
}

#[test]
fn a_base_that_differs_from_the_tree_is_stale_and_never_wrong() {
    let mut world = World::new();
    world.run(order("writer-a", "append", b"kA".to_vec()));
    let old = world.chain.snapshot(&world.tip().digest).expect("known");
    world.run(order("writer-a", "append", b"kB".to_vec()));
    let stale = StateError::Stale(path_of(&toy_key(b"k")));
    assert_eq!(old.get(&toy_key(b"k")), Err(stale.clone()));
    // What has not changed is still right.
    assert_eq!(old.get(&toy_key(b"nothing")), Ok(None));
    // A disk that lost a value stops the block instead of executing it wrongly.
    let key = toy_key(b"k");
    world.base.commit(&[Write {
        module_id: key.module_id,
        key: key.key.clone(),
        value: None,
    }]);
    let transaction = world.transaction(order("writer-a", "append", b"kC".to_vec()));
    let tip = world.tip().digest;
    let block = world.child(&tip, vec![transaction]);
    assert_eq!(world.execute(&block).unwrap_err(), SpeculationError::State(stale));
    assert_eq!(world.chain.pending(), 0);
}

/// What a node stores and reads back at start.
fn anchor(world: &World, blocks: &[SealedBlock], window: ReplayWindow) -> Anchor {
    let tip = world.tip();
    let genesis = world.genesis.block();
    let recent = std::iter::once(genesis.digest)
        .chain(blocks.iter().map(|block| block.digest))
        .collect();
    Anchor {
        header: tip.header.clone(),
        digest: tip.digest,
        receipt_root: tip.results.receipt_root,
        write_set_root: tip.results.write_set_root,
        tree: tip.tree.clone(),
        window,
        recent,
    }
}

#[test]
fn after_a_restart_the_chain_goes_on_the_same() {
    let mut world = World::new();
    let mut blocks = Vec::new();
    let mut window = ReplayWindow::new();
    for number in 0..10u8 {
        let transaction = world.transaction(order("writer-a", "append", vec![b'k', b'a' + number]));
        let tip = world.tip().digest;
        let block = world.child(&tip, vec![transaction]);
        world.execute(&block).expect("executes");
        world.finalize(&block.digest);
        window.push(block.header.time_ms, &[block.transactions[0].id], 600_000);
        blocks.push(block);
    }
    let mut restarted = resume(&world.genesis, &world.base, anchor(&world, &blocks, window));
    let old = blocks[3].transactions[0].clone();
    let time = world.tip().time_ms() + 1;
    let verdict = restarted.judge(&world.tip().digest, &old, time).expect("judged");
    assert_eq!(verdict.unwrap_err().code, &yulian_exec::codes::REPLAYED);
    let tip = world.tip().digest;
    let next = letter(&mut world, &tip, 'z');
    let (own, again) = (
        world.chain.executed(&next.digest).expect("known"),
        restarted.execute(&next).expect("executes"),
    );
    assert_eq!((own.results, &own.receipts), (again.results, &again.receipts));
    assert_eq!(
        (own.validators_since, own.validators.digest()),
        (again.validators_since, again.validators.digest())
    );
}

#[test]
fn an_anchor_that_does_not_fit_is_refused() {
    let mut world = World::new();
    world.advance(vec![]);
    let block = SealedBlock::build(world.tip().header.clone(), vec![]);
    let good = anchor(&world, &[block], ReplayWindow::new());
    let refused = |anchor: Anchor| {
        let verifier = std::sync::Arc::new(yulian_crypto::sm2::FastVerifier::default());
        let base = world.base.clone();
        let resumed =
            yulian_exec::Speculation::resume(&world.genesis, crate::world::registry(), verifier, base, anchor);
        resumed.map(|_| ()).unwrap_err()
    };
    let few = Anchor {
        recent: vec![good.digest],
        ..good.clone()
    };
    assert!(matches!(refused(few), SpeculationError::Anchor(_)));
    let mut recent = good.recent.clone();
    recent.reverse();
    assert!(matches!(
        refused(Anchor { recent, ..good.clone() }),
        SpeculationError::Anchor(_)
    ));
    let mut foreign = good.clone();
    foreign.header.chain_id = vec![0; 32].into();
    assert!(matches!(refused(foreign), SpeculationError::Anchor(_)));
    let empty = Anchor {
        tree: Default::default(),
        ..good
    };
    assert!(matches!(refused(empty), SpeculationError::State(_)));
}

#[test]
fn the_base_in_memory_is_shared_by_its_clones() {
    let base = MemoryBase::default();
    let key = toy_key(b"k");
    let write = |value: Option<&'static [u8]>| Write {
        module_id: key.module_id,
        key: key.key.clone(),
        value: value.map(bytes::Bytes::from_static),
    };
    let other = base.clone();
    base.commit(&[write(Some(b"v"))]);
    assert_eq!(other.value(&path_of(&key)), Ok(Some(bytes::Bytes::from_static(b"v"))));
    base.commit(&[write(None)]);
    assert_eq!(other.value(&path_of(&key)), Ok(None));
}
