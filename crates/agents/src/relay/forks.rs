//! Compares what the nodes of a chain call final. Two blocks of one height mean that a quorum signed both: every chain that keeps a
//! light client is shown them and believes the chain no more.

use super::{Place, Shared, flight::call, nodes::Tip};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;
use yulian_api::BlockRef;
use yulian_crypto::Digest;
use yulian_types::state_keys::LINK_ACTIVE;

/// How long a node, and the result of a transaction, is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at one chain: `tips` are the last blocks of its nodes, none of those that did not answer.
pub(super) async fn look(shared: &Shared, id: &Digest, tips: &[Option<Tip>]) {
    let place = &shared.places[id];
    let Some(height) = common(tips) else {
        return;
    };
    let mut blocks = BTreeMap::new();
    for (node, tip) in tips.iter().enumerate() {
        let digest = match tip {
            Some(tip) if tip.height == height => Some(tip.digest),
            Some(_) => digest_at(place, node, height).await,
            None => None,
        };
        blocks.extend(digest.map(|digest| (node, digest)));
    }
    if let Some((one, two)) = differing(&blocks) {
        let url = |node: usize| place.chain().client().urls().nth(node).map(ToString::to_string);
        let (a, b) = (url(one).unwrap_or_default(), url(two).unwrap_or_default());
        let text = format!(
            "高度 {height} 有两个不同的最终区块：{a} 与 {b} / two different final blocks at height {height}: at {a} and {b}"
        );
        shared.error(id, text);
        tell(shared, id, (one, two), height).await;
    }
}

/// The highest block that all nodes have which answered; none where there is nobody to compare with.
fn common(tips: &[Option<Tip>]) -> Option<u64> {
    let heights: Vec<u64> = tips.iter().flatten().map(|tip| tip.height).collect();
    heights.iter().min().copied().filter(|_| heights.len() > 1)
}

/// Two nodes with different blocks.
fn differing(blocks: &BTreeMap<usize, Digest>) -> Option<(usize, usize)> {
    let (first, digest) = blocks.iter().next()?;
    let other = blocks.iter().find(|(_, other)| *other != digest)?;
    Some((*first, *other.0))
}

async fn digest_at(place: &Place, node: usize, height: u64) -> Option<Digest> {
    let chain = place.chain().only(node);
    let header = timeout(PATIENCE, chain.header(BlockRef::Height(height))).await;
    // Whoever does not answer is not judged.
    Some(header.ok()?.ok()?.digest.0)
}

/// Shows both blocks to the chains of this agent that still believe the chain.
async fn tell(shared: &Shared, id: &Digest, (one, two): (usize, usize), height: u64) {
    let chain = shared.places[id].chain();
    let (first, second) = (chain.only(one), chain.only(two));
    for (at, place) in &shared.places {
        if at == id || !place.is_own() {
            continue;
        }
        let told = async {
            let known = place.chain().link_client(id).await.map_err(|error| error.to_string())?;
            let Some(known) = known.filter(|client| client.status == LINK_ACTIVE) else {
                return Ok(());
            };
            let conflict = first.conflict_with(&second, &known, height).await;
            match conflict.map_err(|error| error.to_string())? {
                Some(conflict) => call(shared, place, PATIENCE, "report_conflict", &conflict)
                    .await
                    .map(|_| ()),
                None => Ok(()),
            }
        };
        if let Err(text) = told.await {
            shared.error(at, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tip(height: u64) -> Option<Tip> {
        Some(Tip {
            height,
            digest: Digest([height as u8; 32]),
        })
    }

    #[test]
    fn nodes_are_compared_where_all_of_them_are() {
        assert_eq!(common(&[tip(7), None, tip(5), tip(9)]), Some(5));
        assert_eq!(common(&[None, tip(5)]), None, "with whom");
        assert_eq!(common(&[]), None);
    }

    #[test]
    fn two_nodes_with_different_blocks_are_found() {
        let of = |digests: &[(usize, u8)]| {
            let blocks = digests.iter().map(|(node, byte)| (*node, Digest([*byte; 32])));
            differing(&blocks.collect())
        };
        assert_eq!(of(&[(0, 1), (2, 1), (3, 1)]), None);
        assert_eq!(of(&[(0, 1), (2, 1), (3, 9)]), Some((0, 3)));
        assert_eq!(of(&[(1, 4)]), None);
        assert_eq!(of(&[]), None);
    }
}
