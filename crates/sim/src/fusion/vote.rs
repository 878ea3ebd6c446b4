//! What the members of a chain's consortium decide.

use super::{keys::MACHINES, net::Net};
use crate::{
    client::REPLACE_VALIDATOR,
    keys::{admin_key, node_id, node_key, validator},
};
use futures::future::join_all;
use prost::Message;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use yulian_crypto::{
    sm2::{PublicKey, Signer},
    sm3,
};
use yulian_types::{encode, proto, tags};

/// How long each step of a vote is waited for, ms.
const PATIENCE_MS: u64 = 20_000;
/// Attempts to change a validator.
const TRIES: usize = 12;

/// Proposes and votes. Whether it was carried, as far as anybody was told.
pub(crate) async fn carry_on(net: &Net, random: &mut StdRng, chain: usize, kind: u32, action: &impl Message) -> bool {
    let propose = proto::Propose {
        kind,
        action: encode(action),
        reason: "simulation".into(),
    };
    let by = admin_key(random.random_range(0..MACHINES));
    let arguments = encode(&propose);
    let proposed = net.call(random, (chain, &by), "governance.propose", arguments, PATIENCE_MS);
    let Some(receipt) = proposed.await.filter(|receipt| receipt.status == 0) else {
        return false;
    };
    let Ok(proto::ProposalId { proposal }) = proto::ProposalId::decode(receipt.output) else {
        return false;
    };
    let ballot = encode(&proto::Vote {
        proposal,
        approve: true,
    });
    let votes = (0..MACHINES).map(|member| {
        let (ballot, mut random) = (ballot.clone(), StdRng::seed_from_u64(random.random()));
        async move {
            let key = admin_key(member);
            let vote = net.call(&mut random, (chain, &key), "governance.vote", ballot, PATIENCE_MS);
            vote.await
                .is_some_and(|receipt| receipt.events.iter().any(|event| event.name == "carried"))
        }
    });
    // Three carry it; what the others say is refused, or comes before.
    join_all(votes.take(3)).await.contains(&true)
}

/// The machine that may become a validator of a chain, and those that are, as a node says.
fn seats(net: &Net, random: &mut StdRng, chain: usize) -> Option<(Vec<usize>, usize, (u64, yulian_types::Digest))> {
    let node = net.node(random, chain)?;
    let tip = node.node.ledger().tip();
    let executed = node.node.watch().borrow().executed.clone();
    let sits = |machine: &usize| executed.validators.contains(&node_id(*machine));
    let sitting: Vec<usize> = (0..MACHINES).filter(sits).collect();
    let candidate = (0..MACHINES).find(|machine| !sitting.contains(machine))?;
    Some((sitting, candidate, (tip.height, tip.digest)))
}

/// Changes a validator of a chain, and waits until the new one is in force. `keeps` never leaves.
pub(crate) async fn rotate(net: &Net, random: &mut StdRng, chain: usize, keeps: Option<usize>) -> bool {
    for _ in 0..TRIES {
        net.pause(150).await;
        let Some((sitting, candidate, recent)) = seats(net, random, chain) else {
            continue;
        };
        let leaving: Vec<usize> = sitting.into_iter().filter(|machine| Some(*machine) != keeps).collect();
        let old = leaving[random.random_range(0..leaving.len())];
        let action = proto::ReplaceValidator {
            public_key: key_bytes(&node_id(old)),
            validator: Some(validator(candidate)),
            proof: Some(proof(net, chain, candidate, recent)),
        };
        if !carry_on(net, random, chain, REPLACE_VALIDATOR, &action).await {
            continue;
        }
        for _ in 0..PATIENCE_MS / 100 {
            net.pause(100).await;
            if seats(net, random, chain).is_some_and(|(_, now, _)| now == old) {
                return true;
            }
        }
    }
    false
}

fn key_bytes(key: &PublicKey) -> bytes::Bytes {
    key.as_bytes().to_vec().into()
}

fn proof(net: &Net, chain: usize, candidate: usize, recent: (u64, yulian_types::Digest)) -> proto::CandidateProof {
    let (height, digest) = recent;
    let subject = sm3::tagged(&tags::CANDIDATE, &[&net.id(chain).0, &height.to_be_bytes(), &digest.0]);
    let signature = node_key(candidate).sign(&subject.0).expect("a key in memory signs");
    proto::CandidateProof {
        height,
        digest: digest.to_vec().into(),
        signature: signature.as_bytes().to_vec().into(),
    }
}
