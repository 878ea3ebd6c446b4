//! The one catalogue of error codes: what failed and what to do, in Chinese and in English.
//!
//! A code is part of the interface: it may gain better words, but its name, its status and its meaning stay.
//! What the chain's own rules say (`exec.*` and the codes of modules) is in the catalogues of those crates; their
//! texts are passed in, see [`crate::ApiError::of_chain`].

/// A code with its HTTP status and texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code as it travels.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What failed, Chinese.
    pub message: &'static str,
    /// What failed, English.
    pub message_en: &'static str,
    /// What to do, Chinese.
    pub hint: &'static str,
    /// What to do, English.
    pub hint_en: &'static str,
}

macro_rules! catalogue {
    ($($name:ident = $code:literal, $status:literal, $zh:literal, $en:literal, $hint:literal, $hint_en:literal;)*) => {
        /// An error code of this interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $en] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code's status and texts.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        code: $code, status: $status, message: $zh, message_en: $en, hint: $hint, hint_en: $hint_en,
                    },)*
                }
            }

            /// The code of that name, if it is of this catalogue.
            pub fn of(name: &str) -> Option<Self> {
                match name {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

catalogue! {
    // The request itself.
    UnknownRoute = "unknown_route", 404,
        "没有这个接口", "there is no such route",
        "请对照 /openapi.json 核对路径", "check the path against /openapi.json";
    MethodNotAllowed = "method_not_allowed", 405,
        "该接口不支持这种请求方法", "the route does not take this method",
        "请对照 /openapi.json 核对请求方法", "check the method against /openapi.json";
    BadParameter = "bad_parameter", 400,
        "请求参数不正确", "a parameter of the request is wrong",
        "请按提示修改参数后重试", "correct the parameter and send the request again";
    BadCursor = "bad_cursor", 400,
        "翻页游标无效", "the cursor of the page is not valid",
        "请使用上一页返回的 next，或从第一页重新开始", "use `next` of the previous page, or begin with the first page";
    BodyTooLarge = "body_too_large", 413,
        "请求体超过上限", "the body of the request is too large",
        "请减小单次提交的数据量，分多次提交", "send less at a time, in several requests";
    BodyUnreadable = "body_unreadable", 400,
        "请求体没有完整到达", "the body of the request did not arrive completely",
        "请检查网络后重新提交", "check the connection and send the request again";
    MalformedBatch = "malformed_batch", 400,
        "批量请求的格式不正确", "the batch is malformed",
        "每笔交易前应有 4 字节大端长度，笔数与大小不得超限", "put a 4-byte big-endian length before each transaction and keep to the limits";
    RequestTimeout = "request_timeout", 408,
        "请求未能在限定时间内完成", "the request was not complete in time",
        "请稍后重试；若为提交，请先按交易编号查询结果", "try again; if it was a submission, first ask for the transaction by its id";
    Busy = "busy", 503,
        "节点当前并发请求已满", "the node handles as many requests as it may",
        "请稍后重试，或改用其他节点", "try again in a moment, or use another node";

    // The form of a transaction, and whether there is room for it. What the chain's rules say has the chain's codes.
    MalformedTransaction = "malformed_transaction", 400,
        "交易格式不正确", "the transaction is malformed",
        "请用与本链协议版本一致的软件重新生成交易", "build the transaction again with software of this chain's protocol version";
    NotCanonical = "not_canonical", 400,
        "交易不是规范编码：含未知、重复或默认值字段，或有多余字节", "the transaction is not canonically encoded: unknown, repeated or default-valued fields, or trailing bytes",
        "请去掉多余内容，用规范编码重新生成并签名", "remove what does not belong, encode canonically and sign again";
    TransactionTooLarge = "transaction_too_large", 413,
        "交易大小超过上限", "the transaction is too large",
        "请只上链摘要，或拆分为多笔交易", "put only digests on the chain, or split it into several transactions";
    UnknownKind = "unknown_kind", 400,
        "该交易类型尚未启用", "this kind of transaction is not switched on",
        "请使用已启用的交易类型，或由治理投票启用", "use a kind that is switched on, or have governance switch it on";
    UnknownScheme = "unknown_scheme", 400,
        "该签名算法尚未启用", "this signature scheme is not switched on",
        "请使用 SM2 签名", "sign with SM2";
    MempoolFull = "mempool_full", 503,
        "节点的待处理交易已满", "the node holds as many waiting transactions as it may",
        "请稍后重试，或改用其他节点", "try again in a moment, or use another node";
    SenderLimit = "sender_limit", 429,
        "该账户待处理的交易过多", "the account has too many waiting transactions",
        "请等待已提交的交易完成后再提交", "wait until earlier transactions are final, then go on";

    // What was asked for.
    UnknownChain = "unknown_chain", 404,
        "本节点没有这条链", "this node does not host the chain",
        "请用 /v1/status 查看本节点的链", "see the node's chains at /v1/status";
    UnknownTransaction = "unknown_transaction", 404,
        "没有找到该交易", "the transaction was not found",
        "请核对交易编号；刚提交的交易请稍后再查，过期仍未出现即未生效", "check the id; a new transaction may take a moment, one that has expired unseen had no effect";
    NotFinal = "not_final", 409,
        "尚未最终确定", "it is not final yet",
        "请稍后重试", "try again in a moment";
    UnknownModule = "unknown_module", 404,
        "没有这个模块", "there is no such module",
        "请核对模块名称或编号", "check the name or number of the module";
    UnknownBlock = "unknown_block", 404,
        "没有找到该区块", "the block was not found",
        "请核对高度或摘要，或换用已同步的节点", "check the height or digest, or use a node that has caught up";
    Pruned = "pruned", 410,
        "本节点已清理该数据", "this node has pruned the data",
        "请换用保留全部历史的节点", "ask a node that keeps the whole history";
    NotProvable = "not_provable", 409,
        "证明尚未形成：需要下一个区块最终确定", "there is no proof yet: the next block must be final first",
        "请稍后重试，空闲链会自动产生收尾区块", "try again in a moment; an idle chain makes a closing block by itself";
    UnknownEvidence = "unknown_evidence", 404,
        "没有找到该存证记录", "the evidence record was not found",
        "请核对摘要，必要时指明机构", "check the digest, and name the organisation if need be";
    AmbiguousEvidence = "ambiguous_evidence", 409,
        "多个机构存过该摘要", "several organisations deposited this digest",
        "请用 organisation 参数指明机构", "name one with the parameter `organisation`";
    UnknownOrganisation = "unknown_organisation", 404,
        "没有这个机构", "there is no such organisation",
        "请核对机构编号", "check the id of the organisation";
    OrganisationNotFound = "organisation_not_found", 404,
        "没有这个机构", "there is no such organisation",
        "请核对机构代码：yulian organisation list", "check the id of the organisation: yulian organisation list";
    AccountNotFound = "account_not_found", 404,
        "没有这个账户", "there is no such account",
        "请核对账户编号或公钥", "check the id or the public key of the account";
    BadJoin = "bad_join", 422,
        "接入申请无效", "the request to join does not hold",
        "请核对中继链摘要、地址与签名账户（须为申请链的管理员），并检查时钟", "check the relay chain's digest, the addresses and the account that signs (an administrator of the chain that asks), and the clock";
    UnknownJoin = "unknown_join", 404,
        "没有这条链的接入申请", "the chain has not asked to join at this node",
        "请核对摘要，或向其他节点查询；申请方会重复提交", "check the digest, or ask another node; whoever asks repeats the request";
    UnknownProposal = "unknown_proposal", 404,
        "没有这个提案", "there is no such proposal",
        "请核对提案编号", "check the number of the proposal";

    // The node.
    NotReady = "not_ready", 503,
        "节点尚未就绪，正在追赶区块", "the node is not ready, it is catching up",
        "请稍后重试，或改用其他节点", "try again in a moment, or use another node";
    NoNodeKey = "no_node_key", 409,
        "本节点没有可用的节点密钥", "this node has no key to sign with",
        "请在配置中指定节点密钥", "name a node key in the configuration";
    ChainStopped = "chain_stopped", 503,
        "该链在本节点已停止", "the chain has stopped on this node",
        "请查看节点日志并运行 yulian doctor，同时改用其他节点", "see the node's log and run yulian doctor; use another node meanwhile";
    ProtocolTooNew = "protocol_too_new", 503,
        "链已启用本节点软件不支持的协议版本", "the chain has switched on a protocol version that this node does not know",
        "请升级本节点的软件", "upgrade the software of this node";
    DiskFull = "disk_full", 507,
        "节点磁盘空间不足", "the disk of the node is full",
        "请清理或扩充磁盘，并改用其他节点", "free or add disk space; use another node meanwhile";
    Storage = "storage", 500,
        "节点读写数据失败", "the node failed to read or write its data",
        "请查看节点日志并运行 yulian doctor", "see the node's log and run yulian doctor";
    Internal = "internal", 500,
        "节点内部错误", "the node failed",
        "请把请求编号告知运维人员", "give the request id to the operator";
    ShuttingDown = "shutting_down", 503,
        "节点正在停止", "the node is stopping",
        "请改用其他节点", "use another node";
}

/// Code of the chain's rules: the transaction is on the chain already.
pub const CHAIN_REPLAYED: &str = "exec.replayed";
/// Code of the chain's rules: block time has passed the transaction's valid-until.
pub const CHAIN_EXPIRED: &str = "exec.expired";

/// HTTP status of a refusal by the chain's rules or a module. Codes not named here are 422.
pub fn chain_status(code: &str) -> u16 {
    match code {
        CHAIN_REPLAYED => 409,
        CHAIN_EXPIRED
        | "exec.wrong_chain"
        | "exec.valid_until_too_far"
        | "exec.metering_limit_too_high"
        | "exec.on_behalf_unsupported"
        | "exec.unknown_module"
        | "exec.unknown_method" => 400,
        "exec.wrong_signature"
        | "exec.unknown_sender"
        | "exec.wrong_key"
        | "exec.role_missing"
        | "exec.account_frozen"
        | "exec.organisation_frozen"
        | "exec.organisation_removed" => 403,
        "exec.transaction_too_large" => 413,
        "exec.state_unavailable" => 503,
        _ => 422,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_both_texts_and_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for code in Code::ALL {
            let entry = code.entry();
            assert!(names.insert(entry.code), "{} twice", entry.code);
            assert_eq!(Code::of(entry.code), Some(*code));
            assert!(
                entry.code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{}",
                entry.code
            );
            assert!(chinese(entry.message) && chinese(entry.hint), "{}", entry.code);
            assert!(
                !entry.message_en.is_empty() && !entry.hint_en.is_empty(),
                "{}",
                entry.code
            );
            assert!(
                entry.message_en.is_ascii() && entry.hint_en.is_ascii(),
                "{}",
                entry.code
            );
            assert!((400..600).contains(&entry.status), "{}", entry.code);
        }
        assert_eq!(Code::of("no_such_code"), None);
    }
}
