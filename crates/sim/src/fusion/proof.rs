//! What a transaction brings from other chains: for each one header and proofs under it.

use super::net::{Net, Running};
use bytes::Bytes;
use prost::Message as _;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use yulian_api::{
    ChainService as _, PageRequest,
    views::{FinalityView, StateView, ValidatorChangeView},
};
use yulian_types::{
    StateKey, decode_header,
    proto::{LinkClient, LinkProof, LinkSetChange, LinkUpdate},
};

/// Most changes of the validators that one update brings.
const SET_CHANGES_MAX: usize = 16;

/// A value with its proof, or the proof that there is none.
pub(crate) struct Proven {
    pub(crate) value: Option<Bytes>,
    pub(crate) proof: LinkProof,
    /// Time of the header, ms.
    pub(crate) time_ms: u64,
}

struct Head {
    running: Running,
    /// The height after which the state is proven.
    height: u64,
    time_ms: u64,
    update: Option<LinkUpdate>,
}

/// The headers of one transaction.
pub(crate) struct Session<'a> {
    net: &'a Net,
    /// The chain that it is for.
    at: usize,
    heads: BTreeMap<usize, Head>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(net: &'a Net, at: usize) -> Self {
        let heads = BTreeMap::new();
        Self { net, at, heads }
    }

    /// The updates, to be brought before what is proven.
    pub(crate) fn into_updates(self) -> Vec<LinkUpdate> {
        self.heads.into_values().filter_map(|head| head.update).collect()
    }

    /// A key of a chain; `None` if its state after `height` cannot be proven yet.
    pub(crate) async fn prove(
        &mut self,
        random: &mut StdRng,
        of: usize,
        key: &StateKey,
        height: u64,
    ) -> Option<Proven> {
        self.net.moment(random).await;
        let view = match self.heads.get(&of) {
            Some(head) => self.net.state(&head.running, key, Some(head.height)).await?,
            None => self.open(random, of, key).await?,
        };
        let head = self.heads.get(&of)?;
        (view.height >= height).then(|| Proven {
            value: view.value.map(|value| value.0),
            proof: LinkProof {
                height: view.height + 1,
                proof: view.proof.0,
            },
            time_ms: head.time_ms,
        })
    }

    async fn open(&mut self, random: &mut StdRng, of: usize, key: &StateKey) -> Option<StateView> {
        let running = self.net.node(random, of)?;
        let view = self.net.state(&running, key, None).await?;
        let header = decode_header(&view.finality.headers.first()?.0).ok()?;
        let known = StateKey::link_client(&self.net.id(of));
        let known: LinkClient = self.net.record(random, self.at, &known).await?;
        let update = match known.heights.contains(&(view.height + 1)) {
            true => None,
            false => Some(update(&running, &known, &view).await?),
        };
        let head = Head {
            running,
            height: view.height,
            time_ms: header.time_ms,
            update,
        };
        self.heads.insert(of, head);
        Some(view)
    }
}

/// What brings the header of an answer to a light client that knows what `known` says.
async fn update(of: &Running, known: &LinkClient, view: &StateView) -> Option<LinkUpdate> {
    let last = known.ranges.last().map_or(0, |range| range.first_height);
    let page = PageRequest {
        cursor: None,
        limit: yulian_api::limits::PAGE_ITEMS_MAX,
    };
    let history = of.api.validator_history(page).await.ok()?;
    let wanted = |change: &ValidatorChangeView| (last + 1..=view.height + 1).contains(&change.first_height);
    let change = |change: ValidatorChangeView| {
        let finality = change.finality?;
        Some(LinkSetChange {
            header: finality.headers.first()?.0.clone(),
            finality: finality.proof.bytes.0,
            validators: change.set.bytes.0,
        })
    };
    let changes = history.items.into_iter().filter(wanted).filter_map(change);
    let FinalityView { headers, proof, .. } = &view.finality;
    Some(LinkUpdate {
        chain_id: known.chain_id.clone(),
        set_changes: changes.take(SET_CHANGES_MAX).collect(),
        headers: headers.iter().map(|header| header.0.clone()).collect(),
        finality: proof.bytes.0.clone(),
    })
}

/// The answer to a `carry`, if it was taken at all.
pub(crate) fn answer(receipt: &yulian_types::proto::Receipt) -> Option<yulian_types::proto::CarryAnswer> {
    (receipt.status == 0).then(|| yulian_types::proto::CarryAnswer::decode(receipt.output.clone()).ok())?
}
