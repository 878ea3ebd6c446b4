//! Verification across chains: asks another chain what it holds, and answers others.
//!
//! The question and the answer travel end to end: the answer stands in this chain's state as the end of the packet, proven by the
//! chain that gave it.

pub mod codes;

pub use yulian_types::state_keys::VERIFICATION_MODULE;

use crate::link::{Outcome, Outgoing, Port, send};
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Code, Failure, Method, Module, rules};
use yulian_state::value_hash;
use yulian_types::{
    SealedPacket, StateKey, decode_canonical, encode,
    limits::{PACKET_PAYLOAD_BYTES_MAX, STATE_KEY_BYTES_MAX},
    proto::{Ask, EvidenceRecord, Inquiry, InquiryAnswer},
    state_keys::{
        ACCOUNT_ID, EVIDENCE_ID, GOVERNANCE_ID, LINK_ID, TABLE_LINK_CLIENT, TABLE_ORGANISATION, TABLE_PARAMETER,
        TABLE_RECORD, TABLE_SERIES, VOUCHER_ID,
    },
};

/// Module id.
pub const VERIFICATION_ID: u32 = 7;
/// Kind of an inquiry: an evidence record.
pub const KIND_EVIDENCE: u32 = 1;
/// Kind of an inquiry: a value of the state.
pub const KIND_STATE: u32 = 2;

const ASK: &str = "ask";
/// Longest time that a question is given, ms: it is asked again rather than kept.
pub const TIMEOUT_MS_MAX: u64 = 3_600_000;
/// Tables of which other chains may ask: what is no secret among those who are linked. A hash of anything else could be
/// compared with guesses.
const ANSWERED: [(u32, u8); 5] = [
    (GOVERNANCE_ID, TABLE_PARAMETER),
    (ACCOUNT_ID, TABLE_ORGANISATION),
    (EVIDENCE_ID, TABLE_RECORD),
    (LINK_ID, TABLE_LINK_CLIENT),
    (VOUCHER_ID, TABLE_SERIES),
];

/// The module.
#[derive(Debug, Clone, Copy)]
pub struct Verification;

const METHODS: &[Method] = &[Method {
    name: ASK,
    roles: &[],
    doc: "Asks another chain for a record or a value of its state. Ask → PacketRef",
}];

impl Module for Verification {
    fn id(&self) -> u32 {
        VERIFICATION_ID
    }

    fn name(&self) -> &'static str {
        VERIFICATION_MODULE
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            ASK => ask(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }
}

fn ask(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: Ask = call.decode(arguments)?;
    let inquiry = arguments.inquiry.unwrap_or_default();
    key_of(&inquiry)?;
    if arguments.timeout_ms > TIMEOUT_MS_MAX {
        return Err(Failure::new(
            &codes::BAD_INQUIRY,
            format!("at most {TIMEOUT_MS_MAX} ms"),
        ));
    }
    let destination = Digest::from_slice(&arguments.destination);
    let destination = destination.ok_or_else(|| Failure::new(&codes::BAD_INQUIRY, "destination"))?;
    let outgoing = Outgoing {
        destination,
        module: VERIFICATION_MODULE,
        method: ASK,
        payload: encode(&inquiry),
        timeout_ms: arguments.timeout_ms,
        ordered: false,
        end_to_end: true,
    };
    send(call, outgoing)
}

/// The key that an inquiry is about.
fn key_of(inquiry: &Inquiry) -> Result<StateKey, Failure> {
    let bad = |what| Failure::new(&codes::BAD_INQUIRY, what);
    match inquiry.kind {
        KIND_EVIDENCE => {
            let digest = Digest::from_slice(&inquiry.digest).ok_or_else(|| bad("digest"))?;
            if !rules::is_organisation_id(&inquiry.organisation) || inquiry.module_id != 0 || !inquiry.key.is_empty() {
                return Err(bad("organisation"));
            }
            Ok(StateKey::evidence(&digest, &inquiry.organisation))
        }
        KIND_STATE => {
            let fits = !inquiry.key.is_empty() && inquiry.key.len() + size_of::<u32>() <= STATE_KEY_BYTES_MAX;
            if !fits || inquiry.module_id == 0 || !inquiry.digest.is_empty() || !inquiry.organisation.is_empty() {
                return Err(bad("key"));
            }
            let table = (inquiry.module_id, inquiry.key[0]);
            if !ANSWERED.contains(&table) {
                return Err(Failure::new(
                    &codes::NOT_ANSWERED,
                    format!("module {}, table {}", table.0, table.1),
                ));
            }
            Ok(StateKey {
                module_id: inquiry.module_id,
                key: inquiry.key.clone(),
            })
        }
        _ => Err(bad("kind")),
    }
}

impl Port for Verification {
    fn module(&self) -> &'static str {
        VERIFICATION_MODULE
    }

    fn end_to_end(&self) -> bool {
        true
    }

    fn receive(&self, call: &mut Call<'_>, packet: &SealedPacket) -> Result<Bytes, Failure> {
        if packet.message.method != ASK {
            return Err(Failure::new(&codes::BAD_INQUIRY, "method"));
        }
        let inquiry: Inquiry = decode_canonical(&packet.message.payload, PACKET_PAYLOAD_BYTES_MAX)
            .map_err(|error| Failure::new(&codes::BAD_INQUIRY, error.to_string()))?;
        let key = key_of(&inquiry)?;
        let answer = if inquiry.kind == KIND_EVIDENCE {
            let record: Option<EvidenceRecord> = call.record(&key, "evidence record")?;
            record.map(|record| InquiryAnswer {
                found: true,
                status: record.status,
                height: record.height,
                time_ms: record.time_ms,
                transaction_id: record.transaction_id,
                ..Default::default()
            })
        } else {
            call.get(&key)?.map(|value| InquiryAnswer {
                found: true,
                value_hash: value_hash(&value).to_vec().into(),
                ..Default::default()
            })
        };
        Ok(encode(&answer.unwrap_or_default()))
    }

    fn ended(&self, _: &mut Call<'_>, _: &SealedPacket, _: &Outcome) -> Result<(), Failure> {
        // The end of the packet in the state is the answer.
        Ok(())
    }
}
