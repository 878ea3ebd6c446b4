//! The help of the commands between chains and platforms; keys as in [`super::help`].

use super::help::Entry;

/// What these commands say of themselves.
pub(super) const HELP: &[Entry] = &[
    (
        "link",
        "本链信任哪些链：轻客户端的状态、同意、终止",
        "Which other chains a chain believes: state of its light clients, agree, end",
    ),
    (
        "link.list",
        "本链保存的轻客户端：状态、高度、信任期剩余",
        "The light clients that the chain keeps: status, height, trust period left",
    ),
    ("link.show", "一个轻客户端的详情", "One light client in detail"),
    (
        "link.show.of",
        "对方链：名称或创世摘要",
        "The other chain: its name or genesis digest",
    ),
    (
        "link.agree",
        "表决信任一条链并开通轻客户端；显示须与对方核对的创世摘要",
        "Vote to believe a chain and open its light client; shows the genesis digest that is to be compared out of band",
    ),
    (
        "link.agree.of",
        "被信任的链：名称或创世摘要",
        "The chain that is to be believed: its name or genesis digest",
    ),
    (
        "link.agree.of_url",
        "承载该链的节点接口，如在另一平台；可多次给出",
        "API of a node that hosts it, if that is on another platform; may be given several times",
    ),
    ("link.agree.relay", "作为本链的中继链", "It becomes this chain's relay"),
    (
        "link.agree.direct",
        "其消息不须经中继链",
        "Its packets need no relay's word",
    ),
    (
        "link.agree.start",
        "起点：latest 为最新区块头，genesis 为创世；默认按创世时间选取。已冻结或终止的须明确给出",
        "Where to start: latest header or genesis; by the age of its genesis unless named. Has to be named for a link that is frozen or ended",
    ),
    (
        "link.agree.trust_days",
        "信任期天数（默认 30）",
        "Trust period in days (30 by default)",
    ),
    (
        "link.end",
        "表决终止与一条链的连接：发往该链的消息随之结束",
        "Vote to end the link to a chain: packets to it end",
    ),
    (
        "link.end.of",
        "对方链：名称或创世摘要",
        "The other chain: its name or genesis digest",
    ),
    (
        "link.compare",
        "比对一条链各节点的最终区块；分叉时写出可冻结轻客户端的证据",
        "Compare what a chain's nodes call final; where it has forked, write what freezes its light client",
    ),
    (
        "link.compare.of",
        "要比对的链：名称或创世摘要",
        "The chain: name or genesis digest",
    ),
    (
        "link.compare.of_url",
        "该链各节点的接口地址，可多次给出；默认为本平台的节点",
        "APIs of the chain's nodes, may be repeated; this platform's nodes by default",
    ),
    (
        "link.compare.height",
        "在该高度比对（默认为各节点都已有的最高区块）",
        "Compare at this height; by default the highest block that all have",
    ),
    (
        "link.compare.out",
        "分叉时把证据写入该文件",
        "Where it has forked, write the proof to this file",
    ),
    (
        "link.conflict",
        "提交一条链在同一高度有两个最终区块头的证据，立即冻结其轻客户端",
        "Show that a chain has two final headers of one height: its light client is frozen at once",
    ),
    (
        "link.conflict.file",
        "LinkConflict 消息的文件，二进制或十六进制",
        "File with the LinkConflict message, as bytes or in hexadecimal",
    ),
    (
        "packet",
        "跨链消息：尚未结束的消息，以及每条消息的进展",
        "Packets between chains: what has not ended, and where each stands",
    ),
    (
        "packet.list",
        "已发出而未结束的消息及其进展；默认为平台的全部链",
        "What was sent and has not ended, and where it stands; of all chains of the platform unless one is named",
    ),
    (
        "packet.list.from",
        "来源链：名称或创世摘要",
        "The chain that sent: its name or genesis digest",
    ),
    (
        "packet.list.module",
        "模块：notice、verification 或 voucher",
        "Module: notice, verification or voucher",
    ),
    ("packet.show", "一条消息的进展", "Where one packet stands"),
    ("packet.show.sequence", "序号", "Its number"),
    (
        "packet.show.from",
        "来源链：名称或创世摘要",
        "The chain that sent it: its name or genesis digest",
    ),
    (
        "packet.show.module",
        "模块：notice、verification 或 voucher",
        "Module: notice, verification or voucher",
    ),
    (
        "route",
        "中继链的路由：谁可以向谁发送什么；监管冻结",
        "Routes of the relay chain: who may send what to whom; the regulator's freeze",
    ),
    ("route.list", "路由与冻结", "Routes and freezes"),
    (
        "route.set",
        "表决开通或修改一条路由；最具体的一条说了算",
        "Vote to open or change a route; the most exact one decides",
    ),
    (
        "route.close",
        "表决关闭一条路由：已中继的不受影响，其余到时退回",
        "Vote to close a route: what was relayed goes on, the rest is refunded in its time",
    ),
    (
        "route.remove",
        "表决移除一条路由：此后由更宽的路由决定",
        "Vote to remove a route: the next wider one decides then",
    ),
    (
        "route.freeze",
        "监管方立即冻结一个方向（角色 regulator）",
        "The regulator freezes a way at once (role regulator)",
    ),
    ("route.lift", "表决解除冻结", "Vote to lift a freeze"),
    (
        "*.from",
        "来源链：名称、创世摘要，或 any",
        "The chain that sends: its name, its genesis digest, or any",
    ),
    ("*.module", "模块；不给出为任意模块", "Module; any where none is named"),
    (
        "route.set.to",
        "目的链：名称、创世摘要，或 any",
        "The chain that receives: its name, its genesis digest, or any",
    ),
    (
        "route.close.to",
        "目的链：名称、创世摘要，或 any",
        "The chain that receives: its name, its genesis digest, or any",
    ),
    (
        "route.remove.to",
        "目的链：名称、创世摘要，或 any",
        "The chain that receives: its name, its genesis digest, or any",
    ),
    (
        "route.freeze.to",
        "目的链：名称、创世摘要，或 any",
        "The chain that receives: its name, its genesis digest, or any",
    ),
    (
        "route.lift.to",
        "目的链：名称、创世摘要，或 any",
        "The chain that receives: its name, its genesis digest, or any",
    ),
    (
        "route.set.organisation",
        "来源链上可以发送的机构，可多次给出；默认全部",
        "An organisation of the sending chain that may send, may be given several times; all by default",
    ),
    ("route.set.ordered", "只收按序的消息", "Only packets that go in order"),
    (
        "notice",
        "通告：告知另一条链，查看收到的通告",
        "Notices: tell another chain something, and see what was told",
    ),
    (
        "notice.send",
        "向另一条链发通告，等到送达",
        "Tell another chain something and wait until it has it",
    ),
    ("notice.send.text", "内容", "The text"),
    (
        "notice.send.kind",
        "类型：heartbeat、notice、parameter、policy",
        "Kind: heartbeat, notice, parameter, policy",
    ),
    (
        "notice.send.document",
        "附带文件的 SM3 摘要",
        "A file whose SM3 digest goes with it",
    ),
    (
        "notice.list",
        "每条链每一类最近的通告",
        "The last notice of each kind from each chain",
    ),
    (
        "notice.list.from",
        "来源链：名称或创世摘要",
        "The chain that sent it: its name or genesis digest",
    ),
    (
        "voucher",
        "凭证：发行、转让、跨链送达、兑付、查账",
        "Vouchers: issue, give, send to other chains, redeem, look at the books",
    ),
    ("voucher.issue", "发行凭证", "Issue vouchers"),
    (
        "voucher.issue.series",
        "系列名称，在签名机构内唯一",
        "Name of the series within the organisation that signs",
    ),
    ("voucher.issue.amount", "数量", "How many"),
    (
        "voucher.issue.holder",
        "首个持有人：账户编号、公钥、密钥文件，或 机构/账户；默认签名账户",
        "Who holds them first: account id, public key, key file, or ORGANISATION/ACCOUNT; by default the account that signs",
    ),
    (
        "voucher.issue.title",
        "标题（默认系列名称）",
        "Title (the name of the series by default)",
    ),
    (
        "voucher.issue.terms",
        "条款：文件或其 SM3 摘要；新系列必填",
        "The terms: a file or its SM3 digest; a new series needs them",
    ),
    (
        "voucher.issue.expires",
        "最后可兑付日（北京时间），如 2027-12-31",
        "Last day on which they can be redeemed (Beijing time), such as 2027-12-31",
    ),
    (
        "voucher.issue.valid_days",
        "自现在起有效的天数",
        "Days from now for which they can be redeemed",
    ),
    (
        "voucher.list",
        "链上的凭证系列；--account 为一个账户持有的凭证",
        "The series of a chain; with --account what an account holds",
    ),
    (
        "voucher.list.account",
        "账户编号、公钥、密钥文件，或 机构/账户",
        "Account id, public key, key file, or ORGANISATION/ACCOUNT",
    ),
    (
        "voucher.show",
        "一个系列的账目；--everywhere 核对全部链的总和",
        "The books of a series; with --everywhere the sum over all chains",
    ),
    (
        "*.series",
        "系列：编号、机构/名称，或名称",
        "The series: its id, ORGANISATION/NAME, or NAME",
    ),
    (
        "voucher.show.everywhere",
        "询问平台上持有该凭证的每条链，核对总和",
        "Ask every chain of the platform that holds some, and check the whole sum",
    ),
    (
        "voucher.transfer",
        "把凭证转给本链的另一账户",
        "Give vouchers to another account of the chain",
    ),
    ("*.amount", "数量", "How many"),
    (
        "*.holder",
        "持有人：账户编号、公钥、密钥文件，或 机构/账户",
        "Holder: account id, public key, key file, or ORGANISATION/ACCOUNT",
    ),
    (
        "voucher.send",
        "把凭证送到另一条链，等到对方确认或退回",
        "Send vouchers to another chain and wait until they are acknowledged or refunded",
    ),
    (
        "*.to",
        "目的链：名称或创世摘要",
        "The chain that it goes to: its name or genesis digest",
    ),
    ("*.no_wait", "提交后不等待结果", "Do not wait for the result"),
    (
        "voucher.send.timeout_s",
        "超过这些秒未完成即放弃或退回",
        "Seconds after which it is given up or refunded",
    ),
    (
        "voucher.redeem.timeout_s",
        "超过这些秒未完成即放弃或退回",
        "Seconds after which it is given up or refunded",
    ),
    (
        "voucher.reclaim.timeout_s",
        "超过这些秒未完成即放弃或退回",
        "Seconds after which it is given up or refunded",
    ),
    (
        "notice.send.timeout_s",
        "超过这些秒未完成即放弃或退回",
        "Seconds after which it is given up or refunded",
    ),
    (
        "voucher.redeem",
        "兑付凭证；在发行链以外须等其确认",
        "Redeem vouchers; elsewhere than at their home this waits for the home",
    ),
    (
        "voucher.reclaim",
        "向发行链领回送达与退回均未成功的凭证",
        "Ask the home for vouchers that could neither be delivered nor given back",
    ),
    (
        "fusion",
        "融合网络：中继链、成员链与链间消息",
        "The fusion network: relay chain, members, and what goes between them",
    ),
    (
        "fusion.build",
        "创建融合网络的各条链并互相建立信任；已有的不变",
        "Make the chains of a fusion network and link them; what is there stays",
    ),
    (
        "fusion.build.topology",
        "拓扑：henan（省数据共享链、中继链与 19 条市级链）；不给出成员时即为 henan",
        "Topology: henan (the province's chain, the relay chain and 19 cities), also where no member is named",
    ),
    (
        "fusion.build.member",
        "成员链的名称，可多次给出",
        "Name of a member chain, may be given several times",
    ),
    (
        "fusion.show",
        "显示各链、互信状态与中继代理",
        "Show the chains, whom they believe, and the relay agent",
    ),
    (
        "fusion.ask",
        "跨链核验：由一条链向另一条链查询存证，答复由对方链自证",
        "Verify across chains: one asks another for a record, which proves its answer itself",
    ),
    ("fusion.ask.digest", "存证的摘要", "Digest of the record"),
    ("fusion.ask.from", "提问的链", "The chain that asks"),
    ("fusion.ask.of", "被问的链", "The chain that is asked"),
    ("fusion.ask.organisation", "存证机构", "Organisation of the record"),
    (
        "fusion.ask.timeout_s",
        "消息超时的秒数",
        "Seconds until the packet times out",
    ),
    (
        "platform",
        "各自独立的平台经中继链互联：申请、表决、心跳、下发、退出",
        "Platforms of their own, linked by the relay chain: ask, vote, heartbeat, tell, leave",
    ),
    (
        "platform.join",
        "记录要接入的平台；yulian up 与 platform keep 会提出申请",
        "Note which platform is joined; yulian up and platform keep ask it",
    ),
    (
        "platform.join.url",
        "对方的地址：http://主机:端口#中继链创世摘要",
        "Address of the other platform: http://HOST:PORT#RELAY-CHAIN-DIGEST",
    ),
    (
        "platform.join.chain_name",
        "本平台接入的链",
        "The chain of this platform that joins",
    ),
    (
        "platform.join.reached_at",
        "对方访问本平台接口的地址，可多次给出；默认为本目录各节点的地址",
        "Address under which the other side reaches this platform's APIs, may be given several times; those of the folder's nodes by default",
    ),
    (
        "platform.confirm",
        "确认已与对方核对的中继链创世摘要",
        "Confirm the relay chain's genesis digest, compared with the other side",
    ),
    (
        "platform.confirm.digest",
        "核对过的摘要",
        "The digest that was compared",
    ),
    (
        "platform.keep",
        "保持接入：申请、表决、发送心跳（yulian up 自动执行）",
        "Stay joined: ask, vote, send heartbeats (yulian up does it by itself)",
    ),
    ("platform.requests", "列出接入申请", "List the requests to join"),
    (
        "platform.approve",
        "表决接入一个平台的链，并打开它的轻客户端",
        "Vote a platform's chain in and open its light client",
    ),
    (
        "platform.approve.named",
        "链名或创世摘要，见 platform requests",
        "Name or genesis digest of the chain, see platform requests",
    ),
    (
        "platform.remove",
        "由中继链表决，结束与一个平台的互联",
        "End the link to a platform, by vote of the relay chain",
    ),
    (
        "platform.remove.named",
        "链名或创世摘要",
        "Name or genesis digest of the chain",
    ),
    (
        "platform.leave",
        "退出：告知中继链，再由本链表决结束互联",
        "Leave: tell the relay chain, then end the link by vote",
    ),
    (
        "platform.leave.force",
        "中继链不可达时也退出",
        "Leave also where the relay chain cannot be told",
    ),
    (
        "platform.tell",
        "由中继链向各成员链下发政策、参数或通知，并等待送达",
        "Tell the member chains a policy, a parameter or a notice from the relay chain, and wait for it",
    ),
    (
        "platform.tell.text",
        "内容，最多 2048 字节",
        "The text, at most 2048 bytes",
    ),
    (
        "platform.tell.kind",
        "policy、parameter 或 notice",
        "policy, parameter or notice",
    ),
    (
        "platform.tell.document",
        "文件：其 SM3 摘要随通告下发",
        "A file whose SM3 digest goes with it",
    ),
    (
        "platform.tell.to",
        "只发给这条链，可多次给出；默认全部",
        "Only to this chain, may be given several times; all by default",
    ),
    ("platform.tell.timeout_s", "最多等待的秒数", "Longest wait in seconds"),
    (
        "topology",
        "平台的构成与互联",
        "What a platform consists of, and what it is linked with",
    ),
    (
        "topology.show",
        "显示节点、各链、中继链成员、其他平台的心跳与上级平台",
        "Show nodes, chains, members of the relay chain, heartbeats of other platforms, and the platform that is joined",
    ),
    (
        "fusion.ask.pack",
        "把含中继路径的证据包写到这个文件：只凭中继链的创世摘要即可离线核验",
        "Write the evidence pack with the relay path to this file: verified offline with the relay chain's digest alone",
    ),
    ("agent", "代理：跟随各链并搬运", "Agents: follow the chains and carry"),
    (
        "agent.relay",
        "运行中继代理；yulian up 在有中继链时自动运行一个",
        "Run a relay agent; yulian up runs one where there is a relay chain",
    ),
    (
        "agent.relay.exit_on_stdin_close",
        "标准输入关闭时结束，供监管进程使用",
        "End when standard input closes, for a supervising process",
    ),
    (
        "agent.relay.folder",
        "断点与状态所在的文件夹，默认为网络文件夹下的 relay-agent",
        "Folder of cursors and status, relay-agent below that of the network by default",
    ),
];
