//! Deposits.

use super::{BATCH_ROWS_MAX, DESCRIPTION_BYTES_MAX, SOURCE_BYTES_MAX, codes, own_record, parse_digest};
use bytes::Bytes;
use yulian_exec::{Call, Failure, rules::is_text};
use yulian_types::{
    proto,
    state_keys::{KIND_BATCH, KIND_SINGLE, STATUS_ACTIVE},
};

pub(super) fn deposit(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::Deposit = call.decode(arguments)?;
    let record = proto::EvidenceRecord {
        digest: arguments.digest,
        kind: KIND_SINGLE,
        description: arguments.description,
        source: arguments.source,
        ..Default::default()
    };
    keep(call, record)
}

pub(super) fn deposit_batch(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: proto::DepositBatch = call.decode(arguments)?;
    if !(1..=BATCH_ROWS_MAX).contains(&arguments.count) {
        return Err(Failure::new(&codes::BAD_COUNT, arguments.count.to_string()));
    }
    let record = proto::EvidenceRecord {
        digest: arguments.root,
        kind: KIND_BATCH,
        description: arguments.description,
        source: arguments.source,
        count: arguments.count,
        ..Default::default()
    };
    keep(call, record)
}

/// Checks a record, fills in who, where and when, and writes it.
fn keep(call: &mut Call<'_>, mut record: proto::EvidenceRecord) -> Result<Bytes, Failure> {
    let digest = parse_digest(&record.digest)?;
    if !is_text(&record.description, DESCRIPTION_BYTES_MAX) {
        return Err(Failure::from(&codes::BAD_DESCRIPTION));
    }
    if !is_text(&record.source, SOURCE_BYTES_MAX) {
        return Err(Failure::from(&codes::BAD_SOURCE));
    }
    let (key, present) = own_record(call, &digest)?;
    if let Some(present) = present {
        return Err(Failure::new(
            &codes::ALREADY_DEPOSITED,
            format!("at height {}", present.height),
        ));
    }
    record.depositor = call.sender().id.clone();
    record.organisation = call.sender().organisation.clone();
    record.height = call.block().height;
    record.time_ms = call.block().time_ms;
    record.status = STATUS_ACTIVE;
    record.transaction_id = Bytes::copy_from_slice(&call.transaction_id().0);
    call.put_record(&key, &record)?;
    call.emit("deposited", record.digest)?;
    Ok(Bytes::new())
}
