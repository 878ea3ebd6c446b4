//! Compares what the nodes of a chain call final. Two blocks of one height mean that a quorum signed both: every chain that keeps a
//! light client is shown them and believes the chain no more.

use super::{Place, Shared, flight::call, nodes::Tip};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::timeout;
use yulian_api::BlockRef;
use yulian_crypto::Digest;
use yulian_types::state_keys::LINK_ACTIVE;

/// How long a node, and the result of a transaction, is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a look at one chain may take: its nodes may be anybody's.
const LOOK_WITHIN: Duration = Duration::from_secs(30);

/// Looks at one chain: `tips` are the last blocks of its nodes, none of those that did not answer. Each is compared with each: a node
/// that lies or is far behind hides nothing of the others.
pub(super) async fn look(shared: Arc<Shared>, id: Digest, tips: Vec<Option<Tip>>) {
    if timeout(LOOK_WITHIN, compare(&shared, &id, &tips)).await.is_err() {
        shared.error(
            &id,
            "比对各节点的区块未在时限内完成 / comparing its nodes' blocks took too long".into(),
        );
    }
}

async fn compare(shared: &Shared, id: &Digest, tips: &[Option<Tip>]) {
    let place = &shared.places[id];
    let mut known = BTreeMap::new();
    for ((behind, tip), (ahead, other)) in pairs(tips) {
        let digest = match (tip.height == other.height, known.get(&(ahead, tip.height))) {
            (true, _) => other.digest,
            (false, Some(digest)) => *digest,
            (false, None) => match digest_at(place, ahead, tip.height).await {
                Some(digest) => *known.entry((ahead, tip.height)).or_insert(digest),
                // Whoever does not answer is not judged.
                None => continue,
            },
        };
        if digest != tip.digest {
            let url = |node: usize| place.chain().client().urls().nth(node).map(ToString::to_string);
            let (a, b) = (url(ahead).unwrap_or_default(), url(behind).unwrap_or_default());
            let height = tip.height;
            shared.error(
                id,
                format!("高度 {height} 有两个不同的最终区块：{a} 与 {b} / two different final blocks at height {height}: at {a} and {b}"),
            );
            tell(shared, id, (ahead, behind), height).await;
        }
    }
}

/// A node and its last block.
type At = (usize, Tip);

/// Every two nodes that answered, of each two the one that is behind first.
fn pairs(tips: &[Option<Tip>]) -> Vec<(At, At)> {
    let mut known: Vec<At> = tips
        .iter()
        .enumerate()
        .filter_map(|(node, tip)| Some((node, (*tip)?)))
        .collect();
    known.sort_by_key(|(node, tip)| (tip.height, *node));
    let ahead = |(at, behind): (usize, &At)| {
        known[at + 1..]
            .iter()
            .map(|other| (*behind, *other))
            .collect::<Vec<_>>()
    };
    known.iter().enumerate().flat_map(ahead).collect()
}

async fn digest_at(place: &Place, node: usize, height: u64) -> Option<Digest> {
    let chain = place.chain().only(node);
    let header = timeout(PATIENCE, chain.header(BlockRef::Height(height))).await;
    Some(header.ok()?.ok()?.digest.0)
}

/// Shows both blocks to the chains of this agent that still believe the chain.
async fn tell(shared: &Shared, id: &Digest, (one, two): (usize, usize), height: u64) {
    let chain = shared.places[id].chain();
    let (first, second) = (chain.only(one), chain.only(two));
    for (at, place) in shared.places.iter().filter(|(at, place)| *at != id && place.is_own()) {
        let known = match place.chain().link_client(id).await {
            Ok(known) => known.filter(|client| client.status == LINK_ACTIVE),
            Err(error) => {
                shared.error(at, error.to_string());
                continue;
            }
        };
        let Some(known) = known else { continue };
        let told = match first.conflict_with(&second, &known, height).await {
            Ok(Some(conflict)) => call(shared, place, PATIENCE, "report_conflict", &conflict).await,
            Ok(None) => continue,
            // One of the two does not prove what it says: that concerns no other chain either.
            Err(error) => return shared.error(id, error.to_string()),
        };
        if let Err(text) = told {
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
    fn every_two_nodes_that_answered_are_compared() {
        let of = |heights: &[Option<u64>]| {
            let tips: Vec<Option<Tip>> = heights.iter().map(|height| height.and_then(tip)).collect();
            let nodes = |((behind, _), (ahead, _)): &(At, At)| (*behind, *ahead);
            pairs(&tips).iter().map(nodes).collect::<Vec<_>>()
        };
        assert_eq!(of(&[Some(7), None, Some(0), Some(9)]), [(2, 0), (2, 3), (0, 3)]);
        assert_eq!(of(&[None, Some(5)]), [], "with whom");
        assert_eq!(of(&[]), []);
    }
}
