//! Every rule of validity, at admission, in a proposal and when building.

use crate::{
    toy::{encode_writes, toy_key},
    world::{World, actor, bytes_of, order, secret, sign},
};
use bytes::Bytes;
use std::sync::Arc;
use yulian_crypto::{
    Digest,
    sm2::{FastVerifier, Signer},
};
use yulian_exec::{BlockFault, Code, SpeculationError, codes, tables, verify_signatures};
use yulian_types::{SealedTransaction, StateKey, TransactionBuilder, encode, proto};

fn code_of(world: &mut World, transaction: &SealedTransaction, time_ms: u64) -> Option<&'static Code> {
    let tip = world.tip().digest;
    world
        .chain
        .judge(&tip, transaction, time_ms)
        .expect("judged")
        .err()
        .map(|failure| failure.code)
}

/// The rule is the same at admission, in `select` and in `check_block`.
fn assert_refused(world: &mut World, transaction: Arc<SealedTransaction>, code: &'static Code) {
    let tip = world.tip();
    let time = tip.time_ms() + 1_000;
    assert_eq!(code_of(world, &transaction, time), Some(code));
    let selection = world
        .chain
        .select(&tip.digest, time, [transaction.clone()])
        .expect("selects");
    assert!(selection.transactions.is_empty());
    assert_eq!(selection.refused[0].0, transaction.id);
    assert_eq!(selection.refused[0].1.code, code);
    let good = world.transaction(nothing("admin-b"));
    let block = world.child(&tip.digest, vec![good, transaction]);
    let round = world.round(&tip.digest);
    match world.chain.check_block(&block, &round) {
        Err(SpeculationError::Fault(BlockFault::Transaction { index: 1, failure })) => assert_eq!(failure.code, code),
        other => panic!("{other:?}"),
    }
}

fn assert_valid(world: &mut World, transaction: &SealedTransaction) {
    let time = world.tip().time_ms() + 1_000;
    assert_eq!(code_of(world, transaction, time), None);
}

fn nothing<'a>(sender: &'a str) -> crate::world::Order<'a> {
    order(sender, "write", Bytes::new())
}

/// A transaction of `writer-a` changed by a builder step.
fn built(world: &mut World, change: impl FnOnce(TransactionBuilder) -> TransactionBuilder) -> Arc<SealedTransaction> {
    let time = world.tip().time_ms();
    let builder = world.builder(nothing("writer-a"), time);
    sign(change(builder), "writer-a")
}

#[test]
fn a_good_transaction_is_valid() {
    let mut world = World::new();
    let transaction = world.transaction(nothing("writer-a"));
    assert_valid(&mut world, &transaction);
}

#[test]
fn of_another_chain() {
    let mut world = World::new();
    let sender = actor("writer-a").id;
    let until = world.tip().time_ms() + 60_000;
    let builder = TransactionBuilder::new(Digest([1; 32]), sender, [1; 16], until, "toy", "write", Bytes::new());
    assert_refused(&mut world, sign(builder, "writer-a"), &codes::WRONG_CHAIN);
}

#[test]
fn larger_than_the_parameter() {
    let mut message = crate::world::genesis_message();
    for parameter in message
        .parameters
        .iter_mut()
        .filter(|parameter| parameter.name == "transaction_bytes_max")
    {
        parameter.value = 8 * 1024;
    }
    let mut world = World::with(message);
    let large = encode_writes(&[(toy_key(b"k"), Some(vec![0; 8 * 1024]))]);
    let transaction = world.transaction(order("writer-a", "write", large));
    assert_refused(&mut world, transaction, &codes::TRANSACTION_TOO_LARGE);
}

#[test]
fn metering_limit_above_the_parameter() {
    let mut world = World::new();
    let at_limit = built(&mut world, |builder| builder.metering_limit(10_000_000));
    assert_valid(&mut world, &at_limit);
    let above = built(&mut world, |builder| builder.metering_limit(10_000_001));
    assert_refused(&mut world, above, &codes::METERING_LIMIT_TOO_HIGH);
}

#[test]
fn a_signature_that_someone_appended() {
    let mut world = World::new();
    let transaction = world.transaction(nothing("writer-a"));
    let mut envelope: proto::Transaction = prost::Message::decode(transaction.bytes.clone()).unwrap();
    let mut appended = envelope.signatures[0].clone();
    let key = secret("admin-b");
    appended.signer = key.public_key().as_bytes().to_vec().into();
    appended.signature = key.sign(&transaction.id.0).unwrap().as_bytes().to_vec().into();
    envelope.signatures.push(appended);
    let extended = Arc::new(SealedTransaction::decode(encode(&envelope)).unwrap());
    assert_eq!(extended.id, transaction.id, "the id does not cover the signatures");
    assert_refused(&mut world, extended, &codes::EXTRA_SIGNATURES);
}

