//! The one who joins: asks, checks, brings in, and asks another where something is wrong.

use super::{
    fault::Fault,
    message::{Answer, BODY_BYTES_MAX, Offer, Refusal, Request, decode_answer},
    verify::{self, Descent, Ground},
};
use crate::ledger::{Import, Ledger, LedgerError, Whole, first_height};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, pin_mut, select_biased};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
    time::Duration,
};
use yulian_crypto::sm2::{FastVerifier, PublicKey, Verifier};
use yulian_engine::{EXCHANGE_MESSAGES_PER_SECOND, Exchange, Peer, Runtime};
use yulian_light::{SET_CHANGES_MAX, ValidatorHistory};
use yulian_state::Prefix;
use yulian_store::Kv;
use yulian_types::{Digest, SealedGenesis, block_digest, decode_header};

#[cfg(test)]
mod tests;

/// How long the members' offers are waited for before they are asked again, ms.
const OFFERS_MS: u64 = 1_000;
/// A request is repeated after this time, ms.
const ANSWER_MS: u64 = 4_000;
/// How often it is.
const TRIES_MAX: u32 = 6;
/// Parts of the state asked for at a time.
const AT_ONCE: usize = 16;
/// Most keys of a part that is begun with: one of evidence takes 250 to 300 bytes, and an answer holds 1 MiB.
const PART_KEYS: u64 = 3_000;
/// Answers of one member that do not come in time, in all.
const LATE_MAX: u32 = 64;
/// Paths are digests: no more keys than a part holds share so many bits.
const DIVIDED_BITS_MAX: u8 = 64;
/// After so many rounds in which a member said "not now", those count who have nothing.
const LATER_ROUNDS_MAX: u32 = 10;
/// After so many rounds in which members said "not now" and nobody offered anything, the chain stands still: perhaps it waits for the
/// one who joins. Then all blocks are fetched.
const STANDS_ROUNDS_MAX: u32 = 30;
/// Most bits of the prefixes that are begun with.
const FIRST_BITS_MAX: u8 = 18;
/// Time between two requests, ms; a burst of [`AT_ONCE`] is free.
const PACE_MS: u64 = 10;
/// Members that lied, and those that were silent, are not asked for so long, ms.
const LIAR_MS: u64 = 10 * 60_000;
const SILENT_MS: u64 = 10_000;
/// How often progress is told, ms.
const TELL_MS: u64 = 5_000;

const _: () = assert!(1_000 / PACE_MS + (AT_ONCE as u64) < EXCHANGE_MESSAGES_PER_SECOND as u64);

/// The way to the members of a chain that does not run here yet.
pub trait Members: Send {
    /// Sends a request to a member; may lose it.
    fn send(&mut self, to: &PublicKey, message: Bytes);

    /// The next message of a member; `None` when there will be none any more.
    fn receive(&mut self) -> impl Future<Output = Option<(PublicKey, Bytes)>> + Send;
}

impl Members for Exchange {
    fn send(&mut self, to: &PublicKey, message: Bytes) {
        Exchange::send(self, to, message);
    }

    fn receive(&mut self) -> impl Future<Output = Option<(PublicKey, Bytes)>> + Send {
        Exchange::receive(self)
    }
}

/// How a node came to its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// It holds blocks already: nothing was done.
    Already,
    /// The chain has only begun: all blocks are fetched.
    Blocks,
    /// By a snapshot.
    Snapshot {
        /// The block after which the state stands.
        height: u64,
        /// Keys of the state.
        keys: u64,
        /// Bytes received.
        bytes: u64,
        /// Time it took, ms.
        ms: u64,
    },
}

/// Why joining ends.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is no network any more.
    #[error("节点网络已关闭，快照未取完 / the peer network ended before the snapshot was there")]
    NoNetwork,
}

/// Why one member's snapshot was not brought in.
enum Failure {
    Fault(Fault),
    End(JoinError),
}

impl<T: Into<Fault>> From<T> for Failure {
    fn from(fault: T) -> Self {
        Self::Fault(fault.into())
    }
}

