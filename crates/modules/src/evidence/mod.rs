//! Evidence: what an organisation has deposited, superseded, revoked.
//!
//! A record's key is digest ‖ organisation id: nobody can occupy another organisation's digest, and each may deposit the
//! same one. Superseded and revoked are final. A deposit reads one key and writes one.

mod change;
pub mod codes;
mod deposit;

use bytes::Bytes;
use prost::Message;
use yulian_crypto::Digest;
use yulian_exec::{
    Call, Code, Failure, Method, Module,
    rules::{ROLE_ADMIN, ROLE_WRITER},
};
use yulian_types::{
    StateKey, proto,
    state_keys::{EVIDENCE_ID, EVIDENCE_MODULE, METHOD_DEPOSIT, METHOD_DEPOSIT_BATCH},
};

/// Most bytes of a description.
pub const DESCRIPTION_BYTES_MAX: usize = 1024;
/// Most bytes of a source.
pub const SOURCE_BYTES_MAX: usize = 256;
/// Most bytes of a reason.
pub const REASON_BYTES_MAX: usize = 512;
/// Most rows of a batch.
pub const BATCH_ROWS_MAX: u64 = 1_000_000_000;

const METHOD_SUPERSEDE: &str = "supersede";
const METHOD_REVOKE: &str = "revoke";
const WRITER: &[&str] = &[ROLE_WRITER];
const KEEPERS: &[&str] = &[ROLE_ADMIN, ROLE_WRITER];

/// The module.
#[derive(Debug, Clone, Copy)]
pub struct Evidence;

const METHODS: &[Method] = &[
    Method {
        name: METHOD_DEPOSIT,
        roles: WRITER,
        doc: "Deposits one digest. Deposit",
    },
    Method {
        name: METHOD_DEPOSIT_BATCH,
        roles: WRITER,
        doc: "Deposits the Merkle root of many digests. DepositBatch",
    },
    Method {
        name: METHOD_SUPERSEDE,
        roles: KEEPERS,
        doc: "States that another active record takes the place of one. Supersede",
    },
    Method {
        name: METHOD_REVOKE,
        roles: KEEPERS,
        doc: "Withdraws a record. Revoke",
    },
];

impl Module for Evidence {
    fn id(&self) -> u32 {
        EVIDENCE_ID
    }

    fn name(&self) -> &'static str {
        EVIDENCE_MODULE
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            METHOD_DEPOSIT => deposit::deposit(call, arguments),
            METHOD_DEPOSIT_BATCH => deposit::deposit_batch(call, arguments),
            METHOD_SUPERSEDE => change::supersede(call, arguments),
            METHOD_REVOKE => change::revoke(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }

    fn expected_key(&self, method: &str, arguments: &Bytes, sender: &proto::Account) -> Option<StateKey> {
        let digest = match method {
            METHOD_DEPOSIT => proto::Deposit::decode(arguments.clone()).ok()?.digest,
            METHOD_DEPOSIT_BATCH => proto::DepositBatch::decode(arguments.clone()).ok()?.root,
            _ => return None,
        };
        Some(StateKey::evidence(&Digest::from_slice(&digest)?, &sender.organisation))
    }
}

fn parse_digest(bytes: &[u8]) -> Result<Digest, Failure> {
    match Digest::from_slice(bytes) {
        Some(digest) if digest != Digest::ZERO => Ok(digest),
        Some(_) => Err(Failure::new(&codes::BAD_DIGEST, "all zero")),
        None => Err(Failure::new(&codes::BAD_DIGEST, format!("{} bytes", bytes.len()))),
    }
}

/// The record of a digest in the sender's organisation.
fn own_record(call: &mut Call<'_>, digest: &Digest) -> Result<(StateKey, Option<proto::EvidenceRecord>), Failure> {
    let key = StateKey::evidence(digest, &call.sender().organisation);
    let record = call.record(&key, "evidence record")?;
    Ok((key, record))
}
