//! Somebody brings the relay chain headers that no validators signed.

use super::{DEPOSITOR, Scene, not_held, say};
use crate::{
    agent,
    problem::{Cause, Result},
    refusal::sdk,
    text::problem,
    transaction,
};
use bytes::Bytes;
use yulian_modules::link::LINK_MODULE;
use yulian_sdk::{BlockRef, Chain};
use yulian_types::{
    block_digest, decode_header, encode,
    proto::{Carry, LinkUpdate},
    state_keys::LINK_ACTIVE,
};

/// How far ahead of the chain a forged header is.
const AHEAD: u64 = 1_000;

/// A header with another state under a real proof, and a real header under the proof of another one.
pub(super) async fn forged(scene: &Scene) -> Result<String> {
    let client = scene.connect.client()?;
    let relay = client.chain(&scene.relay).await.map_err(sdk)?;
    let city = client.chain(DEPOSITOR).await.map_err(sdk)?;
    let before = relay.link_client(&city.id()).await.map_err(sdk)?.unwrap_or_default();
    let height = city.header(BlockRef::Latest).await.map_err(sdk)?.height;
    let real = city.finality(BlockRef::Height(height)).await.map_err(sdk)?;
    let header = real.headers.first().map(|header| header.0.clone()).unwrap_or_default();
    let mut message = decode_header(&header).or_problem(problem::bad_answer)?;
    message.parent_state_root = Bytes::from(vec![7; 32]);
    let other_state = encode(&message);
    message = decode_header(&header).or_problem(problem::bad_answer)?;
    message.height += AHEAD;
    let far_ahead = encode(&message);
    let mut codes = Vec::new();
    for forged in [other_state, far_ahead] {
        let update = LinkUpdate {
            chain_id: city.id().to_vec().into(),
            headers: vec![forged],
            finality: real.proof.bytes.0.clone(),
            ..Default::default()
        };
        codes.push(refused(scene, &relay, update).await?);
    }
    let after = relay.link_client(&city.id()).await.map_err(sdk)?.unwrap_or_default();
    // An agent may have brought a true header meanwhile.
    let believed =
        after.height >= height + AHEAD || (after.height == height && after.digest[..] != block_digest(&header).0);
    if after.status != LINK_ACTIVE || after.height < before.height || believed {
        return Err(not_held("link_client"));
    }
    Ok(say::fusion_forged_figure(codes.len(), codes.join(", ")))
}

/// The code with which an update is refused.
async fn refused(scene: &Scene, relay: &Chain, update: LinkUpdate) -> Result<String> {
    let carrier = agent::carrier(&scene.connect, relay).await?;
    let carry = Carry {
        updates: vec![update],
        items: Vec::new(),
    };
    let signed = carrier.call(relay.terms(), LINK_MODULE, "carry", &carry);
    match transaction::result(relay, &signed.or_problem(problem::cannot_sign)?).await {
        Ok(_) => Err(not_held("carry")),
        Err(problem) if problem.code().starts_with("link.") => Ok(problem.code().to_owned()),
        Err(problem) => Err(problem),
    }
}
