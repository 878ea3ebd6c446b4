//! Makes the items of a step from what was read: looks where the packet stands, and takes the proofs.

use super::{Event, Shared, Stage, Step, reads::Reads, updates::Header};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use yulian_api::views::StateItem;
use yulian_crypto::Digest;
use yulian_types::{
    SealedPacket, StateKey, encode,
    packet::{CARRY_ACKNOWLEDGE, CARRY_GIVE_UP, CARRY_RECEIVE, CARRY_RELAY, CARRY_SKIP, CARRY_TIME_OUT},
    proto::{CarryItem, InCursor, LinkProof, PacketRef},
    state_keys::LINK_ID,
};

/// Most numbers of an ordered sequence that are skipped in one step.
const SKIPS_MAX: u64 = 8;

/// For each ordered sequence (source, module): the number that is next after the items of the transaction so far.
pub(super) type Turns = BTreeMap<(Digest, String), u64>;

/// What came of a step.
pub(super) enum Prepared {
    /// To be brought, in this order, under headers of these chains.
    Items(Vec<CarryItem>, BTreeSet<Digest>),
    /// It cannot be proven yet, or it is not its turn.
    Wait,
    /// Somebody has done it: the state after this height says so.
    Moved(Event, u64),
    /// The packet has ended.
    Ended,
}

/// What the steps of one transaction are made from.
pub(super) struct Sources<'a> {
    pub(super) shared: &'a Shared,
    pub(super) at: Digest,
    pub(super) reads: &'a Reads,
    pub(super) headers: &'a BTreeMap<Digest, Result<Header, String>>,
}

/// A value with its proof; `None` if there is none.
struct Proven {
    value: Option<Bytes>,
    proof: LinkProof,
}

impl Proven {
    fn new(item: &StateItem, height: u64) -> Self {
        Self {
            value: item.value.as_ref().map(|value| value.0.clone()),
            proof: LinkProof {
                height: height + 1,
                proof: item.proof.0.clone(),
            },
        }
    }
}

