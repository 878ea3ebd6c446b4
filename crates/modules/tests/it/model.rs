//! Random mixes of evidence and account acts against a model of sets, with forks, discards and repetitions.

use crate::world::{World, id_of};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use yulian_crypto::Digest;
use yulian_types::{SealedBlock, SealedTransaction, StateKey, proto};

#[derive(Debug, Clone)]
enum Act {
    Deposit { writer: usize, digest: u8 },
    Supersede { writer: usize, digest: u8, by: u8 },
    Revoke { writer: usize, digest: u8 },
    Freeze { organisation: usize },
    Unfreeze { organisation: usize },
}

const ORGANISATIONS: [&str; 3] = ["a", "b", "e"];

fn act() -> impl Strategy<Value = Act> {
    let writer = || 0..ORGANISATIONS.len();
    let digest = || 1..5u8;
    prop_oneof![
        4 => (writer(), digest()).prop_map(|(writer, digest)| Act::Deposit { writer, digest }),
        2 => (writer(), digest(), digest()).prop_map(|(writer, digest, by)| Act::Supersede { writer, digest, by }),
        2 => (writer(), digest()).prop_map(|(writer, digest)| Act::Revoke { writer, digest }),
        1 => writer().prop_map(|organisation| Act::Freeze { organisation }),
        1 => writer().prop_map(|organisation| Act::Unfreeze { organisation }),
    ]
}

/// Status of each record by (organisation, digest), and which writers are frozen.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    records: BTreeMap<(usize, u8), u32>,
    frozen: BTreeSet<usize>,
}

impl Model {
    /// What the act must answer; "" = success. The model changes with it.
    fn apply(&mut self, act: &Act) -> &'static str {
        let status = |records: &BTreeMap<(usize, u8), u32>, at| records.get(&at).copied();
        match *act {
            Act::Deposit { writer, .. } | Act::Supersede { writer, .. } | Act::Revoke { writer, .. }
                if self.frozen.contains(&writer) =>
            {
                "exec.account_frozen"
            }
            Act::Deposit { writer, digest } => match status(&self.records, (writer, digest)) {
                Some(_) => "evidence.already_deposited",
                None => self.set(writer, digest, 1),
            },
            Act::Supersede { digest, by, .. } if digest == by => "evidence.same_record",
            Act::Supersede { writer, digest, by } => {
                match (
                    status(&self.records, (writer, digest)),
                    status(&self.records, (writer, by)),
                ) {
                    (None, _) => "evidence.not_found",
                    (Some(2 | 3), _) => "evidence.not_active",
                    (_, None) => "evidence.replacement_not_found",
                    (_, Some(2 | 3)) => "evidence.replacement_not_active",
                    _ => self.set(writer, digest, 2),
                }
            }
            Act::Revoke { writer, digest } => match status(&self.records, (writer, digest)) {
                None => "evidence.not_found",
                Some(2 | 3) => "evidence.not_active",
                Some(_) => self.set(writer, digest, 3),
            },
            Act::Freeze { organisation } if self.frozen.insert(organisation) => "",
            Act::Freeze { .. } => "account.already_frozen",
            Act::Unfreeze { organisation } if self.frozen.remove(&organisation) => "",
            Act::Unfreeze { .. } => "account.not_frozen",
        }
    }

    fn set(&mut self, writer: usize, digest: u8, status: u32) -> &'static str {
        self.records.insert((writer, digest), status);
        ""
    }
}

