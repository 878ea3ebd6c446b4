//! The catalogue of result codes: each has a Chinese and an English text, and says what to do.

/// A stable code with its texts. The API shows the text of the reader's language beside the code.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// "module.name"; never changes its meaning.
    pub code: &'static str,
    /// What happened, in Chinese.
    pub zh: &'static str,
    /// What to do, in Chinese.
    pub zh_hint: &'static str,
    /// What happened, in English.
    pub en: &'static str,
    /// What to do, in English.
    pub en_hint: &'static str,
}

/// Declares codes and the list `CODES` of all of them.
///
/// `NAME = "module.code" { "zh", "zh hint", "en", "en hint" }`
#[macro_export]
macro_rules! codes {
    ($($name:ident = $code:literal { $zh:literal, $zh_hint:literal, $en:literal, $en_hint:literal })*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $en, ".")]
            pub static $name: $crate::Code = $crate::Code {
                code: $code, zh: $zh, zh_hint: $zh_hint, en: $en, en_hint: $en_hint,
            };
        )*
        /// All codes of this catalogue.
        pub static CODES: &[&$crate::Code] = &[$(&$name),*];
    };
}

codes! {
    WRONG_CHAIN = "exec.wrong_chain" {
        "交易属于另一条链", "请核对链标识后重新签名",
        "the transaction belongs to another chain", "check the chain id and sign again"
    }
    WRONG_SIGNATURE = "exec.wrong_signature" {
        "交易签名不正确", "请用账户当前密钥对交易标识重新签名",
        "a signature of the transaction is wrong", "sign the transaction id with the account's current key"
    }
    EXTRA_SIGNATURES = "exec.extra_signatures" {
        "交易带有多余的签名", "请只保留发送账户的签名",
        "the transaction carries signatures that no method asks for", "keep the sender's signature alone"
    }
    TRANSACTION_TOO_LARGE = "exec.transaction_too_large" {
        "交易超过本链允许的大小", "请缩小参数，或改用批量存证",
        "the transaction is larger than the chain allows", "shorten the arguments, or deposit a batch"
    }
    METERING_LIMIT_TOO_HIGH = "exec.metering_limit_too_high" {
        "交易的计量上限高于本链参数", "请调低计量上限",
        "the transaction's metering limit is above the chain's", "lower the metering limit"
    }
    EXPIRED = "exec.expired" {
        "交易已过有效期", "请核对本机时钟，重新生成并签名交易",
        "the transaction has expired", "check the clock, then make and sign the transaction anew"
    }
    VALID_UNTIL_TOO_FAR = "exec.valid_until_too_far" {
        "交易的有效期超出防重放窗口", "请缩短有效期，并核对本机时钟",
        "the transaction is valid for longer than the replay window", "choose an earlier valid-until; check the clock"
    }
    REPLAYED = "exec.replayed" {
        "交易已经上链", "请按交易标识查询结果，不要重复提交",
        "the transaction is on the chain already", "look up its result by its id; do not submit it again"
    }
    UNKNOWN_SENDER = "exec.unknown_sender" {
        "发送账户不存在", "请先由本机构管理员登记账户",
        "the sending account does not exist", "have an administrator of the organisation register it"
    }
    WRONG_KEY = "exec.wrong_key" {
        "签名公钥不是该账户的当前公钥", "密钥可能已轮换，请改用当前密钥",
        "the signing key is not the account's current key", "the key may have been rotated: use the current one"
    }
    ON_BEHALF_UNSUPPORTED = "exec.on_behalf_unsupported" {
        "本链尚不支持代他人提交", "请以自己的账户提交",
        "acting on behalf of another account is not switched on", "submit for the sender's own account"
    }
    ACCOUNT_FROZEN = "exec.account_frozen" {
        "账户已被冻结", "请联系本机构管理员",
        "the account is frozen", "ask an administrator of the organisation"
    }
    ORGANISATION_FROZEN = "exec.organisation_frozen" {
        "账户所属机构已被冻结", "请联系联盟成员",
        "the account's organisation is frozen", "ask the members of the consortium"
    }
    ORGANISATION_REMOVED = "exec.organisation_removed" {
        "账户所属机构已退出联盟链", "该机构的账户不能再提交交易",
        "the account's organisation has left the chain", "its accounts can submit nothing more"
    }
    UNKNOWN_MODULE = "exec.unknown_module" {
        "没有这个模块", "请核对模块名",
        "there is no such module", "check the module's name"
    }
    UNKNOWN_METHOD = "exec.unknown_method" {
        "模块没有这个方法", "请核对方法名",
        "the module has no such method", "check the method's name"
    }
    ROLE_MISSING = "exec.role_missing" {
        "账户没有调用该方法所需的角色", "请由本机构管理员授予角色",
        "the account has not the role that the method asks for", "have an administrator of the organisation grant it"
    }
    METERING_EXCEEDED = "exec.metering_exceeded" {
        "执行超过交易的计量上限", "请调高计量上限，或拆分交易",
        "the execution exceeded the transaction's metering limit", "raise the limit, or split the transaction"
    }
    UNDECLARED_KEY = "exec.undeclared_key" {
        "执行访问了交易未声明的状态键", "请补全声明的状态键，或不作声明",
        "the execution touched a key that the transaction does not declare", "declare all keys, or none"
    }
    BAD_ARGUMENTS = "exec.bad_arguments" {
        "参数不是该方法的规范编码", "请按接口文档编码参数",
        "the arguments are not the canonical message of the method", "encode them as the method's documentation says"
    }
    KEY_TOO_LONG = "exec.key_too_long" {
        "状态键过长", "请缩短参数中的标识",
        "a state key is too long", "shorten the identifiers in the arguments"
    }
    VALUE_TOO_LONG = "exec.value_too_long" {
        "状态值过长", "请缩短参数中的文字",
        "a state value is too long", "shorten the texts in the arguments"
    }
    RECEIPT_TOO_LARGE = "exec.receipt_too_large" {
        "执行产生的事件或结果过多", "请拆分交易",
        "the execution yields too many events or too long an answer", "split the transaction"
    }
    STATE_UNAVAILABLE = "exec.state_unavailable" {
        "节点读取状态失败", "请稍后重试；若反复出现，请检查节点磁盘",
        "the node could not read the state", "try again; if it repeats, check the node's disk"
    }
}