impl Sources<'_> {
    /// The items of a step.
    ///
    /// # Errors
    /// Why it failed: a chain could not be read, say.
    pub(super) async fn prepare(&self, turns: &mut Turns, step: &Step) -> Result<Prepared, String> {
        let packet = match self.packet(step)? {
            Read::Sent(packet) => packet,
            Read::NotYet => return Ok(Prepared::Wait),
            Read::Ended => return Ok(Prepared::Ended),
        };
        self.shared.board().set_read(&step.packet, &packet);
        if let Some(moved) = self.moved(step, &packet)? {
            return Ok(moved);
        }
        let (of, item) = match step.stage {
            Stage::Relay => {
                let sent = self.present(&packet.source, &packet.sent_key(), step.sent)?;
                let item = sent.map(|(_, proven)| item(CARRY_RELAY, &packet, proven));
                (packet.source, item)
            }
            Stage::Receive => return self.receive(turns, step, &packet).await,
            Stage::Acknowledge => {
                let result = self.present(&packet.destination, &packet.result_key(), step.received)?;
                let item = result.map(|(record, proven)| CarryItem {
                    record,
                    ..item(CARRY_ACKNOWLEDGE, &packet, proven)
                });
                (packet.destination, item)
            }
            Stage::GiveUp => {
                let item = CarryItem {
                    kind: CARRY_GIVE_UP,
                    packet: packet.bytes.clone(),
                    ..Default::default()
                };
                return Ok(Prepared::Items(vec![item], BTreeSet::new()));
            }
            Stage::TimeOut => {
                let is_late = self.reads.get(&packet.destination)?.time_ms >= packet.message.timeout_ms;
                let nothing = self.proven(&packet.destination, &packet.result_key(), 0)?;
                let nothing = nothing.filter(|proven| is_late && proven.value.is_none());
                let item = nothing.map(|proven| item(CARRY_TIME_OUT, &packet, proven));
                (packet.destination, item)
            }
        };
        Ok(item.map_or(Prepared::Wait, |item| Prepared::Items(vec![item], [of].into())))
    }

    /// What the packet's source holds, or what was read of it before.
    fn packet(&self, step: &Step) -> Result<Read, String> {
        let key = &step.packet;
        let sent = StateKey::packet_sent(&key.destination, &key.module, key.sequence);
        let Some((item, height)) = self.reads.item(&key.source, &sent)? else {
            return match &step.content {
                Some(packet) => Ok(Read::Sent(packet.clone())),
                None => Ok(Read::NotYet),
            };
        };
        let packet = item.value.as_ref().and_then(|value| match &step.content {
            Some(packet) if packet.bytes == value.0 => Some(packet.clone()),
            _ => SealedPacket::decode(value.0.clone()).ok().map(Arc::new),
        });
        Ok(match packet {
            Some(packet) => Read::Sent(packet),
            None if height < step.sent => Read::NotYet,
            None => Read::Ended,
        })
    }

    /// Whether somebody has taken the step already, where that was to be looked at.
    fn moved(&self, step: &Step, packet: &SealedPacket) -> Result<Option<Prepared>, String> {
        let (chain, key, event) = match step.stage {
            Stage::Relay if step.look => (self.shared.hub, packet.relayed_key(), Event::Relayed),
            Stage::Receive if step.look => (packet.destination, packet.result_key(), Event::Received),
            Stage::TimeOut => (packet.destination, packet.result_key(), Event::Received),
            _ => return Ok(None),
        };
        let found = self.reads.item(&chain, &key)?;
        let found = found.filter(|(item, _)| item.value_hash.is_some());
        Ok(found.map(|(_, height)| Prepared::Moved(event, height)))
    }

    /// A key of a chain under the header of this transaction; `None` if that does not prove the state after `height` yet.
    fn proven(&self, of: &Digest, key: &StateKey, height: u64) -> Result<Option<Proven>, String> {
        let read = self.reads.get(of)?;
        let behind = match self.headers.get(of) {
            Some(header) => header.as_ref().map_err(Clone::clone)?.behind,
            None => true,
        };
        let item = read.item(key).filter(|_| read.height >= height && !behind);
        Ok(item.map(|item| Proven::new(item, read.height)))
    }

    /// The same where there is a value.
    fn present(&self, of: &Digest, key: &StateKey, height: u64) -> Result<Option<(Bytes, Proven)>, String> {
        let proven = self.proven(of, key, height)?;
        Ok(proven.and_then(|proven| Some((proven.value.clone()?, proven))))
    }

    async fn receive(&self, turns: &mut Turns, step: &Step, packet: &SealedPacket) -> Result<Prepared, String> {
        let mut items = Vec::new();
        let mut of = BTreeSet::new();
        if packet.message.ordered {
            let due = self.skips(turns, packet, &mut items).await?;
            if !items.is_empty() {
                of.insert(packet.source);
            }
            if due != packet.message.sequence {
                return Ok(some(items, of));
            }
        }
        let mut taken = CarryItem {
            kind: CARRY_RECEIVE,
            packet: packet.bytes.clone(),
            ..Default::default()
        };
        if self.needs_source(step, packet).await {
            let Some((_, sent)) = self.present(&packet.source, &packet.sent_key(), step.sent)? else {
                return Ok(some(items, of));
            };
            of.insert(packet.source);
            taken.proof = Some(sent.proof);
        }
        if step.relayed > 0 {
            let relayed = self.present(&self.shared.hub, &packet.relayed_key(), step.relayed)?;
            let Some((record, relayed)) = relayed else {
                return Ok(some(items, of));
            };
            of.insert(self.shared.hub);
            taken.record = record;
            taken.relay = Some(relayed.proof);
        }
        if packet.message.ordered {
            let sequence = (packet.source, packet.message.module.clone());
            turns.insert(sequence, packet.message.sequence + 1);
        }
        items.push(taken);
        Ok(Prepared::Items(items, of))
    }

    /// Whether the source proves the packet itself: the relay chain's word is enough where the packet says so, unless the destination
    /// agreed to hear its source directly.
    async fn needs_source(&self, step: &Step, packet: &SealedPacket) -> bool {
        if packet.message.end_to_end || step.relayed == 0 {
            return true;
        }
        let known = super::updates::known(&self.shared.places[&self.at], &packet.source, 0).await;
        known.is_ok_and(|client| client.direct)
    }

    /// Adds what makes the destination pass over numbers that have ended at the source. The number that is next then.
    async fn skips(&self, turns: &mut Turns, packet: &SealedPacket, items: &mut Vec<CarryItem>) -> Result<u64, String> {
        let module = &packet.message.module;
        let sequence = (packet.source, module.clone());
        let mut next = match turns.get(&sequence) {
            Some(next) => *next,
            None => self.next_of(packet).await?,
        };
        let until = next.saturating_add(SKIPS_MAX).min(packet.message.sequence);
        let key = |number| StateKey::packet_ended(&packet.destination, module, number);
        let keys: Vec<StateKey> = (next..until).map(key).collect();
        if keys.is_empty() {
            return Ok(next);
        }
        let read = self.reads.get(&packet.source)?;
        let source = self.shared.places[&packet.source].chain();
        let asked = keys.into_iter().map(|key| key.key);
        let ended = source.states(LINK_ID, asked, Some(read.height)).await;
        let ended = ended.map_err(|error| error.to_string())?;
        for item in &ended.items {
            let Some(record) = item.value.as_ref().map(|value| value.0.clone()) else {
                break;
            };
            let skipped = PacketRef {
                chain: packet.source.to_vec().into(),
                module: module.clone(),
                sequence: next,
            };
            items.push(CarryItem {
                kind: CARRY_SKIP,
                packet: encode(&skipped),
                record,
                proof: Some(Proven::new(item, ended.height).proof),
                ..Default::default()
            });
            next += 1;
        }
        if !items.is_empty() {
            turns.insert(sequence, next);
        }
        Ok(next)
    }

    /// The number that is next in the sequence of a packet, by its destination's state.
    async fn next_of(&self, packet: &SealedPacket) -> Result<u64, String> {
        let key = StateKey::in_cursor(&packet.source, &packet.message.module);
        let cursor = match self.reads.item(&packet.destination, &key)? {
            Some((item, _)) => item
                .value
                .as_ref()
                .and_then(|value| InCursor::decode(value.0.clone()).ok()),
            // That it goes in order was not known when it was asked for.
            None => {
                let read = self.shared.places[&packet.destination].chain().record(&key).await;
                read.map_err(|error| error.to_string())?
            }
        };
        Ok(cursor.map_or(1, |cursor| cursor.next))
    }
}

fn item(kind: u32, packet: &SealedPacket, proven: Proven) -> CarryItem {
    CarryItem {
        kind,
        packet: packet.bytes.clone(),
        proof: Some(proven.proof),
        ..Default::default()
    }
}

/// What there is, or nothing yet. Numbers that are skipped count without the packet that waits behind them.
fn some(items: Vec<CarryItem>, of: BTreeSet<Digest>) -> Prepared {
    match items.is_empty() {
        true => Prepared::Wait,
        false => Prepared::Items(items, of),
    }
}

/// What a packet's source holds.
enum Read {
    Sent(Arc<SealedPacket>),
    /// The node's answer is from before it was sent.
    NotYet,
    /// It has ended.
    Ended,
}
