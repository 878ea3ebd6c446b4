//! The committed vectors, as another program would use them.

use bytes::Bytes;
use serde_json::Value;
use std::{fs, path::PathBuf};
use yulian_crypto::{
    Digest, merkle,
    sm2::{FastVerifier, SecretKey, Signer, Verifier},
};
use yulian_types::{
    BlockLimits, FinalityProof, SealedBlock, SealedGenesis, SealedPacket, SealedTransaction, StateKey, ValidatorSet,
    account_id, block_digest, finality_message, receipt_root, transaction_id, transaction_root,
};

fn load(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../vectors")
        .join(name);
    serde_json::from_str(&fs::read_to_string(path).expect("vectors")).expect("JSON")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect(field)
}

fn bytes(value: &Value, field: &str) -> Bytes {
    hex::decode(text(value, field)).expect(field).into()
}

fn digest(value: &Value, field: &str) -> Digest {
    text(value, field).parse().expect(field)
}

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().expect(field)
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().expect(field)
}

#[test]
fn merkle_trees() {
    for case in list(&load("merkle.json"), "cases") {
        let count = number(case, "count");
        let leaves: Vec<_> = (0..count).map(|n| merkle::leaf(&n.to_be_bytes())).collect();
        let root = digest(case, "root");
        assert_eq!(merkle::root(&leaves), root);
        for proof in list(case, "proofs") {
            let index = number(proof, "index");
            let siblings = list(proof, "siblings")
                .iter()
                .map(|s| s.as_str().expect("text").parse().expect("digest"));
            let siblings = siblings.collect();
            let proof = merkle::Proof { index, count, siblings };
            assert!(proof.verify(&root, &leaves[index as usize]));
        }
    }
}

#[test]
fn transactions() {
    let data = load("transaction.json");
    let secret: [u8; 32] = bytes(&data, "secret_key")[..].try_into().expect("32 bytes");
    let key = SecretKey::from_bytes(&secret).expect("key");
    assert_eq!(key.public_key().to_string(), text(&data, "public_key"));
    assert_eq!(account_id(&key.public_key()), digest(&data, "account_id"));
    for case in list(&data, "cases") {
        let sealed = SealedTransaction::decode(bytes(case, "bytes")).expect("transaction");
        assert_eq!(sealed.id, digest(case, "id"));
        assert_eq!(transaction_id(1, &bytes(case, "payload")), sealed.id);
        assert_eq!(sealed.leaf, digest(case, "leaf"));
        assert_eq!(sealed.signers[0].signature.to_string(), text(case, "signature"));
        assert_eq!(key.sign(&sealed.id.0).expect("signature"), sealed.signers[0].signature);
        assert!(FastVerifier::default().verify(&key.public_key(), &sealed.id.0, &sealed.signers[0].signature));
    }
}

#[test]
fn genesis() {
    let data = load("genesis.json");
    let genesis = SealedGenesis::decode(&bytes(&data, "bytes")).expect("genesis");
    assert_eq!(genesis.chain_id, digest(&data, "chain_id"));
    assert_eq!(genesis.validators.digest(), digest(&data, "validators"));
    let block = genesis.block();
    assert_eq!(block.header_bytes, bytes(&data["block"], "header"));
    assert_eq!(block.bytes, bytes(&data["block"], "bytes"));
    assert_eq!(block.digest, digest(&data["block"], "digest"));
}

#[test]
fn blocks() {
    let data = load("block.json");
    let mut parent = Digest::ZERO;
    for case in list(&data, "blocks") {
        let block = SealedBlock::decode(bytes(case, "bytes"), &BlockLimits::default()).expect("block");
        assert_eq!((block.height(), block.parent), (number(case, "height"), parent));
        assert_eq!(block.digest, digest(case, "digest"));
        assert_eq!(block_digest(&bytes(case, "header")), block.digest);
        assert_eq!(transaction_root(&block.transactions), digest(case, "transaction_root"));
        let receipts: Vec<Bytes> = list(case, "receipts")
            .iter()
            .map(|receipt| hex::decode(receipt.as_str().expect("text")).expect("hex").into())
            .collect();
        assert_eq!(receipt_root(&receipts), digest(case, "receipt_root"));
        parent = block.digest;
    }
}

#[test]
fn validator_sets() {
    let data = load("validator-set.json");
    for case in list(&data, "cases") {
        let set = ValidatorSet::decode(&bytes(case, "bytes")).expect("set");
        assert_eq!(set.digest(), digest(case, "digest"));
        assert_eq!(
            (set.len() as u64, set.quorum() as u64),
            (number(case, "count"), number(case, "quorum"))
        );
    }
    for (index, quorum) in list(&data, "quorum_of_1_to_64").iter().enumerate() {
        assert_eq!(Some(yulian_types::quorum(index + 1) as u64), quorum.as_u64());
    }
}

#[test]
fn finality() {
    let data = load("finality.json");
    let (chain, block) = (digest(&data, "chain_id"), digest(&data, "digest"));
    for case in list(&data, "messages") {
        let [epoch, view, parent_view] = ["epoch", "view", "parent_view"].map(|field| number(case, field));
        let found = finality_message(&chain, epoch, view, parent_view, &block);
        assert_eq!(found, bytes(case, "message"));
    }
    let set = ValidatorSet::decode(&bytes(&data, "validators")).expect("set");
    for case in list(&data, "proofs") {
        let proof = FinalityProof::decode(&bytes(case, "bytes"), set.len());
        let holds = proof
            .and_then(|proof| proof.verify(&chain, &set, &FastVerifier::default()))
            .is_ok();
        assert_eq!(Some(holds), case["holds"].as_bool(), "{}", text(case, "name"));
    }
}

#[test]
fn state_keys() {
    let data = load("state-keys.json");
    let key = text(&data, "public_key").parse().expect("key");
    let keys = [
        StateKey::parameter("clock_drift_ms"),
        StateKey::account(&digest(&data, "account_id")),
        StateKey::key_owner(&key),
        StateKey::organisation("zzdata"),
        StateKey::evidence(&digest(&data, "digest"), "zzdata"),
    ];
    for (key, case) in keys.iter().zip(list(&data, "cases")) {
        assert_eq!(u64::from(key.module_id), number(case, "module_id"));
        assert_eq!(key.key, bytes(case, "key"));
        assert_eq!(key.declared(), bytes(case, "declared"));
    }
}

/// Made by `vectors/generators/packets.py` from the protocol's text alone.
#[test]
fn packets_between_chains() {
    let vectors = load("packets.json");
    for case in list(&vectors, "packets") {
        let packet = SealedPacket::decode(bytes(case, "bytes")).expect("a packet");
        assert_eq!(packet.digest, digest(case, "digest"));
        let fields = &case["fields"];
        assert_eq!(packet.message.module, text(fields, "module"));
        assert_eq!(packet.message.sequence, number(fields, "sequence"));
        assert_eq!(packet.message.payload, bytes(fields, "payload"));
        assert_eq!(packet.message.end_to_end, fields["end_to_end"] == true);
        assert_eq!(SealedPacket::new(packet.message.clone()).expect("a packet"), packet);
        let keys: [(&str, StateKey); 5] = [
            ("sent", packet.sent_key()),
            ("ended", packet.ended_key()),
            ("result", packet.result_key()),
            ("relayed", packet.relayed_key()),
            ("confirmed", packet.confirmed_key()),
        ];
        for (name, key) in keys {
            assert_eq!((key.module_id, key.key), (5, bytes(&case["keys"], name)), "{name}");
        }
    }
}