fn transaction(world: &mut World, act: &Act) -> Arc<SealedTransaction> {
    let digest = |byte: u8| bytes::Bytes::from(vec![byte; 32]);
    let writer = |at: usize| format!("writer-{}", ORGANISATIONS[at]);
    let admin = |at: usize| format!("admin-{}", ORGANISATIONS[at]);
    match *act {
        Act::Deposit {
            writer: at,
            digest: byte,
        } => {
            let message = proto::Deposit {
                digest: digest(byte),
                ..Default::default()
            };
            world.transaction(&writer(at), "evidence.deposit", &message)
        }
        Act::Supersede {
            writer: at,
            digest: byte,
            by,
        } => {
            let message = proto::Supersede {
                digest: digest(byte),
                by: digest(by),
                reason: "r".into(),
            };
            world.transaction(&writer(at), "evidence.supersede", &message)
        }
        Act::Revoke {
            writer: at,
            digest: byte,
        } => {
            let message = proto::Revoke {
                digest: digest(byte),
                reason: "r".into(),
            };
            world.transaction(&writer(at), "evidence.revoke", &message)
        }
        Act::Freeze { organisation: at } => {
            let account = id_of(&writer(at)).to_vec().into();
            world.transaction(
                &admin(at),
                "account.freeze",
                &proto::FreezeAccount {
                    account,
                    reason: "r".into(),
                },
            )
        }
        Act::Unfreeze { organisation: at } => {
            let account = id_of(&writer(at)).to_vec().into();
            world.transaction(&admin(at), "account.unfreeze", &proto::UnfreezeAccount { account })
        }
    }
}

/// Whether the validity rule lets the act into a block on a state: a frozen sender's is kept out.
fn enters(model: &Model, act: &Act) -> bool {
    match act {
        Act::Deposit { writer, .. } | Act::Supersede { writer, .. } | Act::Revoke { writer, .. } => {
            !model.frozen.contains(writer)
        }
        Act::Freeze { .. } | Act::Unfreeze { .. } => true,
    }
}

fn code(bytes: &bytes::Bytes) -> String {
    <proto::Receipt as prost::Message>::decode(bytes.clone())
        .expect("a receipt")
        .code
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn receipts_and_records_are_those_of_the_model(
        plan in proptest::collection::vec((proptest::collection::vec(act(), 0..8), any::<bool>()), 1..10),
    ) {
        let mut world = World::new();
        let mut model = Model::default();
        let mut done: Vec<Arc<SealedTransaction>> = Vec::new();
        for (acts, fork) in &plan {
            let tip = world.tip();
            let time = tip.time_ms() + 1_000;
            let candidates: Vec<_> = acts.iter().map(|act| (transaction(&mut world, act), act)).collect();
            // Everything is offered twice, and so is everything that was final before.
            let offered: Vec<_> = done.iter().chain(candidates.iter().map(|(t, _)| t)).cloned().collect();
            let twice = offered.iter().chain(&offered).cloned();
            let selection = world.chain.select(&tip.digest, time, twice).expect("selects");
            let entering: Vec<_> = candidates.iter().filter(|(_, act)| enters(&model, act)).collect();
            let expected: Vec<Digest> = entering.iter().map(|(transaction, _)| transaction.id).collect();
            prop_assert_eq!(selection.transactions.iter().map(|t| t.id).collect::<Vec<_>>(), expected);
            if *fork {
                // A sibling with the same transactions in another order is executed and dropped.
                let reversed = selection.transactions.iter().rev().cloned().collect();
                let header = world.chain.header_for(&tip.digest, time + 7, &world.round(&tip)).expect("a header");
                world.chain.execute(&SealedBlock::build(header, reversed)).expect("executes");
            }
            let answers: Vec<&str> = entering.iter().map(|(_, act)| model.apply(act)).collect();
            done.extend(selection.transactions.iter().cloned());
            let executed = world.advance_at(time, selection.transactions);
            prop_assert_eq!(executed.receipts.iter().map(code).collect::<Vec<_>>(), answers);
            prop_assert_eq!(world.chain.pending(), 0);
        }
        for (organisation, name) in ORGANISATIONS.iter().enumerate() {
            for byte in 1..5u8 {
                let record: Option<proto::EvidenceRecord> =
                    world.record(&StateKey::evidence(&Digest([byte; 32]), name));
                let expected = model.records.get(&(organisation, byte)).copied();
                prop_assert_eq!(record.map(|record| record.status), expected);
            }
            let frozen = world.account(&format!("writer-{name}")).frozen;
            prop_assert_eq!(frozen, model.frozen.contains(&organisation));
        }
    }
}