#[test]
fn on_behalf_of_another() {
    let mut world = World::new();
    let transaction = built(&mut world, |builder| builder.on_behalf_of(actor("admin-b").id));
    assert_refused(&mut world, transaction, &codes::ON_BEHALF_UNSUPPORTED);
}

#[test]
fn valid_until_is_the_last_block_time_and_at_most_the_window_ahead() {
    let mut world = World::new();
    let time = world.tip().time_ms() + 1_000;
    // The builder adds 60 s to the time it is given.
    let until = |world: &mut World, until: u64| {
        let builder = world.builder(nothing("writer-a"), until - 60_000);
        sign(builder, "writer-a")
    };
    let last_moment = until(&mut world, time);
    assert_eq!(code_of(&mut world, &last_moment, time), None);
    assert_eq!(code_of(&mut world, &last_moment, time + 1), Some(&codes::EXPIRED));
    let expired = until(&mut world, time - 1);
    assert_refused(&mut world, expired, &codes::EXPIRED);
    let window = 600_000;
    let furthest = until(&mut world, time + window);
    assert_eq!(code_of(&mut world, &furthest, time), None);
    let too_far = until(&mut world, time + window + 1);
    assert_refused(&mut world, too_far, &codes::VALID_UNTIL_TOO_FAR);
}

#[test]
fn replayed_from_a_final_block_an_unfinalised_ancestor_or_the_same_block() {
    let mut world = World::new();
    let first = world.transaction(nothing("writer-a"));
    world.advance(vec![first.clone()]);
    assert_refused(&mut world, first, &codes::REPLAYED);

    let second = world.transaction(nothing("writer-a"));
    let tip = world.tip().digest;
    let pending = world.child(&tip, vec![second.clone()]);
    world.execute(&pending).expect("executes");
    let time = world.tip().time_ms() + 5_000;
    let verdict = world.chain.judge(&pending.digest, &second, time).expect("judged");
    assert_eq!(verdict.unwrap_err().code, &codes::REPLAYED);
    // On the sibling fork it is new.
    assert_eq!(code_of(&mut world, &second, time), None);

    let twice = world.child(&tip, vec![second.clone(), second.clone()]);
    let round = world.round(&tip);
    let fault = world.chain.check_block(&twice, &round).unwrap_err();
    assert!(
        matches!(&fault, SpeculationError::Fault(BlockFault::Transaction { index: 1, failure }) if failure.code == &codes::REPLAYED)
    );
    let selection = world
        .chain
        .select(&tip, time, [second.clone(), second])
        .expect("selects");
    assert_eq!((selection.transactions.len(), selection.refused.len()), (1, 1));
}

#[test]
fn unknown_module_method_and_sender() {
    let mut world = World::new();
    let sender = actor("writer-a").id;
    let until = world.tip().time_ms() + 60_000;
    let chain = world.genesis.chain_id;
    let module = TransactionBuilder::new(chain, sender, [1; 16], until, "nothing", "write", Bytes::new());
    assert_refused(&mut world, sign(module, "writer-a"), &codes::UNKNOWN_MODULE);
    let method = world.transaction(order("writer-a", "nothing", Bytes::new()));
    assert_refused(&mut world, method, &codes::UNKNOWN_METHOD);
    let stranger = world.transaction(nothing("stranger"));
    assert_refused(&mut world, stranger, &codes::UNKNOWN_SENDER);
}

#[test]
fn signed_by_another_key() {
    let mut world = World::new();
    let time = world.tip().time_ms();
    let builder = world.builder(nothing("writer-a"), time);
    assert_refused(&mut world, sign(builder, "admin-b"), &codes::WRONG_KEY);
}

#[test]
fn without_the_role() {
    let mut world = World::new();
    let auditor = world.transaction(nothing("auditor-a"));
    assert_refused(&mut world, auditor, &codes::ROLE_MISSING);
    let anybody = world.transaction(order("auditor-a", "context", Bytes::new()));
    assert_valid(&mut world, &anybody);
}

/// Rewrites a record by the toy module and checks that the sender is refused from the next block on.
fn assert_refused_after(key: StateKey, record: Vec<u8>, code: &'static Code) {
    let mut world = World::new();
    let own = world.transaction(order("writer-a", "write", Bytes::new()));
    assert_valid(&mut world, &own);
    let done = world.run(order("admin-b", "write", encode_writes(&[(key, Some(record))])));
    assert_eq!(done.status, 0, "{done:?}");
    assert_refused(&mut world, own, code);
}

