//! Packs that are refused, each with its code.

use crate::support::*;
use bytes::Bytes;
use yulian_light::{
    Code, EvidencePack, PACK_BYTES_MAX, PackError, Subject, testing::TestChain, testing::secret, verify_pack,
};
use yulian_types::{SealedTransaction, StateKey, decode_canonical, encode, proto, state_keys};

#[test]
fn a_changed_file_or_row_is_refused() {
    let (chain, json) = pack();
    let mut row = ROW.to_vec();
    row[0] ^= 1;
    for subject in [Subject::row(&row), Subject::row(&[]), Subject::file(ROW)] {
        let error = verify(&chain, &json, Some(&subject)).expect_err("another content");
        assert_eq!(error.code(), Code::OtherContent);
    }
    let with_line_end = [ROW, b"\r\n"].concat();
    assert!(verify(&chain, &json, Some(&Subject::row(&with_line_end))).is_err());
}

#[test]
fn the_file_is_canonical_json_of_known_fields() {
    let (chain, json) = pack();
    let text = String::from_utf8(json.clone()).expect("UTF-8");
    assert!(text.is_ascii());
    let cases = [
        (String::new(), Code::NotJson),
        ("null".into(), Code::NotJson),
        ("{}".into(), Code::NotJson),
        ("[".repeat(10_000), Code::NotJson),
        (text.replacen('{', "{\"note\":\"x\",", 1), Code::NotJson),
        (
            text.replacen("\"record\":{", "\"record\":{\"name\":\"x\",", 1),
            Code::NotJson,
        ),
        (
            text.replacen("\"version\":1", "\"version\":1,\"version\":1", 1),
            Code::NotJson,
        ),
        (text.replacen("\"version\":1", "\"version\":-1", 1), Code::NotJson),
        (text.replacen("\"version\":1", "\"version\":1.0", 1), Code::NotJson),
        (text.replacen("\"version\":1", "\"version\":2", 1), Code::UnknownFormat),
        (text.replacen("evidence-pack", "evidence-sack", 1), Code::UnknownFormat),
        (text.replacen("\"version\":1", "\"version\": 1", 1), Code::NotCanonical),
        (text.replacen("yulian", "\\u0079ulian", 1), Code::NotCanonical),
        (format!("{text}\n"), Code::NotCanonical),
        (format!("{text}{text}"), Code::NotJson),
        (
            text.replacen("\"headers\"", "\"set_changes\":[],\"headers\"", 1),
            Code::NotCanonical,
        ),
        (
            text.replacen(",\"record\"", ",\"account\":null,\"record\"", 1),
            Code::NotCanonical,
        ),
    ];
    for (case, code) in cases {
        let error = verify(&chain, case.as_bytes(), None).expect_err("refused");
        assert_eq!(error.code(), code, "{error}: {}", &case[..case.len().min(80)]);
    }
    let swapped = text.replacen(
        "\"format\":\"yulian-evidence-pack\",\"version\":1",
        "\"version\":1,\"format\":\"yulian-evidence-pack\"",
        1,
    );
    refused(&chain, swapped.as_bytes(), Code::NotCanonical);
}

#[test]
fn truncated_and_oversized_files_are_refused() {
    let (chain, json) = pack();
    for length in (0..json.len()).step_by(97) {
        refused(&chain, &json[..length], Code::NotJson);
    }
    let mut long = json;
    long.resize(PACK_BYTES_MAX + 1, b' ');
    refused(&chain, &long, Code::TooLong);
}