fn end(error: LedgerError) -> Failure {
    Failure::End(error.into())
}

/// Whom a new node knows of a chain: those of genesis, and those of its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquainted {
    /// Validators of genesis.
    pub validators: Vec<PublicKey>,
    /// Addresses; settings take the place of genesis.
    pub peers: Vec<Peer>,
    /// Everyone but the node itself.
    pub others: Vec<PublicKey>,
}

impl Acquainted {
    /// From a genesis and the settings of the node with the key `me`.
    pub fn new(genesis: &SealedGenesis, settings: &[Peer], me: &PublicKey) -> Self {
        let mut peers: BTreeMap<PublicKey, Peer> = BTreeMap::new();
        for node in &genesis.message.nodes {
            if let Ok(key) = PublicKey::from_bytes(&node.public_key) {
                let address = node.address.clone();
                peers.insert(key, Peer { key, address });
            }
        }
        peers.extend(settings.iter().map(|peer| (peer.key, peer.clone())));
        let validators = genesis.validators.keys().to_vec();
        let others: BTreeSet<PublicKey> = validators.iter().chain(peers.keys()).copied().collect();
        Self {
            others: others.into_iter().filter(|key| key != me).collect(),
            peers: peers.into_values().collect(),
            validators,
        }
    }
}

/// Whether a store holds nothing yet, so that a snapshot may be brought in.
///
/// # Errors
/// If the store fails.
pub fn is_wanted<K: Kv>(kv: &K) -> Result<bool, LedgerError> {
    Ledger::is_new(kv)
}

/// Brings the ledger of a new node in by a snapshot of one of `sources`, who are members of the chain of `genesis`. Goes on until
/// one gives a whole snapshot or enough of the validators say that there is none.
///
/// # Errors
/// If the store fails. What a member does wrong is no error: another one is asked.
pub async fn join<R: Runtime, K: Kv>(
    runtime: &R,
    kv: &K,
    genesis: &Arc<SealedGenesis>,
    members: impl Members,
    sources: Vec<PublicKey>,
) -> Result<Joined, JoinError> {
    if !is_wanted(kv)? {
        return Ok(Joined::Already);
    }
    let mut joiner = Joiner::new(runtime, genesis, members, sources);
    loop {
        let (source, offer) = match joiner.find().await? {
            Found::Offer(source, offer) => (source, offer),
            Found::NothingYet => return Ok(Joined::Blocks),
        };
        let (height, keys) = (offer.height, offer.keys);
        tracing::info!(%source, height, keys, "开始取快照 / fetching a snapshot");
        let (began, before) = (runtime.now_ms(), joiner.bytes);
        match joiner.bring(kv, source, &offer).await {
            Ok(keys) => {
                let (bytes, ms) = (joiner.bytes - before, runtime.now_ms().saturating_sub(began));
                tracing::info!(
                    height,
                    keys,
                    bytes,
                    ms,
                    "快照已核验并装入 / the snapshot is verified and in place"
                );
                return Ok(Joined::Snapshot {
                    height,
                    keys,
                    bytes,
                    ms,
                });
            }
            Err(Failure::End(error)) => return Err(error),
            Err(Failure::Fault(fault)) => joiner.leave_alone(source, &fault),
        }
    }
}

enum Found {
    Offer(PublicKey, Offer),
    NothingYet,
}

struct Joiner<'a, R, X> {
    runtime: &'a R,
    genesis: &'a Arc<SealedGenesis>,
    members: X,
    verifier: Arc<dyn Verifier>,
    sources: Vec<PublicKey>,
    /// Members that are not asked, and until when, ms.
    left_alone: BTreeMap<PublicKey, u64>,
    /// Number of the last request.
    number: u32,
    next_send_ms: u64,
    told_ms: u64,
    bytes: u64,
    /// Answers that the member who is asked now did not give in time.
    late: u32,
}

