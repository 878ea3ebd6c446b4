//! Views of a chain made by hand.

use crate::{DigestText, Hex, views::*};
use bytes::Bytes;
use yulian_crypto::{
    merkle,
    sm2::{FastVerifier, KEY_CACHE_BYTES},
};
use yulian_light::{assemble, testing::TestChain};
use yulian_types::{FinalityProof, StateKey, decode_canonical, encode, proto, state_keys};

pub(super) fn header(chain: &TestChain, height: u64) -> HeaderView {
    let sealed = &chain.block(height).sealed;
    HeaderView::new(&sealed.header_bytes, &sealed.header)
}

fn summaries(chain: &TestChain, height: u64) -> Vec<TransactionSummary> {
    let block = chain.block(height);
    let pairs = block.sealed.transactions.iter().zip(&block.receipts).enumerate();
    let summary = |(index, (transaction, receipt)): (usize, (&std::sync::Arc<_>, &Bytes))| {
        let receipt: proto::Receipt = decode_canonical(receipt, usize::MAX).expect("receipt");
        TransactionSummary::new(index, transaction, Some(&receipt))
    };
    pairs.map(summary).collect()
}

pub(super) fn block(chain: &TestChain, height: u64) -> BlockView {
    BlockView {
        header: header(chain, height),
        size_bytes: chain.block(height).sealed.bytes.len() as u64,
        transactions: summaries(chain, height),
    }
}

pub(super) fn stream_block(chain: &TestChain, height: u64, detail: StreamDetail) -> StreamBlock {
    let block = chain.block(height);
    let raw = detail == StreamDetail::Raw;
    StreamBlock {
        header: header(chain, height),
        transaction_count: block.sealed.transactions.len() as u64,
        transactions: (detail != StreamDetail::Header).then(|| summaries(chain, height)),
        bytes: raw.then(|| Hex(block.sealed.bytes.clone())),
        receipts: raw.then(|| block.receipts.iter().cloned().map(Hex).collect()),
    }
}

pub(super) fn finality(chain: &TestChain, height: u64, last: u64) -> FinalityView {
    let set = chain.set_at(last).0;
    let proof = FinalityProof::decode(&chain.finality(last), set.len()).expect("proof");
    FinalityView {
        height,
        headers: (height..=last).map(|at| Hex(chain.header(at))).collect(),
        proof: FinalityProofView::new(&proof, &set),
    }
}

/// Changes of the validators up to a height.
pub(super) fn set_changes(chain: &TestChain, height: u64) -> Vec<ValidatorChangeView> {
    let starts = (1..=height).filter(|at| chain.set_at(*at).1 == *at);
    let change = |first_height: u64| ValidatorChangeView {
        first_epoch: chain.block(first_height).sealed.header.epoch,
        first_height,
        set: (&*chain.set_at(first_height).0).into(),
        finality: Some(finality(chain, first_height - 1, first_height - 1)),
    };
    starts.map(change).collect()
}

pub(super) fn transaction_proof(chain: &TestChain, height: u64, index: usize) -> TransactionProofView {
    let block = chain.block(height);
    let transaction = &block.sealed.transactions[index];
    let prove = |leaves| merkle::Tree::new(leaves).prove(index as u64).expect("index");
    let path = prove(block.sealed.transactions.iter().map(|t| t.leaf).collect());
    let receipts = block.receipts.iter().map(|bytes| merkle::leaf(bytes)).collect();
    let last = (height + 1).min(chain.height());
    let receipt = (last > height).then(|| ReceiptProofView {
        bytes: Hex(block.receipts[index].clone()),
        inclusion: (&prove(receipts)).into(),
    });
    TransactionProofView {
        id: DigestText(transaction.id),
        transaction: Hex(transaction.bytes.clone()),
        leaf: DigestText(transaction.leaf),
        inclusion: (&path).into(),
        receipt,
        finality: finality(chain, height, last),
    }
}

pub(super) fn module(text: &str) -> Option<(&'static str, u32)> {
    let modules = [
        ("governance", state_keys::GOVERNANCE_ID),
        ("account", state_keys::ACCOUNT_ID),
        ("evidence", state_keys::EVIDENCE_ID),
        (state_keys::LINK_MODULE, state_keys::LINK_ID),
        (state_keys::NOTICE_MODULE, state_keys::NOTICE_ID),
    ];
    modules
        .into_iter()
        .find(|(name, id)| *name == text || id.to_string() == text)
}

fn item(chain: &TestChain, key: &StateKey, height: u64) -> StateItem {
    let value = chain.block(height).values.get(key).cloned().map(Hex);
    let proof = chain.proof(height + 1, key);
    StateItem {
        value_hash: value.as_ref().and(proof.leaf).map(|(_, hash)| DigestText(hash)),
        value,
        proof: Hex(proof.to_bytes().into()),
    }
}

