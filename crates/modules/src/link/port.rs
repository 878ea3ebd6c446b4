//! A module that sends packets and takes them.

use bytes::Bytes;
use yulian_exec::{Call, Failure};
use yulian_types::SealedPacket;

/// How a packet ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// One of `PACKET_DONE`, `PACKET_FAILED`, `PACKET_TIMED_OUT`, `PACKET_GIVEN_UP` of `yulian_types::state_keys`.
    pub status: u32,
    /// Code with which the destination failed, or empty.
    pub code: String,
    /// What the destination answered.
    pub output: Bytes,
}

/// A module of both ends of a link. The sender of the transaction in which it is called only carries the packet: it must not
/// matter who that is.
pub trait Port: Send + Sync + 'static {
    /// The module's name.
    fn module(&self) -> &'static str;

    /// Packets for it must be proven by their source itself, not by the relay alone.
    fn end_to_end(&self) -> bool;

    /// Takes a packet. The answer has at most [`super::ANSWER_BYTES_MAX`] bytes; a failure travels back and whatever was written is
    /// undone.
    fn receive(&self, call: &mut Call<'_>, packet: &SealedPacket) -> Result<Bytes, Failure>;

    /// A packet that this chain sent has ended. Must not fail for any outcome: what was sent could else never end.
    fn ended(&self, call: &mut Call<'_>, packet: &SealedPacket, outcome: &Outcome) -> Result<(), Failure>;
}
