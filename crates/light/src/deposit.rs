//! What a transaction deposits and how its record stands.

use crate::{
    error::PackError,
    pack::PackRow,
    paths::merkle_proof,
    report::{Content, Status},
    subject::{Subject, batch_leaf},
};
use yulian_crypto::Digest;
use yulian_types::{decode_canonical, limits::TRANSACTION_BYTES_MAX, proto, state_keys as keys};

/// What a deposit says.
pub(crate) struct DepositCall {
    pub(crate) digest: Digest,
    pub(crate) kind: u32,
    pub(crate) count: u64,
    pub(crate) description: String,
    pub(crate) source: String,
}

pub(crate) fn deposit(payload: &proto::TransactionPayload) -> Result<DepositCall, PackError> {
    let (digest, kind, count, description, source) = match (payload.module.as_str(), payload.method.as_str()) {
        (keys::EVIDENCE_MODULE, keys::METHOD_DEPOSIT) => {
            let call: proto::Deposit =
                decode_canonical(&payload.arguments, TRANSACTION_BYTES_MAX).map_err(PackError::Arguments)?;
            (call.digest, keys::KIND_SINGLE, 0, call.description, call.source)
        }
        (keys::EVIDENCE_MODULE, keys::METHOD_DEPOSIT_BATCH) => {
            let call: proto::DepositBatch =
                decode_canonical(&payload.arguments, TRANSACTION_BYTES_MAX).map_err(PackError::Arguments)?;
            (call.root, keys::KIND_BATCH, call.count, call.description, call.source)
        }
        (module, method) => {
            let (module, method) = (module.into(), method.into());
            return Err(PackError::NotEvidence { module, method });
        }
    };
    Ok(DepositCall {
        digest: Digest::from_slice(&digest).ok_or(PackError::Field("digest"))?,
        kind,
        count,
        description,
        source,
    })
}

pub(crate) fn row_in_batch(row: &PackRow, deposit: &DepositCall) -> Result<Digest, PackError> {
    let digest = Digest::from_slice(&row.digest.0).ok_or(PackError::Field("row.digest"))?;
    let proof = merkle_proof(row.index, deposit.count, &row.path, "row.path")?;
    let holds = proof.verify(&deposit.digest, &batch_leaf(&digest));
    holds.then_some(digest).ok_or(PackError::Row)
}

pub(crate) fn check_subject(subject: Option<&Subject>, deposited: &Digest, content: &Content) -> Result<(), PackError> {
    let Some(subject) = subject else {
        return Ok(());
    };
    if matches!(content, Content::Batch { index: None, .. }) {
        return Err(PackError::RowMissing);
    }
    if subject.digest() != *deposited {
        return Err(PackError::OtherContent {
            given: subject.digest().to_string(),
            deposited: deposited.to_string(),
        });
    }
    Ok(())
}

pub(crate) fn status(record: &proto::EvidenceRecord) -> Result<Status, PackError> {
    let (reason, height, time_ms) = (record.reason.clone(), record.status_height, record.status_time_ms);
    match record.status {
        keys::STATUS_ACTIVE => Ok(Status::Active),
        keys::STATUS_SUPERSEDED => Ok(Status::Superseded {
            by: Digest::from_slice(&record.superseded_by).ok_or(PackError::RecordField("superseded_by"))?,
            reason,
            height,
            time_ms,
        }),
        keys::STATUS_REVOKED => Ok(Status::Revoked {
            reason,
            height,
            time_ms,
        }),
        _ => Err(PackError::RecordField("status")),
    }
}
