//! Codes of `account`.

yulian_exec::codes! {
    BAD_PUBLIC_KEY = "account.bad_public_key" {
        "公钥不是有效的 SM2 公钥", "请提供 33 字节压缩格式的 SM2 公钥",
        "the public key is not a valid SM2 key", "give 33 bytes, compressed SEC1"
    }
    BAD_ROLES = "account.bad_roles" {
        "角色清单不合规", "角色须为 admin、auditor、writer，按字母排序、不重复、至少一个",
        "the list of roles is not well formed", "use admin, auditor, writer: sorted, distinct, at least one"
    }
    BAD_LABEL = "account.bad_label" {
        "账户名称不合规", "名称须为 1 至 128 字节，不含控制字符，首尾无空格",
        "the account's label is not well formed", "use 1 to 128 bytes without control characters or outer spaces"
    }
    BAD_REASON = "account.bad_reason" {
        "冻结原因不合规", "原因须为 1 至 512 字节，不含控制字符",
        "the reason is not well formed", "use 1 to 512 bytes without control characters"
    }
    BAD_POSSESSION = "account.bad_possession" {
        "新密钥的持有证明不正确", "请用新密钥对本链与账户标识重新签名",
        "the new key's signature of possession is wrong", "sign chain id and account id with the new key"
    }
    KEY_USED = "account.key_used" {
        "该公钥已经使用过", "请生成新的密钥，公钥不得重复使用",
        "the public key has been used before", "make a new key: a key is never used twice"
    }
    NOT_FOUND = "account.not_found" {
        "账户不存在", "请核对账户标识",
        "there is no such account", "check the account id"
    }
    OTHER_ORGANISATION = "account.other_organisation" {
        "账户属于其他机构", "只能管理本机构的账户",
        "the account belongs to another organisation", "administrators act on accounts of their own organisation only"
    }
    ADMIN_NEEDED = "account.admin_needed" {
        "更换他人密钥需要管理员角色", "请由本机构管理员操作，或更换自己的密钥",
        "only an administrator may rotate another account's key", "ask an administrator of the organisation"
    }
    LAST_ADMIN = "account.last_admin" {
        "这是机构最后一个可用的管理员", "请先设立另一位管理员",
        "this is the organisation's last active administrator", "appoint another administrator first"
    }
    ALREADY_FROZEN = "account.already_frozen" {
        "账户已经冻结", "无需再次冻结",
        "the account is frozen already", "nothing is left to do"
    }
    NOT_FROZEN = "account.not_frozen" {
        "账户没有冻结", "无需解冻",
        "the account is not frozen", "nothing is left to do"
    }
    UNCHANGED = "account.unchanged" {
        "账户的角色没有变化", "无需提交",
        "the account has exactly these roles already", "nothing is left to do"
    }
}
