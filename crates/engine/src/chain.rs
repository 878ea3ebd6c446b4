//! One chain: its stores, its marshal, and one simplex engine after the other, epoch by epoch.
//!
//! Every final block is delivered to the application and acknowledged only after the application has made it
//! durable. At the last block of an epoch the next engine is started before the acknowledgement, so a crash at any
//! point leads back to the same step.

use crate::{
    api::{Application, Archive, ChainConfig, ChainStatus, Fatal, FinalBlock, Peer},
    automaton::{Automaton, Delivered, Observed, Watch},
    block::{BlockCodec, EngineBlock},
    exchange,
    host::{ChainReceiver, ChainSender, Net},
    keys::{EngineDigest, EngineKey, NodeSigner, Sm3},
    members::{ChainBlocker, Members},
    provider::Schemes,
    runtime::Env,
    scheme::{Sm2Scheme, from_proof},
    stores::{BlockStore, ProofStore, decode_proof},
};
use bytes::Bytes;
use commonware_broadcast::buffered;
use commonware_consensus::{
    Reporters,
    marshal::{
        self,
        core::{Actor as Marshal, Mailbox},
        resolver::p2p as backfill,
        standard::{Inline, Standard},
    },
    simplex::{
        self, ForwardPolicy, SkipBudget, SkipPolicy, elector::RoundRobin, scheme::reporter::AttributableReporter,
    },
    types::{Epoch, Epocher, FixedEpocher, Height, ViewDelta},
};
use commonware_cryptography::{Digested, Signer as _};
use commonware_macros::select;
use commonware_p2p::{
    Receiver as _, Recipients, Sender,
    utils::mux::{Builder as _, MuxHandle, Muxer},
};
use commonware_parallel::Sequential;
use commonware_runtime::{Handle, buffer::paged::CacheRef};
use commonware_utils::{Acknowledgement, NZDuration, NZU64, NZUsize, SystemTimeExt, channel::mpsc, vec::NonEmptyVec};
use std::{
    collections::BTreeMap,
    fmt,
    num::{NonZeroU64, NonZeroUsize},
    sync::{Arc, Mutex},
    time::Duration,
};
use yulian_crypto::sm2::PublicKey;
use yulian_types::{Digest, SealedBlock, ValidatorSet, block_digest, decode_header, proto::BlockHeader};

const MAILBOX: NonZeroUsize = NZUsize!(1024);
/// Final blocks in flight between marshal and the application.
const ACKNOWLEDGEMENTS_MAX: NonZeroUsize = NZUsize!(16);
/// Missing blocks fetched from peers at a time.
const REPAIR_MAX: NonZeroUsize = NZUsize!(64);
/// Blocks kept per peer while they are not final.
const BUFFERED_PER_PEER: usize = 8;
const BUFFER_BYTES: NonZeroUsize = NZUsize!(65536);
const FETCH_RETRY: Duration = Duration::from_millis(100);
/// Traffic of a later epoch asks for the end of ours at most this often.
const HINT_INTERVAL_MS: u64 = 100;
const HOUSEKEEPING: Duration = Duration::from_secs(30);

/// What a host gives a chain.
pub(crate) struct Parts<E: Env, N> {
    pub(crate) context: E,
    pub(crate) clock: Arc<E>,
    pub(crate) members: Members,
    pub(crate) net: N,
    pub(crate) signer: NodeSigner,
    pub(crate) pages: CacheRef,
}

/// Who takes part: the validators of the epoch and every node that governance has registered.
struct Roster<N> {
    chain_id: Digest,
    net: N,
    members: Members,
    state: Mutex<RosterState>,
}

struct RosterState {
    validators: BTreeMap<u64, Arc<ValidatorSet>>,
    peers: Vec<Peer>,
}

impl<N: Net> Roster<N> {
    fn publish(&self, state: &RosterState) {
        let mut validators: Vec<PublicKey> = state
            .validators
            .values()
            .flat_map(|s| s.keys().iter().cloned())
            .collect();
        validators.sort();
        validators.dedup();
        self.members.set(&validators, state.peers.iter().map(|peer| &peer.key));
        self.net.update(self.chain_id, validators, state.peers.clone());
    }