/// A part of a message cut, grown or given an unknown field.
#[test]
fn messages_inside_are_canonical() {
    let (chain, json) = pack();
    type Part = fn(&mut EvidencePack) -> &mut Bytes;
    let parts: [(Part, Code); 7] = [
        (|pack| &mut pack.genesis.0, Code::BadGenesis),
        (|pack| &mut pack.headers[0].0, Code::BadHeader),
        (|pack| &mut pack.headers[1].0, Code::BadHeader),
        (|pack| &mut pack.finality.0, Code::NotFinal),
        (|pack| &mut pack.transaction.0, Code::BadTransaction),
        (|pack| &mut pack.receipt.0, Code::BadReceipt),
        (|pack| &mut pack.record.value.0, Code::BadRecord),
    ];
    for (part, code) in parts {
        let edit = |edit: &dyn Fn(&mut Vec<u8>)| {
            changed(&json, |pack| {
                let bytes = part(pack);
                let mut copy = bytes.to_vec();
                edit(&mut copy);
                *bytes = copy.into();
            })
        };
        refused(&chain, &edit(&|bytes| bytes.clear()), code);
        refused(&chain, &edit(&|bytes| bytes.truncate(bytes.len() - 1)), code);
        refused(&chain, &edit(&|bytes| bytes.push(0)), code);
        refused(&chain, &edit(&|bytes| bytes.extend([0xf8, 0x07, 0x01])), code);
        refused(&chain, &edit(&|bytes| bytes.extend([0xff; 11])), code);
    }
}

#[test]
fn parts_of_another_chain_are_refused() {
    let (chain, json) = pack();
    let mut other = TestChain::new("另一条链", 4, 1_000);
    let transaction = other.deposit(5, &Subject::row(ROW).digest(), "");
    other.push(vec![transaction]);
    other.push(vec![]);
    let foreign = EvidencePack::decode(&pack_of(other.parts(1, 0, 2, None))).expect("pack");
    let outcome = verify(&chain, &foreign.encode(), None).expect("consistent");
    assert!(!outcome.is_yes());
    refused(
        &chain,
        &changed(&json, |pack| pack.genesis = foreign.genesis.clone()),
        Code::OtherChain,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.headers = foreign.headers.clone()),
        Code::OtherChain,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.transaction = foreign.transaction.clone()),
        Code::OtherChain,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.finality = foreign.finality.clone()),
        Code::NotFinal,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.receipt = foreign.receipt.clone()),
        Code::BadReceipt,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.record = foreign.record.clone()),
        Code::BadRecord,
    );
}

#[test]
fn headers_must_be_linked_and_enough() {
    let (chain, json) = pack();
    let with = |heights: &[u64], last: u64| {
        changed(&json, |pack| {
            pack.headers = heights.iter().map(|height| chain.header(*height).into()).collect();
            pack.finality = chain.finality(last).into();
        })
    };
    refused(&chain, &with(&[], 2), Code::BadHeader);
    refused(&chain, &with(&[1], 1), Code::BadHeader);
    refused(&chain, &with(&[1, 3], 3), Code::BadHeader);
    refused(&chain, &with(&[2, 1], 1), Code::BadHeader);
    refused(&chain, &with(&[1, 1], 1), Code::BadHeader);
    refused(&chain, &with(&[2, 3], 3), Code::NotInBlock);
    refused(&chain, &with(&[0, 1], 1), Code::NotInBlock);
    let later = |height: u64| {
        changed(&json, |pack| {
            pack.later = Some(yulian_light::LaterHeader {
                header: chain.header(height).into(),
                finality: chain.finality(height).into(),
            });
        })
    };
    refused(&chain, &later(1), Code::BadHeader);
    refused(&chain, &later(2), Code::BadHeader);
    assert!(
        verify(&chain, &later(3), None).is_ok(),
        "the state did not change since"
    );
}

/// Well-formed headers that say something else about their place.
#[test]
fn headers_must_fit_their_chain() {
    let (chain, json) = pack();
    let edit = |edit: fn(&mut proto::BlockHeader)| {
        changed(&json, |pack| {
            let mut header: proto::BlockHeader = decode_canonical(&chain.header(2), 1_000).expect("header");
            edit(&mut header);
            pack.headers[1] = encode(&header).into();
        })
    };
    refused(&chain, &edit(|header| header.version = 2), Code::BadHeader);
    refused(&chain, &edit(|header| header.epoch = 1), Code::BadHeader);
    refused(&chain, &edit(|header| header.height = 3), Code::BadHeader);
    refused(&chain, &edit(|header| header.height = u64::MAX), Code::BadHeader);
    refused(&chain, &edit(|header| header.time_ms -= 500), Code::BadHeader);
    refused(
        &chain,
        &edit(|header| header.parent = vec![7; 32].into()),
        Code::BadHeader,
    );
    refused(
        &chain,
        &edit(|header| header.parent_state_root = vec![7; 31].into()),
        Code::BadHeader,
    );
    refused(
        &chain,
        &edit(|header| header.validators = vec![7; 32].into()),
        Code::BadSetChange,
    );
    refused(&chain, &edit(|header| header.validators_since = 1), Code::BadSetChange);
    refused(
        &chain,
        &edit(|header| header.parent_state_root = vec![7; 32].into()),
        Code::NotFinal,
    );
}

