//! What a chain tells: its blocks with their results, and the records of its state as they stand on a disk.

use crate::{check::Broken, fusion::net::Running};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    ops::Bound,
};
use yulian_store::{Kv, STATE};
use yulian_types::{
    BlockLimits, Digest, SealedBlock, SealedTransaction,
    proto::{Carry, CarryAnswer, CarryItem, Packet, PacketEnd, Receipt},
};

/// Module id of `link`.
pub(super) const LINK: u32 = 5;
/// Records read at a time.
const PAGE: usize = 4_096;
/// Kinds of carried items, docs/cross-chain.md section 5.
const RELAY: u32 = 1;
const RECEIVE: u32 = 2;
const ENDS: [u32; 3] = [3, 5, 7];

/// A packet's place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) source: Digest,
    pub(super) destination: Digest,
    pub(super) module: String,
    pub(super) sequence: u64,
}

impl Key {
    /// What events carry: source ‖ destination ‖ sequence ‖ module.
    fn parse(data: &[u8]) -> Option<Self> {
        let (source, destination, sequence) = (data.get(..32)?, data.get(32..64)?, data.get(64..72)?);
        Some(Self {
            source: Digest::from_slice(source)?,
            destination: Digest::from_slice(destination)?,
            sequence: u64::from_be_bytes(sequence.try_into().ok()?),
            module: std::str::from_utf8(&data[72..]).ok()?.into(),
        })
    }

    fn of(packet: &Packet) -> Option<Self> {
        Some(Self {
            source: Digest::from_slice(&packet.source)?,
            destination: Digest::from_slice(&packet.destination)?,
            module: packet.module.clone(),
            sequence: packet.sequence,
        })
    }

    fn under(&self, chain: &Digest) -> Vec<u8> {
        let length = [self.module.len() as u8];
        let parts: [&[u8]; 4] = [&chain.0, &length, self.module.as_bytes(), &self.sequence.to_be_bytes()];
        parts.concat()
    }

    /// Its key in tables of its source.
    pub(super) fn at_source(&self) -> Vec<u8> {
        self.under(&self.destination)
    }

    /// Its key in tables of its destination.
    pub(super) fn at_destination(&self) -> Vec<u8> {
        self.under(&self.source)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |id: &Digest| id.to_string()[..8].to_string();
        let (from, to) = (short(&self.source), short(&self.destination));
        write!(f, "{} {} from {from} to {to}", self.module, self.sequence)
    }
}

/// A packet that was relayed or received, or has ended.
#[derive(Clone)]
pub(super) struct Moved {
    pub(super) key: Key,
    pub(super) packet: Packet,
    pub(super) bytes: Bytes,
    pub(super) height: u64,
    pub(super) time_ms: u64,
    /// A packet went out because of it.
    pub(super) sends: bool,
}

/// What happened on a chain.
pub(super) enum Happened {
    /// A call that succeeded, "module.method".
    Called {
        method: String,
        arguments: Bytes,
        output: Bytes,
        /// Names of what it told.
        events: Vec<String>,
        organisation: String,
    },
    /// A call of `voucher` that succeeded.
    Voucher {
        method: String,
        arguments: Bytes,
        sender: Digest,
    },
    Sent(Key),
    /// On its way through this chain.
    Relayed(Moved),
    Received(Moved),
    Ended(Moved),
}

/// Everything that a chain tells.
pub(crate) struct Told {
    pub(super) id: Digest,
    pub(super) happened: Vec<Happened>,
    height: u64,
    state: BTreeMap<(u32, Vec<u8>), Bytes>,
}

impl Told {
    /// Reads a node's blocks and disk.
    pub(crate) fn read(id: Digest, running: &Running) -> Result<Self, Broken> {
        let ledger = running.node.ledger();
        let height = ledger.tip().height;
        let mut happened = Vec::new();
        for at in 1..=height {
            let bytes = ledger.final_block(at).map_err(|e| e.to_string())?;
            let bytes = bytes.ok_or_else(|| format!("block {at} is missing"))?;
            let block = SealedBlock::decode(bytes, &BlockLimits::default()).map_err(|e| e.to_string())?;
            let receipts = ledger.receipts(at).map_err(|e| e.to_string())?.unwrap_or_default();
            for (transaction, receipt) in block.transactions.iter().zip(receipts) {
                let receipt = Receipt::decode(receipt).map_err(|e| e.to_string())?;
                if receipt.status == 0 {
                    take(&mut happened, (at, block.header.time_ms), transaction, &receipt)?;
                }
            }
        }
        let state = state(&running.kv)?;
        Ok(Self {
            id,
            happened,
            height,
            state,
        })
    }

    /// Height of its last block.
    pub(crate) fn height(&self) -> u64 {
        self.height
    }

    /// The entries of a table, keys without the table's byte.
    pub(super) fn table(&self, module: u32, table: u8) -> impl Iterator<Item = (&[u8], &Bytes)> {
        let range = (module, vec![table])..(module, vec![table + 1]);
        self.state.range(range).map(|((_, key), value)| (&key[1..], value))
    }

    pub(super) fn record<M: Message + Default>(&self, module: u32, table: u8, key: &[u8]) -> Option<M> {
        let value = self.state.get(&(module, [&[table], key].concat()))?;
        M::decode(value.clone()).ok()
    }