    /// The set of an epoch takes over. The one before stays a member, to serve history and finish its votes.
    fn enter(&self, epoch: u64, validators: Arc<ValidatorSet>) {
        let mut state = self.state.lock().expect("roster");
        state.validators.insert(epoch, validators);
        state.validators = state.validators.split_off(&epoch.saturating_sub(1));
        self.publish(&state);
    }

    /// The chain has ended here: nothing more of it is sent or taken, and its members are no reason to connect.
    fn leave(&self) {
        self.members.set([], []);
        self.net.update(self.chain_id, Vec::new(), Vec::new());
    }

    fn set_peers(&self, peers: Vec<Peer>) {
        let mut state = self.state.lock().expect("roster");
        if state.peers != peers {
            state.peers = peers;
            self.publish(&state);
        }
    }
}

/// What is shared between a running chain and its handle.
struct Shared {
    observed: Arc<Mutex<Observed>>,
    status: Mutex<ChainStatus>,
}

/// A running chain.
#[derive(Clone)]
pub struct ChainHandle {
    shared: Arc<Shared>,
    connected: Arc<dyn Fn() -> Vec<PublicKey> + Send + Sync>,
    broadcast: Arc<dyn Fn(Bytes) + Send + Sync>,
    set_peers: Arc<dyn Fn(Vec<Peer>) + Send + Sync>,
    stop: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for ChainHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainHandle")
    }
}

impl ChainHandle {
    /// Sends a message to every other member on the transaction channel; lost where a link is down or full.
    /// At most [`MESSAGE_BYTES_MAX`] bytes; a longer one is dropped.
    pub fn broadcast(&self, message: Bytes) {
        if message.len() <= MESSAGE_BYTES_MAX {
            (self.broadcast)(message)
        }
    }

    /// Replaces the nodes that take part besides the validators, and everyone's addresses.
    pub fn set_peers(&self, peers: Vec<Peer>) {
        (self.set_peers)(peers)
    }

    /// Counters.
    pub fn status(&self) -> ChainStatus {
        let mut status = self.shared.status.lock().expect("status").clone();
        let observed = self.shared.observed.lock().expect("observed");
        status.view = observed.view;
        status.nullified = observed.nullified;
        status.network_height = observed.network_height;
        status
    }

    /// Other members that this node has an authenticated connection with. Takes about a millisecond: for people and probes,
    /// not for each transaction.
    pub fn connected(&self) -> Vec<PublicKey> {
        (self.connected)()
    }

    /// Stops the chain on this node.
    pub fn stop(&self) {
        (self.stop)()
    }
}

/// Most bytes of a message on the transaction channel.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Everything that starts a simplex engine of an epoch.
struct Engines<E: Env, S: Sender<PublicKey = EngineKey>, A: Application> {
    context: E,
    clock: Arc<E>,
    config: ChainConfig,
    application: A,
    schemes: Schemes,
    members: Members,
    inline: Inline<E, Sm2Scheme, Automaton<A>, EngineBlock, FixedEpocher>,
    observed: Arc<Mutex<Observed>>,
    pages: CacheRef,
    muxes: [MuxHandle<S>; 3],
}

fn partition(prefix: &str, epoch: u64) -> String {
    format!("{prefix}-simplex-{epoch}")
}