#[test]
fn places_and_paths_are_fixed() {
    let mut chain = TestChain::new("places", 4, 1_000);
    let transactions = (0..5).map(|n| chain.deposit(5, &digest(&n.to_string()), "")).collect();
    chain.push(transactions);
    chain.push(vec![]);
    let json = pack_of(chain.parts(1, 3, 2, None));
    for (index, count) in [(2, 5), (4, 5), (5, 5), (3, 4), (3, 6), (3, 0), (u32::MAX, u32::MAX)] {
        let moved = changed(&json, |pack| (pack.index, pack.count) = (index, count));
        refused(&chain, &moved, Code::NotInBlock);
    }
    let cut = |bytes: &Bytes, length: usize| Bytes::copy_from_slice(&bytes[..length]);
    refused(
        &chain,
        &changed(&json, |pack| {
            pack.transaction_path.0 = cut(&pack.transaction_path.0, 31)
        }),
        Code::BadField,
    );
    refused(
        &chain,
        &changed(&json, |pack| {
            pack.transaction_path.0 = cut(&pack.transaction_path.0, 64)
        }),
        Code::NotInBlock,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.receipt_path.0 = cut(&pack.receipt_path.0, 64)),
        Code::BadReceipt,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.receipt_path.0 = vec![0; 65 * 32].into()),
        Code::BadField,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.record.path.0 = cut(&pack.record.path.0, 33)),
        Code::BadRecord,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.record.path.0 = vec![0; 33 * 300].into()),
        Code::BadRecord,
    );
    let other = EvidencePack::decode(&pack_of(chain.parts(1, 2, 2, None))).expect("pack");
    refused(
        &chain,
        &changed(&json, |pack| pack.receipt = other.receipt.clone()),
        Code::BadReceipt,
    );
    refused(
        &chain,
        &changed(&json, |pack| pack.record = other.record.clone()),
        Code::BadRecord,
    );
    let receipt = |pack: &mut EvidencePack| {
        (pack.transaction, pack.transaction_path, pack.index) =
            (other.transaction.clone(), other.transaction_path.clone(), 2);
    };
    refused(&chain, &changed(&json, receipt), Code::BadReceipt);
}

/// A block that holds a transaction with a wrong signature cannot be, but a verifier does not lean on that.
#[test]
fn the_depositors_signature_is_verified() {
    let mut chain = TestChain::new("signature", 4, 1_000);
    let good = chain.deposit(5, &digest("file"), "");
    let mut envelope: proto::Transaction = decode_canonical(&good, 10_000).expect("transaction");
    let wrong = yulian_crypto::sm2::Signer::sign(&secret(105), b"something else").expect("signature");
    envelope.signatures[0].signature = Bytes::copy_from_slice(wrong.as_bytes());
    chain.push(vec![encode(&envelope)]);
    chain.push(vec![]);
    assemble_fails(chain.parts(1, 0, 2, None), Code::BadTransactionSignature);
}

