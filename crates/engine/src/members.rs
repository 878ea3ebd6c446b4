//! Membership of one chain on the shared peer network: its messages reach and come from its members only, and a
//! peer blocked for a fault on this chain stays connected for the others.

use crate::{keys::EngineKey, scheme::key_set};
use commonware_actor::Feedback;
use commonware_p2p::{
    BlockedSubscription, Blocker, LimitedSender, Message, PeerSetSubscription, PeerSetUpdate, Provider, Receiver,
    Recipients, TrackedPeers,
};
use commonware_runtime::Clock;
use commonware_utils::{
    NZUsize, SystemTimeExt,
    channel::{mpsc, ring},
    ordered::Set,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use yulian_crypto::sm2::PublicKey;

/// How long a peer that broke the protocol on a chain is not listened to there.
pub(crate) const BLOCK_DURATION: Duration = Duration::from_secs(15 * 60);

#[derive(Default)]
struct State {
    me: Option<EngineKey>,
    validators: BTreeSet<EngineKey>,
    others: BTreeSet<EngineKey>,
    /// Blocked peers and until when, ms.
    blocked: BTreeMap<EngineKey, u64>,
    version: u64,
    subscribers: Vec<mpsc::UnboundedSender<PeerSetUpdate<EngineKey>>>,
    blocked_subscribers: Vec<ring::Sender<Set<EngineKey>>>,
}

/// The members of one chain.
#[derive(Clone, Default)]
pub(crate) struct Members(Arc<Mutex<State>>);

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Members")
    }
}

impl State {
    fn tracked(&self) -> TrackedPeers<EngineKey> {
        let secondary = self.others.difference(&self.validators).cloned();
        TrackedPeers::new(
            Set::from_iter_dedup(self.validators.iter().cloned()),
            Set::from_iter_dedup(secondary),
        )
    }

    fn update(&self) -> PeerSetUpdate<EngineKey> {
        PeerSetUpdate {
            index: self.version,
            latest: self.tracked(),
            all: self.tracked(),
        }
    }

    fn admits(&self, peer: &EngineKey, now_ms: u64) -> bool {
        (self.validators.contains(peer) || self.others.contains(peer))
            && self.blocked.get(peer).is_none_or(|until| *until <= now_ms)
    }
}

impl Members {
    pub(crate) fn new(me: EngineKey) -> Self {
        Self(Arc::new(Mutex::new(State {
            me: Some(me),
            ..State::default()
        })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("members")
    }

    /// Replaces the members: validators of the epoch (and the next), and other nodes that may follow.
    pub(crate) fn set<'a>(
        &self,
        validators: impl IntoIterator<Item = &'a PublicKey>,
        others: impl IntoIterator<Item = &'a PublicKey>,
    ) {
        let mut state = self.state();
        state.validators = key_set(validators).into_iter().collect();
        state.others = key_set(others).into_iter().collect();
        state.version += 1;
        let update = state.update();
        state
            .subscribers
            .retain(|subscriber| subscriber.send(update.clone()).is_ok());
    }

    /// Members that a message to all goes to.
    fn everyone(&self) -> Vec<EngineKey> {
        let state = self.state();
        state
            .validators
            .union(&state.others)
            .filter(|key| Some(*key) != state.me.as_ref())
            .cloned()
            .collect()
    }

    /// Which of these are other members, and listened to.
    pub(crate) fn among(&self, keys: &BTreeSet<EngineKey>, now_ms: u64) -> Vec<PublicKey> {
        let state = self.state();
        keys.iter()
            .filter(|key| Some(*key) != state.me.as_ref() && state.admits(key, now_ms))
            .map(EngineKey::to_sm2)
            .collect()
    }

    fn filter(&self, keys: Vec<EngineKey>) -> Vec<EngineKey> {
        let state = self.state();
        keys.into_iter()
            .filter(|key| state.validators.contains(key) || state.others.contains(key))
            .collect()
    }

    fn admits(&self, peer: &EngineKey, now_ms: u64) -> bool {
        self.state().admits(peer, now_ms)
    }
}

impl Provider for Members {
    type PublicKey = EngineKey;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<EngineKey>> {
        let state = self.state();
        (id <= state.version).then(|| state.tracked())
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<EngineKey> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.state();
        if state.version > 0 {
            let _ = sender.send(state.update());
        }
        state.subscribers.push(sender);
        receiver
    }
}

/// Sends to members only.
#[derive(Clone, Debug)]
pub(crate) struct MemberSender<S> {
    inner: S,
    members: Members,
}

impl<S> MemberSender<S> {
    pub(crate) fn new(inner: S, members: Members) -> Self {
        Self { inner, members }
    }
}

impl<S: LimitedSender<PublicKey = EngineKey>> LimitedSender for MemberSender<S> {
    type PublicKey = EngineKey;
    type Checked<'a> = S::Checked<'a>;

    fn check(&mut self, recipients: Recipients<EngineKey>) -> Result<Self::Checked<'_>, SystemTime> {
        let members = match recipients {
            Recipients::All => self.members.everyone(),
            Recipients::Some(keys) => self.members.filter(keys),
            Recipients::One(key) => self.members.filter(vec![key]),
        };
        self.inner.check(Recipients::Some(members))
    }
}