impl<'a, R: Runtime, X: Members> Joiner<'a, R, X> {
    fn new(runtime: &'a R, genesis: &'a Arc<SealedGenesis>, members: X, sources: Vec<PublicKey>) -> Self {
        let now = runtime.now_ms();
        Self {
            runtime,
            genesis,
            members,
            verifier: FastVerifier::shared(),
            sources,
            left_alone: BTreeMap::new(),
            number: 0,
            next_send_ms: now,
            told_ms: now,
            bytes: 0,
            late: 0,
        }
    }

    fn leave_alone(&mut self, source: PublicKey, fault: &Fault) {
        let code = fault.code();
        tracing::warn!(%source, code, %fault, "该成员的快照不可用，已清除，改询其他成员 / this member's snapshot is of no use: removed, another member is asked");
        let ms = if fault.is_lie() { LIAR_MS } else { SILENT_MS };
        self.left_alone.insert(source, self.runtime.now_ms() + ms);
    }

    /// Whether it is time to tell how far things are.
    fn tells(&mut self) -> bool {
        let now = self.runtime.now_ms();
        let tells = now >= self.told_ms + TELL_MS;
        if tells {
            self.told_ms = now;
        }
        tells
    }

    /// The next answer until a time; `None` when it is over. Who asks this node hears that it has nothing.
    async fn receive(&mut self, until_ms: u64) -> Result<Option<(PublicKey, u32, Answer)>, JoinError> {
        loop {
            let wait = until_ms.saturating_sub(self.runtime.now_ms());
            let (from, message) = {
                let over = self.runtime.pause(Duration::from_millis(wait)).fuse();
                let next = self.members.receive().fuse();
                pin_mut!(over, next);
                select_biased! {
                    next = next => next.ok_or(JoinError::NoNetwork)?,
                    () = over => return Ok(None),
                }
            };
            if let Some((number, answer)) = decode_answer(message.clone()) {
                self.bytes += message.len() as u64;
                return Ok(Some((from, number, answer)));
            }
            if let Some((request, number)) = Request::decode(message) {
                let refusal = match request {
                    Request::Offer => Refusal::Nothing,
                    _ => Refusal::Gone,
                };
                self.members.send(&from, request.answer(number, &Err(refusal)));
            }
        }
    }

    fn next_number(&mut self) -> u32 {
        self.number = self.number.wrapping_add(1);
        self.number
    }

    /// Asks all members until there is an offer, the one of the greatest height, or it is clear that there is none.
    async fn find(&mut self) -> Result<Found, JoinError> {
        let enough = self.genesis.validators.len() / 3 + 1;
        let mut later_rounds = 0;
        loop {
            let now = self.runtime.now_ms();
            let alone = &self.left_alone;
            let listened_to = |source: &&PublicKey| alone.get(source).is_none_or(|until| *until <= now);
            let asked: Vec<PublicKey> = self.sources.iter().filter(listened_to).copied().collect();
            let number = self.next_number();
            for source in &asked {
                self.members.send(source, Request::Offer.encode(number));
            }
            let mut open: BTreeSet<PublicKey> = asked.into_iter().collect();
            let (mut best, mut nothing) = (None::<(PublicKey, Offer)>, BTreeSet::new());
            let mut later = BTreeSet::new();
            while !open.is_empty() {
                let Some((from, of, answer)) = self.receive(now + OFFERS_MS).await? else {
                    break;
                };
                if of != number || !open.remove(&from) {
                    continue;
                }
                match answer.map(Offer::decode) {
                    Ok(Some(offer)) if best.as_ref().is_none_or(|(_, best)| best.height < offer.height) => {
                        best = Some((from, offer));
                    }
                    Err(Refusal::Later) => {
                        later.insert(from);
                    }
                    Err(Refusal::Nothing) if self.genesis.validators.keys().contains(&from) => {
                        nothing.insert(from);
                    }
                    _ => {}
                }
            }
            if let Some((source, offer)) = best {
                return Ok(Found::Offer(source, offer));
            }
            later_rounds += u32::from(!later.is_empty());
            // A member that has one in a moment is not outvoted by others that join too.
            if nothing.len() >= enough && (later.is_empty() || later_rounds > LATER_ROUNDS_MAX) {
                tracing::info!("链刚起步，直接取全部区块 / the chain has only begun: all blocks are fetched");
                return Ok(Found::NothingYet);
            }
            later.retain(|from| self.genesis.validators.keys().contains(from));
            if later.len() + nothing.len() >= enough && later_rounds > STANDS_ROUNDS_MAX {
                tracing::info!(
                    "链停在未证明的状态，直接取全部区块 / the chain stands at a state that is not proven: all blocks are fetched"
                );
                return Ok(Found::NothingYet);
            }
            if self.tells() {
                let (members, silent) = (self.sources.len(), open.len());
                tracing::warn!(
                    members,
                    silent,
                    "尚无成员提供快照：请检查网络、创世文件、本节点是否已登记 / no member offers a snapshot yet: check the network, the genesis file, and that this node is registered"
                );
            }
            let rest = (now + OFFERS_MS).saturating_sub(self.runtime.now_ms());
            self.runtime.pause(Duration::from_millis(rest)).await;
        }
    }