impl<E: Env, S: Sender<PublicKey = EngineKey>, A: Application> Engines<E, S, A> {
    /// Starts the engine of `epoch` on sub-channels and a journal of its own.
    async fn start(&mut self, epoch: u64, floor: EngineDigest, shared: &Shared) -> Result<Handle<()>, Fatal> {
        let unknown = || Fatal(format!("the validator set of epoch {epoch} is unknown"));
        let scheme = self.schemes.scheme(epoch).ok_or_else(unknown)?;
        let range = self.schemes.range(epoch).ok_or_else(unknown)?;
        {
            let mut status = shared.status.lock().expect("status");
            status.epoch = epoch;
            status.engine_starts += 1;
            status.validating = scheme.validating();
        }
        let timing = self.config.timing;
        let watch = AttributableReporter::new(
            self.context.child("evidence"),
            scheme.as_ref().clone(),
            Watch {
                application: self.application.clone(),
                observed: self.observed.clone(),
                validators: range.validators,
            },
            Sequential,
            true,
        );
        let engine = simplex::Engine::new(
            self.context.child("simplex").with_attribute("epoch", epoch),
            simplex::Config {
                scheme: scheme.as_ref().clone(),
                elector: RoundRobin::<Sm3>::default(),
                blocker: ChainBlocker::new(self.members.clone(), self.clock.clone()),
                automaton: self.inline.clone(),
                relay: self.inline.clone(),
                reporter: Reporters::from((watch, self.inline.clone())),
                partition: partition(&self.config.prefix, epoch),
                mailbox_size: MAILBOX,
                epoch: Epoch::new(epoch),
                floor: simplex::Floor::Genesis(floor),
                replay_buffer: BUFFER_BYTES,
                write_buffer: BUFFER_BYTES,
                page_cache: self.pages.clone(),
                leader_timeout: timing.leader,
                certification_timeout: timing.leader * 2,
                timeout_retry: timing.retry,
                fetch_timeout: NZDuration!(timing.fetch),
                fetch_retry_delay: FETCH_RETRY,
                view_retention: ViewDelta::new(64),
                skip: SkipPolicy::Enabled {
                    timeout: timing.skip,
                    budget: SkipBudget::Participants,
                },
                forward: ForwardPolicy::SilentVoters,
                track_historical_votes: false,
                strategy: Sequential,
            },
        );
        let mut channels = Vec::with_capacity(3);
        for mux in &mut self.muxes {
            channels.push(
                mux.register(epoch)
                    .await
                    .map_err(|error| Fatal(format!("epoch {epoch}: {error}")))?,
            );
        }
        let [votes, certificates, resolver]: [_; 3] =
            channels.try_into().map_err(|_| Fatal("three channels".into()))?;
        Ok(engine.start(votes, certificates, resolver))
    }

    /// Removes the journal of an epoch whose blocks are all final.
    async fn forget(&self, epoch: u64) {
        if let Err(error) = self.context.remove(&partition(&self.config.prefix, epoch), None).await {
            tracing::debug!(epoch, %error, "no old journal to remove");
        }
    }
}

