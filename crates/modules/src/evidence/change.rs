//! Supersede and revoke.

use super::{REASON_BYTES_MAX, codes, own_record, parse_digest};
use bytes::Bytes;
use yulian_crypto::Digest;
use yulian_exec::{Call, Failure, rules::is_text};
use yulian_types::{
    StateKey,
    proto::{self, EvidenceRecord},
    state_keys::{STATUS_ACTIVE, STATUS_REVOKED, STATUS_SUPERSEDED},
};

pub(super) fn supersede(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::Supersede = call.decode(arguments)?;
    let (digest, by) = (parse_digest(&arguments.digest)?, parse_digest(&arguments.by)?);
    check_reason(&arguments.reason)?;
    if digest == by {
        return Err(Failure::from(&codes::SAME_RECORD));
    }
    let (key, record) = active(call, &digest)?;
    let (_, replacement) = own_record(call, &by)?;
    let replacement = replacement.ok_or_else(|| Failure::new(&codes::REPLACEMENT_NOT_FOUND, by.to_string()))?;
    if replacement.status != STATUS_ACTIVE {
        return Err(Failure::new(&codes::REPLACEMENT_NOT_ACTIVE, by.to_string()));
    }
    let record = EvidenceRecord {
        superseded_by: arguments.by,
        ..record
    };
    close(call, &key, record, STATUS_SUPERSEDED, arguments.reason, "superseded")
}

pub(super) fn revoke(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::Revoke = call.decode(arguments)?;
    let digest = parse_digest(&arguments.digest)?;
    check_reason(&arguments.reason)?;
    let (key, record) = active(call, &digest)?;
    close(call, &key, record, STATUS_REVOKED, arguments.reason, "revoked")
}

fn check_reason(reason: &str) -> Result<(), Failure> {
    if !reason.is_empty() && is_text(reason, REASON_BYTES_MAX) {
        return Ok(());
    }
    Err(Failure::from(&codes::BAD_REASON))
}

fn active(call: &mut Call<'_>, digest: &Digest) -> Result<(StateKey, EvidenceRecord), Failure> {
    let (key, record) = own_record(call, digest)?;
    let record = record.ok_or_else(|| Failure::new(&codes::NOT_FOUND, digest.to_string()))?;
    if record.status == STATUS_ACTIVE {
        return Ok((key, record));
    }
    Err(Failure::new(
        &codes::NOT_ACTIVE,
        format!("since height {}", record.status_height),
    ))
}

/// Gives a record its final status.
fn close(
    call: &mut Call<'_>,
    key: &StateKey,
    mut record: EvidenceRecord,
    status: u32,
    reason: String,
    event: &'static str,
) -> Result<Bytes, Failure> {
    record.status = status;
    record.reason = reason;
    record.status_height = call.block().height;
    record.status_time_ms = call.block().time_ms;
    call.put_record(key, &record)?;
    call.emit(event, record.digest)?;
    Ok(Bytes::new())
}
