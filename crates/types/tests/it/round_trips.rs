//! What is encoded is decoded again to the same, over random messages.

use crate::wire::{secret, set};
use bytes::Bytes;
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};
use std::sync::Arc;
use yulian_crypto::sm2::Signer;
use yulian_types::{
    BlockLimits, Digest, FinalityProof, SealedBlock, SealedTransaction, TransactionBuilder, decode_canonical, encode,
    proto,
};

fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_102),
        ..ProptestConfig::default()
    }
}

fn bytes(most: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..most).prop_map(Bytes::from)
}

prop_compose! {
    fn receipt()(
        transaction_id in bytes(40),
        status in any::<u32>(),
        code in ".{0,20}",
        detail in ".{0,40}",
        metering in any::<u64>(),
        output in bytes(50),
        events in vec(("[a-z]{0,8}", ".{0,8}", bytes(20)), 0..4),
    ) -> proto::Receipt {
        let event = |(module, name, data)| proto::Event { module, name, data };
        let events = events.into_iter().map(event).collect();
        proto::Receipt { transaction_id, status, code, detail, metering, output, events }
    }
}

prop_compose! {
    fn record()(
        digest in bytes(40),
        numbers in any::<[u64; 5]>(),
        kinds in any::<[u32; 2]>(),
        texts in vec(".{0,20}", 4),
        ids in vec(bytes(33), 3),
    ) -> proto::EvidenceRecord {
        let [height, time_ms, count, status_height, status_time_ms] = numbers;
        proto::EvidenceRecord {
            digest,
            kind: kinds[0],
            depositor: ids[0].clone(),
            organisation: texts[0].clone(),
            description: texts[1].clone(),
            source: texts[2].clone(),
            height,
            time_ms,
            count,
            status: kinds[1],
            superseded_by: ids[1].clone(),
            reason: texts[3].clone(),
            status_height,
            status_time_ms,
            transaction_id: ids[2].clone(),
        }
    }
}

fn same<M: prost::Message + Default + PartialEq + std::fmt::Debug>(message: M) {
    let encoded = encode(&message);
    assert_eq!(decode_canonical::<M>(&encoded, encoded.len()).as_ref(), Ok(&message));
    // Every prefix is refused or another message.
    let half = encoded.slice(..encoded.len() / 2);
    assert!(decode_canonical::<M>(&half, half.len()).map_or(true, |other| other != message || half == encoded));
}

proptest! {
    #![proptest_config(fixed(300))]

    #[test]
    fn receipts(receipt in receipt()) {
        same(receipt);
    }

    #[test]
    fn records(record in record()) {
        same(record);
    }
}

proptest! {
    #![proptest_config(fixed(60))]

    #[test]
    fn transactions(
        nonce in any::<[u8; 16]>(),
        valid_until in any::<u64>(),
        limit in any::<u64>(),
        module in "[a-z]{1,32}",
        method in "[a-z_]{1,32}",
        arguments in bytes(500),
        keys in vec(vec(any::<u8>(), 4..40).prop_map(Bytes::from), 0..4),
    ) {
        let key = secret(1);
        let (chain, sender) = (Digest([1; 32]), Digest([2; 32]));
        let builder = TransactionBuilder::new(chain, sender, nonce, valid_until, &module, &method, arguments.clone());
        let (encoded, id) = builder.metering_limit(limit).declared_keys(keys.clone()).sign(&key).expect("signature");
        let sealed = SealedTransaction::decode(encoded.clone()).expect("transaction");
        prop_assert_eq!(sealed.id, id);
        prop_assert_eq!(sealed.bytes, encoded);
        let payload = sealed.payload;
        prop_assert_eq!((payload.module, payload.method), (module, method));
        prop_assert_eq!((payload.arguments, payload.declared_keys), (arguments, keys));
        prop_assert_eq!((payload.valid_until_ms, payload.metering_limit), (valid_until, limit));
    }

    #[test]
    fn blocks(numbers in any::<[u64; 4]>(), digests in any::<[[u8; 32]; 4]>(), count in 0_u8..5) {
        let digest = |n: usize| Bytes::copy_from_slice(&digests[n]);
        let header = proto::BlockHeader {
            chain_id: digest(0),
            epoch: numbers[0],
            height: numbers[1],
            parent: digest(1),
            time_ms: numbers[2],
            parent_state_root: digest(2),
            parent_receipt_root: digest(3),
            parent_write_set_root: digest(0),
            parent_message_root: digest(1),
            validators: digest(2),
            next_validators: digest(3),
            validators_since: numbers[3],
            ..Default::default()
        };
        let transaction = |n| SealedTransaction::decode(crate::wire::transaction(n)).map(Arc::new);
        let transactions = (0..count).map(transaction).collect::<Result<Vec<_>, _>>().expect("transactions");
        let built = SealedBlock::build(header, transactions);
        let read = SealedBlock::decode(built.bytes.clone(), &BlockLimits::default()).expect("block");
        prop_assert_eq!((read.digest, &read.header), (built.digest, &built.header));
        prop_assert_eq!(read.transactions.len(), usize::from(count));
    }

    #[test]
    fn proofs(numbers in any::<[u64; 3]>(), signers in proptest::collection::btree_set(0_u32..13, 0..13)) {
        let signature = secret(1).sign(b"anything").expect("signature");
        let proof = FinalityProof {
            epoch: numbers[0],
            view: numbers[1],
            parent_view: numbers[2],
            digest: Digest([3; 32]),
            signatures: vec![signature; signers.len()],
            signers: signers.into_iter().collect(),
            set_size: 13,
        };
        prop_assert_eq!(FinalityProof::decode(&proof.encode(), 13), Ok(proof.clone()));
        // Made for another size of set, the bitmap does not fit.
        prop_assert!(FinalityProof::decode(&proof.encode(), 17).is_err());
    }

    #[test]
    fn sets(count in 1_u32..12) {
        let set = set(count);
        prop_assert_eq!(yulian_types::ValidatorSet::decode(&set.encode()), Ok(set));
    }
}