/// Opens a chain's stores and starts its tasks.
pub(crate) async fn start<E: Env, S: Sender<PublicKey = EngineKey>, N: Net, A: Application, V: Archive>(
    parts: Parts<E, N>,
    config: ChainConfig,
    application: A,
    archive: V,
    channels: Vec<(ChainSender<S>, ChainReceiver<E>)>,
) -> Result<ChainHandle, Fatal> {
    let Parts {
        context,
        clock,
        members,
        net,
        signer,
        pages,
    } = parts;
    let length = NonZeroU64::new(config.epoch_length).ok_or_else(|| Fatal("epoch length 0".into()))?;
    let epocher = FixedEpocher::new(length);
    let schemes = Schemes::new(config.chain_id, signer.clone(), config.history.clone());
    let observed = Arc::new(Mutex::new(Observed::default()));
    let shared = Arc::new(Shared {
        observed: observed.clone(),
        status: Mutex::new(ChainStatus::default()),
    });
    let me = signer.public_key();

    let [votes, certificates, resolver, blocks, repair, transactions, snapshots]: [_; 7] =
        channels.try_into().map_err(|_| Fatal("seven channels".into()))?;
    let roster = Arc::new(Roster {
        chain_id: config.chain_id,
        net,
        members: members.clone(),
        state: Mutex::new(RosterState {
            validators: BTreeMap::new(),
            peers: config.peers.clone(),
        }),
    });

    know_stored_epochs(&archive, &config, &epocher, &schemes)?;
    let codec = BlockCodec {
        limits: config.limits,
        known: config.known.clone(),
    };
    let block_store = BlockStore::open(archive.clone(), codec.clone())?;
    let proof_store = ProofStore::open(archive.clone(), schemes.clone())?;
    let (actor, mailbox, floor): (_, Mailbox<Sm2Scheme, Standard<EngineBlock>>, _) = Marshal::init(
        context.child("marshal"),
        proof_store,
        block_store,
        marshal::Config {
            provider: schemes.clone(),
            epocher: epocher.clone(),
            start: start_of(&archive, &config, &schemes)?,
            partition_prefix: config.prefix.clone(),
            mailbox_size: MAILBOX,
            view_retention: ViewDelta::new(256),
            prunable_items_per_section: NZU64!(256),
            page_cache: pages.clone(),
            replay_buffer: BUFFER_BYTES,
            key_write_buffer: BUFFER_BYTES,
            value_write_buffer: BUFFER_BYTES,
            block_codec_config: codec.clone(),
            max_repair: REPAIR_MAX,
            max_pending_acks: ACKNOWLEDGEMENTS_MAX,
            strategy: Sequential,
        },
    )
    .await;
    let processed = floor.processed().map_or(Height::zero(), |processed| processed.height());
    // A floor is only installed once the engine runs.
    let processed = processed.max(Height::new(config.floor.map_or(0, |floor| floor.saturating_sub(1))));
    let epoch = epocher
        .containing(processed.next())
        .ok_or_else(|| Fatal("height out of range".into()))?
        .epoch()
        .get();
    let range = schemes.range(epoch).ok_or_else(|| {
        Fatal(format!(
            "the ledger does not hold the validator set of epoch {epoch}, which the engine has reached"
        ))
    })?;
    roster.enter(epoch, range.validators);
    let floor_digest = floor_of(&archive, &config, &epocher, epoch)?;

    let (buffer, buffer_mailbox) = buffered::Engine::new(
        context.child("buffer"),
        buffered::Config {
            public_key: me.clone(),
            mailbox_size: MAILBOX,
            deque_size: BUFFERED_PER_PEER,
            priority: false,
            codec_config: codec,
            peer_provider: members.clone(),
            strategy: Sequential,
        },
    );
    buffer.start(blocks);
    let backfill = backfill::init(
        context.child("backfill"),
        backfill::Config {
            public_key: me,
            peer_provider: members.clone(),
            blocker: ChainBlocker::new(members.clone(), clock.clone()),
            mailbox_size: MAILBOX,
            fetch_timeout: NZDuration!(config.timing.fetch),
            fetch_retry_delay: FETCH_RETRY,
            priority_requests: false,
            priority_responses: false,
        },
        repair,
    );
    let (deliver, delivered) = mpsc::unbounded_channel();
    let automaton = Automaton {
        application: application.clone(),
        schemes: schemes.clone(),
        epocher: epocher.clone(),
        timing: config.timing,
        deliver,
        observed: observed.clone(),
    };
    let inline = Inline::new(
        context.child("inline"),
        automaton.clone(),
        mailbox.clone(),
        epocher.clone(),
    );
    actor.start(automaton, buffer_mailbox, backfill);

    let (mux, votes, votes_later) = Muxer::builder(context.child("votes"), votes.0, votes.1)
        .with_backup()
        .build();
    mux.start();
    let (mux, certificates, certificates_later) =
        Muxer::builder(context.child("certificates"), certificates.0, certificates.1)
            .with_backup()
            .build();
    mux.start();
    let (mux, resolver) = Muxer::new(context.child("resolver"), resolver.0, resolver.1);
    mux.start();

    let engines = Engines {
        context: context.child("epoch"),
        clock: clock.clone(),
        config: config.clone(),
        application: application.clone(),
        schemes: schemes.clone(),
        members: members.clone(),
        inline,
        observed,
        pages,
        muxes: [votes, certificates, resolver],
    };
    let sender = Mutex::new(transactions.0);
    start_receiver(&context, application.clone(), transactions.1);
    exchange::serve(&context, application.clone(), snapshots.0, snapshots.1);
    let task = Chain {
        engines,
        epocher,
        schemes,
        mailbox,
        application,
        archive,
        roster: roster.clone(),
        members,
        clock,
        shared: shared.clone(),
        epoch,
        floor: floor_digest,
    };
    let connected = {
        let (roster, clock) = (roster.clone(), task.clock.clone());
        Arc::new(move || {
            let now_ms = clock.current().epoch_millis();
            roster.members.among(&roster.net.connected(), now_ms)
        })
    };
    let root = Mutex::new(Some(
        context.spawn(move |_| task.run(delivered, votes_later, certificates_later)),
    ));
    let left = roster.clone();
    Ok(ChainHandle {
        shared,
        connected,
        broadcast: Arc::new(move |message| {
            sender.lock().expect("sender").send(Recipients::All, message, false);
        }),
        set_peers: Arc::new(move |peers| roster.set_peers(peers)),
        stop: Arc::new(move || {
            if let Some(root) = root.lock().expect("root").take() {
                root.abort();
                left.leave();
            }
        }),
    })
}

