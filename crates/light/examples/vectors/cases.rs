//! The vectors, by file name under `vectors/`.

#[path = "refusals.rs"]
mod refusals;
#[path = "relay.rs"]
mod relay;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use yulian_crypto::{
    Digest, merkle,
    sm2::{FastVerifier, Signer},
    sm3,
};
use yulian_light::{
    Outcome, PackParts, Subject, Trust, assemble, batch_leaf, row_digest,
    testing::{self, TestChain, secret},
    verify_pack,
};
use yulian_state::Path;
use yulian_types::{
    FinalityProof, SealedTransaction, StateKey, TransactionBuilder, account_id, decode_canonical, encode,
    finality_message, proto, quorum, receipt_root, state_keys as keys, tags, transaction_root,
};

/// A real row of the table of divisions, as it stands in the file.
pub(crate) const ROW: &str = "410102,中原区,county,4101";

/// Every file: name and text.
pub(crate) fn all() -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = [
        ("merkle.json", merkle_trees()),
        ("transaction.json", transactions()),
        ("genesis.json", genesis()),
        ("block.json", blocks()),
        ("validator-set.json", validator_sets()),
        ("finality.json", finality()),
        ("state-keys.json", state_keys()),
        ("table-row.json", table_rows()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_string(), pretty(&value)))
    .collect();
    packs(&mut files);
    relay::add(&mut files);
    files.insert("packs-refused.json".into(), pretty(&refusals::refusals()));
    files
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("JSON");
    text.push('\n');
    text
}

fn hexed(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(bytes)
}

fn number_leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|n| merkle::leaf(&n.to_be_bytes())).collect()
}

/// Trees over leaves whose data is their place as 8 bytes big-endian.
fn merkle_trees() -> Value {
    let proof = |tree: &merkle::Tree, index: u64| {
        let proof = tree.prove(index).expect("index");
        let siblings: Vec<_> = proof.siblings.iter().map(hexed).collect();
        json!({ "index": index, "siblings": siblings })
    };
    let case = |count: u64| {
        let tree = merkle::Tree::new(number_leaves(count));
        let proofs: Vec<_> = (0..count).map(|index| proof(&tree, index)).collect();
        json!({ "count": count, "root": hexed(tree.root()), "proofs": proofs })
    };
    let cases: Vec<_> = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17]
        .into_iter()
        .map(case)
        .collect();
    json!({ "leaf_data": "the leaf's place as 8 bytes big-endian", "cases": cases })
}

fn transactions() -> Value {
    let key = secret(100);
    let chain = sm3::hash(&[b"a chain"]);
    let sender = account_id(&key.public_key());
    let arguments = encode(&proto::Deposit {
        digest: row_digest(ROW.as_bytes()).to_vec().into(),
        description: "河南省统计用区划代码 410102".into(),
        source: "henan-divisions.csv".into(),
    });
    let builder = |module, method, arguments| {
        TransactionBuilder::new(chain, sender, [7; 16], 1_793_491_800_000, module, method, arguments)
    };
    let record = StateKey::evidence(&row_digest(ROW.as_bytes()), "zzdata");
    let cases = [
        (
            "deposit",
            builder(keys::EVIDENCE_MODULE, keys::METHOD_DEPOSIT, arguments.clone()),
        ),
        ("no arguments", builder("m", "f", Default::default())),
        (
            "every field",
            builder(keys::EVIDENCE_MODULE, keys::METHOD_DEPOSIT, arguments)
                .metering_limit(u64::MAX)
                .on_behalf_of(sm3::hash(&[b"another account"]))
                .declared_keys(vec![record.declared()]),
        ),
    ];
    let case = |(name, builder): (&str, TransactionBuilder)| {
        let (bytes, id) = builder.sign(&key).expect("signature");
        let sealed = SealedTransaction::decode(bytes.clone()).expect("transaction");
        let envelope: proto::Transaction = decode_canonical(&bytes, usize::MAX).expect("envelope");
        json!({
            "name": name,
            "bytes": hexed(&bytes),
            "payload": hexed(&envelope.payload),
            "id": hexed(id),
            "signature": hexed(sealed.signers[0].signature.as_bytes()),
            "leaf": hexed(sealed.leaf),
        })
    };
    json!({
        "secret_key": hexed(key.to_bytes().as_slice()),
        "public_key": hexed(key.public_key().as_bytes()),
        "account_id": hexed(sender),
        "cases": cases.map(case),
    })
}

fn genesis() -> Value {
    let genesis = testing::genesis("豫链测试", 4, 1_000);
    let block = genesis.block();
    json!({
        "bytes": hexed(&genesis.bytes),
        "chain_id": hexed(genesis.chain_id),
        "validators": hexed(genesis.validators.digest()),
        "block": { "header": hexed(&block.header_bytes), "digest": hexed(block.digest), "bytes": hexed(&block.bytes) },
    })
}

