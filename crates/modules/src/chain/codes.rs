//! Codes of `chain`.

yulian_exec::codes! {
    BAD_OFFER = "chain.bad_offer" {
        "节点的托管承诺不合规", "请核对容量、机构与模板名单（须排序且不重复）",
        "the node's standing offer is not well formed", "check capacity, organisations and templates (sorted, no repetition)"
    }
    NODE_NOT_FOUND = "chain.node_not_found" {
        "节点没有登记，或没有托管承诺", "请先登记节点并设置托管承诺（yulian node add）",
        "the node is not registered, or made no offer", "register it and set its offer first (yulian node add)"
    }
    NODE_NOT_ASKED = "chain.node_not_asked" {
        "该链没有用到这个节点，或它已经答复", "请核对链名与节点公钥",
        "the chain does not ask for this node, or it has answered", "check the chain's name and the node's key"
    }
    OTHER_ORGANISATION = "chain.other_organisation" {
        "只能操作本机构的节点和本机构创建的链", "请由所属机构的管理员操作，或发起表决",
        "administrators act on nodes and chains of their own organisation only", "ask that organisation, or propose a vote"
    }
    NODE_FULL = "chain.node_full" {
        "节点容量不足或正在迁出", "请换用其他节点，或提高其容量",
        "the node has no room left, or is being drained", "use another node, or raise its capacity"
    }
    BAD_NAME = "chain.bad_name" {
        "链的名称或标题不合规", "名称为 1 至 32 字节，不含空白与 / ? # % &",
        "the chain's name or title is not well formed", "the name has 1 to 32 bytes, no white space and none of / ? # % &"
    }
    NAME_USED = "chain.name_used" {
        "链名已被使用", "链名不得重复使用，请另取",
        "the name has been used", "a name is never used twice: choose another"
    }
    TOO_MANY_CHAINS = "chain.too_many_chains" {
        "平台的链数已达上限", "请联系平台管理机构",
        "the platform has as many chains as it may", "ask whoever runs the platform"
    }
    LIMIT_REACHED = "chain.limit_reached" {
        "本机构创建的这类链已达上限", "请先归档并销毁不用的链，或由联盟表决提高模板的上限",
        "the organisation has as many chains of this template as it may", "destroy unused ones, or have the template's limit raised by vote"
    }
    TEMPLATE_NOT_FOUND = "chain.template_not_found" {
        "没有这个模板", "请核对模板名称",
        "there is no such template", "check its name"
    }
    BAD_TEMPLATE = "chain.bad_template" {
        "模板不合规", "请核对模块、参数、周期与配额",
        "the template is not well formed", "check modules, parameters, epochs and quotas"
    }
    NOT_ALLOWED = "chain.not_allowed" {
        "该模板不允许此账户直接创建链", "请使用有相应角色的账户，或发起建链提案",
        "the template does not let this account create a chain", "use an account with the role, or propose the chain"
    }
    BAD_NODES = "chain.bad_nodes" {
        "验证节点或观察节点名单不合规", "请给出至少四个已登记的节点，排序且不重复",
        "the lists of validators and observers are not well formed", "name at least four registered nodes, sorted, none twice"
    }
    BAD_ACCOUNTS = "chain.bad_accounts" {
        "新链的账户或机构名单不合规", "每个机构至少要有一个未冻结的管理员账户",
        "the accounts or organisations of the new chain are not well formed", "each organisation needs an administrator that is not frozen"
    }
    BAD_QUOTA = "chain.bad_quota" {
        "配额或参数超出模板允许的范围", "请取模板范围内的值",
        "a quota or parameter is beyond what the template allows", "choose values within it"
    }
    BAD_GENESIS = "chain.bad_genesis" {
        "由此不能生成有效的创世", "请按说明修改后重试",
        "no valid genesis follows from this", "correct what the detail names"
    }
    TOO_MANY_IN_CLOUD = "chain.too_many_in_cloud" {
        "新链有一朵云上的验证节点超过容错上限", "请把验证节点分散到其他云；确需如此，须经表决建链并写明接受这一风险及理由",
        "one cloud would hold more of the new chain's validators than it can lose", "spread them over other clouds; if it has to be, a vote creates the chain and accepts the risk with a reason"
    }
    OTHER_RISK = "chain.other_risk" {
        "提案写明接受的风险与新链验证节点的实际情况不符", "请按所列验证节点重新提案",
        "the risk that the proposal accepts is not the one that the new chain would have", "propose it anew for the validators that it names"
    }
    GENESIS_TOO_LARGE = "chain.genesis_too_large" {
        "新链的创世过大", "请减少起始账户，其余账户可在建链后登记",
        "the new chain's genesis is too large", "name fewer accounts; register the others on the chain later"
    }
    CHAIN_NOT_FOUND = "chain.not_found" {
        "平台上没有这条链", "请核对链名",
        "the platform has no such chain", "check its name"
    }
    WRONG_STATE = "chain.wrong_state" {
        "链的当前状态不允许此操作", "请先查看链的状态",
        "the chain's state does not allow this", "look at its state first"
    }
    BAD_STATEMENT = "chain.bad_statement" {
        "节点的签名声明不正确", "请由该节点以其密钥重新签名",
        "the node's signed statement is wrong", "have the node sign it anew with its key"
    }
    OLD_SET = "chain.old_set" {
        "登记的验证节点集合不早于此声明", "无需再次声明",
        "the register knows this set of validators, or a later one", "nothing is left to say"
    }
    BAD_REASON = "chain.bad_reason" {
        "理由过长或含控制字符", "理由不超过 512 字节",
        "the reason is too long or holds control characters", "use at most 512 bytes"
    }
    NO_CHECKPOINT = "chain.no_checkpoint" {
        "链的最终检查点还没有得到多数验证节点确认", "请等待各节点上报最后区块",
        "the last block is not agreed on by a quorum of the validators yet", "wait for their statements"
    }
    TOO_EARLY = "chain.too_early" {
        "销毁前的等待期未满", "请等到等待期结束",
        "the delay before the removal is not over", "wait until it is"
    }
    PAUSED = "chain.paused" {
        "该链已暂停或已归档，不接受此交易", "请等待恢复；联盟治理与跨链超时不受暂停影响",
        "the chain is paused or archived and takes no such transaction", "wait until it goes on; governance and link are not affected by a pause"
    }
    RATE_QUOTA = "chain.rate_quota" {
        "超过该链每秒交易配额", "请稍后重试，或申请提高配额",
        "the chain's quota of transactions per second is used up", "try again in a moment, or ask for a higher quota"
    }
    STORAGE_QUOTA = "chain.storage_quota" {
        "该链的存储配额已用完", "请申请提高配额，或归档旧链后新建",
        "the chain's storage quota is used up", "ask for a higher quota, or archive it and create another"
    }
}
