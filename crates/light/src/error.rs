//! Why a pack is refused: typed for programs, with a stable code and a text in two languages for people.

use crate::{
    header::HeaderError, history::HistoryError, inclusion::InclusionError, pack::PACK_BYTES_MAX, relay::RelayError,
};
use yulian_types::{CodecError, FinalityError, GenesisError, TransactionError};

/// Why a pack is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The file is longer than [`PACK_BYTES_MAX`].
    #[error("{0} bytes, at most {PACK_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// Not the JSON of a pack: malformed, a field unknown, missing or repeated, a wrong type.
    #[error("{0}")]
    Json(String),
    /// Not byte for byte what its content encodes to.
    #[error("the file is not the canonical form of its content")]
    NotCanonical,
    /// Another format, or another version of it.
    #[error("not a pack of a known format and version (version {0})")]
    Format(u32),
    /// The genesis is malformed.
    #[error("{0}")]
    Genesis(#[source] GenesisError),
    /// A change of the validator set is not proven.
    #[error("change {index} of the validators: {source}")]
    SetChange {
        /// Position in the pack.
        index: usize,
        /// What is wrong with it.
        source: HistoryError,
    },
    /// A change of the validator set that no header of the pack presupposes.
    #[error("change {0} of the validators is later than every header of the pack")]
    NeedlessSetChange(usize),
    /// The headers around the transaction are not final.
    #[error("{0}")]
    Headers(#[source] HeaderError),
    /// The later header is not final.
    #[error("later header: {0}")]
    Later(#[source] HeaderError),
    /// The later header is not later, or there is no header after the transaction's block.
    #[error("the headers of the pack are not in the order that it needs")]
    HeaderOrder,
    /// The pack contradicts the header that the verifier trusts.
    #[error("against the trusted header: {0}")]
    Fork(#[source] HeaderError),
    /// The transaction is malformed.
    #[error("{0}")]
    Transaction(#[source] TransactionError),
    /// The transaction was made for another chain.
    #[error("the transaction names another chain")]
    TransactionChain,
    /// The transaction is no deposit of evidence.
    #[error("the transaction calls {module}.{method}")]
    NotEvidence {
        /// Module called.
        module: String,
        /// Method called.
        method: String,
    },
    /// The arguments of the deposit are malformed.
    #[error("arguments of the deposit: {0}")]
    Arguments(#[source] CodecError),
    /// A field of the pack has a length that it cannot have.
    #[error("the field {0} has a wrong length")]
    Field(&'static str),
    /// The transaction is not in the block.
    #[error("{0}")]
    TransactionInclusion(#[source] InclusionError),
    /// A signature of the transaction is wrong.
    #[error("signature {0} of the transaction is wrong")]
    TransactionSignature(usize),
    /// The receipt is malformed.
    #[error("receipt: {0}")]
    Receipt(#[source] CodecError),
    /// The receipt is not one of the block.
    #[error("{0}")]
    ReceiptInclusion(#[source] InclusionError),
    /// The receipt is that of another transaction.
    #[error("the receipt is that of another transaction")]
    ReceiptTransaction,
    /// The transaction failed when it was executed.
    #[error("the transaction failed with {0}")]
    Failed(String),
    /// The record is malformed.
    #[error("record: {0}")]
    Record(#[source] CodecError),
    /// The record is not in the state.
    #[error("record: {0}")]
    RecordState(#[source] InclusionError),
    /// The record is not the one that the transaction made.
    #[error("the record's {0} is not that of the transaction")]
    RecordField(&'static str),
    /// Another entry of the state (account, organisation, key owner, drift) is malformed.
    #[error("{entry}: {source}")]
    Entry {
        /// Field of the pack.
        entry: &'static str,
        /// What is wrong with it.
        source: CodecError,
    },
    /// Another entry of the state is not in the state.
    #[error("{entry}: {source}")]
    EntryState {
        /// Field of the pack.
        entry: &'static str,
        /// Why not.
        source: InclusionError,
    },
    /// Another entry of the state is not the one that belongs here, or is not needed.
    #[error("{0} is not the entry that belongs to this record")]
    EntryField(&'static str),
    /// Nothing shows that the key that signed is the sender's.
    #[error("nothing shows that the key that signed belongs to the sender")]
    SignerUnproven,
    /// The row is not in the batch, or the record is not of a batch.
    #[error("the row is not in the batch")]
    Row,
    /// A row or file was given and the pack is of a whole batch.
    #[error("the pack is of a whole batch and names no row")]
    RowMissing,
    /// The file or row given is not the one deposited.
    #[error("the digest of what was given is {given}, deposited was {deposited}")]
    OtherContent {
        /// Digest of what was given, hexadecimal.
        given: String,
        /// Digest deposited, hexadecimal.
        deposited: String,
    },
    /// The relay part does not hold.
    #[error("relay chain: {0}")]
    Relay(#[from] RelayError),
}

impl PackError {
    /// The stable code of the reason.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLong(_) => Code::TooLong,
            Self::Json(_) => Code::NotJson,
            Self::NotCanonical => Code::NotCanonical,
            Self::Format(_) => Code::UnknownFormat,
            Self::Genesis(_) => Code::BadGenesis,
            Self::SetChange { source, .. } => match source {
                HistoryError::Header(header) => header_code(header),
                _ => Code::BadSetChange,
            },
            Self::NeedlessSetChange(_) => Code::BadSetChange,
            Self::Headers(header) | Self::Later(header) => header_code(header),
            Self::HeaderOrder => Code::BadHeader,
            Self::Fork(_) => Code::Fork,
            Self::Transaction(_) | Self::Arguments(_) => Code::BadTransaction,
            Self::TransactionChain => Code::OtherChain,
            Self::NotEvidence { .. } => Code::NotEvidence,
            Self::Field(_) => Code::BadField,
            Self::TransactionInclusion(_) => Code::NotInBlock,
            Self::TransactionSignature(_) => Code::BadTransactionSignature,
            Self::Receipt(_) | Self::ReceiptInclusion(_) | Self::ReceiptTransaction => Code::BadReceipt,
            Self::Failed(_) => Code::Failed,
            Self::Record(_) | Self::RecordState(_) | Self::RecordField(_) => Code::BadRecord,
            Self::Entry { .. } | Self::EntryState { .. } | Self::EntryField(_) => Code::BadEntry,
            Self::SignerUnproven => Code::SignerUnproven,
            Self::Row => Code::NotInBatch,
            Self::RowMissing => Code::RowMissing,
            Self::OtherContent { .. } => Code::OtherContent,
            Self::Relay(relay) => relay_code(relay),
        }
    }
}

fn relay_code(error: &RelayError) -> Code {
    match error {
        RelayError::Frozen => Code::RelayFrozen,
        RelayError::Ended => Code::RelayEnded,
        RelayError::OtherHeader { .. } => Code::RelayFork,
        RelayError::Fork(_) => Code::Fork,
        _ => Code::BadRelay,
    }
}

fn header_code(error: &HeaderError) -> Code {
    match error {
        HeaderError::OtherChain(_) => Code::OtherChain,
        HeaderError::Finality(FinalityError::TooFew { .. }) => Code::TooFewSigners,
        HeaderError::Finality(FinalityError::Bitmap { .. }) => Code::BadSigners,
        HeaderError::Finality(FinalityError::Signature(_)) => Code::BadSignature,
        HeaderError::Finality(_) | HeaderError::OtherBlock(_) => Code::NotFinal,
        HeaderError::Validators(_) | HeaderError::ValidatorsSince { .. } | HeaderError::BelowHistory(_) => {
            Code::BadSetChange
        }
        _ => Code::BadHeader,
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $zh:literal, $en:literal;)*) => {
        /// Stable codes of the answers "no".
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as programs see it; never changes.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it means, in Chinese.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }

            /// What it means, in English.
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }
        }
    };
}

codes! {
    /// The pack holds together but its chain is not trusted.
    UnknownChain = "unknown_chain",
        "证据包前后一致，但它所属的链未知：请用 --genesis 给出您信任的创世摘要",
        "consistent, but of an unknown chain: give the genesis digest that you trust with --genesis";
    /// The file is too long.
    TooLong = "pack_too_long",
        "证据包文件过大，拒绝读取",
        "the pack file is too long and was not read";
    /// The file is no pack.
    NotJson = "pack_not_json",
        "文件不是证据包，或已被截断、含有未知字段",
        "the file is no evidence pack, or it is truncated or has unknown fields";
    /// The file was changed in form.
    NotCanonical = "pack_not_canonical",
        "证据包被改动过：其字节与规范格式不一致",
        "the pack was changed: its bytes are not in the canonical form";
    /// Another format or version.
    UnknownFormat = "pack_unknown_format",
        "证据包的格式或版本未知：请使用更新的程序核验",
        "the format or version of the pack is unknown: verify it with a newer program";
    /// The genesis is malformed.
    BadGenesis = "pack_bad_genesis",
        "证据包中的创世信息无效",
        "the genesis in the pack is not valid";
    /// Something belongs to another chain.
    OtherChain = "pack_other_chain",
        "证据包中的内容属于另一条链",
        "a part of the pack belongs to another chain";
    /// The set of validators is not proven.
    BadSetChange = "pack_bad_validators",
        "验证节点集合未得到证明",
        "the set of validators is not proven";
    /// The headers do not fit together.
    BadHeader = "pack_bad_header",
        "证据包中的区块头无效或不相连",
        "a block header in the pack is not valid or not linked to the next";
    /// The proof is not that of the header.
    NotFinal = "pack_not_final",
        "区块的最终性证明无效",
        "the finality proof is not valid for the block";
    /// Too few validators signed.
    TooFewSigners = "pack_too_few_signers",
        "签名的验证节点数量不足",
        "too few validators signed";
    /// Signers unknown or not as many as signatures.
    BadSigners = "pack_bad_signers",
        "签名者不在验证节点集合中，或与签名数量不符",
        "signers are not in the validator set or do not match the signatures";
    /// A validator's signature is wrong.
    BadSignature = "pack_bad_signature",
        "验证节点的签名错误",
        "the signature of a validator is wrong";
    /// Against the trusted header.
    Fork = "pack_fork",
        "证据包与您信任的区块头矛盾：可能来自伪造的历史",
        "the pack contradicts the header you trust: its history may be forged";
    /// The transaction is malformed.
    BadTransaction = "pack_bad_transaction",
        "证据包中的交易无效",
        "the transaction in the pack is not valid";
    /// The transaction is no deposit.
    NotEvidence = "pack_not_evidence",
        "证据包中的交易不是存证交易",
        "the transaction in the pack does not deposit evidence";
    /// A field of a wrong length.
    BadField = "pack_bad_field",
        "证据包的字段长度错误",
        "a field of the pack has a wrong length";
    /// The transaction is not in the block.
    NotInBlock = "pack_not_in_block",
        "该交易不在所述区块中",
        "the transaction is not in the block";
    /// The sender's signature is wrong.
    BadTransactionSignature = "pack_bad_transaction_signature",
        "存证人的交易签名错误",
        "the depositor's signature of the transaction is wrong";
    /// The receipt is not proven.
    BadReceipt = "pack_bad_receipt",
        "交易回执无效或未得到证明",
        "the receipt is not valid or not proven";
    /// The transaction failed.
    Failed = "pack_failed_transaction",
        "该交易已上链但执行失败，没有形成存证",
        "the transaction is on the chain but failed: it deposited nothing";
    /// The record is not proven.
    BadRecord = "pack_bad_record",
        "存证记录无效或未得到证明",
        "the evidence record is not valid or not proven";
    /// A name is not proven.
    BadEntry = "pack_bad_entry",
        "账户、机构或参数的状态记录无效或未得到证明",
        "a state entry of account, organisation or parameter is not valid or not proven";
    /// The signer is not proven to be the sender.
    SignerUnproven = "pack_signer_unproven",
        "无法证明签名密钥属于存证人",
        "nothing shows that the key that signed belongs to the depositor";
    /// The row is not in the batch.
    NotInBatch = "pack_not_in_batch",
        "该行不在所述批次中",
        "the row is not in the batch";
    /// The pack names no row.
    RowMissing = "pack_row_missing",
        "该证据包属于整个批次，未指明其中的行或文件",
        "the pack is of a whole batch and names no row or file of it";
    /// What was given is not what was deposited.
    OtherContent = "pack_other_content",
        "所给文件或行与存证内容不一致：内容已被改动或并非同一份",
        "the file or row given is not the one deposited: it was changed or is another";
    /// The relay part is not proven.
    BadRelay = "pack_bad_relay",
        "证据包中的中继链部分无效或未得到证明",
        "the relay part of the pack is not valid or not proven";
    /// The relay chain froze the chain's light client.
    RelayFrozen = "pack_relay_frozen",
        "中继链已冻结该链：有人证明该链在同一高度签出过两个不同的最终区块",
        "the relay chain froze this chain: it was shown two different final blocks of one height";
    /// The relay chain's members ended the link.
    RelayEnded = "pack_relay_ended",
        "中继链的成员已表决终止与该链的连接",
        "the members of the relay chain ended the link to this chain by vote";
    /// The relay chain knows another header.
    RelayFork = "pack_relay_fork",
        "中继链所知的该高度区块与证据包不同：证据包可能来自伪造的历史",
        "the relay chain knows another block at this height: the history of the pack may be forged";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_has_both_texts() {
        let mut seen = BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{text}");
            assert!(
                code.zh().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{text}"
            );
            assert!(code.en().is_ascii() && code.en().len() > 10, "{text}");
        }
    }
}
