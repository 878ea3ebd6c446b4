//! Proofs of one thing under a final header.

use crate::support::*;
use yulian_crypto::{merkle, sm2::FastVerifier};
use yulian_light::{
    FinalHeaders, InclusionError, ValidatorHistory, row_digest, testing::TestChain, verify_headers, verify_receipt,
    verify_state, verify_transaction, verify_write,
};
use yulian_state::{Path, write_set};
use yulian_types::StateKey;

fn headers(chain: &TestChain, first: u64, last: u64) -> FinalHeaders {
    let history = ValidatorHistory::new(&chain.genesis);
    let bytes: Vec<_> = (first..=last).map(|height| chain.header(height)).collect();
    verify_headers(&history, &bytes, &chain.finality(last), &FastVerifier::default()).expect("final")
}

#[test]
fn presence_absence_and_other_values() {
    let chain = chain();
    let headers = headers(&chain, 1, 2);
    let present = StateKey::evidence(&row_digest(ROW), "zzdata");
    let value = chain.block(1).values[&present].clone();
    let proof = chain.proof(2, &present);
    assert_eq!(verify_state(headers.last(), &present, Some(&value), &proof), Ok(()));
    let other = Err(InclusionError::OtherValue);
    assert_eq!(verify_state(headers.last(), &present, None, &proof), other);
    assert_eq!(verify_state(headers.last(), &present, Some(b"x"), &proof), other);
    let absent = StateKey::evidence(&row_digest(ROW), "unicom");
    let proof = chain.proof(2, &absent);
    assert_eq!(verify_state(headers.last(), &absent, None, &proof), Ok(()));
    assert_eq!(verify_state(headers.last(), &absent, Some(&value), &proof), other);
    // Before the block the record was absent: the header of the block itself carries the state before it.
    let before = chain.proof(1, &present);
    assert_eq!(verify_state(headers.first(), &present, None, &before), Ok(()));
    assert!(verify_state(headers.last(), &present, None, &before).is_err());
}

#[test]
fn transactions_receipts_and_writes() {
    let chain = chain();
    let headers = headers(&chain, 1, 3);
    let [block, child, grandchild] = headers.all() else {
        panic!("three headers");
    };
    let held = chain.block(1);
    let transaction = &held.sealed.transactions[0];
    let single = |leaf| merkle::Tree::new(vec![leaf]).prove(0).expect("one leaf");
    let proof = single(transaction.leaf);
    assert_eq!(verify_transaction(block, transaction, &proof), Ok(()));
    let elsewhere = Err(InclusionError::Transaction(2));
    assert_eq!(verify_transaction(child, transaction, &proof), elsewhere);
    let receipt = &held.receipts[0];
    assert_eq!(verify_receipt(block, child, receipt, &proof), Ok(()));
    assert_eq!(
        verify_receipt(block, child, b"x", &proof),
        Err(InclusionError::Receipt(1))
    );
    let not_a_child = Err(InclusionError::NotAChild { block: 1, child: 3 });
    assert_eq!(verify_receipt(block, grandchild, receipt, &proof), not_a_child);
    let key = StateKey::evidence(&row_digest(ROW), "zzdata");
    let path = Path::of(key.module_id, &key.key);
    let proof = write_set::prove(&held.changes, &path).expect("written");
    let value = held.values[&key].clone();
    assert_eq!(verify_write(block, child, &key, Some(&value), &proof), Ok(()));
    assert_eq!(
        verify_write(block, child, &key, None, &proof),
        Err(InclusionError::Write(1))
    );
    assert_eq!(verify_write(block, grandchild, &key, Some(&value), &proof), not_a_child);
}
