//! Changes of the validator set.

use crate::support::*;
use yulian_crypto::sm2::FastVerifier;
use yulian_light::{
    Code, HeaderError, HistoryError, SetChange, Subject, Trust, ValidatorHistory, testing::TestChain, verify_headers,
    verify_pack,
};
use yulian_types::FinalityError;

/// Epochs of ten blocks; the set changes at heights 20 (a fifth for the first) and 40 (and back). Deposits at 5, 25, 45.
fn changing() -> TestChain {
    let mut chain = TestChain::new("changing", 4, 10);
    for height in 1..=60 {
        let next = match height {
            13 => Some(vec![1, 2, 3, 4]),
            38 => Some(vec![0, 1, 2, 3]),
            _ => None,
        };
        let transactions = match height {
            5 | 25 | 45 => vec![chain.deposit(5, &digest(&height.to_string()), "")],
            _ => vec![],
        };
        chain.push_with(transactions, vec![], next);
    }
    chain
}

#[test]
fn each_set_vouches_for_the_next() {
    let chain = changing();
    let changes = chain.set_changes(60);
    assert_eq!(changes.len(), 2);
    let mut history = ValidatorHistory::new(&chain.genesis);
    for change in &changes {
        history
            .apply(change, &FastVerifier::default())
            .expect("final under the set before");
    }
    let ranges: Vec<_> = history
        .ranges()
        .iter()
        .map(|range| (range.first_epoch, range.first_height))
        .collect();
    assert_eq!(ranges, [(0, 0), (2, 20), (4, 40)]);
    assert_eq!(history.range_of(39).first_height, 20);
    assert_eq!(history.range_of(40).validators, history.range_of(0).validators);
}

#[test]
fn packs_hold_before_between_and_after_changes() {
    let chain = changing();
    for (height, last, later, changes) in [
        (5, 6, None, 0),
        (5, 6, Some(19), 0),
        (5, 6, Some(33), 1),
        (5, 6, Some(60), 2),
        (5, 41, None, 2),
        (25, 26, None, 1),
        (25, 26, Some(60), 2),
        (45, 46, None, 2),
    ] {
        let json = pack_of(chain.parts(height, 0, last, later));
        let subject = Subject::file(height.to_string().as_bytes());
        let outcome = verify(&chain, &json, Some(&subject)).expect("holds");
        assert!(outcome.is_yes());
        assert_eq!(outcome.report().set_changes, changes);
    }
}

#[test]
fn a_missing_needless_or_repeated_change_is_refused() {
    let chain = changing();
    let mut parts = chain.parts(25, 0, 26, None);
    parts.set_changes.clear();
    assemble_fails(parts, Code::BadSetChange);
    // The same validators again, but not "since" the same height: changes left out do not go unnoticed.
    let mut parts = chain.parts(45, 0, 46, None);
    parts.set_changes.clear();
    assemble_fails(parts, Code::BadSetChange);
    let mut parts = chain.parts(25, 0, 26, None);
    parts.set_changes = chain.set_changes(60);
    assemble_fails(parts, Code::BadSetChange);
    let mut parts = chain.parts(25, 0, 26, None);
    let first = parts.set_changes[0].clone();
    parts.set_changes.push(first);
    assemble_fails(parts, Code::BadSetChange);
    let mut parts = chain.parts(45, 0, 46, None);
    parts.set_changes.reverse();
    assemble_fails(parts, Code::BadSetChange);
}