    /// Waits until a request may be sent.
    async fn pace(&mut self) {
        let now = self.runtime.now_ms();
        let burst = PACE_MS * AT_ONCE as u64;
        self.next_send_ms = self.next_send_ms.max(now.saturating_sub(burst)) + PACE_MS;
        let wait = self.next_send_ms.saturating_sub(now);
        if wait > 0 {
            self.runtime.pause(Duration::from_millis(wait)).await;
        }
    }

    /// The body of the answer to one request. On a slow link it comes after the request was repeated.
    async fn ask(&mut self, source: PublicKey, request: Request) -> Result<Bytes, Failure> {
        let mut numbers = BTreeSet::new();
        for _ in 0..TRIES_MAX {
            self.pace().await;
            let number = self.next_number();
            numbers.insert(number);
            self.members.send(&source, request.encode(number));
            let until = self.runtime.now_ms() + ANSWER_MS;
            while let Some((from, of, answer)) = self.receive(until).await.map_err(Failure::End)? {
                if from == source && numbers.contains(&of) {
                    return answer.map_err(|_| Fault::Gone.into());
                }
            }
            self.was_late()?;
        }
        Err(Fault::Silent.into())
    }

    /// Counts an answer that did not come in time.
    fn was_late(&mut self) -> Result<(), Fault> {
        self.late += 1;
        if self.late > LATE_MAX {
            return Err(Fault::Silent);
        }
        Ok(())
    }

    /// Brings in the snapshot of a member; returns how many keys the state has.
    async fn bring<K: Kv>(&mut self, kv: &K, source: PublicKey, offer: &Offer) -> Result<u64, Failure> {
        self.late = 0;
        let (ground, boundaries) = self.ground(source, offer).await?;
        let mut import = Import::begin(kv).await.map_err(end)?;
        for (height, digest, proof) in boundaries {
            import.proof(height, digest, proof);
        }
        import.proof(ground.header.height, ground.digest, offer.proof.clone());
        self.headers(source, offer.snapshot, &ground, &mut import).await?;
        let keys = self.state(source, offer, ground.state_root(), &mut import).await?;
        import.settle().await.map_err(end)?;
        let first_block = self.blocks(source, offer.snapshot, &ground, &mut import).await?;
        let time_ms = time_of(&import, ground.height())?;
        let whole = Whole {
            tip: ground.tip(time_ms, offer.transactions),
            sets: ground.marks(),
            first_block,
        };
        import.finish(&self.genesis.bytes, &whole).await.map_err(end)?;
        Ok(keys)
    }

