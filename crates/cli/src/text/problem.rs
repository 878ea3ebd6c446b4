//! Every error of this program: what failed and what to do.

/// Code of a node that does not answer.
pub(crate) const NODE_UNREACHABLE: &str = "node_unreachable";

crate::text::problems! {
    // Files.
    cannot_read(path) = "cannot_read", CannotRun {
        "无法读取 {path}", "请检查路径和权限",
        "cannot read {path}", "check the path and its permissions"
    }
    cannot_write(path) = "cannot_write", CannotRun {
        "无法写入 {path}", "请检查目录是否存在、可写、有剩余空间",
        "cannot write {path}", "check that the folder exists, is writable and has space"
    }
    file_too_long(path, limit) = "file_too_long", CannotRun {
        "文件 {path} 过大，最多 {limit} 字节", "请确认给出的是正确的文件",
        "the file {path} is too long, at most {limit} bytes are read", "check that it is the right file"
    }

    // Keys.
    bad_key_file(path) = "bad_key_file", CannotRun {
        "密钥文件 {path} 不可用", "请按原因处理；yulian key show 可查看密钥文件",
        "the key file {path} cannot be used", "do what the reason says; yulian key show looks at a key file"
    }
    cannot_write_key(path) = "cannot_write_key", CannotRun {
        "密钥文件 {path} 没有写成", "请换一个文件名，或按原因处理",
        "the key file {path} was not written", "choose another name, or do what the reason says"
    }
    bad_public_key(text) = "bad_public_key", CannotRun {
        "“{text}”不是 SM2 公钥", "公钥为 66 位十六进制数字，见 yulian key show",
        "\"{text}\" is no SM2 public key", "a public key is 66 hexadecimal digits, see yulian key show"
    }
    no_terminal(variable) = "no_terminal", CannotRun {
        "需要口令，但没有终端可供输入", "请用 --passphrase-file 或环境变量 {variable} 给出口令",
        "a passphrase is needed and there is no terminal to ask at", "give it by --passphrase-file or the environment variable {variable}"
    }
    empty_passphrase() = "empty_passphrase", CannotRun {
        "口令为空", "请设置口令，或不加密",
        "the passphrase is empty", "choose one, or do not encrypt"
    }
    passphrases_differ() = "passphrases_differ", CannotRun {
        "两次输入的口令不同", "请重新执行命令",
        "the two passphrases differ", "run the command again"
    }

    // Trust and packs.
    no_home() = "no_home", CannotRun {
        "找不到主目录，无法确定可信创世列表的位置", "请用 --trusted 指定列表文件，或用 --genesis 给出创世摘要",
        "there is no home folder to hold the list of trusted chains", "name the list by --trusted, or the genesis digest by --genesis"
    }
    bad_trusted_list(path) = "bad_trusted_list", CannotRun {
        "可信创世列表 {path} 无效", "请用 yulian trust 命令维护，或改正文件",
        "the list of trusted chains {path} is not valid", "keep it by the yulian trust commands, or correct it"
    }
    too_many_trusted(limit) = "too_many_trusted", CannotRun {
        "可信创世列表已满（{limit} 条链）", "请先用 yulian trust remove 删除不再需要的",
        "the list of trusted chains is full ({limit} chains)", "remove some by yulian trust remove"
    }
    not_trusted(digest) = "not_trusted", No {
        "列表中没有 {digest}", "请用 yulian trust list 查看",
        "{digest} is not in the list", "see yulian trust list"
    }
    bad_genesis(text) = "bad_genesis", CannotRun {
        "“{text}”不是创世摘要，也不是创世文件", "创世摘要为 64 位十六进制数字",
        "\"{text}\" is neither a genesis digest nor a genesis file", "a genesis digest is 64 hexadecimal digits"
    }
    bad_pack(why) = "bad_pack", No {
        "证据包不成立：{why}", "请向另一个节点重新获取证据包",
        "the evidence pack does not hold: {why}", "fetch the pack again, from another node"
    }
    bad_header(path) = "bad_header", CannotRun {
        "{path} 不是区块头", "请给出节点提供的区块头（字节或十六进制）",
        "{path} is no block header", "give a header as a node serves it, as bytes or in hexadecimal"
    }

    // Evidence.
    nothing_named() = "nothing_named", CannotRun {
        "没有指明文件、摘要或行", "请给出其中之一",
        "no file, digest or row was named", "name one of them"
    }
    bad_digest(text) = "bad_digest", CannotRun {
        "“{text}”不是摘要", "摘要为 64 位十六进制数字",
        "\"{text}\" is no digest", "a digest is 64 hexadecimal digits"
    }
    bad_hex(text) = "bad_hex", CannotRun {
        "“{text}”不是十六进制", "请给出偶数个十六进制数字",
        "\"{text}\" is not hexadecimal", "give an even number of hexadecimal digits"
    }
    bad_account(text) = "bad_account", CannotRun {
        "“{text}”不是账户编号、公钥或密钥文件", "账户编号为 64 位、公钥为 66 位十六进制数字",
        "\"{text}\" is no account id, public key or key file", "an account id is 64, a public key 66 hexadecimal digits"
    }
    bad_block(text) = "bad_block", CannotRun {
        "“{text}”不是区块", "请给出高度、摘要或 latest",
        "\"{text}\" is no block", "give a height, a digest or latest"
    }
    same_pack(first, second) = "same_pack", CannotRun {
        "{first} 与 {second} 同名，会写同一个证据包", "请分次执行，或换用不同的 --pack-dir",
        "{first} and {second} have one name and would write one pack", "run them apart, or with another --pack-dir"
    }
    empty_table(path) = "empty_table", CannotRun {
        "表格 {path} 是空的", "首行应为列名",
        "the table {path} is empty", "its first line must name the columns"
    }
    no_column(path, name, columns) = "no_column", CannotRun {
        "表格 {path} 没有“{name}”列，有：{columns}", "请用 --id 指定其中之一",
        "the table {path} has no column \"{name}\"; it has: {columns}", "name one of them by --id"
    }
    too_many_columns(path, limit) = "too_many_columns", CannotRun {
        "表格 {path} 超过 {limit} 列", "请确认分隔符为逗号",
        "the table {path} has more than {limit} columns", "check that commas part them"
    }
    bad_row(path, line) = "bad_row", CannotRun {
        "表格 {path} 第 {line} 行无效：不是 UTF-8、引号不成对，或列数与首行不同", "请改正该行",
        "line {line} of the table {path} is not valid: not UTF-8, quotes that do not match, or other columns than the first line", "correct the line"
    }
    row_too_long(path, line, limit) = "row_too_long", CannotRun {
        "表格 {path} 第 {line} 行起超过 {limit} 字节", "请检查该处的引号是否成对",
        "the row at line {line} of the table {path} has more than {limit} bytes", "check the quotes there"
    }
    no_row(path, column, value) = "no_row", No {
        "表格 {path} 中没有 {column} 为“{value}”的行", "请核对该值",
        "the table {path} has no row whose {column} is \"{value}\"", "check the value"
    }
    id_no_file_name(path, line, id) = "id_no_file_name", CannotRun {
        "表格 {path} 第 {line} 行的标识“{id}”不能用作文件名", "请换用其他列，或不用 --pack-dir",
        "the id \"{id}\" at line {line} of the table {path} cannot name a file", "use another column, or no --pack-dir"
    }
    same_id(path, line, id) = "same_id", CannotRun {
        "表格 {path} 第 {line} 行的标识“{id}”已经出现过", "请换用各行都不同的列",
        "the id \"{id}\" at line {line} of the table {path} came before", "use a column that differs in every row"
    }

    // Nodes and the chain.
    no_runtime() = "no_runtime", CannotRun {
        "程序内部的任务失败", "请检查系统的进程数与打开文件数限制（yulian doctor）",
        "a task of this program failed", "check the system's limits of processes and open files (yulian doctor)"
    }
    bad_url() = "bad_url", CannotRun {
        "节点地址无效", "地址的形式为 http://主机:端口",
        "an address of a node is not valid", "an address has the form http://host:port"
    }
    node_unreachable(url) = "node_unreachable", CannotRun {
        "无法连接节点 {url}", "请确认节点在运行（yulian up 或 yulian status），或用 --url 指定其他节点",
        "the node {url} cannot be reached", "check that it runs (yulian up, yulian status), or name another by --url"
    }
    bad_answer() = "bad_answer", CannotRun {
        "节点的回答不可用", "请确认该地址是本版本的节点，或换用其他节点",
        "a node's answer is of no use", "check that the address is a node of this version, or use another node"
    }
    other_chain(found, expected) = "other_chain", CannotRun {
        "节点的链是 {found}，不是 {expected}", "请核对 --url、--chain 与 --dir",
        "the node's chain is {found}, not {expected}", "check --url, --chain and --dir"
    }
    outcome_unknown(id) = "outcome_unknown", CannotRun {
        "交易 {id} 的结果尚不清楚", "请用 yulian tx show {id} 查询，确认之前不要重新生成",
        "the outcome of transaction {id} is not known", "ask by yulian tx show {id} before making another one"
    }
    cannot_sign() = "cannot_sign", CannotRun {
        "无法签名", "请检查密钥或密码设备",
        "signing failed", "check the key or the signing device"
    }
    no_key(dir) = "no_key", CannotRun {
        "没有签名的密钥：{dir} 中没有网络", "请用 --key 指定私钥文件，或用 --dir 指定 yulian up 的文件夹",
        "there is no key to sign with: {dir} holds no network", "name a private key file by --key, or the folder of yulian up by --dir"
    }
    no_account_key(named, role, known) = "no_account_key", CannotRun {
        "没有可用的账户密钥：{named}（角色 {role}）；已知：{known}", "请用 --key 指定私钥文件，或用 --as 指定其中的账户",
        "no key is at hand for an account {named} with the role {role}; known: {known}", "name a private key file by --key, or one of these accounts by --as"
    }
    key_without_account(key, chain) = "key_without_account", No {
        "公钥 {key} 在链“{chain}”上没有账户", "请由机构管理员用 yulian account add 登记",
        "the public key {key} has no account on the chain \"{chain}\"", "have an administrator register it by yulian account add"
    }
    key_was_rotated(key, label) = "key_was_rotated", No {
        "公钥 {key} 已不是账户“{label}”的当前密钥", "请使用轮换后的密钥",
        "the public key {key} is no longer that of the account \"{label}\"", "use the key that took its place"
    }
    bad_transaction(path) = "bad_transaction", CannotRun {
        "{path} 不是交易", "请给出 yulian tx make 写出的文件",
        "{path} is no transaction", "give a file that yulian tx make wrote"
    }
    unknown_call(module, method) = "unknown_call", CannotRun {
        "没有方法 {module}.{method}", "请核对模块与方法的名称",
        "there is no method {module}.{method}", "check the names of module and method"
    }

    // Validators and nodes.
    bad_role() = "bad_role", CannotRun {
        "--topology、--role、--city、--join 的组合不成立", "省级平台：--role province；市级平台：--role city --city 城市 [--join 地址]；单机融合网络：--topology henan",
        "--topology, --role, --city and --join do not go together like this", "a province: --role province; a city: --role city --city CITY [--join URL]; a fusion network on one machine: --topology henan"
    }
    unknown_city(name, known) = "unknown_city", CannotRun {
        "没有名为“{name}”的城市；有：{known}", "请用列出的名称或其拼音",
        "there is no city \"{name}\"; there are: {known}", "use a name of the 1+19 or its letters: zhengzhou, kaifeng, luoyang, ..., jiyuan, airport"
    }
    bad_join_url(text) = "bad_join_url", CannotRun {
        "“{text}”不是平台的地址", "形如 http://主机:端口#中继链创世摘要；对方的 yulian up --role province 会打印它",
        "\"{text}\" is no address of a platform", "it is like http://HOST:PORT#RELAY-CHAIN-DIGEST; yulian up --role province prints it"
    }
    bad_platforms(path) = "bad_platforms", CannotRun {
        "文件 {path} 无效", "请改正，或移走后重新执行 yulian platform join",
        "the file {path} is not valid", "correct it, or move it away and run yulian platform join again"
    }
    no_relay() = "no_relay_chain", No {
        "该平台没有中继链", "请用 yulian up --role province 或 yulian fusion build 建立",
        "the platform has no relay chain", "make one by yulian up --role province or yulian fusion build"
    }
    not_confirmed() = "not_confirmed", No {
        "尚未核对中继链的创世摘要", "请与对方核对后执行 yulian platform confirm 摘要",
        "the relay chain's genesis digest has not been compared", "compare it with the other side, then run yulian platform confirm DIGEST"
    }
    joins_nobody() = "joins_nobody", No {
        "本平台没有接入其他平台", "请先执行 yulian platform join 或 yulian up --role city --city 城市 --join 地址",
        "this platform joins no other", "first run yulian platform join, or yulian up --role city --city CITY --join URL"
    }
    joins_another(chain) = "joins_another", No {
        "本平台的链 {chain} 已在接入另一平台", "一个平台只接入一个上级；请先执行 yulian platform leave",
        "the chain {chain} of this platform joins a platform already", "a platform joins one other: first run yulian platform leave"
    }
    other_relay(found, expected) = "other_relay", CannotRun {
        "中继链的创世摘要不符：{found}，应为 {expected}", "请勿接入；请与对方重新核对地址与摘要",
        "the relay chain has another genesis digest: {found}, expected {expected}", "do not join; compare address and digest with the other side again"
    }
    bad_request() = "bad_join_request", No {
        "接入申请不成立", "请让对方重新申请；节点转来的申请不一定可信",
        "the request to join does not hold", "let the other side ask again; what a node passes on need not be true"
    }
    no_request(named) = "no_join_request", No {
        "没有名为“{named}”的接入申请", "请用 yulian platform requests 查看；申请方会每隔几秒重新提交",
        "there is no request to join of \"{named}\"", "see yulian platform requests; who asks repeats it every few seconds"
    }
    ambiguous_request(named, digests) = "ambiguous_join_request", No {
        "有多个名为“{named}”的接入申请：{digests}", "请用创世摘要指明，并与对方核对",
        "several requests to join are named \"{named}\": {digests}", "name one by its digest, and compare that with the other side"
    }
    not_joined(named) = "not_joined", No {
        "没有接入名为“{named}”的链", "请用 yulian topology show 查看",
        "no chain \"{named}\" has joined", "see yulian topology show"
    }
    too_few_members() = "too_few_members", CannotRun {
        "融合网络至少要有两条成员链", "请多次给出 --member，或用 --topology henan",
        "a fusion network has two member chains at least", "give --member several times, or --topology henan"
    }
    unknown_layout(name, known) = "unknown_topology", CannotRun {
        "没有名为“{name}”的拓扑；有：{known}", "请核对名称；--topology 与 --member 不能同时使用",
        "there is no topology \"{name}\"; there are: {known}", "check the name; --topology and --member exclude each other"
    }
    not_carried(chain, id) = "not_carried", No {
        "链 {chain} 上的提案 {id} 未获通过", "本目录中的管理员密钥不足以达到法定数；请其他成员表决",
        "proposal {id} of chain {chain} was not carried", "the keys of this folder do not reach the quorum: let other members vote"
    }
    chain_not_running(name) = "chain_not_running", No {
        "链“{name}”没有运行", "用 yulian chain show 查看原因",
        "the chain \"{name}\" does not run", "see yulian chain show for the reason"
    }
    agent_stopped() = "agent_stopped", CannotRun {
        "中继代理停止", "请按原因处理后重新启动；它从断点继续",
        "the relay agent stopped", "mend the cause and start it again; it goes on where it was"
    }
    agent_in_use(folder) = "agent_in_use", CannotRun {
        "另一个中继代理正在使用 {folder}", "yulian up 自带一个代理；另起的代理请用 --folder 指定别的文件夹",
        "another relay agent works in {folder}", "yulian up runs one itself; give a second one another --folder"
    }
    cannot_start_agent(folder) = "cannot_start_agent", CannotRun {
        "无法启动中继代理（{folder}）", "请按原因处理",
        "the relay agent cannot be started ({folder})", "do what the reason says"
    }
    chain_left_out(chain) = "chain_left_out", No {
        "中继代理暂不搬运链 {chain}", "请按原因处理；代理会自动重试",
        "the relay agent leaves out the chain {chain} for now", "mend the cause; the agent tries again by itself"
    }
    link_not_active(at, of, standing) = "link_not_active", No {
        "链 {at} 对链 {of} 的轻客户端不可用：{standing}", "冻结或终止的连接须由成员查明原因后另行表决，不会自动重开",
        "the light client that chain {at} keeps of chain {of} is not active: {standing}", "what was frozen or ended is not opened again by itself: let the members look into it and vote"
    }
    no_set(chain, height) = "no_set", CannotRun {
        "链 {chain} 的节点没有给出高度 {height} 的验证节点集合", "请换一个节点再试",
        "the node of chain {chain} does not show the validators of height {height}", "try another node"
    }
    not_linked(relay, chain) = "not_linked", No {
        "中继链 {relay} 没有链 {chain} 的轻客户端，不能为其证据包作证", "请先连接两条链（yulian fusion build），或换一条中继链",
        "the relay chain {relay} keeps no light client of chain {chain} and cannot vouch for its packs", "link the two first (yulian fusion build), or name another relay chain"
    }
    relay_behind(relay, chain) = "relay_behind", CannotRun {
        "中继链 {relay} 尚未得知链 {chain} 的区块头", "请稍后再试，或用 yulian fusion show 查看",
        "the relay chain {relay} does not know the block of chain {chain} yet", "try again later, or look at yulian fusion show"
    }
    chain_not_linked(named, from, known) = "chain_not_linked", No {
        "链 {from} 不认识名为“{named}”的链；认识：{known}", "新链由中继代理引入，稍后再试；或用创世摘要指明。见 yulian link list",
        "chain {from} knows no chain \"{named}\"; it knows: {known}", "the relay agent introduces new chains, try again in a moment; or name it by its digest. See yulian link list"
    }
    not_provable_yet(id, chain) = "not_provable_yet", CannotRun {
        "链 {chain} 已执行交易 {id}，但其结果尚不能证明", "请检查各节点是否运行（yulian status），稍后再试",
        "chain {chain} has executed transaction {id}, but its result cannot be proven yet", "check that the nodes run (yulian status) and try again"
    }
    not_settled(chain) = "not_settled", CannotRun {
        "链 {chain} 的最新状态尚不能证明", "请检查各节点是否运行（yulian status），稍后再试",
        "the last state of chain {chain} cannot be proven yet", "check that the nodes run (yulian status) and try again"
    }
    packet_pending(chain, sequence) = "packet_pending", No {
        "链 {chain} 尚未答复（序号 {sequence}）", "请确认中继代理在运行（yulian fusion show）；未答复的消息到时自动退回",
        "chain {chain} has not answered (sequence {sequence})", "see that a relay agent runs (yulian fusion show); what is not answered is refunded in its time"
    }
    packet_failed(chain, code) = "packet_failed", No {
        "链 {chain} 没有答复：{code}", "请按错误码处理后重新发送",
        "chain {chain} did not answer: {code}", "mend what the code says and send it again"
    }
    other_start(chain, height) = "other_start", No {
        "链 {chain} 高度 {height} 的区块头与已表决的起点不同", "请与该链运营方核对；必要时用 --start latest 重新表决",
        "the header of chain {chain} at height {height} is not the start that was agreed upon", "ask those who run it; if need be let the members vote anew with --start latest"
    }
    unknown_chain(name, known) = "unknown_chain", No {
        "没有名为“{name}”的链；已知：{known}", "请核对链名，或给出其创世摘要；用 yulian link list 查看",
        "no chain \"{name}\" is known; known: {known}", "check the name or give the genesis digest; see yulian link list"
    }
    chain_not_hosted(name) = "chain_not_hosted", No {
        "无法查询链 {name}：所连节点没有承载它，其所在平台也联系不上", "请用 --url 指定承载该链的节点，或稍后再试",
        "chain {name} cannot be asked: the nodes do not host it and its platform is not reached", "name nodes that host it by --url, or try again later"
    }
    unknown_packet(chain, sequence) = "unknown_packet", No {
        "链 {chain} 没有发出过这条消息（第 {sequence} 号）", "请核对来源、目的、模块与序号；用 yulian packet list 查看未结束的消息",
        "chain {chain} never sent this packet (no. {sequence})", "check source, destination, module and number; see yulian packet list for those that have not ended"
    }
    nobody_to_compare(chain) = "nobody_to_compare", CannotRun {
        "链 {chain} 没有两个应答的节点可比对", "请用 --of-url 给出该链至少两个节点的接口地址",
        "fewer than two nodes of {chain} answer", "name the APIs of at least two of its nodes by --of-url"
    }
    bad_conflict(path) = "bad_conflict", CannotRun {
        "{path} 不是冲突证据", "应为 LinkConflict 消息（二进制或十六进制）",
        "{path} is no proof of a conflict", "a LinkConflict message is expected, as bytes or in hexadecimal"
    }
    unknown_series(name, chain) = "unknown_series", No {
        "链 {chain} 没有凭证系列“{name}”", "用 yulian voucher list 查看；可用 机构/名称 或系列编号指明",
        "chain {chain} has no series of vouchers \"{name}\"", "see yulian voucher list; a series is named by ORGANISATION/NAME or by its id"
    }
    ambiguous_series(name, found) = "ambiguous_series", CannotRun {
        "有多个凭证系列“{name}”：{found}", "请用 机构/名称 或系列编号指明",
        "several series have the name \"{name}\": {found}", "name one by ORGANISATION/NAME or by its id"
    }
    new_series_needs(name) = "new_series_needs", CannotRun {
        "新系列“{name}”须给出条款与有效期", "请用 --terms 给出条款文件或摘要，用 --expires 或 --valid-days 给出有效期",
        "the new series \"{name}\" needs terms and an expiry", "give the terms (file or digest) by --terms and the expiry by --expires or --valid-days"
    }
    bad_day(text) = "bad_day", CannotRun {
        "“{text}”不是日期", "日期的形式为 2027-12-31",
        "\"{text}\" is no day", "a day has the form 2027-12-31"
    }
    books_moving() = "books_moving", CannotRun {
        "账目变动太快，无法同时读取各链", "请稍后再试",
        "the books change faster than all chains can be read", "try again later"
    }
    unknown_platform_chain(name, known) = "unknown_platform_chain", No {
        "平台上没有链“{name}”；有：{known}", "请核对链名；查询对象须为平台的系统链",
        "the platform has no chain \"{name}\"; there are: {known}", "check the name; the chain that is asked must be the platform's system chain"
    }
    unknown_node(name, known) = "unknown_node", CannotRun {
        "没有节点“{name}”；有：{known}", "请核对名称或公钥",
        "there is no node \"{name}\"; there are: {known}", "check the name or public key"
    }
    ambiguous_node(name) = "ambiguous_node", CannotRun {
        "有多个名为“{name}”的节点", "请用公钥指明",
        "several nodes have the name \"{name}\"", "name one by its public key"
    }
    not_registered(name, organisation) = "not_registered", CannotRun {
        "候选节点“{name}”尚未登记，也没有机构 {organisation} 的管理员密钥", "请由该机构执行 yulian node register，或用 --key 给出其管理员密钥",
        "the candidate \"{name}\" is not registered and no administrator key of {organisation} is at hand", "have that organisation run yulian node register, or give its key by --key"
    }
    candidate_behind(name, height, tip) = "candidate_behind", No {
        "候选节点“{name}”没有及时跟上：高度 {height}，链在 {tip}", "请检查它的日志和网络，稍后重试",
        "the candidate \"{name}\" has not caught up in time: height {height}, the chain is at {tip}", "check its log and network, and try again later"
    }
    not_in_force(height) = "not_in_force", No {
        "变更已通过，但到期时尚未生效；它将在高度 {height} 生效", "请稍后用 yulian validator list 查看",
        "the change was carried but is not in force yet; it acts at height {height}", "look later by yulian validator list"
    }

    // Networks.
    bad_topology(path) = "bad_topology", CannotRun {
        "拓扑文件 {path} 无效", "请对照 yulian network example 改正",
        "the topology {path} is not valid", "compare it with yulian network example"
    }
    bad_network() = "bad_network", CannotRun {
        "这样的网络不能启动", "请按原因修改拓扑",
        "such a network cannot be started", "change the topology as the reason says"
    }
    unknown_parameter(name) = "unknown_parameter", CannotRun {
        "没有链参数“{name}”", "请用 yulian parameter list 查看",
        "there is no parameter \"{name}\"", "see yulian parameter list"
    }
    folder_not_empty(dir) = "folder_not_empty", CannotRun {
        "文件夹 {dir} 已有内容", "请换一个文件夹，或先移走其中的内容",
        "the folder {dir} is not empty", "choose another, or move what it holds away"
    }
    not_our_folder(dir) = "not_our_folder", CannotRun {
        "文件夹 {dir} 不是 yulian 的网络，不会删除", "请换一个文件夹，或自行清空",
        "the folder {dir} is no network of yulian and is not deleted", "choose another, or empty it yourself"
    }
    no_network(dir) = "no_network", CannotRun {
        "{dir} 中没有网络", "请用 --dir 指定 yulian up 或 network init 的文件夹",
        "{dir} holds no network", "name the folder of yulian up or network init by --dir"
    }
    bad_record(path) = "bad_network_record", CannotRun {
        "{path} 已损坏", "请从备份恢复该文件",
        "{path} is damaged", "restore it from a backup"
    }
    newer_network(dir, found, known) = "newer_network", CannotRun {
        "文件夹 {dir} 由更新的程序写成（格式 {found}，本程序到 {known}）", "请升级 yulian",
        "the folder {dir} was written by a newer program (format {found}, this one knows {known})", "install a newer yulian"
    }
    bad_node_count(nodes, possible) = "bad_node_count", CannotRun {
        "四个云无法分担 {nodes} 个验证节点：任何一个云不得超过 ⌊(n−1)/3⌋ 个", "可选的数目：{possible}",
        "four clouds cannot share {nodes} validators: none may have more than (n-1)/3 of them, rounded down", "choose one of {possible}"
    }
    bad_port_base(port) = "bad_port_base", CannotRun {
        "从 {port} 起没有足够的端口", "请用 --port-base 选择 1024 至 65400 之间的端口",
        "there are not enough ports from {port} on", "choose a port from 1024 to 65400 by --port-base"
    }
    port_in_use(address, node) = "port_in_use", CannotRun {
        "地址 {address}（节点 {node}）不可用，可能已被占用", "请用 ss -ltnp 查看并停止占用它的程序；新网络可另选 --port-base",
        "the address {address} (node {node}) cannot be used, perhaps it is taken", "find and stop the program that uses it (ss -ltnp); a new network may have another --port-base"
    }
    runs_already(dir, pid) = "runs_already", CannotRun {
        "{dir} 中的网络已在运行（进程 {pid}）", "请先停止它，或另选 --dir 与 --port-base",
        "the network in {dir} runs already (process {pid})", "stop it first, or choose another --dir and --port-base"
    }
    other_node_count(dir, found, asked) = "other_node_count", CannotRun {
        "{dir} 中的网络有 {found} 个节点，不是 {asked} 个", "请去掉 --nodes，或用 --fresh 重新开始，或另选 --dir",
        "the network in {dir} has {found} nodes, not {asked}", "leave --nodes out, begin anew by --fresh, or choose another --dir"
    }
    other_ports(dir, found, asked) = "other_ports", CannotRun {
        "{dir} 中的网络端口从 {found} 起，不是 {asked}：端口写在创世里", "请去掉 --port-base，或用 --fresh 重新开始，或另选 --dir",
        "the ports of the network in {dir} begin with {found}, not {asked}: the genesis holds them", "leave --port-base out, begin anew by --fresh, or choose another --dir"
    }
    cannot_start_node(node) = "cannot_start_node", CannotRun {
        "无法启动节点 {node} 的进程", "请检查系统的进程数与内存限制",
        "the process of node {node} cannot be started", "check the system's limits of processes and memory"
    }
    node_died_at_start(node, status, log) = "node_died_at_start", CannotRun {
        "节点 {node} 启动时退出（{status}）", "完整日志见 {log}",
        "the node {node} ended while starting ({status})", "see the whole log in {log}"
    }
    not_ready(node, log) = "not_ready_in_time", CannotRun {
        "节点 {node} 没有及时就绪", "请查看日志 {log} 并运行 yulian doctor",
        "the node {node} did not get ready in time", "see the log {log} and run yulian doctor"
    }
    nothing_runs(dir) = "nothing_runs", CannotRun {
        "{dir} 中没有正在运行的 yulian up", "请先运行 yulian up --dir {dir}",
        "no yulian up runs in {dir}", "run yulian up --dir {dir} first"
    }
    does_not_stop(node, pid) = "does_not_stop", CannotRun {
        "节点 {node}（进程 {pid}）没有停止", "请稍后重试，或用 --kill",
        "the node {node} (process {pid}) does not stop", "try again later, or with --kill"
    }
    bad_node_name(name) = "bad_node_name", CannotRun {
        "“{name}”不能作为节点名称，或已被使用", "请用字母、数字、- 与 _，至多 64 个字符",
        "\"{name}\" cannot name a node, or is in use", "use letters, digits, - and _, at most 64"
    }
    unknown_organisation(id, known) = "unknown_organisation_here", CannotRun {
        "网络中没有机构 {id}；有：{known}", "请核对机构编号",
        "the network has no organisation {id}; it has: {known}", "check the id of the organisation"
    }

    // The ledger of a node.
    bad_config(path) = "bad_config", CannotRun {
        "节点配置 {path} 不可用", "请按原因改正；yulian network init 会生成可用的配置",
        "the configuration {path} cannot be used", "do what the reason says; yulian network init writes one that works"
    }
    node_failed(path) = "node_failed", CannotRun {
        "节点（{path}）无法启动或已停止", "请按原因处理；yulian doctor 可检查本机",
        "the node ({path}) cannot start or has stopped", "do what the reason says; yulian doctor checks this machine"
    }
    cannot_open_ledger(dir) = "cannot_open_ledger", CannotRun {
        "无法打开 {dir} 的账本", "请先停止该节点，再按原因处理",
        "the ledger of {dir} cannot be opened", "stop the node first, then do what the reason says"
    }
    cannot_back_up(from) = "cannot_back_up", CannotRun {
        "备份 {from} 没有完成", "请按原因处理；已清理旧区块的节点不能备份，请换用保留全部区块的节点",
        "the backup of {from} was not made", "do what the reason says; a node that pruned blocks cannot be backed up, use one that keeps all"
    }
    nothing_to_back_up(chain) = "nothing_to_back_up", No {
        "链“{chain}”还没有区块，无需备份", "请在有交易之后再备份",
        "the chain \"{chain}\" has no block yet", "back it up when there are transactions"
    }
    file_exists(path) = "file_exists", CannotRun {
        "文件 {path} 已存在，不会覆盖", "请换一个文件名",
        "the file {path} exists and is not replaced", "choose another name"
    }
    cannot_restore(path) = "cannot_restore", No {
        "备份 {path} 没有恢复", "请按原因处理；数据文件夹必须是空的，恢复失败后请先清空再试",
        "the backup {path} was not restored", "do what the reason says; the data folder must be empty, so empty it before another try"
    }
    replay_differs(dir) = "replay_differs", No {
        "重放 {dir} 的结果与链不符", "请停用该节点，用备份恢复，并把原因告知开发者",
        "the replay of {dir} does not agree with the chain", "take the node out of service, restore it from a backup, and report the reason"
    }

    // Benchmark and demonstration.
    bench_no_network(log) = "bench_no_network", CannotRun {
        "压测网络没有启动（日志 {log}）", "请按原因处理；可用 --work-dir 换一个文件夹",
        "the network of the benchmark did not start (log {log})", "do what the reason says; name another folder by --work-dir"
    }
    bench_bad_options(first, second) = "bench_bad_options", CannotRun {
        "{first} 不能与 {second} 同时使用", "见 yulian bench --help",
        "{first} and {second} cannot be used together", "see yulian bench --help"
    }
    bench_too_long(seconds, most) = "bench_too_long", CannotRun {
        "{seconds} 秒太长：事先签名的交易只在几分钟内有效，最多 {most} 秒", "请缩短 --seconds，或用 --rate、--round stability（边压测边签名），或用 --total",
        "{seconds} s are too long: transactions that are signed beforehand are valid for minutes only, {most} s at most", "name fewer --seconds, or use --rate or --round stability, which sign during the run, or --total"
    }
    bench_flood_too_large(count, most) = "bench_flood_too_large", CannotRun {
        "需要 {count} 笔无效交易，最多 {most} 笔", "请减小 --rate 或 --seconds",
        "{count} invalid transactions would be needed, {most} at most", "name a smaller --rate or fewer --seconds"
    }
    bench_no_account(seconds) = "bench_no_account", CannotRun {
        "签名账户没有在 {seconds} 秒内全部创建", "请按原因处理；可减小 --signers",
        "not all accounts that sign were registered within {seconds} s", "do what the reason says; name fewer --signers"
    }
    bench_no_fusion(dir) = "bench_no_fusion", CannotRun {
        "{dir} 中没有正在运行、至少有两条成员链的融合网络", "请先执行 yulian up --topology henan，或不给 --network",
        "no fusion network with two member chains runs in {dir}", "start one by yulian up --topology henan, or leave --network out"
    }
    no_free_ports() = "no_free_ports", CannotRun {
        "没有找到足够的空闲端口", "请先停止其他网络",
        "not enough free ports were found", "stop other networks first"
    }
    demo_not_held(what) = "demo_not_held", No {
        "演示中应当成立的没有成立：{what}", "请查看各节点的日志，并运行 yulian doctor",
        "something that must hold in the demonstration does not: {what}", "see the logs of the nodes, and run yulian doctor"
    }
    interrupted() = "interrupted", CannotRun {
        "已中断", "需要结果请重新执行",
        "interrupted", "run it again for a result"
    }

    bad_acceptance(file) = "bad_acceptance", CannotRun {
        "{file} 不是加入声明", "请用 yulian organisation accept 生成",
        "{file} is no acceptance of an invitation", "make it with yulian organisation accept"
    }
    still_leaving(organisation) = "still_leaving", No {
        "机构 {organisation} 的验证节点还没有退出现行集合", "请稍后再次执行；yulian organisation list --pending 可查看",
        "validators of {organisation} are still in the set in force", "run it again later; yulian organisation list --pending shows it"
    }

    // Drills.
    drill_not_supervised(dir) = "drill_not_supervised", CannotRun {
        "{dir} 中没有由 yulian up 看管的网络，不能替别的看管程序停止节点", "请先 yulian up；节点由 systemd 等看管时，请在该云的每台主机上用它停止节点（如 systemctl stop），以 yulian status 观察，再启动",
        "no network that yulian up supervises runs in {dir}, and nodes under another supervision are not stopped behind its back", "start yulian up; where systemd or the like supervises the nodes, stop them with it on each host of that cloud (systemctl stop), watch yulian status, and start them again"
    }
    unknown_cloud(cloud, clouds) = "unknown_cloud", CannotRun {
        "网络没有节点在云“{cloud}”，或全部节点都在其中", "网络中的云：{clouds}",
        "no node of the network is in the cloud {cloud}, or all of them are", "clouds of the network: {clouds}"
    }
    drill_not_whole(nodes) = "drill_not_whole", CannotRun {
        "已有验证节点没有运行：{nodes}；没有停止任何节点", "请先恢复它们：再失去一朵云会超出承诺的容错",
        "validators are away already: {nodes}; nothing was stopped", "bring them back first: losing a cloud as well is more than the network promises to bear"
    }
    drill_silent_before(chains) = "drill_silent_before", No {
        "演练之前这些链就没有最终确定交易：{chains}；没有停止任何节点", "请用 yulian status 查看原因",
        "these chains made nothing final before the drill: {chains}; nothing was stopped", "look for the reason with yulian status"
    }
    drill_interrupted() = "drill_interrupted", CannotRun {
        "演练被中断", "已停的节点正在由 yulian up 重新启动",
        "the drill was interrupted", "yulian up starts the nodes again that were stopped"
    }
}
