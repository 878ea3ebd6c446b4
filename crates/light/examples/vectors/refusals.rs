//! Packs that must be refused, each with its code: a good pack with one stretch of bytes replaced.

use super::{ROW, batch_chain, row_chain};
use serde_json::{Value, json};
use yulian_crypto::{Digest, sm2::FastVerifier};
use yulian_light::{Blob, EvidencePack, LaterHeader, Trust, assemble, testing::TestChain, verify_pack};
use yulian_types::{decode_canonical, encode, proto};

fn pack(chain: &TestChain, index: usize, later: Option<u64>) -> EvidencePack {
    let json = assemble(chain.parts(1, index, 2, later), &FastVerifier::default()).expect("pack");
    EvidencePack::decode(&json).expect("pack")
}

fn edited<M: prost::Message + Default>(blob: &mut Blob, edit: impl FnOnce(&mut M)) {
    let mut message: M = decode_canonical(&blob.0, usize::MAX).expect("message");
    edit(&mut message);
    *blob = encode(&message).into();
}

/// The one stretch in which a text differs from another: where, how many bytes go, what takes their place.
pub(super) fn difference(from: &[u8], to: &[u8]) -> Value {
    let same = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
    let at = same(&mut from.iter().zip(to));
    let end = same(&mut from[at..].iter().rev().zip(to[at..].iter().rev()));
    let insert = std::str::from_utf8(&to[at..to.len() - end]).expect("ASCII");
    json!({ "at": at, "remove": from.len() - end - at, "insert": insert })
}

struct Cases {
    base: EvidencePack,
    file: &'static str,
    chain_id: Digest,
    found: Vec<Value>,
}

impl Cases {
    fn add(&mut self, name: &str, edit: impl FnOnce(&mut EvidencePack)) {
        let mut pack = self.base.clone();
        edit(&mut pack);
        let json = pack.encode();
        let result = verify_pack(&json, None, &Trust::chains([self.chain_id]), &FastVerifier::default());
        let code = result.expect_err(name).code().as_str();
        self.found.push(json!({
            "name": name,
            "base": self.file,
            "change": difference(&self.base.encode(), &json),
            "code": code,
        }));
    }
}

pub(crate) fn refusals() -> Value {
    let mut cases = row_cases();
    cases.extend(change_cases());
    json!({ "cases": cases })
}