    /// The validator sets and the header that the snapshot stands on, with the proofs of the blocks that changed the set. Each
    /// change is proven when it comes: what is not is not kept.
    async fn ground(
        &mut self,
        source: PublicKey,
        offer: &Offer,
    ) -> Result<(Ground, Vec<(u64, Digest, Bytes)>), Failure> {
        if offer.sets as usize > SET_CHANGES_MAX {
            return Err(yulian_light::HistoryError::TooMany(offer.sets as usize).into());
        }
        let mut history = ValidatorHistory::new(self.genesis);
        let mut boundaries = Vec::new();
        while boundaries.len() < offer.sets as usize {
            let request = Request::Sets {
                snapshot: offer.snapshot,
                first: boundaries.len() as u32,
            };
            for change in verify::changes(self.ask(source, request).await?)? {
                if boundaries.len() == offer.sets as usize {
                    return Err(Fault::Form("more changes of the validator set than were offered").into());
                }
                history.apply(&change, &*self.verifier).map_err(Fault::from)?;
                let height = decode_header(&change.header).map_or(0, |header| header.height);
                // A copy: the message that it came in need not stay.
                let proof = Bytes::copy_from_slice(&change.finality);
                boundaries.push((height, block_digest(&change.header), proof));
            }
        }
        let ground = Ground::prove(history, offer, &*self.verifier)?;
        Ok((ground, boundaries))
    }

    /// All headers below the ground, down to genesis.
    async fn headers<K: Kv>(
        &mut self,
        source: PublicKey,
        snapshot: u64,
        ground: &Ground,
        import: &mut Import<'_, K>,
    ) -> Result<(), Failure> {
        let mut descent = Descent::below(ground, self.genesis);
        while let Some(last) = descent.height {
            let headers = descent.take(self.ask(source, Request::Headers { snapshot, last }).await?)?;
            import.headers(&headers).await.map_err(end)?;
            if self.tells() {
                tracing::info!(left = last, of = ground.height(), "快照：区块头 / snapshot: headers");
            }
        }
        Ok(())
    }

    /// The whole state, part by part.
    async fn state<K: Kv>(
        &mut self,
        source: PublicKey,
        offer: &Offer,
        root: Digest,
        import: &mut Import<'_, K>,
    ) -> Result<u64, Failure> {
        let mut waiting = first_prefixes(offer.keys);
        let mut open: BTreeMap<u32, Asked> = BTreeMap::new();
        // Requests that were repeated: what answers them comes late on a slow link, and serves as well.
        let mut repeated: BTreeMap<u32, Prefix> = BTreeMap::new();
        let mut keys = 0;
        loop {
            while open.len() < AT_ONCE
                && let Some((prefix, tries)) = waiting.pop()
            {
                self.pace().await;
                let number = self.next_number();
                let snapshot = offer.snapshot;
                self.members
                    .send(&source, Request::State { snapshot, prefix }.encode(number));
                let until_ms = self.runtime.now_ms() + ANSWER_MS;
                open.insert(
                    number,
                    Asked {
                        prefix,
                        tries,
                        until_ms,
                    },
                );
            }
            let Some(first_ms) = open.values().map(|asked| asked.until_ms).min() else {
                return Ok(keys);
            };
            let Some((from, number, answer)) = self.receive(first_ms).await.map_err(Failure::End)? else {
                let now = self.runtime.now_ms();
                for (number, asked) in open.extract_if(.., |_, asked| asked.until_ms <= now) {
                    if asked.tries == TRIES_MAX {
                        return Err(Fault::Silent.into());
                    }
                    repeated.insert(number, asked.prefix);
                    waiting.push((asked.prefix, asked.tries + 1));
                }
                self.was_late()?;
                continue;
            };
            if from != source {
                continue;
            }
            // Something comes: what was asked for after it is on its way behind it.
            let until_ms = self.runtime.now_ms() + ANSWER_MS;
            open.values_mut().for_each(|asked| asked.until_ms = until_ms);
            let prefix = match open.remove(&number) {
                Some(asked) => asked.prefix,
                None => match repeated.remove(&number) {
                    Some(prefix) if take_back(&mut open, &mut waiting, &prefix) => prefix,
                    _ => continue,
                },
            };
            match answer {
                Ok(body) => {
                    let records = verify::part(&root, &prefix, body)?;
                    keys += records.len() as u64;
                    import.records(&records).await.map_err(end)?;
                }
                Err(Refusal::TooMuch) => {
                    let divisible = Some(prefix).filter(|prefix| prefix.bits() < DIVIDED_BITS_MAX);
                    let [lower, upper] = divisible
                        .and_then(|prefix| prefix.halves())
                        .ok_or(Fault::Form("a part that cannot be divided"))?;
                    waiting.extend([(upper, 0), (lower, 0)]);
                }
                Err(_) => return Err(Fault::Gone.into()),
            }
            if self.tells() {
                let bytes = self.bytes;
                tracing::info!(keys, of = offer.keys, bytes, "快照：状态 / snapshot: state");
            }
        }
    }

