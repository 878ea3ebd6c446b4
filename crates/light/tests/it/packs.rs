//! Packs that hold, and what they say.

use crate::support::*;
use yulian_crypto::{Digest, sm2::FastVerifier};
use yulian_light::{
    Content, EvidencePack, NameSource, Outcome, Status, Subject, Trust, row_digest, testing, testing::TestChain,
    verify_pack,
};
use yulian_state::write_set::Write;
use yulian_types::{StateKey, encode, proto, state_keys};

#[test]
fn a_row_is_proven_with_who_when_and_by_which_nodes() {
    let (chain, json) = pack();
    let outcome = verify(&chain, &json, Some(&Subject::row(ROW))).expect("holds");
    assert!(outcome.is_yes());
    let Outcome::Proven(report) = outcome else {
        panic!("a trusted chain");
    };
    assert_eq!(report.digest, row_digest(ROW));
    assert_eq!(report.subject_matches, Some(true));
    assert_eq!(report.content, Content::Single);
    assert_eq!(report.chain_name, "豫链测试");
    assert_eq!((report.height, report.as_of_height, report.set_changes), (1, 1, 0));
    assert_eq!(report.time.time_ms, testing::START_MS + 500);
    assert_eq!(report.as_of_time_ms, testing::START_MS + 1_000);
    let drift = report.time.drift.expect("genesis has the parameter");
    assert_eq!((drift.ms, drift.limit_ms), (testing::DRIFT_MS, testing::DRIFT_LIMIT_MS));
    assert_eq!(report.depositor.organisation, "zzdata");
    let name = ("郑州市大数据管理局".to_string(), NameSource::Genesis);
    assert_eq!(report.depositor.organisation_name, Some(name));
    let label = ("zzdata writer".to_string(), NameSource::Genesis);
    assert_eq!(report.depositor.label, Some(label));
    assert_eq!(report.depositor.sender, report.depositor.account);
    assert_eq!((report.finality.validators, report.finality.quorum), (4, 3));
    let signed: Vec<_> = report.finality.signed_by.iter().map(|by| by.name.as_str()).collect();
    let set = &chain.genesis.validators;
    let expected: Vec<_> = set.validators()[..3].iter().map(|v| v.name.as_str()).collect();
    assert_eq!(signed, expected);
    assert!(report.finality.signed_by.iter().all(|by| !by.cloud.is_empty()));
    assert_eq!(report.status, Status::Active);
}

#[test]
fn without_the_trusted_genesis_the_answer_is_never_yes() {
    let (chain, json) = pack();
    let other = Trust::chains([digest("another genesis")]);
    for trust in [Trust::nobody(), other] {
        let outcome = verify_pack(&json, None, &trust, &FastVerifier::default()).expect("consistent");
        assert!(!outcome.is_yes());
        let Outcome::UnknownChain(report) = outcome else {
            panic!("no chain is trusted");
        };
        assert_eq!(report.chain_id, chain.genesis.chain_id);
    }
}

#[test]
fn a_descendants_proof_covers_the_block() {
    let chain = chain();
    let json = pack_of(chain.parts(1, 0, 3, None));
    let outcome = verify(&chain, &json, None).expect("holds");
    let report = outcome.report();
    assert_eq!((report.height, report.finality.height, report.as_of_height), (1, 3, 2));
}

#[test]
fn a_row_of_a_batch_is_proven_and_no_other() {
    let mut chain = TestChain::new("batch", 4, 1_000);
    let rows: Vec<String> = (0..1_000).map(|n| format!("{n},row,village")).collect();
    let digests: Vec<Digest> = rows.iter().map(|row| row_digest(row.as_bytes())).collect();
    let tree = testing::batch(&digests);
    let transaction = chain.deposit_batch(5, &tree.root(), 1_000);
    chain.push(vec![transaction]);
    chain.push(vec![]);
    let whole = pack_of(chain.parts(1, 0, 2, None));
    let code = |result: Result<Outcome, yulian_light::PackError>| result.expect_err("refused").code().as_str();
    let subject = Subject::row(rows[613].as_bytes());
    assert_eq!(code(verify(&chain, &whole, Some(&subject))), "pack_row_missing");
    let whole = EvidencePack::decode(&whole).expect("pack");
    let (verifier, proof) = (FastVerifier::default(), tree.prove(613).expect("row"));
    let json = whole.for_row(&digests[613], &proof, &verifier).expect("row in batch");
    let outcome = verify(&chain, &json, Some(&subject)).expect("holds");
    let content = Content::Batch {
        root: tree.root(),
        count: 1_000,
        index: Some(613),
    };
    assert_eq!(outcome.report().content, content);
    assert_eq!(outcome.report().digest, digests[613]);
    let other = Subject::row(rows[614].as_bytes());
    assert_eq!(code(verify(&chain, &json, Some(&other))), "pack_other_content");
    let wrong = whole
        .for_row(&digests[614], &proof, &verifier)
        .expect_err("another row's proof");
    assert_eq!(wrong.code().as_str(), "pack_not_in_batch");
    let beyond = yulian_crypto::merkle::Proof { count: 999, ..proof };
    let mut parts = chain.parts(1, 0, 2, None);
    parts.row = Some((digests[613], beyond));
    pack_of(parts); // the count is the record's, whatever the caller's proof says
}

