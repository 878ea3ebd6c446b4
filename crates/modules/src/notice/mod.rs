//! Notices between chains: what one platform tells another, such as a heartbeat upwards or a policy downwards.
//!
//! A notice travels in order and on the relay's word alone; the last one of each kind from each chain stands in the state.

pub mod codes;

pub use yulian_types::state_keys::{NOTICE_ID, NOTICE_MODULE};

use crate::link::{Outcome, Outgoing, Port, send};
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{
    Call, Code, Failure, Method, Module,
    rules::{self, ROLE_ADMIN},
};
use yulian_types::{
    SealedPacket, StateKey, decode_canonical, encode,
    limits::PACKET_PAYLOAD_BYTES_MAX,
    proto::{Notice, NoticeRecord},
};

/// Kinds that there are.
pub const KINDS: [&str; 4] = ["heartbeat", "notice", "parameter", "policy"];
/// Most bytes of a notice's text.
pub const TEXT_BYTES_MAX: usize = 2048;

const TELL: &str = "tell";

/// The module.
#[derive(Debug, Clone, Copy)]
pub struct Notices;

const METHODS: &[Method] = &[Method {
    name: TELL,
    roles: &[ROLE_ADMIN],
    doc: "Tells another chain something. Notice → PacketRef",
}];

impl Module for Notices {
    fn id(&self) -> u32 {
        NOTICE_ID
    }

    fn name(&self) -> &'static str {
        NOTICE_MODULE
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            TELL => tell(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }
}

fn tell(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let mut notice: Notice = call.decode(arguments)?;
    check(&notice)?;
    let destination = Digest::from_slice(&notice.destination);
    let destination = destination.ok_or_else(|| Failure::new(&codes::BAD_NOTICE, "destination"))?;
    let timeout_ms = std::mem::take(&mut notice.timeout_ms);
    let outgoing = Outgoing {
        destination,
        module: NOTICE_MODULE,
        method: TELL,
        payload: encode(&notice),
        timeout_ms,
        ordered: true,
        end_to_end: false,
    };
    send(call, outgoing)
}

fn check(notice: &Notice) -> Result<(), Failure> {
    if !KINDS.contains(&notice.kind.as_str()) {
        return Err(Failure::new(
            &codes::BAD_NOTICE,
            format!("kind: one of {}", KINDS.join(", ")),
        ));
    }
    if !rules::is_text(&notice.text, TEXT_BYTES_MAX) || !matches!(notice.digest.len(), 0 | 32) {
        return Err(Failure::new(&codes::BAD_NOTICE, "text or digest"));
    }
    Ok(())
}

impl Port for Notices {
    fn module(&self) -> &'static str {
        NOTICE_MODULE
    }

    fn end_to_end(&self) -> bool {
        false
    }

    fn receive(&self, call: &mut Call<'_>, packet: &SealedPacket) -> Result<Bytes, Failure> {
        let message = &packet.message;
        let told: Notice = decode_canonical(&message.payload, PACKET_PAYLOAD_BYTES_MAX)
            .map_err(|error| Failure::new(&codes::BAD_NOTICE, error.to_string()))?;
        if message.method != TELL {
            return Err(Failure::new(&codes::BAD_NOTICE, "method"));
        }
        check(&told)?;
        let key = StateKey::notice(&packet.source, &told.kind);
        let record = NoticeRecord {
            notice: Some(told),
            organisation: message.organisation.clone(),
            sequence: message.sequence,
            height: call.block().height,
            time_ms: call.block().time_ms,
        };
        call.put_record(&key, &record)?;
        Ok(Bytes::new())
    }

    fn ended(&self, _: &mut Call<'_>, _: &SealedPacket, _: &Outcome) -> Result<(), Failure> {
        Ok(())
    }
}
