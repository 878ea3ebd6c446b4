//! Packets: what has not ended, and where each stands.

use crate::{client::Chain, error::SdkError, limits::PACKETS_SEARCHED_MAX};
use futures::future::try_join;
use std::{fmt, ops::Range};
use yulian_api::{Hex, limits::STATE_KEYS_MAX};
use yulian_types::{
    Digest, SealedPacket, StateKey,
    proto::{OutCursor, PacketEnd, PacketRef, PacketResult, RelayRecord},
};

/// What names a packet among all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketName {
    /// Genesis digest of the chain that sends.
    pub source: Digest,
    /// Genesis digest of the chain that receives.
    pub destination: Digest,
    /// Module of both.
    pub module: String,
    /// From 1, without holes, for each destination and module.
    pub sequence: u64,
}

impl PacketName {
    /// The packet that an answer of a call on `source` names; `None` where it names none.
    pub fn of(source: Digest, named: &PacketRef) -> Option<Self> {
        Some(Self {
            source,
            destination: Digest::from_slice(&named.chain)?,
            module: named.module.clone(),
            sequence: named.sequence,
        })
    }

    /// The name of a packet.
    pub fn of_packet(packet: &SealedPacket) -> Self {
        Self {
            source: packet.source,
            destination: packet.destination,
            module: packet.message.module.clone(),
            sequence: packet.message.sequence,
        }
    }
}

impl fmt::Display for PacketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.source, self.destination, self.module, self.sequence
        )
    }
}

/// Packets of a module to a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenPackets {
    /// Those that have not ended, newest first.
    pub packets: Vec<SealedPacket>,
    /// How many were ever sent.
    pub sent: u64,
    /// How many have not ended, by the chain's own count. More than `packets` holds where the rest was sent longer ago than
    /// [`PACKETS_SEARCHED_MAX`] packets, or ended meanwhile.
    pub pending: u64,
}

/// Where a packet stands on each chain of its way.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Journey {
    /// At its source, while it has not ended.
    pub sent: Option<SealedPacket>,
    /// At the relay chain: it took note of it.
    pub relayed: Option<RelayRecord>,
    /// At its destination: how it ended there.
    pub received: Option<PacketResult>,
    /// At the relay chain: it took note of how it ended.
    pub confirmed: Option<PacketResult>,
    /// At its source: how it ended.
    pub ended: Option<PacketEnd>,
}

impl Journey {
    /// Reads where a packet stands from its source and, as far as they are at hand, from the relay chain and the destination.
    ///
    /// # Errors
    /// As for every request.
    pub async fn read(
        name: &PacketName,
        source: &Chain,
        relay: Option<&Chain>,
        destination: Option<&Chain>,
    ) -> Result<Self, SdkError> {
        let PacketName {
            source: from,
            destination: to,
            module,
            sequence,
        } = name;
        let mut journey = Self {
            sent: source.packet(to, module, *sequence).await?,
            ended: source.packet_end(to, module, *sequence).await?,
            ..Self::default()
        };
        if let Some(relay) = relay {
            let (relayed, confirmed) = try_join(
                relay.record(&StateKey::packet_relayed(from, to, module, *sequence)),
                relay.record(&StateKey::packet_confirmed(from, to, module, *sequence)),
            )
            .await?;
            (journey.relayed, journey.confirmed) = (relayed, confirmed);
        }
        if let Some(destination) = destination {
            let key = StateKey::packet_result(from, module, *sequence);
            journey.received = destination.record(&key).await?;
        }
        Ok(journey)
    }
}

/// All fail as every request does.
impl Chain {
    /// A packet that this chain sent and that has not ended.
    pub async fn packet(
        &self,
        destination: &Digest,
        module: &str,
        sequence: u64,
    ) -> Result<Option<SealedPacket>, SdkError> {
        let key = StateKey::packet_sent(destination, module, sequence);
        let value = self.state(&key, None).await?.value;
        value.map(|value| self.sealed(&key, value)).transpose()
    }

    /// Those of these packets that have not ended, ascending, and the height after which that is so: at most
    /// [`STATE_KEYS_MAX`](yulian_api::limits::STATE_KEYS_MAX), and one at least.
    pub async fn packets(
        &self,
        destination: &Digest,
        module: &str,
        sequences: Range<u64>,
    ) -> Result<(u64, Vec<SealedPacket>), SdkError> {
        let key = |sequence| StateKey::packet_sent(destination, module, sequence);
        let keys: Vec<StateKey> = sequences.map(key).collect();
        let (height, values) = self.values(&keys).await?;
        let found = keys.iter().zip(values);
        let packets = found.filter_map(|(key, value)| Some(self.sealed(key, value?)));
        Ok((height, packets.collect::<Result<_, _>>()?))
    }

    /// The packet that this chain sent under a key.
    fn sealed(&self, key: &StateKey, value: Hex) -> Result<SealedPacket, SdkError> {
        let packet = SealedPacket::decode(value.0).map_err(|error| self.undecodable(key, error))?;
        match packet.source == self.id() && packet.sent_key() == *key {
            true => Ok(packet),
            false => Err(self.undecodable(key, "another packet")),
        }
    }

    /// How a packet that this chain sent ended; `None` while it has not.
    pub async fn packet_end(
        &self,
        destination: &Digest,
        module: &str,
        sequence: u64,
    ) -> Result<Option<PacketEnd>, SdkError> {
        self.record(&StateKey::packet_ended(destination, module, sequence))
            .await
    }

    /// What a module of this chain sent to another chain and has not ended. Looks at the last [`PACKETS_SEARCHED_MAX`] packets at most.
    pub async fn open_packets(&self, destination: &Digest, module: &str) -> Result<OpenPackets, SdkError> {
        let cursor: Option<OutCursor> = self.record(&StateKey::out_cursor(destination, module)).await?;
        let OutCursor { next, pending } = cursor.unwrap_or(OutCursor { next: 1, pending: 0 });
        let lowest = next.saturating_sub(PACKETS_SEARCHED_MAX).max(1);
        let (mut packets, mut until) = (Vec::new(), next);
        while until > lowest && (packets.len() as u64) < pending {
            let from = until.saturating_sub(STATE_KEYS_MAX as u64).max(lowest);
            let (_, found) = self.packets(destination, module, from..until).await?;
            packets.extend(found.into_iter().rev());
            until = from;
        }
        Ok(OpenPackets {
            packets,
            sent: next.saturating_sub(1),
            pending,
        })
    }
}