fn start_receiver<E: Env, A: Application>(context: &E, application: A, mut receiver: ChainReceiver<E>) {
    context.child("transactions").spawn(move |_| async move {
        while let Ok((from, message)) = receiver.recv().await {
            application.received(from.to_sm2(), message.into());
        }
    });
}

/// Blocks may be stored that the ledger has not executed yet. Marshal asks for the schemes of their epochs as soon as it
/// opens: those that follow without a change of the set are known; a change must be executed first.
fn know_stored_epochs<V: Archive>(
    archive: &V,
    config: &ChainConfig,
    epocher: &FixedEpocher,
    schemes: &Schemes,
) -> Result<(), Fatal> {
    schemes.known_until(config.known_epoch);
    for epoch in config.known_epoch.. {
        let Some((_, header)) = boundary(archive, epocher, epoch)? else {
            break;
        };
        if header.validators != header.next_validators {
            break;
        }
        schemes.known_until(epoch + 1);
    }
    Ok(())
}

/// The header of the last block of an epoch, if that is stored, with the block's digest.
fn boundary<V: Archive>(
    archive: &V,
    epocher: &FixedEpocher,
    epoch: u64,
) -> Result<Option<(Digest, BlockHeader)>, Fatal> {
    let last = epocher
        .last(Epoch::new(epoch))
        .ok_or_else(|| Fatal("epoch out of range".into()))?
        .get();
    let Some(bytes) = archive.header(last)? else {
        return Ok(None);
    };
    let header = decode_header(&bytes).map_err(|error| Fatal(format!("stored header {last} is damaged: {error}")))?;
    Ok(Some((block_digest(&bytes), header)))
}

/// Where the block store begins: genesis, or the first block after a snapshot.
fn start_of<V: Archive>(
    archive: &V,
    config: &ChainConfig,
    schemes: &Schemes,
) -> Result<marshal::Start<Sm2Scheme, EngineDigest, Digested<EngineBlock>>, Fatal> {
    let Some(floor) = config.floor else {
        return Ok(marshal::Start::Genesis(EngineBlock::digested(config.genesis.clone())));
    };
    let missing = || {
        Fatal(format!(
            "the finality proof of height {floor}, where the chain begins here, is missing"
        ))
    };
    let proof = archive.proof(floor)?.ok_or_else(missing)?;
    let proof = decode_proof(schemes, &proof).and_then(|proof| from_proof(&proof));
    Ok(marshal::Start::Floor(proof.ok_or_else(missing)?))
}

/// What the engine of an epoch starts from: genesis, or the last block of the epoch before.
fn floor_of<V: Archive>(
    archive: &V,
    config: &ChainConfig,
    epocher: &FixedEpocher,
    epoch: u64,
) -> Result<EngineDigest, Fatal> {
    let Some(before) = epoch.checked_sub(1) else {
        return Ok(config.genesis.digest.into());
    };
    let missing = || Fatal(format!("the last block before epoch {epoch} is missing"));
    Ok(boundary(archive, epocher, before)?.ok_or_else(missing)?.0.into())
}

struct Chain<E: Env, S: Sender<PublicKey = EngineKey>, N, A: Application, V> {
    engines: Engines<E, S, A>,
    epocher: FixedEpocher,
    schemes: Schemes,
    mailbox: Mailbox<Sm2Scheme, Standard<EngineBlock>>,
    application: A,
    archive: V,
    roster: Arc<Roster<N>>,
    members: Members,
    clock: Arc<E>,
    shared: Arc<Shared>,
    epoch: u64,
    floor: EngineDigest,
}

/// What a chain's task wakes up for.
enum Event {
    Block(Option<Delivered>),
    Later(Option<(u64, (EngineKey, commonware_runtime::IoBuf))>),
    EngineEnded,
    Housekeeping,
}

type Later = mpsc::Receiver<(u64, (EngineKey, commonware_runtime::IoBuf))>;

impl<E: Env, S: Sender<PublicKey = EngineKey>, N: Net, A: Application, V: Archive> Chain<E, S, N, A, V> {
    async fn run(mut self, delivered: mpsc::UnboundedReceiver<Delivered>, votes: Later, certificates: Later) {
        if let Err(fatal) = self.follow(delivered, votes, certificates).await {
            tracing::error!(%fatal, "the chain stopped");
            self.shared.status.lock().expect("status").stopped = Some(fatal.0);
            // The chain's other tasks end with this one, and what is stored is still served to peers: stay.
            futures::future::pending::<()>().await;
        }
    }