fn writer_account() -> (StateKey, proto::Account) {
    let key = StateKey::account(&actor("writer-a").id);
    let record = World::new().record(&key);
    (key, record)
}

#[test]
fn frozen_account_rotated_key_lost_role() {
    let (key, account) = writer_account();
    let frozen = proto::Account {
        frozen: true,
        ..account.clone()
    };
    assert_refused_after(key.clone(), bytes_of(&frozen), &codes::ACCOUNT_FROZEN);
    let new_key = secret("new").public_key().as_bytes().to_vec();
    let rotated = proto::Account {
        public_key: new_key.into(),
        ..account.clone()
    };
    assert_refused_after(key.clone(), bytes_of(&rotated), &codes::WRONG_KEY);
    let demoted = proto::Account {
        roles: vec!["auditor".into()],
        ..account
    };
    assert_refused_after(key, bytes_of(&demoted), &codes::ROLE_MISSING);
}

#[test]
fn frozen_or_removed_organisation() {
    let key = StateKey::organisation("a");
    let organisation: proto::Organisation = World::new().record(&key);
    let frozen = proto::Organisation {
        frozen: true,
        ..organisation.clone()
    };
    assert_refused_after(key.clone(), bytes_of(&frozen), &codes::ORGANISATION_FROZEN);
    let removed = proto::Organisation {
        removed: true,
        ..organisation
    };
    assert_refused_after(key, bytes_of(&removed), &codes::ORGANISATION_REMOVED);
}

#[test]
fn validity_is_judged_after_the_parent_and_not_after_earlier_transactions() {
    let mut world = World::new();
    let (key, account) = writer_account();
    let frozen = proto::Account {
        frozen: true,
        ..account
    };
    let freeze = world.transaction(order(
        "admin-b",
        "write",
        encode_writes(&[(key, Some(bytes_of(&frozen)))]),
    ));
    let own = world.transaction(nothing("writer-a"));
    // Both may stand in one block, but the frozen account's transaction fails there.
    let done = world.advance(vec![freeze, own]);
    let receipt = crate::world::receipt(&done.executed.receipts[1]);
    assert_eq!(receipt.code, codes::ACCOUNT_FROZEN.code);
}

#[test]
fn a_state_without_its_records_is_an_error_and_no_verdict() {
    let mut world = World::new();
    let gone = encode_writes(&[(StateKey::organisation("a"), None)]);
    assert_eq!(world.run(order("admin-b", "write", gone)).status, 0);
    let own = world.transaction(nothing("writer-a"));
    let tip = world.tip();
    let verdict = world.chain.judge(&tip.digest, &own, tip.time_ms() + 1);
    assert!(matches!(verdict, Err(SpeculationError::State(_))), "{verdict:?}");
    // So is a block whose writes leave the chain without rules.
    let break_it = encode_writes(&[(tables::decided_set(), None)]);
    let transaction = world.transaction(order("admin-b", "write", break_it));
    let block = world.child(&tip.digest, vec![transaction]);
    assert!(matches!(world.execute(&block), Err(SpeculationError::State(_))));
}

#[test]
fn signatures_are_judged_per_transaction() {
    let mut world = World::new();
    let good = world.transaction(nothing("writer-a"));
    let verifier = FastVerifier::default();
    // The same signatures over another payload: the second of two is wrong, the third right again.
    let mut envelope = {
        use prost::Message;
        proto::Transaction::decode(good.bytes.clone()).expect("an envelope")
    };
    let other = world.transaction(nothing("writer-a"));
    let entry = |transaction: &SealedTransaction| proto::TransactionSignature {
        scheme: 1,
        signer: transaction.signers[0].key.as_bytes().to_vec().into(),
        signature: transaction.signers[0].signature.as_bytes().to_vec().into(),
    };
    envelope.signatures = vec![entry(&good), entry(&other)];
    let half = Arc::new(SealedTransaction::decode(encode(&envelope)).expect("well formed"));
    envelope.signatures = vec![entry(&good), entry(&good)];
    let double = Arc::new(SealedTransaction::decode(encode(&envelope)).expect("well formed"));
    let answers = verify_signatures(&[good, half, other, double], &verifier);
    assert_eq!(answers, [true, false, true, true]);
    assert!(verify_signatures(&[], &verifier).is_empty());
}