#[test]
fn a_change_not_made_by_the_set_in_force_is_refused() {
    let chain = changing();
    let verifier = FastVerifier::default();
    let good = chain.set_changes(60);
    let genesis = || ValidatorHistory::new(&chain.genesis);
    let apply = |change: SetChange| genesis().apply(&change, &verifier);

    let ordinary = SetChange {
        header: chain.header(18),
        finality: chain.finality(18),
        ..good[0].clone()
    };
    assert_eq!(apply(ordinary), Err(HistoryError::NotABoundary(18)));
    let none = SetChange {
        header: chain.header(9),
        finality: chain.finality(9),
        validators: chain.set_at(0).0.encode(),
    };
    assert_eq!(apply(none), Err(HistoryError::NoChange(9)));
    let other = SetChange {
        validators: chain.set_at(0).0.encode(),
        ..good[0].clone()
    };
    assert_eq!(apply(other), Err(HistoryError::OtherSet(19)));
    let unsigned = SetChange {
        finality: chain.finality_by(19, &[0, 1]),
        ..good[0].clone()
    };
    let too_few = FinalityError::TooFew { found: 2, needed: 3 };
    assert_eq!(
        apply(unsigned),
        Err(HistoryError::Header(HeaderError::Finality(too_few)))
    );
    let mut history = genesis();
    history.apply(&good[0], &verifier).expect("first");
    let kept = history.clone();
    let again = history.apply(&good[0], &verifier);
    assert_eq!(again, Err(HistoryError::Order(19)));
    assert_eq!(history, kept);
    let skipped = genesis().apply(&good[1], &verifier);
    assert_eq!(skipped, Err(HistoryError::Header(HeaderError::Validators(39))));
}

/// The new set cannot vouch for itself, the old one not for what comes after it.
#[test]
fn the_set_of_the_epoch_signs() {
    let chain = changing();
    let genesis = ValidatorHistory::new(&chain.genesis);
    let verifier = FastVerifier::default();
    let result = verify_headers(&genesis, &[chain.header(25)], &chain.finality(25), &verifier);
    assert_eq!(result.expect_err("another set"), HeaderError::Validators(25));
    let result = verify_headers(&genesis, &[chain.header(45)], &chain.finality(45), &verifier);
    let since = HeaderError::ValidatorsSince {
        height: 45,
        found: 40,
        proven: 0,
    };
    assert_eq!(result.expect_err("the same set, but not since genesis"), since);
}

/// Keys of the genesis set, long retired, sign a history in which they were never replaced: only a header that the
/// verifier trusts for other reasons tells it apart.
#[test]
fn a_trusted_header_exposes_a_history_of_retired_keys() {
    let chain = changing();
    let mut forged = TestChain::new("changing", 4, 10);
    assert_eq!(forged.genesis.chain_id, chain.genesis.chain_id);
    for _ in 1..50 {
        forged.push(vec![]);
    }
    let transaction = forged.deposit(5, &digest("forged"), "");
    forged.push(vec![transaction]);
    forged.push(vec![]);
    let json = pack_of(forged.parts(50, 0, 51, None));
    let verifier = FastVerifier::default();
    let ask = |json: &[u8], header: Option<u64>| {
        let trust = trust(&chain);
        let trust = match header {
            None => trust,
            Some(height) => trust.with_header(&chain.header(height)).expect("header"),
        };
        verify_pack(json, None, &trust, &verifier)
    };
    assert!(ask(&json, None).expect("signatures cannot tell").is_yes());
    for height in [25, 51, 60] {
        let error = ask(&json, Some(height)).expect_err("a fork");
        assert_eq!(error.code(), Code::Fork);
    }
    // A header from before the fork cannot tell either, and honest packs agree with every header.
    assert!(ask(&json, Some(3)).is_ok());
    for (height, last) in [(5, 6), (25, 26), (45, 46)] {
        let honest = pack_of(chain.parts(height, 0, last, None));
        for header in [0, 3, 6, 19, 20, 26, 45, 46, 60] {
            assert!(ask(&honest, Some(header)).expect("agrees").is_yes());
        }
    }
    let elsewhere = TestChain::new("elsewhere", 4, 10);
    let trust = Trust::chains([chain.genesis.chain_id])
        .with_header(&elsewhere.header(0))
        .expect("header");
    assert!(verify_pack(&json, None, &trust, &verifier).is_ok());
}