    async fn follow(
        &mut self,
        mut delivered: mpsc::UnboundedReceiver<Delivered>,
        mut votes: Later,
        mut certificates: Later,
    ) -> Result<(), Fatal> {
        let mut engine = self.engines.start(self.epoch, self.floor, &self.shared).await?;
        let mut hinted = (0, 0);
        loop {
            let event = select! {
                block = delivered.recv() => Event::Block(block),
                message = votes.recv() => Event::Later(message),
                message = certificates.recv() => Event::Later(message),
                _ = &mut engine => Event::EngineEnded,
                _ = self.clock.sleep(HOUSEKEEPING) => Event::Housekeeping,
            };
            let done = match event {
                Event::Block(Some((block, acknowledgement))) => {
                    let done = self.deliver(block.inner().0.clone(), &mut engine).await;
                    match done {
                        Ok(()) => acknowledgement.acknowledge(),
                        // Marshal waits for it, and so delivers nothing more.
                        Err(_) => std::mem::forget(acknowledgement),
                    }
                    done
                }
                Event::Block(None) => Err(Fatal("the block store's task ended".into())),
                Event::Later(Some((epoch, (from, _)))) => {
                    self.hint(epoch, from, &mut hinted);
                    Ok(())
                }
                Event::Later(None) => Err(Fatal("a consensus channel closed".into())),
                Event::EngineEnded => Err(Fatal(format!("the consensus engine of epoch {} ended", self.epoch))),
                Event::Housekeeping => {
                    self.members.release_blocked(self.clock.current().epoch_millis());
                    Ok(())
                }
            };
            if done.is_err() {
                engine.abort();
                return done;
            }
        }
    }

    async fn deliver(&mut self, block: Arc<SealedBlock>, engine: &mut Handle<()>) -> Result<(), Fatal> {
        let height = block.height();
        if height == 0 {
            return Ok(());
        }
        let proof = self
            .archive
            .proof(height)?
            .and_then(|bytes| decode_proof(&self.schemes, &bytes));
        self.application
            .finalized(FinalBlock {
                block: block.clone(),
                proof,
            })
            .await?;
        let last = self
            .epocher
            .last(Epoch::new(self.epoch))
            .ok_or_else(|| Fatal("epoch out of range".into()))?;
        if height != last.get() {
            return Ok(());
        }
        self.enter_next(&block)?;
        let next = self.engines.start(self.epoch, self.floor, &self.shared).await?;
        std::mem::replace(engine, next).abort();
        if let Some(old) = self.epoch.checked_sub(2) {
            self.engines.forget(old).await;
        }
        Ok(())
    }

    /// The last block of an epoch names the set of the next.
    fn enter_next(&mut self, boundary: &SealedBlock) -> Result<(), Fatal> {
        let digest = Digest::from_slice(&boundary.header.next_validators)
            .ok_or_else(|| Fatal("a final header without a validator digest".into()))?;
        let current = self
            .schemes
            .range(self.epoch)
            .ok_or_else(|| Fatal("the current set is unknown".into()))?;
        let validators = if current.validators.digest() == digest {
            current.validators
        } else {
            self.application
                .validator_set(&digest)
                .ok_or_else(|| Fatal(format!("the ledger does not hold the validator set {digest}")))?
        };
        self.epoch += 1;
        self.floor = boundary.digest.into();
        self.schemes
            .enter(self.epoch, boundary.height() + 1, validators.clone());
        self.roster.enter(self.epoch, validators);
        Ok(())
    }

    /// Traffic of a later epoch: the end of ours is final, ask its sender for it.
    fn hint(&self, epoch: u64, from: EngineKey, hinted: &mut (u64, u64)) {
        let now = self.clock.current().epoch_millis();
        if epoch <= self.epoch || (hinted.0 == self.epoch && now < hinted.1 + HINT_INTERVAL_MS) {
            return;
        }
        *hinted = (self.epoch, now);
        if let Some(last) = self.epocher.last(Epoch::new(self.epoch)) {
            self.mailbox.hint_finalized(last, NonEmptyVec::new(from));
        }
    }
}