#[test]
fn only_successful_deposits_make_a_pack() {
    let mut chain = TestChain::new("calls", 4, 1_000);
    let deposit = chain.deposit(5, &digest("file"), "");
    let call = chain.call(5, "account", "rotate_key", Bytes::new());
    let malformed = chain.call(5, state_keys::EVIDENCE_MODULE, "deposits", Bytes::from_static(b"x"));
    chain.push(vec![deposit, call, malformed]);
    chain.push(vec![]);
    let mut parts = chain.parts(1, 0, 2, None);
    let block = chain.block(1);
    let leaves = |leaf: &dyn Fn(usize) -> yulian_crypto::Digest| {
        yulian_crypto::merkle::Tree::new((0..3).map(leaf).collect())
            .prove(1)
            .expect("leaf")
    };
    parts.transaction = block.sealed.transactions[1].bytes.clone();
    parts.transaction_proof = leaves(&|n| block.sealed.transactions[n].leaf);
    parts.receipt = block.receipts[1].clone();
    parts.receipt_proof = leaves(&|n| yulian_crypto::merkle::leaf(&block.receipts[n]));
    assemble_fails(parts, Code::NotEvidence);
}

/// The chain's own state contradicts the transaction only if validators collude; each field is compared all the same.
#[test]
fn the_record_must_be_that_of_the_transaction() {
    let changes: [fn(&mut proto::EvidenceRecord); 9] = [
        |record| record.kind = 2,
        |record| record.count = 1,
        |record| record.description = "x".into(),
        |record| record.source = "x".into(),
        |record| record.depositor = vec![1; 32].into(),
        |record| record.height = 9,
        |record| record.time_ms += 1,
        |record| record.status = 4,
        |record| record.status = 2,
    ];
    for change in changes {
        let mut chain = chain();
        let write = chain.record_write(&Subject::row(ROW).digest(), "zzdata", change);
        chain.push_with(vec![], vec![write], None);
        chain.push(vec![]);
        assemble_fails(chain.parts(1, 0, 2, Some(5)), Code::BadRecord);
    }
}

#[test]
fn a_failed_transaction_proves_nothing() {
    let mut chain = chain();
    // A block whose receipt says "failed": made by rebuilding the child over other receipts.
    let transaction: SealedTransaction = sealed(&chain.deposit(5, &digest("file"), ""));
    chain.push(vec![transaction.bytes.clone()]);
    let failed = encode(&proto::Receipt {
        transaction_id: transaction.id.to_vec().into(),
        status: 1,
        code: "evidence_exists".into(),
        ..Default::default()
    });
    let last = chain.blocks.len() - 1;
    chain.blocks[last].receipts = vec![failed];
    chain.push(vec![]);
    let error = yulian_light::assemble(chain.parts(4, 0, 5, None), &yulian_crypto::sm2::FastVerifier::default());
    assert_eq!(error, Err(PackError::Failed("evidence_exists".into())));
}

#[test]
fn entries_must_be_proven_and_belong_to_the_record() {
    let chain = chain();
    let parts = || chain.parts(1, 0, 2, None);
    let foreign = chain.proven(2, &StateKey::organisation("unicom"));
    let mut with = parts();
    with.organisation = Some(foreign.clone());
    assemble_fails(with, Code::BadEntry);
    let mut with = parts();
    with.drift = Some(foreign.clone());
    assemble_fails(with, Code::BadEntry);
    let mut with = parts();
    with.key_owner = Some(foreign);
    assemble_fails(with, Code::BadEntry);
    let mut with = parts();
    with.row = Some((
        digest("row"),
        yulian_light::testing::batch(&[digest("row")]).prove(0).expect("leaf"),
    ));
    assemble_fails(with, Code::NotInBatch);
}

#[test]
fn random_bytes_are_refused_without_panic() {
    let (chain, json) = pack();
    let trust = trust(&chain);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for _ in 0..2_000 {
        let mut bytes = json.clone();
        for _ in 0..next() % 8 + 1 {
            let at = next() % bytes.len();
            match next() % 3 {
                0 => bytes[at] = next() as u8,
                1 => drop(bytes.drain(at..(at + next() % 64).min(bytes.len()))),
                _ => bytes.insert(at, next() as u8),
            }
        }
        let result = verify_pack(&bytes, None, &trust, &yulian_crypto::sm2::FastVerifier::default());
        assert!(result.is_err() || bytes == json);
    }
}
