use super::*;
use crate::testing::{sender_key, transaction, transaction_until};

fn limits(transactions_max: usize, sender_transactions_max: usize) -> PoolLimits {
    PoolLimits {
        transactions_max,
        bytes_max: 64 << 20,
        sender_transactions_max,
    }
}

const TAKE: Take = Take {
    body_bytes_max: 1 << 20,
    transactions_max: 1_000,
};

fn ids(list: &[Arc<SealedTransaction>]) -> Vec<Digest> {
    list.iter().map(|t| t.id).collect()
}

#[test]
fn a_flooding_sender_fills_its_quota_and_no_more() {
    let flooder = sender_key(1);
    let mut pool = Pool::new(limits(100, 10));
    for n in 0..10 {
        assert_eq!(pool.insert(transaction(&flooder, n)), Ok(true));
    }
    let refused = pool.insert(transaction(&flooder, 10)).unwrap_err();
    assert_eq!(refused, PoolError::SenderQuota(10));
    assert_eq!(pool.insert(transaction(&sender_key(2), 0)), Ok(true));
    assert_eq!(pool.counts().transactions, 11);
}

#[test]
fn in_a_full_pool_the_heaviest_gives_way_and_is_refused() {
    let (flooder, other) = (sender_key(1), sender_key(2));
    let mut pool = Pool::new(limits(20, 20));
    for n in 0..20 {
        pool.insert(transaction(&flooder, n)).unwrap();
    }
    assert_eq!(pool.insert(transaction(&flooder, 99)), Err(PoolError::SenderQuota(20)));
    for n in 0..10 {
        assert_eq!(
            pool.insert(transaction(&other, n)),
            Ok(true),
            "transaction {n} of the light sender"
        );
    }
    assert_eq!(pool.counts().transactions, 20);
    assert_eq!(pool.counts().evicted, 10);
    // Both hold the same now: nobody is heavier, so nobody gives way.
    assert_eq!(pool.insert(transaction(&other, 10)), Err(PoolError::Full));
    assert_eq!(pool.insert(transaction(&flooder, 100)), Err(PoolError::Full));
    assert!(pool.insert(transaction(&sender_key(3), 0)).unwrap());
    // What was evicted is the newest: the oldest ten of the flooder stand.
    for n in 0..9 {
        assert!(pool.get(&transaction(&flooder, n).id).is_some());
    }
}

#[test]
fn a_block_takes_one_of_each_sender_in_turn() {
    let keys: Vec<_> = (1..=3).map(sender_key).collect();
    let mut pool = Pool::new(limits(100, 100));
    for n in 0..30 {
        pool.insert(transaction(&keys[0], n)).unwrap();
    }
    for key in &keys[1..] {
        for n in 0..3 {
            pool.insert(transaction(key, n)).unwrap();
        }
    }
    let take = Take {
        transactions_max: 9,
        ..TAKE
    };
    let block = pool.candidates(&take, |_| false);
    for key in &keys {
        let sender = transaction(key, 0).sender;
        let of_sender: Vec<_> = block.iter().filter(|t| t.sender == sender).map(|t| t.id).collect();
        let first_three: Vec<_> = (0..3).map(|n| transaction(key, n).id).collect();
        assert_eq!(of_sender, first_three, "three each, in the order of arrival");
    }
}

#[test]
fn the_turn_passes_on_when_blocks_are_smaller_than_the_crowd() {
    let keys: Vec<_> = (1..=5).map(sender_key).collect();
    let mut pool = Pool::new(limits(100, 100));
    for key in &keys {
        for n in 0..2 {
            pool.insert(transaction(key, n)).unwrap();
        }
    }
    let take = Take {
        transactions_max: 2,
        ..TAKE
    };
    let mut served = Vec::new();
    for _ in 0..5 {
        let block = pool.candidates(&take, |_| false);
        for transaction in &block {
            served.push(transaction.sender);
            pool.remove(&transaction.id);
        }
    }
    let mut first_five = served[..5].to_vec();
    first_five.sort();
    first_five.dedup();
    assert_eq!(first_five.len(), 5, "everyone is served once before anyone twice");
    assert_eq!(pool.counts().transactions, 0);
    assert_eq!(pool.counts().bytes, 0);
    assert_eq!(pool.counts().senders, 0);
}

#[test]
fn what_stands_in_an_ancestor_is_passed_over_and_bytes_are_counted() {
    let key = sender_key(1);
    let mut pool = Pool::new(limits(100, 100));
    let all: Vec<_> = (0..4).map(|n| transaction(&key, n)).collect();
    for t in &all {
        pool.insert(t.clone()).unwrap();
    }
    let in_flight = [all[0].id, all[2].id];
    let block = pool.candidates(&TAKE, |id| in_flight.contains(id));
    assert_eq!(ids(&block), [all[1].id, all[3].id]);
    let two = yulian_types::SealedBlock::body_cost(&all[0]) + yulian_types::SealedBlock::body_cost(&all[1]);
    let take = Take {
        body_bytes_max: two,
        transactions_max: 1_000,
    };
    assert_eq!(pool.candidates(&take, |_| false).len(), 2);
    let take = Take {
        body_bytes_max: two - 1,
        transactions_max: 1_000,
    };
    assert_eq!(pool.candidates(&take, |_| false).len(), 1);
}

#[test]
fn one_id_enters_once_and_other_signatures_do_not_count_as_verified() {
    let held = transaction(&sender_key(1), 0);
    let mut pool = Pool::new(limits(10, 10));
    assert_eq!(pool.insert(held.clone()), Ok(true));
    assert_eq!(pool.insert(held.clone()), Ok(false));
    assert!(pool.is_verified(&held));
    let mut other = (*held).clone();
    other.leaf = Digest([7; 32]);
    assert!(!pool.is_verified(&other));
}

#[test]
fn a_transaction_is_found_by_exactly_its_bytes() {
    let held = transaction(&sender_key(1), 0);
    let mut pool = Pool::new(limits(10, 10));
    assert!(pool.find(&held.bytes).is_none());
    pool.insert(held.clone()).unwrap();
    assert!(Arc::ptr_eq(pool.find(&held.bytes).unwrap(), &held));
    let mut other = held.bytes.to_vec();
    other[5] ^= 1;
    assert!(pool.find(&other).is_none(), "the end alone is not enough");
    assert!(pool.find(&held.bytes[..20]).is_none());
    pool.remove(&held.id);
    assert!(pool.find(&held.bytes).is_none());
}

#[test]
fn expiry_follows_block_time() {
    let key = sender_key(1);
    let mut pool = Pool::new(limits(10, 10));
    let (early, late) = (transaction_until(&key, 0, 1_000), transaction_until(&key, 1, 2_000));
    pool.insert(early.clone()).unwrap();
    pool.insert(late.clone()).unwrap();
    assert!(pool.expire(999).is_empty(), "the next block may have the time 1000");
    assert_eq!(pool.expire(1_000), [early.id]);
    assert!(pool.get(&early.id).is_none());
    assert!(pool.get(&late.id).is_some());
    assert_eq!(pool.counts().expired, 1);
}

#[test]
fn verified_leaves_are_forgotten_in_the_order_they_came() {
    let leaf = |n: u8| Digest([n; 32]);
    let mut verified = Verified::new(2);
    for n in 0..5 {
        verified.insert(leaf(n));
    }
    let known: Vec<bool> = (0..6).map(|n| verified.contains(&leaf(n))).collect();
    assert_eq!(known, [false, false, true, true, true, false]);
}
