//! Headers that a chain's captured keys sign over whatever state suits whoever has them.

use super::{
    keys::{CHAINS, signing_key},
    net::Net,
};
use rand::{RngExt, rngs::StdRng};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use yulian_crypto::sm2::Signer as _;
use yulian_state::{Path, Tree, value_hash};
use yulian_types::{
    FinalityProof, SealedPacket, StateKey, ValidatorSet, block_digest, decode_header, encode, finality_message,
    proto::{BlockHeader, CarryItem, LinkConflict, LinkProof, LinkUpdate},
};

/// Forged headers of a chain that machines host begin here: no honest block gets so far, so that what is honest counts beside them.
const HOSTED_FROM: u64 = 1_000_000;
/// They lie this far ahead of the clocks, ms: honest ones stay before them in time as in height, and no light client takes much more.
const HOSTED_AHEAD_MS: u64 = 6 * 60_000;

/// How many keys of a chain's validators somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// All.
    All,
    /// One less than a quorum.
    Few,
}

/// Whoever has keys of a chain's validators.
pub(crate) struct Forger {
    net: Arc<Net>,
    /// The chain's place.
    place: usize,
    keys: Keys,
    height: AtomicU64,
    time_ms: AtomicU64,
}

/// A state that somebody made up, under a header that proves it.
pub(crate) struct Head {
    pub(crate) height: u64,
    pub(crate) update: LinkUpdate,
    state: Tree,
}

impl Head {
    /// Proof of what the state has at a key, or that it has nothing.
    pub(crate) fn prove(&self, key: &StateKey) -> LinkProof {
        LinkProof {
            height: self.height,
            proof: self.state.prove(&path(key)).to_bytes().into(),
        }
    }

    /// An item with a proof of a key.
    pub(crate) fn item(&self, kind: u32, packet: &SealedPacket, key: &StateKey) -> CarryItem {
        CarryItem {
            kind,
            packet: packet.bytes.clone(),
            proof: Some(self.prove(key)),
            ..Default::default()
        }
    }
}

fn path(key: &StateKey) -> Path {
    Path::of(key.module_id, &key.key)
}

/// A state of these entries.
pub(crate) fn state(entries: &[(StateKey, &[u8])]) -> Tree {
    let mut entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| (path(key), value_hash(value)))
        .collect();
    entries.sort_by_key(|(path, _)| *path);
    Tree::from_sorted(entries)
}

/// A state in which nothing that anybody asks for is.
pub(crate) fn nothing(text: &[u8]) -> Tree {
    Tree::from_sorted([(Path::of(1, text), value_hash(text))])
}

impl Forger {
    pub(crate) fn new(net: Arc<Net>, place: usize, keys: Keys) -> Self {
        let (from, start) = match net.places.get(place) {
            Some(_) => (HOSTED_FROM, 0),
            None => (0, net.genesis(place).message.time_ms),
        };
        Self {
            net,
            place,
            keys,
            height: AtomicU64::new(from),
            time_ms: AtomicU64::new(start),
        }
    }

    pub(crate) fn height(&self) -> u64 {
        self.height.load(Relaxed)
    }

    /// A header of the next height over a state, not before `time_ms`. `None` if nobody knows the validators now.
    pub(crate) fn head(&self, random: &mut StdRng, state: Tree, time_ms: u64) -> Option<Head> {
        let height = self.height.fetch_add(1, Relaxed) + 1;
        let time_ms = time_ms.max(self.now_ms()).max(self.time_ms.load(Relaxed) + 1);
        self.time_ms.store(time_ms, Relaxed);
        let update = self.sign(random, height, time_ms, &state)?;
        Some(Head { height, update, state })
    }

    /// Two headers of one height.
    pub(crate) fn conflict(&self, random: &mut StdRng) -> Option<LinkConflict> {
        let first = self.head(random, nothing(b"one"), 0)?;
        let time_ms = self.time_ms.fetch_add(1, Relaxed) + 1;
        let second = self.sign(random, first.height, time_ms, &nothing(b"two"))?;
        Some(LinkConflict {
            chain_id: self.net.id_bytes(self.place),
            first: Some(first.update),
            second: Some(second),
        })
    }

    /// Behind the clocks that are furthest behind, if it can be chosen: no chain refuses it for being ahead.
    fn now_ms(&self) -> u64 {
        let now = (0..CHAINS)
            .map(|chain| self.net.now_ms(chain))
            .min()
            .unwrap_or_default();
        match self.net.places.get(self.place) {
            Some(_) => now + HOSTED_AHEAD_MS,
            None => now,
        }
    }

    /// A header to begin with and the set that signs it.
    fn template(&self, random: &mut StdRng) -> Option<(BlockHeader, ValidatorSet)> {
        let genesis = self.net.genesis(self.place);
        if self.net.places.get(self.place).is_none() {
            let block = genesis.block();
            let mut header = block.header.clone();
            header.parent = block.digest.to_vec().into();
            return Some((header, genesis.validators.clone()));
        }
        let node = self.net.node(random, self.place)?.node;
        let tip = node.ledger().tip();
        let header = decode_header(&node.ledger().header(tip.height).ok()??).ok()?;
        let set = node.watch().borrow().executed.validators.clone();
        (set.digest().0 == header.validators[..]).then(|| (header, set.as_ref().clone()))
    }

    fn sign(&self, random: &mut StdRng, height: u64, time_ms: u64, state: &Tree) -> Option<LinkUpdate> {
        let genesis = self.net.genesis(self.place);
        let (mut header, set) = self.template(random)?;
        header.epoch = height / genesis.message.epoch_length;
        header.height = height;
        header.time_ms = time_ms;
        header.parent_state_root = state.root().to_vec().into();
        let bytes = encode(&header);
        let digest = block_digest(&bytes);
        let (view, parent_view) = (height, height - 1);
        let text = finality_message(&genesis.chain_id, header.epoch, view, parent_view, &digest);
        let quorum = set.quorum() as u32;
        // Whoever has too few signs with those, or puts another's signature in the place of the one that is missing.
        let signers: Vec<u32> = match self.keys {
            Keys::Few if random.random_range(0..2) == 0 => (0..quorum - 1).collect(),
            Keys::All | Keys::Few => (0..quorum).collect(),
        };
        let sign = |at: &u32| {
            let by = if self.keys == Keys::Few {
                (*at).min(quorum - 2)
            } else {
                *at
            };
            let key = signing_key(&set.validators()[by as usize].public_key)?;
            Some(key.sign(&text).expect("a key in memory signs"))
        };
        let proof = FinalityProof {
            epoch: header.epoch,
            view,
            parent_view,
            digest,
            signatures: signers.iter().map(sign).collect::<Option<_>>()?,
            signers,
            set_size: set.len() as u32,
        };
        Some(LinkUpdate {
            chain_id: self.net.id_bytes(self.place),
            headers: vec![bytes],
            finality: proof.encode(),
            ..Default::default()
        })
    }
}