#[test]
fn the_status_is_that_of_the_last_header() {
    let mut chain = chain();
    let row = row_digest(ROW);
    let by = digest("the corrected row");
    let write = chain.record_write(&row, "zzdata", |record| {
        record.status = state_keys::STATUS_SUPERSEDED;
        record.superseded_by = by.to_vec().into();
        record.reason = "更正".into();
        record.status_height = 4;
        record.status_time_ms = 77;
    });
    chain.push_with(vec![], vec![write], None);
    chain.push(vec![]);
    let write = chain.record_write(&row, "zzdata", |record| {
        record.status = state_keys::STATUS_REVOKED;
        record.superseded_by.clear();
        record.status_height = 6;
    });
    chain.push_with(vec![], vec![write], None);
    chain.push(vec![]);
    let status = |later: Option<u64>| {
        let json = pack_of(chain.parts(1, 0, 2, later));
        let outcome = verify(&chain, &json, Some(&Subject::row(ROW))).expect("holds");
        (
            outcome.is_yes(),
            outcome.report().status.clone(),
            outcome.report().as_of_height,
        )
    };
    assert_eq!(status(None), (true, Status::Active, 1));
    assert_eq!(status(Some(4)), (true, Status::Active, 3));
    let superseded = Status::Superseded {
        by,
        reason: "更正".into(),
        height: 4,
        time_ms: 77,
    };
    assert_eq!(status(Some(5)), (false, superseded, 4));
    let revoked = Status::Revoked {
        reason: "更正".into(),
        height: 6,
        time_ms: 77,
    };
    assert_eq!(status(Some(7)), (false, revoked, 6));
}

/// An account that is not in genesis, whose key was rotated since: names and owner come from the state.
#[test]
fn names_and_owner_are_proven_in_the_state() {
    let mut chain = TestChain::new("names", 4, 1_000);
    let key = yulian_crypto::sm2::Signer::public_key(&testing::secret(140));
    let id = digest("the account of a key long gone");
    let account = proto::Account {
        id: id.to_vec().into(),
        organisation: "hospital".into(),
        public_key: key.as_bytes().to_vec().into(),
        label: "电子病历".into(),
        ..Default::default()
    };
    let organisation = proto::Organisation {
        id: "hospital".into(),
        name: "郑州市第一人民医院".into(),
        ..Default::default()
    };
    let owner = proto::KeyOwner {
        account: id.to_vec().into(),
    };
    let drift = proto::Parameter {
        name: state_keys::PARAMETER_CLOCK_DRIFT_MS.into(),
        value: 2_500,
        minimum: 100,
        maximum: testing::DRIFT_LIMIT_MS,
        never_shrinks: false,
    };
    let put = |key: StateKey, value| Write {
        module_id: key.module_id,
        key: key.key,
        value: Some(value),
    };
    let keys = [
        StateKey::account(&id),
        StateKey::organisation("hospital"),
        StateKey::key_owner(&key),
        StateKey::parameter(state_keys::PARAMETER_CLOCK_DRIFT_MS),
    ];
    let values = [encode(&account), encode(&organisation), encode(&owner), encode(&drift)];
    let writes = keys
        .iter()
        .cloned()
        .zip(values)
        .map(|(key, value)| put(key, value))
        .collect();
    chain.push_with(vec![], writes, None);
    let arguments = encode(&proto::Deposit {
        digest: digest("file").to_vec().into(),
        ..Default::default()
    });
    let builder = yulian_types::TransactionBuilder::new(
        chain.genesis.chain_id,
        id,
        [9; 16],
        u64::MAX,
        state_keys::EVIDENCE_MODULE,
        state_keys::METHOD_DEPOSIT,
        arguments,
    );
    let (transaction, _) = builder.sign(&testing::secret(140)).expect("signature");
    chain.push(vec![transaction]);
    chain.push(vec![]);
    let mut parts = chain.parts(2, 0, 3, None);
    assemble_fails(parts.clone(), yulian_light::Code::SignerUnproven);
    parts.key_owner = Some(chain.proven(3, &keys[2]));
    let json = pack_of(parts.clone());
    let outcome = verify(&chain, &json, None).expect("holds");
    assert_eq!(outcome.report().depositor.label, None);
    assert_eq!(outcome.report().depositor.organisation_name, None);
    parts.account = Some(chain.proven(3, &keys[0]));
    parts.organisation = Some(chain.proven(3, &keys[1]));
    parts.drift = Some(chain.proven(3, &keys[3]));
    let json = pack_of(parts.clone());
    let outcome = verify(&chain, &json, None).expect("holds");
    let depositor = &outcome.report().depositor;
    assert_eq!(depositor.label, Some(("电子病历".into(), NameSource::State)));
    let name = ("郑州市第一人民医院".to_string(), NameSource::State);
    assert_eq!(depositor.organisation_name, Some(name));
    assert_eq!(outcome.report().time.drift.as_ref().map(|drift| drift.ms), Some(2_500));
    // Another account's, organisation's, key's or parameter's entry does not do, however well it is proven.
    let other = yulian_types::account_id(&yulian_crypto::sm2::Signer::public_key(&testing::secret(100)));
    parts.account = Some(chain.proven(3, &StateKey::account(&other)));
    assemble_fails(parts, yulian_light::Code::BadEntry);
}

