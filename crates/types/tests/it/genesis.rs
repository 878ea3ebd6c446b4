//! Genesis and validator sets.

use crate::wire::{data, genesis_message, set, validator};
use bytes::Bytes;
use yulian_types::{
    CHAIN_NAME_CHARS_MAX, CodecError, GenesisError, SealedGenesis, SetError, ValidatorSet, encode, faults_max,
    limits::*, proto, quorum,
};

fn edited(edit: impl FnOnce(&mut proto::Genesis)) -> Result<SealedGenesis, GenesisError> {
    let mut message = genesis_message();
    edit(&mut message);
    SealedGenesis::new(message)
}

#[test]
fn every_byte_of_genesis_is_in_the_chain_id() {
    let base = edited(|_| ()).expect("genesis");
    for edit in [
        (|g: &mut proto::Genesis| g.name.push('x')) as fn(&mut proto::Genesis),
        |g| g.time_ms += 1,
        |g| g.epoch_length += 1,
        |g| g.validators = Some(set(5).message().clone()),
        |g| g.accounts.push(proto::Account::default()),
        |g| g.nodes.push(proto::NodeRecord::default()),
    ] {
        assert_ne!(edited(edit).expect("genesis").chain_id, base.chain_id);
    }
}

#[test]
fn malformed_genesis_is_refused() {
    assert_eq!(edited(|g| g.version = 2), Err(GenesisError::Version(2)));
    assert_eq!(edited(|g| g.name.clear()), Err(GenesisError::Field("name")));
    let name = |count| edited(|g| g.name = "链".repeat(count));
    assert_eq!(name(CHAIN_NAME_CHARS_MAX + 1), Err(GenesisError::Field("name")));
    name(CHAIN_NAME_CHARS_MAX).expect("as long as may be");
    assert_eq!(edited(|g| g.epoch_length = 0), Err(GenesisError::Field("epoch_length")));
    assert_eq!(edited(|g| g.validators = None), Err(GenesisError::Field("validators")));
    let empty = edited(|g| g.validators = Some(proto::ValidatorSet::default()));
    assert_eq!(empty, Err(GenesisError::Validators(SetError::Count(0))));
    let bytes = encode(&genesis_message());
    for tail in [data(15, b"x"), vec![0]] {
        let result = SealedGenesis::decode(&[&bytes[..], &tail].concat().into());
        assert!(matches!(result, Err(GenesisError::Codec(_))), "{result:?}");
    }
    for length in 0..bytes.len() {
        assert!(SealedGenesis::decode(&bytes.slice(..length)).is_err());
    }
}

/// Two bytes on the wire could become two hundred in memory, a million times.
#[test]
fn floods_of_empty_entries_are_refused_before_they_are_made() {
    let bytes = encode(&genesis_message());
    for field in [7, 8, 10, 11] {
        let flood = [&bytes[..], &data(field, b"").repeat(1_000_000)].concat();
        let limit = GENESIS_FIELDS_MAX;
        let result = SealedGenesis::decode(&flood.into());
        assert_eq!(result, Err(GenesisError::Codec(CodecError::TooMany { limit })));
    }
    let flood = data(6, &data(1, b"").repeat(1_000_000));
    let result = SealedGenesis::decode(&flood.into());
    assert!(
        matches!(result, Err(GenesisError::Codec(CodecError::TooLong { .. }))),
        "{result:?}"
    );
    let result = SealedGenesis::decode(&vec![0; GENESIS_BYTES_MAX + 1].into());
    assert!(
        matches!(result, Err(GenesisError::Codec(CodecError::TooLong { .. }))),
        "{result:?}"
    );
}

#[test]
fn sets_are_sorted_and_checked() {
    let sorted = set(7);
    let mut validators: Vec<_> = (0..7).map(validator).collect();
    validators.reverse();
    assert_eq!(ValidatorSet::new(validators.clone()).expect("set"), sorted);
    assert_eq!(ValidatorSet::decode(&sorted.encode()).expect("set"), sorted);
    assert!(sorted.keys().is_sorted());
    for (index, key) in sorted.keys().iter().enumerate() {
        assert_eq!(sorted.index_of(key), Some(index));
    }
    let mut unsorted = sorted.message().clone();
    unsorted.validators.swap(2, 3);
    assert_eq!(ValidatorSet::from_message(unsorted), Err(SetError::Order));
    validators.push(validators[0].clone());
    assert_eq!(ValidatorSet::new(validators.clone()), Err(SetError::Order));
    let with = |edit: fn(&mut proto::Validator)| {
        let mut validators = vec![validator(0)];
        edit(&mut validators[0]);
        ValidatorSet::new(validators)
    };
    assert_eq!(with(|v| v.public_key = vec![2; 33].into()), Err(SetError::Key(0)));
    assert_eq!(with(|v| v.public_key = Bytes::new()), Err(SetError::Key(0)));
    assert_eq!(with(|v| v.name.clear()), Err(SetError::Label(0)));
    assert_eq!(
        with(|v| v.cloud = "x".repeat(LABEL_BYTES_MAX + 1)),
        Err(SetError::Label(0))
    );
    assert_eq!(with(|v| v.organisation.clear()), Err(SetError::Label(0)));
    assert_eq!(ValidatorSet::new(vec![]), Err(SetError::Count(0)));
    let many = vec![validator(0); VALIDATORS_MAX + 1];
    assert_eq!(ValidatorSet::new(many), Err(SetError::Count(VALIDATORS_MAX + 1)));
}

#[test]
fn the_largest_set_fits_its_limit() {
    let validators = (0..VALIDATORS_MAX as u32).map(|number| proto::Validator {
        name: "n".repeat(LABEL_BYTES_MAX),
        cloud: "c".repeat(LABEL_BYTES_MAX),
        organisation: "o".repeat(LABEL_BYTES_MAX),
        ..validator(number)
    });
    let set = ValidatorSet::new(validators.collect()).expect("set");
    assert_eq!(ValidatorSet::decode(&set.encode()).expect("set"), set);
}

/// n = 3f + 1 + k: more than two thirds, and two quorums share an honest validator.
#[test]
fn quorum_arithmetic() {
    for n in 1..=VALIDATORS_MAX {
        let (f, q) = (faults_max(n), quorum(n));
        assert!(3 * f < n && n <= 3 * f + 3, "{n}");
        assert!(q + f == n && 2 * q > n + f, "{n}");
    }
    assert_eq!([4, 5, 6, 7, 10].map(quorum), [3, 4, 5, 5, 7]);
}

#[test]
fn a_cloud_that_could_stop_the_chain_is_named() {
    let cloud = |clouds: &[&str]| {
        let named = |(number, cloud): (usize, &&str)| proto::Validator {
            cloud: (*cloud).into(),
            ..validator(number as u32)
        };
        let set = ValidatorSet::new(clouds.iter().enumerate().map(named).collect()).expect("set");
        set.overweight_clouds()
    };
    assert_eq!(cloud(&["a", "b", "c", "d"]), []);
    assert_eq!(cloud(&["a", "b", "a", "d"]), [("a".into(), 2)]);
    assert_eq!(cloud(&["b", "a", "a", "b"]), [("a".into(), 2), ("b".into(), 2)]);
    assert_eq!(cloud(&["a", "a", "b", "b", "c", "c", "d"]), []);
    assert_eq!(cloud(&["a", "a", "b", "b", "b", "c", "d"]), [("b".into(), 3)]);
}
