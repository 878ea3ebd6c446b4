//! What is measured.

use crate::bench::say;

/// An operation, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Sm2Verify,
    Sm2VerifyUnknownKey,
    Sm2VerifyCachedKey,
    Sm2VerifyBatch,
    Nistp256Verify,
    Sm2Sign,
    Sm3Node,
    Sm3Kib,
    Sm4Kib,
    Sm4Kib16,
}

impl Operation {
    /// As `--json` names it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Sm2Verify => "sm2_verify",
            Self::Sm2VerifyUnknownKey => "sm2_verify_unknown_key",
            Self::Sm2VerifyCachedKey => "sm2_verify_cached_key",
            Self::Sm2VerifyBatch => "sm2_verify_batch_256",
            Self::Nistp256Verify => "nistp256_verify",
            Self::Sm2Sign => "sm2_sign",
            Self::Sm3Node => "sm3_66",
            Self::Sm3Kib => "sm3_1024",
            Self::Sm4Kib => "sm4_gcm_seal_1024",
            Self::Sm4Kib16 => "sm4_gcm_seal_16384",
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Sm2Verify => say::bench_op_sm2_verify(),
            Self::Sm2VerifyUnknownKey => say::bench_op_sm2_verify_unknown(),
            Self::Sm2VerifyCachedKey => say::bench_op_sm2_verify_cached(),
            Self::Sm2VerifyBatch => say::bench_op_sm2_verify_batch(),
            Self::Nistp256Verify => say::bench_op_nistp256_verify(),
            Self::Sm2Sign => say::bench_op_sm2_sign(),
            Self::Sm3Node => say::bench_op_sm3(66),
            Self::Sm3Kib => say::bench_op_sm3(1024),
            Self::Sm4Kib => say::bench_op_sm4(1024),
            Self::Sm4Kib16 => say::bench_op_sm4(16384),
        }
    }

    /// The operation of RustCrypto that a ratio is to. Every verification is compared with its only way to verify SM2.
    pub(super) fn reference(self) -> Self {
        match self {
            Self::Sm2VerifyUnknownKey | Self::Sm2VerifyCachedKey | Self::Sm2VerifyBatch | Self::Nistp256Verify => {
                Self::Sm2Verify
            }
            other => other,
        }
    }
}
