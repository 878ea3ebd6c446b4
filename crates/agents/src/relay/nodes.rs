//! Looks which node of each chain is ahead: one that is alive but cut off from the others is not followed for long. What the nodes call
//! final is compared on the way.

use super::{RelayError, Shared, forks};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use yulian_api::views::ChainStatus;
use yulian_crypto::Digest;
use yulian_sdk::Client;

/// How often all nodes are asked how far they are.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long a node is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// A node is left when another has been so many blocks ahead of it at two looks, and it has stood still between them: less is the time
/// that blocks need to reach all.
const BEHIND: u64 = 2;

/// The last block of a chain at one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) height: u64,
    pub(super) digest: Digest,
}

/// The last blocks of the chains of one node.
type Tips = BTreeMap<Digest, Tip>;

pub(super) async fn run(shared: Arc<Shared>) -> Result<(), RelayError> {
    let mut before: BTreeMap<Digest, (usize, u64)> = BTreeMap::new();
    loop {
        sleep(LOOK_EVERY).await;
        let tips = look(&shared).await;
        let mut compared = JoinSet::new();
        for (id, place) in &shared.places {
            let client = place.chain().client();
            let of_node = |url: String| tips.get(&url).and_then(|tips| tips.get(id)).copied();
            let all: Vec<Option<Tip>> = client.urls().map(|url| of_node(url.to_string())).collect();
            let heights: Vec<Option<u64>> = all.iter().map(|tip| tip.map(|tip| tip.height)).collect();
            compared.spawn(forks::look(shared.clone(), *id, all));
            let current = client.current();
            let last = before.remove(id);
            match better(&heights, current) {
                Some((best, own)) if last == Some((current, own)) => {
                    client.choose(best);
                    place.moved.notify_one();
                    shared.error(id, "所跟随的节点落后于其他节点，已更换 / the node that was followed is behind others: another is followed".into());
                }
                Some((_, own)) => {
                    before.insert(*id, (current, own));
                }
                None => {}
            }
        }
        // A look that broke down left its chain as it was; the next round tries again.
        while compared.join_next().await.is_some() {}
    }
}

/// The node that is furthest ahead, and the height of the current one, where that is behind. A node that did not answer is not
/// judged: requests leave it by themselves.
fn better(all: &[Option<u64>], current: usize) -> Option<(usize, u64)> {
    let own = (*all.get(current)?)?;
    let known = all.iter().enumerate().filter_map(|(at, height)| Some((at, (*height)?)));
    let (best, height) = known.max_by_key(|(_, height)| *height)?;
    (height >= own.saturating_add(BEHIND)).then_some((best, own))
}

/// Asks every node once, whatever number of chains it has.
async fn look(shared: &Shared) -> BTreeMap<String, Tips> {
    let mut nodes: BTreeMap<String, Client> = BTreeMap::new();
    for place in shared.places.values() {
        let client = place.chain().client();
        for (index, url) in client.urls().enumerate() {
            nodes.entry(url.to_string()).or_insert_with(|| client.only(index));
        }
    }
    let mut asked = JoinSet::new();
    for (url, client) in nodes {
        asked.spawn(async move {
            let status = timeout(PATIENCE, client.status()).await.ok()?.ok()?;
            let tip = |chain: &ChainStatus| Tip {
                height: chain.height,
                digest: chain.digest.0,
            };
            let tips = status.chains.iter().map(|chain| (chain.id.0, tip(chain)));
            Some((url, tips.collect::<Tips>()))
        });
    }
    let mut tips = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        // A node that gave no answer has no blocks.
        tips.extend(answer.ok().flatten());
    }
    tips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_left_for_one_that_is_well_ahead() {
        let of = |all: &[Option<u64>], current| better(all, current).map(|(best, _)| best);
        assert_eq!(of(&[Some(10), Some(11), None], 0), None);
        assert_eq!(of(&[Some(10), Some(12), None], 0), Some(1));
        assert_eq!(of(&[Some(10), Some(12), Some(90)], 1), Some(2));
        assert_eq!(of(&[None, Some(12)], 0), None);
        assert_eq!(of(&[Some(12)], 0), None);
        assert_eq!(of(&[Some(12)], 7), None);
    }
}
