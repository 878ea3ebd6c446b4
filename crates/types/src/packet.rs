//! A packet: a message from one chain to another, checked once, with its digest.

use crate::{
    codec::{CodecError, decode_canonical, encode},
    limits::{NAME_BYTES_MAX, PACKET_BYTES_MAX, PACKET_PAYLOAD_BYTES_MAX},
    proto::Packet,
    state_keys::StateKey,
    tags,
};
use bytes::Bytes;
use yulian_crypto::{Digest, sm3};

/// Kind of a carried item: the relay chain takes note of a packet.
pub const CARRY_RELAY: u32 = 1;
/// Kind of a carried item: its destination takes a packet.
pub const CARRY_RECEIVE: u32 = 2;
/// Kind of a carried item: the destination's result comes back to its source.
pub const CARRY_ACKNOWLEDGE: u32 = 3;
/// Kind of a carried item: the relay chain takes note of the destination's result.
pub const CARRY_CONFIRM: u32 = 4;
/// Kind of a carried item: the source learns that a packet was not received in time.
pub const CARRY_TIME_OUT: u32 = 5;
/// Kind of a carried item: the relay chain learns the same.
pub const CARRY_EXPIRE: u32 = 6;
/// Kind of a carried item: the source gives a packet up, as a vote decided.
pub const CARRY_GIVE_UP: u32 = 7;
/// Kind of a carried item: the destination of an ordered sequence learns that its next packet has ended at the source. `packet` is then
/// a [`crate::proto::PacketRef`] that names the source, `record` the source's [`crate::proto::PacketEnd`].
pub const CARRY_SKIP: u32 = 8;

const VERSION: u32 = 1;
/// Most bytes of the organisation that a packet names.
const ORGANISATION_BYTES_MAX: usize = 32;

/// Why bytes are not a packet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Not canonical protobuf, or too long.
    #[error("packet: {0}")]
    Codec(#[from] CodecError),
    /// The version is unknown.
    #[error("a packet of unknown version {0}")]
    Version(u32),
    /// A field has a length or a value that no packet has.
    #[error("a packet with a malformed {0}")]
    Field(&'static str),
}

/// A well-formed packet with what follows from its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedPacket {
    /// The fields.
    pub message: Packet,
    /// The canonical bytes.
    pub bytes: Bytes,
    /// Digest of the bytes.
    pub digest: Digest,
    /// Genesis digest of the chain that sent it.
    pub source: Digest,
    /// Genesis digest of the chain that it is for.
    pub destination: Digest,
}

impl SealedPacket {
    /// Checks a packet and encodes it. The version is filled in.
    ///
    /// # Errors
    /// If a field is malformed or the packet too long.
    pub fn new(mut message: Packet) -> Result<Self, PacketError> {
        message.version = VERSION;
        Self::decode(encode(&message))
    }

    /// Decodes canonical bytes of at most [`PACKET_BYTES_MAX`].
    ///
    /// # Errors
    /// If they are not a well-formed packet.
    pub fn decode(bytes: Bytes) -> Result<Self, PacketError> {
        let message: Packet = decode_canonical(&bytes, PACKET_BYTES_MAX)?;
        if message.version != VERSION {
            return Err(PacketError::Version(message.version));
        }
        let digest_of = |bytes: &[u8], name| Digest::from_slice(bytes).ok_or(PacketError::Field(name));
        let source = digest_of(&message.source, "source")?;
        let destination = digest_of(&message.destination, "destination")?;
        let is_name = |name: &str| (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_name_byte);
        let checks = [
            (source != destination, "destination"),
            (is_name(&message.module), "module"),
            (is_name(&message.method), "method"),
            (message.sequence > 0, "sequence"),
            (message.organisation.len() <= ORGANISATION_BYTES_MAX, "organisation"),
            (matches!(message.sender.len(), 0 | 32), "sender"),
            (message.payload.len() <= PACKET_PAYLOAD_BYTES_MAX, "payload"),
            (message.timeout_ms > 0, "timeout"),
        ];
        if let Some((_, name)) = checks.into_iter().find(|(holds, _)| !holds) {
            return Err(PacketError::Field(name));
        }
        let digest = sm3::tagged(&tags::PACKET, &[&bytes]);
        Ok(Self {
            message,
            bytes,
            digest,
            source,
            destination,
        })
    }

    /// Where the packet stands in its source's state while it has not ended.
    pub fn sent_key(&self) -> StateKey {
        StateKey::packet_sent(&self.destination, &self.message.module, self.message.sequence)
    }

    /// Where the source's state says how the packet ended.
    pub fn ended_key(&self) -> StateKey {
        StateKey::packet_ended(&self.destination, &self.message.module, self.message.sequence)
    }

    /// Where its destination's state says how the packet ended there.
    pub fn result_key(&self) -> StateKey {
        StateKey::packet_result(&self.source, &self.message.module, self.message.sequence)
    }

    /// Where a relay chain's state says that it has seen the packet.
    pub fn relayed_key(&self) -> StateKey {
        let Packet { module, sequence, .. } = &self.message;
        StateKey::packet_relayed(&self.source, &self.destination, module, *sequence)
    }

    /// Where a relay chain's state says how the packet ended.
    pub fn confirmed_key(&self) -> StateKey {
        let Packet { module, sequence, .. } = &self.message;
        StateKey::packet_confirmed(&self.source, &self.destination, module, *sequence)
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Packet {
        Packet {
            source: vec![1; 32].into(),
            destination: vec![2; 32].into(),
            module: "voucher".into(),
            method: "move".into(),
            sequence: 1,
            organisation: "a".into(),
            sender: vec![3; 32].into(),
            payload: vec![4; 100].into(),
            timeout_ms: 1,
            ..Default::default()
        }
    }

    #[test]
    fn a_packet_reads_back() {
        let sealed = SealedPacket::new(packet()).unwrap();
        assert_eq!(SealedPacket::decode(sealed.bytes.clone()).unwrap(), sealed);
    }

    #[test]
    fn every_field_is_bounded() {
        let mut broken: Vec<(&str, Packet)> = Vec::new();
        let mut add = |name, change: &dyn Fn(&mut Packet)| {
            let mut message = packet();
            change(&mut message);
            broken.push((name, message));
        };
        add("source", &|p| p.source = vec![1; 31].into());
        add("destination", &|p| p.destination = p.source.clone());
        add("module", &|p| p.module.clear());
        add("module", &|p| p.module = "Voucher".into());
        add("method", &|p| p.method = "a".repeat(NAME_BYTES_MAX + 1));
        add("sequence", &|p| p.sequence = 0);
        add("organisation", &|p| p.organisation = "a".repeat(33));
        add("sender", &|p| p.sender = vec![1; 20].into());
        add("payload", &|p| p.payload = vec![0; PACKET_PAYLOAD_BYTES_MAX + 1].into());
        add("timeout", &|p| p.timeout_ms = 0);
        for (name, message) in broken {
            assert_eq!(SealedPacket::new(message), Err(PacketError::Field(name)), "{name}");
        }
        let mut other = packet();
        other.version = 2;
        assert_eq!(SealedPacket::decode(encode(&other)), Err(PacketError::Version(2)));
    }
}
