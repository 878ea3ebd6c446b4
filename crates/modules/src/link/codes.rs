//! Codes of `link`.

yulian_exec::codes! {
    BAD_CHAIN_ID = "link.bad_chain_id" {
        "链的创世摘要无效", "请填写对方链的 32 字节创世摘要",
        "the genesis digest of the chain is not valid", "use the other chain's genesis digest of 32 bytes"
    }
    BAD_NAME = "link.bad_name" {
        "链的名称不合规", "名称须为 1 至 128 字节，不含控制字符",
        "the name of the chain is not well formed", "use 1 to 128 bytes without control characters"
    }
    BAD_TRUST_PERIOD = "link.bad_trust_period" {
        "信任期超出范围", "信任期须为 1 小时至 365 天",
        "the trust period is out of range", "use 1 hour to 365 days"
    }
    BAD_GENESIS = "link.bad_genesis" {
        "对方链的创世文件无效", "请取得原始创世文件",
        "the other chain's genesis is not valid", "get the original genesis file"
    }
    BAD_START = "link.bad_start" {
        "起点区块头与约定不符", "请提供所约定高度的区块头及当时的验证节点集合",
        "the starting header is not the one agreed upon", "bring the header of the agreed height and the validators in force there"
    }
    NOT_AGREED = "link.not_agreed" {
        "本链尚未表决同意信任该链", "请先由成员表决（AgreeLink）",
        "the members have not agreed to trust this chain", "let them vote on it first (AgreeLink)"
    }
    NO_RELAY = "link.no_relay" {
        "本链没有中继链", "请先由成员表决指定中继链",
        "this chain has no relay chain", "let the members vote on one first"
    }
    ALREADY_OPEN = "link.already_open" {
        "该链的轻客户端已经存在", "无需再次打开",
        "the light client of this chain is open already", "there is nothing to do"
    }
    UNKNOWN_CHAIN = "link.unknown_chain" {
        "本链没有该链的轻客户端", "请先引入（introduce）或表决同意该链",
        "there is no light client of this chain here", "introduce it through the relay, or agree on it by vote"
    }
    CLIENT_FROZEN = "link.client_frozen" {
        "该链的轻客户端已冻结：出现过同一高度的两个最终区块头", "须由成员表决新的起点",
        "the light client is frozen: two final headers of one height were shown", "let the members vote on a new starting point"
    }
    CLIENT_ENDED = "link.client_ended" {
        "与该链的连接已经表决终止", "如需恢复，请重新表决",
        "the link to this chain was ended by vote", "vote on it again if it is to be restored"
    }
    TRUST_EXPIRED = "link.trust_expired" {
        "区块头已超过信任期", "请由成员表决新的起点",
        "the header is older than the trust period", "let the members vote on a new starting point"
    }
    HEADER_AHEAD = "link.header_ahead" {
        "区块头的时间过于超前", "请检查对方链与本链的时钟",
        "the header's time is too far ahead", "check the clocks of both chains"
    }
    HEADER_FAILS = "link.header_fails" {
        "区块头未被证明为最终", "请提供由现任验证节点法定数签名的区块头",
        "the header is not proven to be final", "bring a header that a quorum of the validators in force signed"
    }
    HEADER_TOO_OLD = "link.header_too_old" {
        "区块头比本链保留的都旧", "请使用较新的区块头",
        "the header is older than all that are kept", "use a newer one"
    }
    HEADER_NOT_FOUND = "link.header_not_found" {
        "本链未保存该高度的区块头", "请在同一笔交易中先带上区块头更新",
        "no header of this height is kept", "bring the header in the same transaction"
    }
    NO_CONFLICT = "link.no_conflict" {
        "所示两个区块头并不矛盾", "须为同一高度、摘要不同、且均为最终",
        "the two headers do not contradict each other", "both must be final, of one height and of different digests"
    }
    PROOF_MISSING = "link.proof_missing" {
        "缺少所需的证明", "端到端消息须带来源链自身的证明",
        "a proof is missing", "a packet end to end needs the proof of its source itself"
    }
    PROOF_FAILS = "link.proof_fails" {
        "状态证明不成立", "请重新从该链的节点取得证明",
        "the state proof does not hold", "get it again from a node of that chain"
    }
    BAD_PACKET = "link.bad_packet" {
        "跨链消息格式无效", "请使用来源链状态中的原始字节",
        "the packet is not well formed", "use the bytes of the source's state"
    }
    BAD_RESULT = "link.bad_result" {
        "跨链结果格式无效或不属于该消息", "请使用目的链状态中的原始字节",
        "the result is not well formed or of another packet", "use the bytes of the destination's state"
    }
    BAD_TIMEOUT = "link.bad_timeout" {
        "超时时间超出范围", "须为 5 秒至 30 天",
        "the time-out is out of range", "use 5 seconds to 30 days"
    }
    BAD_KIND = "link.bad_kind" {
        "没有这种搬运类型", "请按协议文档填写",
        "there is no such kind of item", "use a kind that the protocol lists"
    }
    QUEUE_FULL = "link.queue_full" {
        "发往该链的未决消息过多", "请等待已有消息结束",
        "too many packets to this chain have not ended", "wait until some of them end"
    }
    OTHER_CHAIN = "link.other_chain" {
        "消息与本链无关或方向不对", "请送往消息所指的链",
        "the packet is not for this chain, or not from it", "bring it to the chain that it names"
    }
    NOT_PENDING = "link.not_pending" {
        "该消息不存在或已经结束", "每条消息只结束一次",
        "there is no such packet, or it has ended", "each packet ends once"
    }
    NOT_TIMED_OUT = "link.not_timed_out" {
        "目的链的时间尚未到超时", "请使用时间不早于超时的区块头",
        "the destination's time has not reached the time-out", "use a header that is not before it"
    }
    NOT_ENDED = "link.not_ended" {
        "与目的链的连接并未终止", "须先由成员表决终止",
        "the link to the destination has not been ended", "let the members vote on it first"
    }
    ALREADY_RECEIVED = "link.already_received" {
        "该消息已经接收", "每条消息只接收一次",
        "the packet has been received already", "each packet is received once"
    }
    ALREADY_RELAYED = "link.already_relayed" {
        "该消息已经中继", "每条消息只中继一次",
        "the packet has been relayed already", "each packet is relayed once"
    }
    ALREADY_CONFIRMED = "link.already_confirmed" {
        "该消息的结果已经登记", "无需再次登记",
        "the packet's result is known already", "there is nothing to do"
    }
    NOT_RELAYED = "link.not_relayed" {
        "中继链没有登记该消息", "请先在中继链上中继",
        "the relay chain has not noted this packet", "relay it there first"
    }
    TOO_LATE = "link.too_late" {
        "消息未在规定时间内到达", "来源链将予以退回；如仍需要，请重新发送",
        "the packet did not come in time", "its source refunds it; send it again if it is still wanted"
    }
    OUT_OF_ORDER = "link.out_of_order" {
        "消息未按顺序到达", "请先送达序号更小的消息",
        "the packet is not the next one of its sequence", "bring the ones before it first"
    }
    NO_PORT = "link.no_port" {
        "本链没有接收该类消息的模块", "请核对目的链的功能",
        "no module of this chain takes such packets", "check what the destination offers"
    }
    NOT_END_TO_END = "link.not_end_to_end" {
        "该模块只接受端到端消息", "请以端到端方式发送",
        "this module takes packets end to end only", "send it end to end"
    }
    ANSWER_TOO_LONG = "link.answer_too_long" {
        "目的链的答复过长", "请缩小请求范围",
        "the destination's answer is too long", "ask for less"
    }
    NO_ROUTE = "link.no_route" {
        "中继链上没有这条路由", "请由中继链成员表决开通路由",
        "the relay chain has no such route", "let its members vote on one"
    }
    ROUTE_CLOSED = "link.route_closed" {
        "该路由已经关闭", "请联系中继链管理方",
        "the route is closed", "ask who runs the relay chain"
    }
    NOT_ALLOWED = "link.not_allowed" {
        "该机构无权使用这条路由", "请由中继链成员表决授权",
        "the organisation may not use this route", "let the relay chain's members vote on it"
    }
    NOT_ORDERED = "link.not_ordered" {
        "该路由要求按序消息", "请以按序方式发送",
        "the route asks for packets in order", "send it as one of an ordered sequence"
    }
    BAD_ROUTE = "link.bad_route" {
        "路由内容不合规", "请核对来源、目的、模块与机构列表",
        "the route is not well formed", "check source, destination, module and organisations"
    }
    ROUTE_NOT_FOUND = "link.route_not_found" {
        "没有这条路由", "请核对来源、目的与模块：须与设定时完全相同",
        "there is no such route", "check source, destination and module: they must be exactly those that were set"
    }
    BAD_REASON = "link.bad_reason" {
        "冻结理由为空、过长或含控制字符", "理由须为 1 至 512 字节",
        "the reason is empty, too long or holds control characters", "use 1 to 512 bytes"
    }
    FROZEN = "link.frozen" {
        "监管方已冻结该方向的跨链消息", "解除须由中继链成员表决",
        "the regulator has frozen packets on this way", "the relay chain's members lift it by vote"
    }
    FROZEN_ALREADY = "link.frozen_already" {
        "该方向已经冻结", "无需再次冻结",
        "this way is frozen already", "there is nothing to do"
    }
    NOT_FROZEN = "link.not_frozen" {
        "该方向没有冻结", "请核对来源与目的",
        "this way is not frozen", "check source and destination"
    }
    TOO_MANY = "link.too_many" {
        "数量超过上限", "请减少数量",
        "there are too many of these", "use fewer"
    }
}