/// The row's chain: its deposit in block 1, two empty blocks.
fn row_chain() -> TestChain {
    let mut chain = TestChain::new("豫链测试", 4, 1_000);
    let row = row_digest(ROW.as_bytes());
    let mut transactions: Vec<_> = (0..2)
        .map(|n| chain.deposit(4, &number_leaves(2)[n], "other"))
        .collect();
    transactions.push(chain.deposit(5, &row, "河南省统计用区划代码 410102"));
    chain.push(transactions);
    chain.push(vec![]);
    chain.push(vec![]);
    chain
}

fn blocks() -> Value {
    let chain = row_chain();
    let case = |height: u64| {
        let block = chain.block(height);
        let leaves: Vec<_> = block.sealed.transactions.iter().map(|t| hexed(t.leaf)).collect();
        let receipts: Vec<_> = block.receipts.iter().map(hexed).collect();
        json!({
            "height": height,
            "bytes": hexed(&block.sealed.bytes),
            "header": hexed(&block.sealed.header_bytes),
            "digest": hexed(block.sealed.digest),
            "transaction_leaves": leaves,
            "transaction_root": hexed(transaction_root(&block.sealed.transactions)),
            "receipts": receipts,
            "receipt_root": hexed(receipt_root(&block.receipts)),
            "state_root_after": hexed(block.tree.root()),
        })
    };
    let cases: Vec<_> = (0..=2).map(case).collect();
    json!({ "chain_id": hexed(chain.genesis.chain_id), "blocks": cases })
}

fn validator_sets() -> Value {
    let case = |count: u32| {
        let validators = (0..count).map(testing::validator).collect();
        let set = yulian_types::ValidatorSet::new(validators).expect("set");
        json!({
            "count": count,
            "quorum": set.quorum(),
            "bytes": hexed(set.encode()),
            "digest": hexed(set.digest()),
        })
    };
    let cases: Vec<_> = [1, 4, 7].into_iter().map(case).collect();
    let quorums: Vec<_> = (1..=64).map(|n: usize| quorum(n)).collect();
    json!({ "cases": cases, "quorum_of_1_to_64": quorums })
}

fn finality() -> Value {
    let chain = row_chain();
    let set = &chain.genesis.validators;
    let numbers = [
        (0, 1, 0),
        (0, 127, 126),
        (3, 128, 127),
        (300, 16_384, 16_383),
        (u64::MAX, u64::MAX, u64::MAX - 1),
    ];
    let digest = chain.block(2).sealed.digest;
    let message = |(epoch, view, parent_view): (u64, u64, u64)| {
        let bytes = finality_message(&chain.genesis.chain_id, epoch, view, parent_view, &digest);
        json!({ "epoch": epoch, "view": view, "parent_view": parent_view, "message": hexed(bytes) })
    };
    let proof = |name: &str, bytes: bytes::Bytes| {
        let holds = FinalityProof::decode(&bytes, set.len())
            .and_then(|proof| proof.verify(&chain.genesis.chain_id, set, &FastVerifier::default()))
            .is_ok();
        json!({ "name": name, "bytes": hexed(&bytes), "holds": holds })
    };
    let edit = |edit: fn(&mut proto::FinalityProof)| {
        let mut message: proto::FinalityProof = decode_canonical(&chain.finality(2), usize::MAX).expect("proof");
        edit(&mut message);
        encode(&message)
    };
    let proofs = [
        proof("a quorum", chain.finality(2)),
        proof("everyone", chain.finality_by(2, &[0, 1, 2, 3])),
        proof("without the first", chain.finality_by(2, &[1, 2, 3])),
        proof("too few", chain.finality_by(2, &[0, 2])),
        proof("nobody", chain.finality_by(2, &[])),
        proof(
            "one signature twice",
            edit(|p| p.signatures[1] = p.signatures[0].clone()),
        ),
        proof("a signer beyond the set", edit(|p| p.signers = vec![0b1_0011].into())),
        proof("a longer bitmap", edit(|p| p.signers = vec![0b0111, 0].into())),
        proof(
            "more signatures than signers",
            edit(|p| p.signatures.push(p.signatures[0].clone())),
        ),
        proof("another view", edit(|p| p.view += 1)),
        proof("another version", edit(|p| p.version = 2)),
    ];
    json!({
        "chain_id": hexed(chain.genesis.chain_id),
        "validators": hexed(set.encode()),
        "digest": hexed(digest),
        "messages": numbers.map(message),
        "proofs": proofs,
    })
}

fn state_keys() -> Value {
    let key = secret(100).public_key();
    let digest = row_digest(ROW.as_bytes());
    let case = |name: &str, key: StateKey| {
        json!({
            "name": name,
            "module_id": key.module_id,
            "key": hexed(&key.key),
            "declared": hexed(key.declared()),
            "path": hexed(Path::of(key.module_id, &key.key).as_bytes()),
        })
    };
    json!({
        "public_key": hexed(key.as_bytes()),
        "account_id": hexed(account_id(&key)),
        "digest": hexed(digest),
        "cases": [
            case("parameter clock_drift_ms", StateKey::parameter(keys::PARAMETER_CLOCK_DRIFT_MS)),
            case("account", StateKey::account(&account_id(&key))),
            case("key owner", StateKey::key_owner(&key)),
            case("organisation zzdata", StateKey::organisation("zzdata")),
            case("evidence record of zzdata", StateKey::evidence(&digest, "zzdata")),
        ],
    })
}