/// A pack of any node, stated anew under a header that the caller chooses.
#[test]
fn a_pack_is_restated_under_a_later_header() {
    let mut chain = TestChain::new("restated", 4, 4);
    let row = row_digest(ROW);
    let deposit = chain.deposit(5, &row, "河南省统计用区划代码 410102");
    chain.push(vec![deposit]);
    chain.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    let revoked = chain.record_write(&row, "zzdata", |record| {
        record.status = state_keys::STATUS_REVOKED;
        record.status_height = 3;
    });
    let drift = proto::Parameter {
        name: state_keys::PARAMETER_CLOCK_DRIFT_MS.into(),
        value: 2_500,
        minimum: 100,
        maximum: testing::DRIFT_LIMIT_MS,
        never_shrinks: false,
    };
    let voted = Write {
        module_id: 1,
        key: StateKey::parameter(state_keys::PARAMETER_CLOCK_DRIFT_MS).key,
        value: Some(encode(&drift)),
    };
    chain.push_with(vec![], vec![revoked, voted], None);
    while chain.height() < 6 {
        chain.push(vec![]);
    }
    let mut parts = chain.parts(1, 0, 2, None);
    parts.organisation = Some(chain.proven(2, &StateKey::organisation("zzdata")));
    let pack = EvidencePack::decode(&pack_of(parts)).expect("pack");
    let keys = pack.state_keys().expect("keys");
    let expected = [
        StateKey::evidence(&row, "zzdata"),
        StateKey::organisation("zzdata"),
        StateKey::parameter(state_keys::PARAMETER_CLOCK_DRIFT_MS),
    ];
    assert_eq!(keys, expected);
    let at = |height: u64| yulian_light::StatusParts {
        set_changes: chain.set_changes(height),
        header: chain.header(height),
        finality: chain.finality(height),
        entries: keys.iter().map(|key| chain.proven(height, key)).collect(),
    };
    let restated = |height: u64| {
        let json = pack.restated(at(height), &FastVerifier::default()).expect("pack");
        let outcome = verify(&chain, &json, Some(&Subject::row(ROW))).expect("holds");
        let report = outcome.report().clone();
        let drift = report.time.drift.expect("the parameter");
        (
            outcome.is_yes(),
            report.as_of_height,
            report.set_changes,
            drift.ms,
            drift.proven_by,
        )
    };
    assert_eq!(restated(3), (true, 2, 0, testing::DRIFT_MS, NameSource::Genesis));
    assert_eq!(restated(6), (false, 5, 1, 2_500, NameSource::State));
    let fewer = |count: usize| {
        let mut parts = at(6);
        parts.entries.truncate(count);
        pack.restated(parts, &FastVerifier::default())
            .expect_err("refused")
            .code()
    };
    assert_eq!(
        (fewer(0), fewer(2)),
        (yulian_light::Code::BadField, yulian_light::Code::BadField)
    );
    for height in [1, 2] {
        let parts = yulian_light::StatusParts {
            header: chain.header(height),
            finality: chain.finality(height),
            ..at(3)
        };
        let error = pack.restated(parts, &FastVerifier::default()).expect_err("not later");
        assert_eq!(error.code(), yulian_light::Code::BadHeader);
    }
}

#[test]
fn reports_are_json_for_programs() {
    let (chain, json) = pack();
    let outcome = verify(&chain, &json, None).expect("holds");
    let value = serde_json::to_value(&outcome).expect("JSON");
    assert_eq!(value["outcome"], "proven");
    assert_eq!(value["report"]["digest"], row_digest(ROW).to_string());
    assert_eq!(value["report"]["status"]["status"], "active");
}