/// Receives from members only.
pub(crate) struct MemberReceiver<E, R> {
    inner: R,
    members: Members,
    clock: Arc<E>,
}

impl<E, R> MemberReceiver<E, R> {
    pub(crate) fn new(inner: R, members: Members, clock: Arc<E>) -> Self {
        Self { inner, members, clock }
    }
}

impl<E, R> fmt::Debug for MemberReceiver<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberReceiver")
    }
}

impl<E: Clock, R: Receiver<PublicKey = EngineKey>> Receiver for MemberReceiver<E, R> {
    type Error = R::Error;
    type PublicKey = EngineKey;

    async fn recv(&mut self) -> Result<Message<EngineKey>, R::Error> {
        loop {
            let (from, message) = self.inner.recv().await?;
            if self.members.admits(&from, self.clock.current().epoch_millis()) {
                return Ok((from, message));
            }
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.inner.capacity()
    }
}

/// Stops listening to a peer on this chain, for a while.
pub(crate) struct ChainBlocker<E> {
    members: Members,
    clock: Arc<E>,
}

impl<E> Clone for ChainBlocker<E> {
    fn clone(&self) -> Self {
        Self {
            members: self.members.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl<E> ChainBlocker<E> {
    pub(crate) fn new(members: Members, clock: Arc<E>) -> Self {
        Self { members, clock }
    }
}

impl<E: Clock> Blocker for ChainBlocker<E> {
    type PublicKey = EngineKey;

    fn block(&mut self, peer: EngineKey) -> Feedback {
        tracing::warn!(%peer, "peer broke the protocol of this chain; not listened to for a while");
        let now = self.clock.current().epoch_millis();
        let mut state = self.members.state();
        state.blocked.retain(|_, until| *until > now);
        state.blocked.insert(peer, now + BLOCK_DURATION.as_millis() as u64);
        let blocked = Set::from_iter_dedup(state.blocked.keys().cloned());
        state
            .blocked_subscribers
            .retain(|subscriber| subscriber.send_lossy(blocked.clone()));
        Feedback::Ok
    }

    fn blocked(&mut self) -> BlockedSubscription<EngineKey> {
        let (sender, receiver) = ring::channel(NZUsize!(1));
        let mut state = self.members.state();
        sender.send_lossy(Set::from_iter_dedup(state.blocked.keys().cloned()));
        state.blocked_subscribers.push(sender);
        receiver
    }
}

impl Members {
    /// Tells subscribers of the blocked set when a block has run out.
    pub(crate) fn release_blocked(&self, now_ms: u64) {
        let mut state = self.state();
        let before = state.blocked.len();
        state.blocked.retain(|_, until| *until > now_ms);
        if state.blocked.len() != before {
            let blocked = Set::from_iter_dedup(state.blocked.keys().cloned());
            state
                .blocked_subscribers
                .retain(|subscriber| subscriber.send_lossy(blocked.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_runtime::{Runner as _, deterministic};
    use yulian_crypto::sm2::{SecretKey, Signer};

    fn key(number: u8) -> PublicKey {
        SecretKey::from_bytes(&[number; 32]).expect("a key").public_key()
    }

    /// Two chains with the same peers: a fault on one changes nothing on the other.
    #[test]
    fn a_peer_blocked_on_one_chain_is_listened_to_on_others() {
        deterministic::Runner::default().start(|context| async move {
            let (one, other) = (Members::new((&key(1)).into()), Members::new((&key(1)).into()));
            for members in [&one, &other] {
                members.set(&[key(1), key(2), key(3)], []);
            }
            let peer = EngineKey::from(&key(2));
            let now = context.current().epoch_millis();
            ChainBlocker::new(one.clone(), Arc::new(context)).block(peer.clone());
            assert!(!one.admits(&peer, now) && other.admits(&peer, now));
            assert!(one.admits(&EngineKey::from(&key(3)), now), "nobody else is blocked");
            let until = now + BLOCK_DURATION.as_millis() as u64;
            assert!(!one.admits(&peer, until - 1) && one.admits(&peer, until), "it ends");
        });
    }

    #[test]
    fn strangers_are_neither_heard_nor_spoken_to() {
        let members = Members::new((&key(1)).into());
        members.set(&[key(1), key(2)], [&key(3)]);
        let keys = |list: &[u8]| -> Vec<EngineKey> { list.iter().map(|n| EngineKey::from(&key(*n))).collect() };
        let (mut everyone, mut expected) = (members.everyone(), keys(&[2, 3]));
        everyone.sort();
        expected.sort();
        assert_eq!(everyone, expected);
        assert_eq!(members.filter(keys(&[2, 4])), keys(&[2]));
        assert!(!members.admits(&keys(&[4])[0], 0));
        members.set([], []);
        assert!(
            members.everyone().is_empty() && !members.admits(&keys(&[2])[0], 0),
            "a chain that has ended"
        );
    }
}
