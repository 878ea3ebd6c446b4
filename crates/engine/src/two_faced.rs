//! A Byzantine validator for the simulation: for every vote it hears it signs two that contradict each other.

use crate::{
    host::{Channel, Host, Net},
    keys::{EngineDigest, EngineKey, NodeSigner},
    runtime::Env,
    scheme::Sm2Scheme,
};
use bytes::BufMut;
use commonware_codec::{DecodeExt, Encode, Write as _, varint::UInt};
use commonware_consensus::simplex::types::{Finalize, Notarize, Proposal, Vote};
use commonware_math::algebra::Random;
use commonware_p2p::{Receiver, Recipients, Sender, utils::mux};
use rand_core::CryptoRng;
use yulian_types::{Digest, ValidatorSet};

type Votes = Vote<Sm2Scheme, EngineDigest>;

/// Contradicts every vote of every epoch for as long as it runs. It keeps its place in the set and does nothing else.
pub(crate) async fn run<E: Env, S: Sender<PublicKey = EngineKey>, N: Net>(
    host: &Host<E, S, N>,
    mut random: E,
    chain_id: Digest,
    set: &ValidatorSet,
    signer: &NodeSigner,
) {
    let scheme = Sm2Scheme::new(&chain_id, set, signer);
    let Ok((mut sender, mut receiver)) = host.raw_channel(Channel::Votes, chain_id).await else {
        return;
    };
    while let Ok((_, message)) = receiver.recv().await {
        let Ok((epoch, vote)) = mux::parse(message) else {
            continue;
        };
        let Ok(vote) = Votes::decode(vote) else { continue };
        for vote in contradictions(&mut random, &scheme, vote) {
            let mut out = bytes::BytesMut::new();
            UInt(epoch).write(&mut out);
            out.put_slice(&vote.encode());
            sender.send(Recipients::All, out.freeze(), true);
        }
    }
}

/// The vote heard, signed by ourselves too, and another for a block that nobody has.
fn contradictions(random: &mut impl CryptoRng, scheme: &Sm2Scheme, vote: Votes) -> Vec<Votes> {
    let mut other = |proposal: &Proposal<EngineDigest>| {
        Proposal::new(proposal.round, proposal.parent, EngineDigest::random(&mut *random))
    };
    let signed = match vote {
        Vote::Notarize(vote) => {
            let lie = other(&vote.proposal);
            [lie, vote.proposal].map(|proposal| Notarize::sign(scheme, proposal).map(Vote::Notarize))
        }
        Vote::Finalize(vote) => {
            let lie = other(&vote.proposal);
            [lie, vote.proposal].map(|proposal| Finalize::sign(scheme, proposal).map(Vote::Finalize))
        }
        Vote::Nullify(_) => return vec![],
    };
    signed.into_iter().flatten().collect()
}