    /// The blocks of the replay window up to the one after the snapshot; returns the first height.
    async fn blocks<K: Kv>(
        &mut self,
        source: PublicKey,
        snapshot: u64,
        ground: &Ground,
        import: &mut Import<'_, K>,
    ) -> Result<u64, Failure> {
        let first = first_in_window(import, ground.height())?;
        let mut height = first;
        let mut rest = BytesMut::new();
        let mut full = true;
        while height <= ground.header.height {
            let Some((block, receipts)) = verify::take_pair(&mut rest)? else {
                let offset = rest.len() as u32;
                let request = Request::Blocks {
                    snapshot,
                    height,
                    offset,
                };
                let more = self.ask(source, request).await?;
                // A member that gives less than fits would hold us up for as long as it likes.
                if more.is_empty() || !full {
                    return Err(Fault::Form("fewer blocks than fit").into());
                }
                full = more.len() == BODY_BYTES_MAX;
                rest.extend_from_slice(&more);
                continue;
            };
            if height == ground.header.height {
                import.next_block(&verify::block(height, &ground.digest, block)?);
            } else {
                let header = import.header(height).map_err(end)?;
                let block = verify::block(height, &block_digest(&header), block)?;
                let next = match height == ground.height() {
                    true => ground.header.clone(),
                    false => header_of(import, height + 1)?,
                };
                let receipts = verify::receipts(height, &next, receipts)?;
                import.block(&block, receipts).await.map_err(end)?;
            }
            if self.tells() {
                tracing::info!(
                    height,
                    to = ground.height(),
                    "快照：重放窗口的区块 / snapshot: blocks of the replay window"
                );
            }
            height += 1;
        }
        Ok(first)
    }
}

/// A part of the state that was asked for.
struct Asked {
    prefix: Prefix,
    tries: u32,
    until_ms: u64,
}

/// Whether a part is still asked for by another request, which then is none any more.
fn take_back(open: &mut BTreeMap<u32, Asked>, waiting: &mut Vec<(Prefix, u32)>, prefix: &Prefix) -> bool {
    let before = open.len() + waiting.len();
    open.retain(|_, asked| asked.prefix != *prefix);
    waiting.retain(|(other, _)| other != prefix);
    open.len() + waiting.len() < before
}

/// Prefixes that divide that many keys into parts of the size hoped for, the lowest last.
fn first_prefixes(keys: u64) -> Vec<(Prefix, u32)> {
    let mut prefixes = vec![Prefix::ALL];
    let mut bits = 0;
    while keys >> bits > PART_KEYS && bits < FIRST_BITS_MAX {
        prefixes = prefixes.iter().filter_map(Prefix::halves).flatten().collect();
        bits += 1;
    }
    prefixes.into_iter().rev().map(|prefix| (prefix, 0)).collect()
}

fn header_of<K: Kv>(import: &Import<'_, K>, height: u64) -> Result<yulian_types::proto::BlockHeader, Failure> {
    let bytes = import.header(height).map_err(end)?;
    decode_header(&bytes).map_err(|error| end(LedgerError::Damaged(error.to_string())))
}

fn time_of<K: Kv>(import: &Import<'_, K>, height: u64) -> Result<u64, Failure> {
    Ok(header_of(import, height)?.time_ms)
}

/// The first height whose transactions may still be repeated after `last`; `last` itself at the latest.
fn first_in_window<K: Kv>(import: &Import<'_, K>, last: u64) -> Result<u64, Failure> {
    let window_ms = import.replay_window_ms().map_err(end)?;
    let oldest = time_of(import, last)?.saturating_sub(window_ms);
    first_height(1..last, |height| Ok(time_of(import, height)? >= oldest))
}