    /// How a packet that this chain sent has ended.
    pub(super) fn end(&self, key: &Key) -> Option<PacketEnd> {
        self.record(LINK, super::TABLE_ENDED, &key.at_source())
    }
}

/// The packets of a chain that have not ended, by a node's disk.
pub(in crate::fusion) fn open(kv: &impl Kv) -> Vec<String> {
    let state = state(kv).unwrap_or_default();
    let sent = state.range((LINK, vec![super::TABLE_SENT])..(LINK, vec![super::TABLE_SENT + 1]));
    let name = |bytes: &Bytes| {
        let packet = Packet::decode(bytes.clone()).ok()?;
        Some(format!(
            "{} {}, late at {}",
            Key::of(&packet)?,
            packet.method,
            packet.timeout_ms
        ))
    };
    sent.map(|(_, bytes)| name(bytes).unwrap_or_else(|| "what is no packet".into()))
        .collect()
}

/// Every record: module id (4) ‖ length of the key (2) ‖ key ‖ value.
fn state(kv: &impl Kv) -> Result<BTreeMap<(u32, Vec<u8>), Bytes>, Broken> {
    let mut out = BTreeMap::new();
    let mut from: Bound<Bytes> = Bound::Unbounded;
    loop {
        let page = kv.range(STATE, from.as_ref().map(|key| &key[..]), Bound::Unbounded, PAGE, false);
        let page = page.map_err(|e| e.to_string())?;
        let Some((last, _)) = page.last() else { return Ok(out) };
        from = Bound::Excluded(last.clone());
        for (_, record) in page {
            let (module, length) = (record.get(..4), record.get(4..6));
            let parsed = module.zip(length).and_then(|(module, length)| {
                let module = u32::from_be_bytes(module.try_into().ok()?);
                let end = 6 + usize::from(u16::from_be_bytes(length.try_into().ok()?));
                Some((module, record.get(6..end)?.to_vec(), record.slice(end..)))
            });
            let (module, key, value) = parsed.ok_or("a state record that nobody can read")?;
            out.insert((module, key), value);
        }
    }
}

fn take(
    happened: &mut Vec<Happened>,
    (height, time_ms): (u64, u64),
    transaction: &SealedTransaction,
    receipt: &Receipt,
) -> Result<(), Broken> {
    let payload = &transaction.payload;
    let arguments = payload.arguments.clone();
    match (payload.module.as_str(), payload.method.as_str()) {
        ("link", "carry") => {}
        ("voucher", method) => happened.push(Happened::Voucher {
            method: method.into(),
            arguments,
            sender: transaction.sender,
        }),
        (module, method) => happened.push(Happened::Called {
            method: format!("{module}.{method}"),
            arguments,
            output: receipt.output.clone(),
            events: receipt.events.iter().map(|event| event.name.clone()).collect(),
            organisation: crate::fusion::keys::ORGANISATION.into(),
        }),
    }
    let mut items = items(
        payload.module == "link" && payload.method == "carry",
        payload.arguments.clone(),
        receipt,
    )?;
    let mut sends = false;
    for event in &receipt.events {
        let Some(key) = Key::parse(&event.data) else { continue };
        let kinds: &[u32] = match event.name.as_str() {
            "packet_sent" => {
                sends = true;
                happened.push(Happened::Sent(key));
                continue;
            }
            "packet_relayed" => &[RELAY],
            "packet_received" => &[RECEIVE],
            "packet_ended" => &ENDS,
            _ => continue,
        };
        let moved =
            find(&mut items, &key, kinds).ok_or_else(|| format!("EVENT: {key} {} without an item", event.name))?;
        let (packet, bytes) = moved;
        let moved = Moved {
            key,
            packet,
            bytes,
            height,
            time_ms,
            sends,
        };
        sends = false;
        happened.push(match event.name.as_str() {
            "packet_relayed" => Happened::Relayed(moved),
            "packet_received" => Happened::Received(moved),
            _ => Happened::Ended(moved),
        });
    }
    Ok(())
}

/// The items of a `carry` that were taken.
fn items(carries: bool, arguments: Bytes, receipt: &Receipt) -> Result<VecDeque<CarryItem>, Broken> {
    if !carries {
        return Ok(VecDeque::new());
    }
    let carry = Carry::decode(arguments).map_err(|e| e.to_string())?;
    let answer = CarryAnswer::decode(receipt.output.clone()).map_err(|e| e.to_string())?;
    let taken = carry
        .items
        .into_iter()
        .zip(answer.items)
        .filter(|(_, code)| code.is_empty());
    Ok(taken.map(|(item, _)| item).collect())
}

/// The packet that an event is about: items stand in the order of their events.
fn find(items: &mut VecDeque<CarryItem>, key: &Key, kinds: &[u32]) -> Option<(Packet, Bytes)> {
    while let Some(item) = items.pop_front() {
        // What is skipped is named, not carried.
        if let Ok(packet) = Packet::decode(item.packet.clone())
            && kinds.contains(&item.kind)
            && Key::of(&packet).as_ref() == Some(key)
        {
            return Some((packet, item.packet));
        }
    }
    None
}