pub(super) fn state(chain: &TestChain, module: &str, key: StateKey, height: u64) -> StateView {
    let item = item(chain, &key, height);
    StateView {
        module: module.into(),
        module_id: key.module_id,
        value_hash: item.value_hash,
        value: item.value,
        height,
        state_root: DigestText(chain.block(height).tree.root()),
        proof: item.proof,
        finality: finality(chain, height + 1, height + 1),
        key: Hex(key.key),
    }
}

/// Values of one state in one answer.
pub(super) fn states(chain: &TestChain, (module, module_id): (&str, u32), keys: Vec<Bytes>, height: u64) -> StatesView {
    let keys = keys.into_iter().map(|key| StateKey { module_id, key });
    StatesView {
        module: module.into(),
        module_id,
        height,
        state_root: DigestText(chain.block(height).tree.root()),
        items: keys.map(|key| item(chain, &key, height)).collect(),
        finality: finality(chain, height + 1, height + 1),
    }
}

pub(super) fn pack(chain: &TestChain, height: u64, index: usize) -> Bytes {
    let parts = chain.parts(height, index, height + 1, None);
    assemble(parts, &FastVerifier::new(KEY_CACHE_BYTES))
        .expect("pack")
        .into()
}

/// One of each thing that can wait.
pub(super) fn pending() -> PendingView {
    let invitation = proto::Invitation {
        terms: Some(proto::InviteOrganisation {
            id: "kaifeng".into(),
            name: "开封市大数据局".into(),
            member: true,
            admin_public_key: yulian_light::testing::validator(3).public_key,
            admin_label: "管理员".into(),
            valid_until_ms: yulian_light::testing::START_MS,
        }),
        proposal: 4,
        proposer: "unicom".into(),
        height: 7,
        time_ms: yulian_light::testing::START_MS,
    };
    let notice = proto::LeaveNotice {
        organisation: "inspur".into(),
        reason: "合并入其他机构".into(),
        height: 8,
        time_ms: yulian_light::testing::START_MS,
    };
    PendingView {
        height: 9,
        invitations: vec![InvitationView::new(invitation).expect("a key")],
        leaving: vec![notice.into()],
        proposals: vec![OpenProposalView {
            id: 5,
            proposer: "mobile".into(),
            deadline_ms: yulian_light::testing::START_MS,
        }],
    }
}

/// One proposal of each kind, newest first.
pub(super) fn proposals() -> Vec<ProposalView> {
    let validator = Some(yulian_light::testing::validator(7));
    let key = yulian_light::testing::validator(3).public_key;
    let organisation = encode(&proto::OrganisationId { id: "zzdata".into() });
    let actions: [Bytes; 10] = [
        encode(&proto::AddValidator {
            validator: validator.clone(),
            proof: None,
            accept_risk: None,
        }),
        encode(&proto::RemoveValidator {
            public_key: key.clone(),
            accept_risk: Some(proto::AcceptedRisk {
                validators: 4,
                clouds: vec![proto::CloudShare {
                    cloud: "联通".into(),
                    validators: 2,
                }],
                reason: "第四朵云下月交付".into(),
            }),
        }),
        encode(&proto::ReplaceValidator {
            public_key: key,
            validator,
            proof: None,
            accept_risk: None,
        }),
        encode(&proto::SetParameter {
            name: "block_bytes_max".into(),
            value: u64::MAX,
        }),
        encode(&proto::AddOrganisation {
            id: "kaifeng".into(),
            name: "开封市大数据局".into(),
            member: true,
            ..Default::default()
        }),
        organisation.clone(),
        organisation.clone(),
        organisation,
        encode(&proto::ChangeCharter {
            charter: Some(Default::default()),
        }),
        encode(&proto::ActivateProtocol { version: 2, height: 9 }),
    ];
    let view = |(index, action): (usize, &Bytes)| {
        let record = proto::Proposal {
            id: index as u64 + 1,
            kind: index as u32 + 1,
            action: action.clone(),
            reason: "按章程调整".into(),
            proposer: "unicom".into(),
            height: 3,
            deadline_ms: yulian_light::testing::START_MS,
            status: index as u32 % 3 + 1,
            ballots: vec![proto::Ballot {
                organisation: "unicom".into(),
                approve: true,
            }],
            decided_height: index as u64 % 3,
        };
        ProposalView::decode(&encode(&record)).expect("proposal")
    };
    let mut views: Vec<_> = actions.iter().enumerate().map(view).collect();
    views.reverse();
    views
}
