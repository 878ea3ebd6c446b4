//! Looks which node of each chain is ahead: one that is alive but cut off from the others is not followed for long.

use super::{RelayError, Shared};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use yulian_crypto::Digest;
use yulian_sdk::Client;

/// How often all nodes are asked how far they are.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long a node is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// A node is left when another has been so many blocks ahead of it at two looks, and it has stood still between them: less is the time
/// that blocks need to reach all.
const BEHIND: u64 = 2;

/// Heights of the chains of one node.
type Heights = BTreeMap<Digest, u64>;

pub(super) async fn run(shared: Arc<Shared>) -> Result<(), RelayError> {
    let mut before: BTreeMap<Digest, (usize, u64)> = BTreeMap::new();
    loop {
        sleep(LOOK_EVERY).await;
        let heights = look(&shared).await;
        for (id, place) in &shared.places {
            let client = place.chain().client();
            let of_node = |url: String| heights.get(&url).and_then(|heights| heights.get(id)).copied();
            let all: Vec<Option<u64>> = client.urls().map(|url| of_node(url.to_string())).collect();
            let current = client.current();
            let last = before.remove(id);
            match better(&all, current) {
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
async fn look(shared: &Shared) -> BTreeMap<String, Heights> {
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
            let heights = status.chains.iter().map(|chain| (chain.id.0, chain.height));
            Some((url, heights.collect::<Heights>()))
        });
    }
    let mut heights = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        // A node that gave no answer has no heights.
        heights.extend(answer.ok().flatten());
    }
    heights
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