fn table_rows() -> Value {
    let rows = [
        ROW,
        "code,name,level,parent",
        "41,河南省,province,",
        "",
        "a,\"quoted, with \"\"quotes\"\"\",b",
    ];
    let digests: Vec<_> = rows.iter().map(|row| row_digest(row.as_bytes())).collect();
    let tree = testing::batch(&digests);
    let case = |(index, row): (usize, &&str)| {
        let proof = tree.prove(index as u64).expect("row");
        let siblings: Vec<_> = proof.siblings.iter().map(hexed).collect();
        json!({
            "row": row,
            "digest": hexed(digests[index]),
            "batch_leaf": hexed(batch_leaf(&digests[index])),
            "siblings": siblings,
        })
    };
    let cases: Vec<_> = rows.iter().enumerate().map(case).collect();
    json!({ "tag": std::str::from_utf8(&tags::TABLE_ROW).expect("ASCII"), "rows": cases, "batch_root": hexed(tree.root()) })
}

/// A chain of short epochs whose set changed once, with a batch, a supersession and a revocation.
fn batch_chain() -> (TestChain, merkle::Tree, Vec<Digest>) {
    let mut chain = TestChain::new("豫链批次测试", 4, 4);
    let digests: Vec<_> = (0..5).map(|n| row_digest(format!("{n},row").as_bytes())).collect();
    let tree = testing::batch(&digests);
    let batch = chain.deposit_batch(5, &tree.root(), 5);
    let single = chain.deposit(5, &sm3::hash(&[b"a file"]), "a file");
    chain.push(vec![single, batch]);
    chain.push_with(vec![], vec![], Some(vec![1, 2, 3, 4]));
    chain.push(vec![]);
    let file = sm3::hash(&[b"a file"]);
    let write = chain.record_write(&file, "zzdata", |record| {
        record.status = keys::STATUS_SUPERSEDED;
        record.superseded_by = sm3::hash(&[b"a better file"]).to_vec().into();
        record.reason = "更正".into();
        record.status_height = 4;
        record.status_time_ms = testing::START_MS + 2_000;
    });
    chain.push_with(vec![], vec![write], None);
    chain.push(vec![]);
    let write = chain.record_write(&file, "zzdata", |record| {
        record.status = keys::STATUS_REVOKED;
        record.superseded_by.clear();
        record.reason = "撤回".into();
        record.status_height = 6;
        record.status_time_ms = testing::START_MS + 3_000;
    });
    chain.push_with(vec![], vec![write], None);
    while chain.height() < 9 {
        chain.push(vec![]);
    }
    (chain, tree, digests)
}

/// A pack, whom it is asked with, and the answer.
fn pack_case(
    files: &mut BTreeMap<String, String>,
    name: &str,
    parts: PackParts,
    subject: Value,
    digest: Digest,
) -> Value {
    let verifier = FastVerifier::default();
    let json = assemble(parts, &verifier).expect("pack");
    let outcome = verify_pack(&json, Some(&Subject::File(digest)), &Trust::nobody(), &verifier).expect("holds");
    let Outcome::UnknownChain(report) = outcome else {
        panic!("nobody is trusted");
    };
    let file = format!("packs/{name}.pack.json");
    files.insert(file.clone(), String::from_utf8(json).expect("JSON"));
    json!({
        "file": file,
        "genesis": report.chain_id.to_string(),
        "subject": subject,
        "report": report,
    })
}

fn packs(files: &mut BTreeMap<String, String>) {
    let chain = row_chain();
    let row = row_digest(ROW.as_bytes());
    let mut cases = vec![
        pack_case(files, "row", chain.parts(1, 2, 2, None), json!({ "row": ROW }), row),
        pack_case(
            files,
            "descendant",
            chain.parts(1, 2, 3, None),
            json!({ "row": ROW }),
            row,
        ),
    ];
    let (chain, tree, digests) = batch_chain();
    let mut parts = chain.parts(1, 1, 2, Some(9));
    parts.row = Some((digests[3], tree.prove(3).expect("row")));
    parts.organisation = Some(chain.proven(9, &StateKey::organisation("zzdata")));
    let id = account_id(&secret(105).public_key());
    parts.account = Some(chain.proven(9, &StateKey::account(&id)));
    parts.drift = Some(chain.proven(9, &StateKey::parameter(keys::PARAMETER_CLOCK_DRIFT_MS)));
    cases.push(pack_case(
        files,
        "batch-row",
        parts,
        json!({ "row": "3,row" }),
        digests[3],
    ));
    let file = sm3::hash(&[b"a file"]);
    let subject = || json!({ "text": "a file" });
    cases.push(pack_case(
        files,
        "superseded",
        chain.parts(1, 0, 2, Some(6)),
        subject(),
        file,
    ));
    cases.push(pack_case(
        files,
        "revoked",
        chain.parts(1, 0, 2, Some(7)),
        subject(),
        file,
    ));
    files.insert("packs.json".into(), pretty(&json!({ "cases": cases })));
}
