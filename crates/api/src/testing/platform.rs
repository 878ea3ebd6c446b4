//! A platform's register made by hand.

use crate::views::*;
use bytes::Bytes;
use yulian_types::{encode, proto};

pub(super) fn chains() -> Vec<ChainRecordView> {
    let chain = |name: &str, state: u32| {
        let node = yulian_light::testing::secret(0);
        let record = proto::ChainRecord {
            name: name.into(),
            title: "郑州市存证链".into(),
            chain_id: vec![7; 32].into(),
            template: "evidence".into(),
            creator: "zz-dsj".into(),
            organisations: vec!["zz-dsj".into()],
            nodes: vec![proto::ChainNode {
                public_key: Bytes::copy_from_slice(yulian_crypto::sm2::Signer::public_key(&node).as_bytes()),
                validator: true,
                agreed: true,
                ready: state == 4,
                organisation: "zz-dsj".into(),
                ..Default::default()
            }],
            transactions_per_second: 100,
            storage_mib: 1_024,
            leader_timeout_ms: 2_000,
            state,
            created_height: 3,
            created_ms: 1_750_000_000_000,
            state_height: 4,
            state_ms: 1_750_000_000_500,
            ..Default::default()
        };
        ChainRecordView::decode(&encode(&record)).expect("a record")
    };
    vec![chain("开封", 2), chain("郑州", 4)]
}

pub(super) fn templates() -> Vec<TemplateView> {
    vec![TemplateView {
        name: "evidence".into(),
        title_zh: "存证链".into(),
        title_en: "evidence chain".into(),
        modules: vec!["evidence".into()],
        role: Some("admin".into()),
        per_organisation_max: 8,
        transactions_per_second: 2_000,
        storage_mib: 10_240,
    }]
}

pub(super) fn offers(node: &proto::NodeRecord) -> Vec<OfferView> {
    let offer = proto::NodeOffer {
        chains_max: 64,
        storage_mib_max: 102_400,
        chains: 2,
        storage_mib: 2_048,
        ..Default::default()
    };
    vec![OfferView::new(node, offer).expect("a node's key")]
}