fn row_cases() -> Vec<Value> {
    let chain = row_chain();
    let other = pack(&batch_chain().0, 0, None);
    let neighbour = pack(&chain, 1, None);
    let mut cases = Cases {
        base: pack(&chain, 2, None),
        file: "packs/row.pack.json",
        chain_id: chain.genesis.chain_id,
        found: vec![],
    };
    cases.add("another format", |pack| pack.format = "yulian-evidence".into());
    cases.add("a later version", |pack| pack.version = 2);
    cases.add("genesis of another chain", |pack| pack.genesis = other.genesis.clone());
    cases.add("headers of another chain", |pack| pack.headers = other.headers.clone());
    cases.add("transaction of another chain", |pack| {
        pack.transaction = other.transaction.clone()
    });
    cases.add("genesis with a changed byte", |pack| {
        edited(&mut pack.genesis, |genesis: &mut proto::Genesis| genesis.time_ms += 1);
    });
    cases.add("genesis without epochs", |pack| {
        edited(&mut pack.genesis, |genesis: &mut proto::Genesis| {
            genesis.epoch_length = 0
        });
    });
    cases.add("genesis with trailing bytes", |pack| {
        pack.genesis.0 = [&pack.genesis.0[..], &[0xf8, 7, 1]].concat().into()
    });
    cases.add("no header", |pack| pack.headers.clear());
    cases.add("no child of the block", |pack| {
        pack.headers.truncate(1);
        pack.finality = chain.finality(1).into();
    });
    cases.add("headers that are not linked", |pack| pack.headers.swap(0, 1));
    cases.add("a header with another state root", |pack| {
        edited(&mut pack.headers[1], |header: &mut proto::BlockHeader| {
            header.parent_state_root = vec![1; 32].into()
        });
    });
    cases.add("a header with a short digest", |pack| {
        edited(&mut pack.headers[1], |header: &mut proto::BlockHeader| {
            header.parent_state_root = vec![1; 31].into()
        });
    });
    cases.add("a header of another epoch", |pack| {
        edited(&mut pack.headers[1], |header: &mut proto::BlockHeader| header.epoch = 1);
    });
    cases.add("a header with other validators", |pack| {
        edited(&mut pack.headers[0], |header: &mut proto::BlockHeader| {
            header.validators = vec![1; 32].into()
        });
    });
    cases.add("a header with validators since later", |pack| {
        edited(&mut pack.headers[0], |header: &mut proto::BlockHeader| {
            header.validators_since = 1
        });
    });
    cases.add("too few signers", |pack| {
        pack.finality = chain.finality_by(2, &[0, 1]).into()
    });
    cases.add("one signature twice", |pack| {
        edited(&mut pack.finality, |proof: &mut proto::FinalityProof| {
            proof.signatures[1] = proof.signatures[0].clone();
        });
    });
    cases.add("a signer beyond the set", |pack| {
        edited(&mut pack.finality, |proof: &mut proto::FinalityProof| {
            proof.signers = vec![0b1_0011].into()
        });
    });
    cases.add("the proof of another block", |pack| {
        pack.finality = chain.finality(3).into()
    });
    cases.add("a later header that is not later", |pack| {
        pack.later = Some(LaterHeader {
            header: chain.header(2).into(),
            finality: chain.finality(2).into(),
        });
    });
    cases.add("another place", |pack| pack.index = 1);
    cases.add("another count", |pack| pack.count = 4);
    cases.add("a path cut", |pack| pack.transaction_path.0.truncate(31));
    cases.add("no path", |pack| pack.transaction_path.0.clear());
    cases.add("another transaction of the block", |pack| {
        pack.transaction = neighbour.transaction.clone()
    });
    cases.add("another receipt of the block", |pack| {
        pack.receipt = neighbour.receipt.clone()
    });
    cases.add("another record of the state", |pack| {
        pack.record = neighbour.record.clone()
    });
    cases.add("a record with another status", |pack| {
        edited(&mut pack.record.value, |record: &mut proto::EvidenceRecord| {
            record.status = 2
        });
    });
    cases.add("a state proof cut", |pack| {
        let length = pack.record.path.0.len();
        pack.record.path.0.truncate(length - 33);
    });
    cases.add("an organisation that is not in the state", |pack| {
        let mut entry = pack.record.clone();
        entry.value = encode(&proto::Organisation {
            id: "zzdata".into(),
            name: ROW.into(),
            ..Default::default()
        })
        .into();
        pack.organisation = Some(entry);
    });
    cases.found
}

fn change_cases() -> Vec<Value> {
    let (chain, _, _) = batch_chain();
    let mut cases = Cases {
        base: pack(&chain, 0, Some(6)),
        file: "packs/superseded.pack.json",
        chain_id: chain.genesis.chain_id,
        found: vec![],
    };
    cases.add("a missing change of the validators", |pack| pack.set_changes.clear());
    cases.add("a change twice", |pack| {
        pack.set_changes.push(pack.set_changes[0].clone())
    });
    cases.add("a change to another set", |pack| {
        pack.set_changes[0].validators = chain.set_at(0).0.encode().into();
    });
    cases.add("a change by too few", |pack| {
        pack.set_changes[0].finality = chain.finality_by(3, &[0, 3]).into()
    });
    cases.add("a change in the middle of an epoch", |pack| {
        pack.set_changes[0].header = chain.header(2).into();
        pack.set_changes[0].finality = chain.finality(2).into();
    });
    cases.add("a needless change", |pack| pack.later = None);
    cases.found
}
