//! Codes of `governance`.

yulian_exec::codes! {
    NOT_MEMBER = "governance.not_member" {
        "本机构不是联盟成员", "只有成员机构可以提案和表决",
        "the organisation is not a member of the consortium", "only members propose and vote"
    }
    BAD_KIND = "governance.bad_kind" {
        "没有这种提案", "请按接口文档填写提案类型",
        "there is no such kind of proposal", "use a kind that the documentation lists"
    }
    BAD_ACTION = "governance.bad_action" {
        "提案内容不是该类型的规范编码", "请按接口文档编码提案内容",
        "the action is not the canonical message of its kind", "encode it as the documentation says"
    }
    BAD_REASON = "governance.bad_reason" {
        "提案理由为空、过长或含控制字符", "理由须为 1 至 1024 字节",
        "the reason is empty, too long or holds control characters", "use 1 to 1,024 bytes"
    }
    TOO_MANY_OPEN = "governance.too_many_open" {
        "本机构未决提案过多", "请等待已有提案表决或到期",
        "the organisation has too many open proposals", "wait until some are decided or expire"
    }
    PROPOSAL_NOT_FOUND = "governance.proposal_not_found" {
        "提案不存在", "请核对提案编号",
        "there is no such proposal", "check its number"
    }
    PROPOSAL_DECIDED = "governance.proposal_decided" {
        "提案已经有结果", "不再接受表决",
        "the proposal has been decided", "it takes no more votes"
    }
    PROPOSAL_EXPIRED = "governance.proposal_expired" {
        "提案已过表决期限", "如仍需要，请重新提案",
        "the proposal's voting period is over", "propose it again if it is still wanted"
    }
    ALREADY_VOTED = "governance.already_voted" {
        "本机构已经表决过", "一机构一票，不可更改",
        "the organisation has voted already", "one organisation has one vote, which stands"
    }
    BAD_VALIDATOR = "governance.bad_validator" {
        "验证节点的资料不合规", "请核对公钥、名称、所属云与机构",
        "the validator's record is not well formed", "check its key, name, cloud and organisation"
    }
    VALIDATOR_PRESENT = "governance.validator_present" {
        "该公钥已是验证节点", "请使用候选节点自己的公钥",
        "this key is a validator already", "use the candidate's own key"
    }
    VALIDATOR_NOT_FOUND = "governance.validator_not_found" {
        "没有这个验证节点", "请核对公钥",
        "there is no such validator", "check the public key"
    }
    NODE_NOT_REGISTERED = "governance.node_not_registered" {
        "候选节点尚未登记，或登记的云、机构与提案不符", "请先由其机构登记节点，并使资料一致",
        "the candidate is not registered as a node, or with another cloud or organisation", "register it first, with the same data"
    }
    UNKNOWN_HEADER = "governance.unknown_header" {
        "候选证明所指的区块不是本链最近 256 个区块之一", "请让候选节点同步后重新签名",
        "the candidate's proof names no block of the last 256", "let the candidate catch up and sign again"
    }
    BAD_CANDIDATE_PROOF = "governance.bad_candidate_proof" {
        "候选节点的签名不正确", "请用候选节点的密钥签名",
        "the candidate's signature is wrong", "sign with the candidate's key"
    }
    TOO_FEW_VALIDATORS = "governance.too_few_validators" {
        "验证节点将少于四个", "请先增加节点，或改为替换",
        "there would be fewer than four validators", "add one first, or replace instead"
    }
    TOO_MANY_VALIDATORS = "governance.too_many_validators" {
        "验证节点将超过上限", "请先移除节点，或改为替换",
        "there would be too many validators", "remove one first, or replace instead"
    }
    TOO_MANY_IN_CLOUD = "governance.too_many_in_cloud" {
        "同一朵云上的验证节点将超过容错上限", "请把节点分散到其他云；确需如此，须在提案中写明接受这一风险及理由，由成员表决",
        "one cloud would hold more validators than the chain can lose", "spread them over other clouds; if it has to be, a proposal may accept the risk with a reason, for the members to vote on"
    }
    OTHER_RISK = "governance.other_risk" {
        "提案写明接受的风险与变更后的实际情况不符", "请按当前验证节点集合重新提案",
        "the risk that the proposal accepts is not the one that the set would have", "propose it anew for the set as it is now"
    }
    NAME_USED = "governance.name_used" {
        "验证节点重名", "请另取名称",
        "two validators would have one name", "choose another name"
    }
    TOO_MANY_SEATS = "governance.too_many_seats" {
        "本纪元变更的验证席位已达上限", "请等下一纪元后再表决，本次表决未计",
        "the changes of this epoch would move too many seats", "vote again in the next epoch: this ballot was not counted"
    }
    PARAMETER_NOT_FOUND = "governance.parameter_not_found" {
        "没有这个参数", "请核对参数名",
        "there is no such parameter", "check its name"
    }
    PARAMETER_OUT_OF_LIMITS = "governance.parameter_out_of_limits" {
        "参数值超出创世设定的范围", "请取范围内的值",
        "the value is beyond the limits of the genesis", "choose a value within them"
    }
    PARAMETER_SHRINKS = "governance.parameter_shrinks" {
        "该参数只能增大", "请取更大的值",
        "this parameter may only grow", "choose a larger value"
    }
    PARAMETER_UNCHANGED = "governance.parameter_unchanged" {
        "参数已是该值", "无需提案",
        "the parameter has this value already", "nothing is left to do"
    }
    BAD_ORGANISATION = "governance.bad_organisation" {
        "机构资料不合规", "标识须为 1 至 32 个小写字母、数字或连字符，名称不得为空",
        "the organisation's data are not well formed", "the id has 1 to 32 of a-z, 0-9 and -, the name is not empty"
    }
    ORGANISATION_EXISTS = "governance.organisation_exists" {
        "机构标识已被使用", "标识不得重复使用，请另取",
        "the organisation id has been used", "an id is never used twice: choose another"
    }
    ORGANISATION_NOT_FOUND = "governance.organisation_not_found" {
        "机构不存在或已退出", "请核对机构标识",
        "there is no such organisation, or it has left", "check its id"
    }
    ORGANISATION_HAS_VALIDATORS = "governance.organisation_has_validators" {
        "机构仍有验证节点", "请先移除或替换其验证节点，并等到变更生效",
        "the organisation still has validators", "remove or replace them first, and wait until that is in force"
    }
    ALREADY_FROZEN = "governance.already_frozen" {
        "机构已经冻结", "无需再次冻结",
        "the organisation is frozen already", "nothing is left to do"
    }
    NOT_FROZEN = "governance.not_frozen" {
        "机构没有冻结", "无需解冻",
        "the organisation is not frozen", "nothing is left to do"
    }
    ALREADY_INVITED = "governance.already_invited" {
        "机构已在受邀之列", "请等待其答复，或先撤回邀请",
        "the organisation is invited already", "wait for its answer, or withdraw the invitation first"
    }
    TOO_MANY_INVITATIONS = "governance.too_many_invitations" {
        "待答复的邀请已达上限", "请等待答复或到期，或撤回不用的邀请",
        "there are as many open invitations as allowed", "wait until some are answered or expire, or withdraw some"
    }
    BAD_INVITATION_TIME = "governance.bad_invitation_time" {
        "邀请的有效期不合规", "有效期须在当前区块时间之后、90 天之内",
        "the invitation's time is not well chosen", "it must end after the block's time and within 90 days"
    }
    INVITATION_NOT_FOUND = "governance.invitation_not_found" {
        "没有对该机构的邀请", "请核对机构标识，或请成员表决邀请",
        "the organisation is not invited", "check its id, or have the members vote on an invitation"
    }
    INVITATION_EXPIRED = "governance.invitation_expired" {
        "邀请已过有效期", "请成员重新表决邀请",
        "the invitation has expired", "have the members vote on a new one"
    }
    OTHER_CHARTER = "governance.other_charter" {
        "所接受的不是现行章程", "请核对现行章程的文本与摘要（yulian charter show），重新签署",
        "what was accepted is not the charter in force", "compare the text and the digest of the charter in force (yulian charter show) and sign again"
    }
    BAD_ACCEPTANCE = "governance.bad_acceptance" {
        "加入声明的签名不正确", "请用邀请中写明的密钥对本链、章程与机构标识签名",
        "the signature of the acceptance is wrong", "sign chain, charter and organisation id with the key that was invited"
    }
    LEAVE_BREAKS_SET = "governance.leave_breaks_set" {
        "机构的验证节点退出后，验证节点集合将不合规", "请先由成员表决以其他机构的节点替换",
        "without the organisation's validators the set would break its rules", "have the members vote nodes of others into their places first"
    }
    NODES_HOST_CHAINS = "governance.nodes_host_chains" {
        "机构的节点仍承载平台的链", "请先停止接收新链，并由各链替换或归档",
        "nodes of the organisation still host chains of the platform", "drain them, and have those chains replaced or archived first"
    }
    TOO_MANY_LEAVING = "governance.too_many_leaving" {
        "正在退出的机构已达上限", "请等待它们退出完毕",
        "as many organisations as allowed are on their way out", "wait until some have left"
    }
    TOO_MANY_MEMBERS = "governance.too_many_members" {
        "成员机构已达上限", "请先移除成员",
        "there are as many members as the chain allows", "remove one first"
    }
    QUORUM_OUT_OF_REACH = "governance.quorum_out_of_reach" {
        "此后可表决的成员将不足以达到章程的多数", "请先解冻或增加成员，或修改章程",
        "the members left to vote could not reach the charter's quorums any more", "unfreeze or add members first, or change the charter"
    }
    BAD_CHARTER = "governance.bad_charter" {
        "章程不合规", "多数不得低于二分之一，表决期限须在范围内",
        "the charter is not well formed", "quorums are at least one half, the voting period is within its limits"
    }
    CHARTER_UNCHANGED = "governance.charter_unchanged" {
        "章程没有变化", "无需提案",
        "the charter is this one already", "nothing is left to do"
    }
    BAD_PROTOCOL_VERSION = "governance.bad_protocol_version" {
        "协议版本须逐一启用", "请提议下一个版本；尚未生效的版本可以改期",
        "protocol versions are switched on one after another", "propose the next one, or another height for one that is not in force yet"
    }
    BAD_PROTOCOL_HEIGHT = "governance.bad_protocol_height" {
        "启用高度已过，或不晚于上一版本", "请给出更高的启用高度",
        "the height has passed, or is not above the version before", "choose a later height"
    }
    BAD_NODE = "governance.bad_node" {
        "节点资料不合规", "请核对公钥、名称、所属云、机构与地址（主机:端口）",
        "the node's record is not well formed", "check key, name, cloud, organisation and address (host:port)"
    }
    OTHER_ORGANISATION = "governance.other_organisation" {
        "节点属于其他机构", "只能登记或注销本机构的节点",
        "the node belongs to another organisation", "administrators act on nodes of their own organisation only"
    }
    BAD_POSSESSION = "governance.bad_possession" {
        "节点密钥的持有证明不正确", "请用节点密钥对本链与地址签名",
        "the node key's signature of possession is wrong", "sign chain id and address with the node's key"
    }
    TOO_MANY_NODES = "governance.too_many_nodes" {
        "登记的节点已达上限", "请先注销不用的节点",
        "there are as many registered nodes as allowed", "take unused ones off the list first"
    }
    NODE_NOT_FOUND = "governance.node_not_found" {
        "节点没有登记", "请核对公钥",
        "the node is not registered", "check the public key"
    }
    NODE_IS_VALIDATOR = "governance.node_is_validator" {
        "节点是验证节点，不能注销，也不能更改其云", "请先经表决移除或替换，并等到变更生效",
        "the node is a validator: it cannot be taken off the list or change its cloud", "remove or replace it by vote first, and wait until that is in force"
    }
}
