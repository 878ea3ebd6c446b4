//! Waiting for packets to end, and saying how they did.

use super::{names::Places, say};
use crate::{
    clock,
    problem::{Cause, Problem, Result},
    progress::Progress,
    refusal::sdk,
    text::problem,
};
use prost::Message;
use serde::Serialize;
use std::time::{Duration, Instant};
use yulian_modules::link::TIMEOUT_MS_DEFAULT;
use yulian_sdk::{Chain, PacketName, views::FinalResult};
use yulian_types::{
    Digest,
    proto::{PacketEnd, PacketRef},
    state_keys::{PACKET_DONE, PACKET_FAILED, PACKET_TIMED_OUT},
};

/// First pause between two looks; it doubles.
const LOOK_FIRST: Duration = Duration::from_millis(20);
/// Longest pause between two looks.
const LOOK_MOST: Duration = Duration::from_millis(320);
/// Time that the way back takes at most where carriers run, beyond the packet's own time-out.
const WAY_BACK: Duration = Duration::from_secs(30);
/// Most packets that one call leads to one after the other: to a series' home, on from there.
const HOPS_MAX: usize = 4;

/// A packet on its way, as a program reads it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Hop {
    pub(super) source: String,
    pub(super) source_id: String,
    pub(super) destination: String,
    pub(super) destination_id: String,
    pub(super) module: String,
    pub(super) sequence: u64,
    /// done, failed, timed_out, given_up; sent where it was not waited for.
    pub(super) status: &'static str,
    /// Why it was not done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) code: String,
    /// Height of the source at which it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) height: Option<u64>,
    /// Height of the destination at which it was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) received_height: Option<u64>,
}

/// What became of a packet: done, failed, timed_out, given_up.
pub(super) fn status(status: u32) -> &'static str {
    match status {
        PACKET_DONE => "done",
        PACKET_FAILED => "failed",
        PACKET_TIMED_OUT => "timed_out",
        _ => "given_up",
    }
}

impl Hop {
    pub(super) fn new(places: &Places, name: &PacketName, end: Option<&PacketEnd>) -> Self {
        let received = end.map(|end| end.received_height).filter(|height| *height > 0);
        Self {
            source: places.name(&name.source),
            source_id: name.source.to_string(),
            destination: places.name(&name.destination),
            destination_id: name.destination.to_string(),
            module: name.module.clone(),
            sequence: name.sequence,
            status: end.map_or("sent", |end| status(end.status)),
            code: end.map(|end| end.code.clone()).unwrap_or_default(),
            height: end.map(|end| end.height),
            received_height: received,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.status == "done"
    }

    /// In a line.
    pub(super) fn line(&self) -> String {
        let Self {
            source,
            destination,
            module,
            sequence,
            ..
        } = self;
        let stands = match self.status {
            "sent" => say::packet_on_its_way(),
            "done" => say::packet_done(self.received_height.unwrap_or_default()),
            "failed" => say::packet_failed_there(in_words(&self.code), &self.code),
            "timed_out" => say::packet_timed_out(&self.code),
            _ => say::packet_given_up(&self.code),
        };
        say::packet_line(source, destination, module, sequence, stands)
    }
}

/// A code of a module in words, or nothing.
pub(super) fn in_words(code: &str) -> String {
    let registry = yulian_modules::registry();
    let known = registry.codes().find(|known| known.code == code);
    known.map_or_else(String::new, |known| crate::text::either(known.zh, known.en).to_owned())
}

/// The packet that the answer of a call names.
pub(crate) fn named(chain: &Chain, result: &FinalResult) -> Result<PacketName> {
    let named = PacketRef::decode(result.result.output.0.clone()).or_problem(problem::bad_answer)?;
    PacketName::of(chain.id(), &named).ok_or_else(problem::bad_answer)
}

/// How long a packet of this time-out is waited for; 0 is the chain's default.
pub(super) fn patience(timeout_ms: u64) -> Duration {
    let timeout_ms = if timeout_ms == 0 {
        TIMEOUT_MS_DEFAULT
    } else {
        timeout_ms
    };
    Duration::from_millis(timeout_ms).saturating_add(WAY_BACK)
}

/// Waits until a packet that a chain sent has ended, and shows that it does.
pub(crate) async fn end_of(chain: &Chain, name: &PacketName, to: &str, patience: Duration) -> Result<PacketEnd> {
    let mut progress = Progress::new(say::waiting_for(to), None);
    ended(chain, name, to, patience, || progress.set(0)).await
}

/// Waits until a packet that a chain sent has ended; `looked` is called after each look in vain.
pub(crate) async fn ended(
    chain: &Chain,
    name: &PacketName,
    to: &str,
    patience: Duration,
    mut looked: impl FnMut(),
) -> Result<PacketEnd> {
    let started = Instant::now();
    let mut pause = LOOK_FIRST;
    loop {
        let end = chain.packet_end(&name.destination, &name.module, name.sequence);
        if let Some(end) = end.await.map_err(sdk)? {
            return Ok(end);
        }
        if started.elapsed() > patience {
            return Err(problem::packet_pending(to, name.sequence));
        }
        looked();
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LOOK_MOST);
    }
}

/// Waits for a packet and for those in which what it brought goes on.
pub(super) async fn follow(places: &Places, chain: &Chain, first: PacketName, patience: Duration) -> Result<Vec<Hop>> {
    let mut hops = Vec::new();
    let (mut chain, mut name) = (chain.clone(), first);
    loop {
        let to = places.name(&name.destination);
        let end = end_of(&chain, &name, &to, patience).await?;
        hops.push(Hop::new(places, &name, Some(&end)));
        let goes_on = (end.status == PACKET_DONE && !end.output.is_empty() && hops.len() < HOPS_MAX)
            .then(|| PacketRef::decode(end.output.clone()).ok())
            .flatten()
            .and_then(|named| PacketName::of(name.destination, &named));
        let Some(next) = goes_on else {
            return Ok(hops);
        };
        let Some(there) = places.chain(&name.destination).await? else {
            return Ok(hops);
        };
        (chain, name) = (there, next);
    }
}

/// Why a packet was not done, as a problem with its code.
pub(crate) fn not_done(to: &str, end: &PacketEnd) -> Problem {
    let why = in_words(&end.code);
    let problem = problem::packet_failed(to, crate::out::one_line(&end.code));
    match why.is_empty() {
        true => problem,
        false => problem.because(why),
    }
}

/// The time of this machine beside a time-out: what is left, or that it is over.
pub(super) fn left(timeout_ms: u64) -> String {
    match timeout_ms.checked_sub(clock::now_ms()) {
        Some(left) => say::time_left(clock::span(left)),
        None => say::time_over(),
    }
}

/// A chain's digest in a message.
pub(super) fn digest(bytes: &[u8]) -> Result<Digest> {
    Digest::from_slice(bytes).ok_or_else(problem::bad_answer)
}
