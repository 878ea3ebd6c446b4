//! The word of a relay chain in a pack: whoever knows only that chain's genesis digest verifies the record.

use crate::{
    agent,
    connect::Connect,
    out,
    problem::{Cause, Result},
    refusal,
    text::{problem, say},
    transaction,
};
use bytes::Bytes;
use yulian_modules::link::LINK_MODULE;
use yulian_sdk::{Account, Chain, Word};
use yulian_types::proto::{Carry, LinkUpdate};

/// Most updates that are brought: as many as a light client needs that missed every change of the validators there may be.
const CARRIES_MAX: usize = 66;
/// Kept headers that are tried where nothing can be brought.
const KEPT_TRIED_MAX: usize = 8;

/// The pack with the relay chain's word. Where the relay chain does not keep the pack's last header, it is brought with a key of the
/// folder; without one the pack is stated under an earlier header that it keeps.
pub(crate) async fn with_word(connect: &Connect, chain: &Chain, relay: &Chain, pack: Bytes) -> Result<Bytes> {
    for _ in 0..CARRIES_MAX {
        let (update, kept) = match chain.relayed_pack(&pack, relay).await.map_err(refusal::pack)? {
            Word::Given(pack) => return Ok(pack),
            Word::Missing { update, kept } => (*update, kept),
        };
        match agent::carrier(connect, relay).await {
            Ok(carrier) => carry(relay, &carrier, update).await?,
            Err(no_key) => return earlier(chain, relay, &pack, &kept).await?.ok_or(no_key),
        }
    }
    Err(problem::relay_behind(
        out::one_line(relay.name()),
        out::one_line(chain.name()),
    ))
}

async fn carry(relay: &Chain, carrier: &Account, update: LinkUpdate) -> Result<()> {
    let carry = Carry {
        updates: vec![update],
        items: Vec::new(),
    };
    let signed = carrier.call(relay.terms(), LINK_MODULE, "carry", &carry);
    let signed = signed.or_problem(problem::cannot_sign)?;
    transaction::provable_result(relay, &signed).await.map(|_| ())
}

/// The pack under the highest header that the relay chain keeps and that has a finality proof of its own.
async fn earlier(chain: &Chain, relay: &Chain, pack: &Bytes, kept: &[u64]) -> Result<Option<Bytes>> {
    for height in kept.iter().take(KEPT_TRIED_MAX) {
        let Some(pack) = chain.restated_pack(pack, *height).await.map_err(refusal::pack)? else {
            continue;
        };
        if let Word::Given(pack) = chain.relayed_pack(&pack, relay).await.map_err(refusal::pack)? {
            out::note_line(say::pack_earlier(height));
            return Ok(Some(pack));
        }
    }
    Ok(None)
}
