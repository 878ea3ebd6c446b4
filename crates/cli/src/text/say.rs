//! Every text that is no error.

crate::text::texts! {
    // Frame of errors and help.
    problem_what(what, code) = "错误：{what} [{code}]", "error: {what} [{code}]";
    problem_why(why) = "原因：{why}", "why: {why}";
    problem_hint(hint) = "处理：{hint}", "what to do: {hint}";
    help_template() = "{{about}}\n\n用法：{{usage}}\n\n{{all-args}}", "{{about}}\n\nUsage: {{usage}}\n\n{{all-args}}";
    help_commands() = "命令", "Commands";
    help_arguments() = "参数", "Arguments";
    help_options() = "选项", "Options";
    help_usage(usage) = "{usage}", "{usage}";
    help_options_word() = "[选项]", "[OPTIONS]";
    help_command_word() = "<命令>", "<COMMAND>";
    help_default(help, value) = "{help}（默认 {value}）", "{help} (default: {value})";
    usage_unknown(word) = "不认识 {word}", "{word} is not known";
    usage_missing(word) = "缺少 {word}", "{word} is missing";
    usage_no_command() = "缺少命令", "a command is missing";
    usage_no_value(word) = "{word} 缺少值", "{word} lacks its value";
    usage_conflict(first, second) = "{first} 不能与 {second} 同时使用", "{first} and {second} cannot be used together";
    usage_bad_value(value, word, why) = "{word} 的值“{value}”无效（{why}）", "the value \"{value}\" of {word} is not valid ({why})";
    usage_near(word) = "；是否指 {word}？", "; did you mean {word}?";
    usage_help() = "。加 --help 查看用法", ". See --help";
    output_lost() = "结果没有全部写出", "a part of the result could not be written";

    // Trust.
    trust_known(digest) = "已在可信列表中：{digest}", "trusted already: {digest}";
    trust_added(digest, path) = "已信任 {digest}（{path}）", "trusted: {digest} ({path})";
    trust_removed(digest) = "不再信任 {digest}", "trusted no more: {digest}";
    trust_nobody() = "列表为空：尚未信任任何链。用 yulian trust add 添加", "the list is empty: no chain is trusted. Add one by yulian trust add";
    head_genesis() = "创世摘要", "genesis digest";
    head_name() = "名称", "name";
    head_added() = "添加日期", "added";

    // Verification.
    verify_yes() = "证据成立", "the evidence holds";
    verify_superseded() = "存证已证明，但该记录已被更正，不再有效", "the deposit is proven, but the record has been superseded and holds no more";
    verify_revoked() = "存证已证明，但该记录已被撤销，不再有效", "the deposit is proven, but the record has been revoked and holds no more";
    verify_unknown(digest) = "证据包前后一致，但它所属的链未知：{digest}（请向可信来源核对后用 --genesis 给出，或用 yulian trust add 加入列表）[unknown_chain]", "consistent, but of an unknown chain: {digest} (check it with a source you trust, then give it by --genesis or add it by yulian trust add) [unknown_chain]";
    verify_refused(why, code) = "证据不成立：{why} [{code}]", "the evidence does not hold: {why} [{code}]";
    verify_detail(detail) = "  详情  {detail}", "  detail  {detail}";
    label_content() = "内容", "content";
    label_batch() = "批次", "batch";
    label_description() = "说明", "description";
    label_source() = "来源", "source";
    label_depositor() = "存证人", "depositor";
    label_account() = "账户", "account";
    label_key() = "签名密钥", "signing key";
    label_time() = "时间", "time";
    label_chain() = "链", "chain";
    label_block() = "区块", "block";
    label_transaction() = "交易", "transaction";
    label_finality() = "最终性", "finality";
    label_status() = "状态", "status";
    label_history() = "验证节点", "validators";
    content_file(digest) = "与所给文件一致，SM3 {digest}", "is the file given, SM3 {digest}";
    content_row(digest) = "与所给行一致，摘要 {digest}", "is the row given, digest {digest}";
    content_alone(digest) = "摘要 {digest}（未给出文件或行，只核验证据包本身）", "digest {digest} (no file or row was given: only the pack itself is judged)";
    batch_place(place, count) = "第 {place} 行，共 {count} 行", "row {place} of {count}";
    batch_whole(count) = "整个批次，共 {count} 行", "the whole batch of {count} rows";
    name_from_genesis(name) = "{name}（据创世）", "{name} (by genesis)";
    name_from_state(name) = "{name}（据链上状态）", "{name} (by the state)";
    name_unproven() = "名称未证明", "name not proven";
    time_with_drift(time, drift, limit) = "{time}（±{drift}；此参数的硬上限 {limit}）", "{time} (+/-{drift}; hard limit of this parameter {limit})";
    block_place(height, digest) = "高度 {height}  {digest}", "height {height}  {digest}";
    finality(height, epoch, view, validators, signed, quorum) = "高度 {height}，纪元 {epoch}，视图 {view}：{validators} 个验证节点中 {signed} 个签名（至少 {quorum} 个）", "height {height}, epoch {epoch}, view {view}: {signed} of {validators} validators signed (at least {quorum})";
    as_of(height, time) = "截至高度 {height}，{time}", "as of height {height}, {time}";
    status_active(as_of) = "有效（{as_of}）", "active ({as_of})";
    status_superseded(by, height, time, reason, as_of) = "已由 {by} 更正，高度 {height}，{time}，原因：{reason}（{as_of}）", "superseded by {by} at height {height}, {time}, reason: {reason} ({as_of})";
    status_revoked(height, time, reason, as_of) = "已撤销，高度 {height}，{time}，原因：{reason}（{as_of}）", "revoked at height {height}, {time}, reason: {reason} ({as_of})";
    set_changes(count) = "自创世以来变更 {count} 次，均已证明", "changed {count} times since genesis, each proven";

    // Keys.
    ask_passphrase(path) = "{path} 的口令：", "passphrase of {path}: ";
    ask_new_passphrase() = "新口令：", "new passphrase: ";
    ask_passphrase_again() = "再次输入：", "once more: ";
    key_not_encrypted() = "注意：私钥未加密，只靠文件权限 0600 保护", "note: the private key is not encrypted, only the file mode 0600 protects it";
    key_old_stays(path) = "原文件 {path} 仍在，请自行妥善删除", "the old file {path} is still there; remove it with care";
    key_kind_public() = "公钥", "public key";
    key_kind_encrypted() = "私钥（已加密）", "private key (encrypted)";
    key_kind_plain() = "私钥（未加密）", "private key (not encrypted)";
    label_file() = "文件", "file";
    label_kind() = "类型", "kind";
    label_public_key() = "公钥", "public key";

    // Depositing.
    progress_left(span) = "还需 {span}", "{span} left";
    depositing() = "正在存证", "depositing";
    depositing_rows() = "正在存证（行）", "depositing rows";
    put_deposited() = "已存证", "deposited";
    put_already() = "此前已存证", "deposited before";
    put_failed() = "未存证", "not deposited";
    put_pack(pack) = "  证据包 {pack}", "  pack {pack}";
    in_line(line, what) = "第 {line} 行：{what}", "line {line}: {what}";
    table_done(rows, new, before, failed, span) = "共 {rows} 行：新存证 {new}，此前已有 {before}，失败 {failed}，用时 {span}", "{rows} rows: {new} deposited, {before} there before, {failed} failed, in {span}";
    table_packs(count) = "已写出 {count} 个证据包", "{count} packs written";
    more_problems(count) = "另有 {count} 个问题未显示", "{count} more problems are not shown";
    pack_written(path, bytes) = "已写出 {path}（{bytes} 字节）", "{path} written ({bytes} bytes)";
    found_nothing(height) = "没有找到存证记录（截至高度 {height}）", "no record was found (as of height {height})";
    found_more() = "还有更多记录，可用 --limit 增加显示数", "there are more records; raise --limit to see them";
    kind_single() = "单份", "single";
    active() = "有效", "active";
    superseded() = "已更正", "superseded";
    revoked() = "已撤销", "revoked";
    unknown() = "未知", "unknown";
    revoked_done(digest) = "已撤销 {digest}", "{digest} is revoked";
    superseded_done(digest, by) = "{digest} 已由 {by} 更正", "{digest} is superseded by {by}";

    // Transactions and blocks.
    done_at(done, height, id) = "{done}（高度 {height}，交易 {id}）", "{done} (height {height}, transaction {id})";
    success() = "成功", "success";
    failure(what, code) = "失败：{what} [{code}]", "failed: {what} [{code}]";
    transaction_final(height, place, time) = "已最终确定：高度 {height}，第 {place} 笔，{time}", "final: height {height}, number {place}, {time}";
    transaction_queued() = "排队中（尚未确认）", "queued (no acknowledgement)";
    transaction_sent(id) = "已排队，尚未确认：{id}", "queued, which is no acknowledgement: {id}";
    transaction_made(id, path, time) = "交易 {id} 已写到 {path}，有效期至 {time}", "transaction {id} is in {path}, valid until {time}";
    bytes(count) = "{count} 字节", "{count} bytes";
    label_call() = "调用", "call";
    label_sender() = "发送账户", "sender";
    label_on_behalf_of() = "代表账户", "on behalf of";
    label_valid_until() = "有效期至", "valid until";
    label_arguments() = "参数", "arguments";
    label_result() = "结果", "result";
    label_metering() = "计量", "metering";
    label_organisation() = "机构", "organisation";
    label_height() = "高度", "height";
    label_superseded_by() = "替代者", "superseded by";
    label_reason() = "原因", "reason";
    label_digest() = "摘要", "digest";
    label_epoch() = "纪元", "epoch";
    label_parent() = "父区块", "parent";
    label_parent_state_root() = "父状态根", "state root of the parent";
    label_protocol() = "协议版本", "protocol version";
    label_validators_since() = "验证节点始于", "validators since";
    label_size() = "大小", "size";
    label_transactions() = "交易数", "transactions";
    head_place() = "序", "no.";

    // Status and nodes.
    status_chain(name, id) = "链 {name}  {id}", "chain {name}  {id}";
    status_place(height, time, epoch, validators) = "高度 {height}，{time}，纪元 {epoch}，{validators} 个验证节点", "height {height}, {time}, epoch {epoch}, {validators} validators";
    status_disagree() = "警告：同一高度的状态根不一致！请立即停止使用并联系各方", "WARNING: nodes at one height have different state roots! Stop using the chain and call the parties";
    status_unreachable(url, why) = "无法连接  {url}  {why}", "unreachable  {url}  {why}";
    role_validator() = "验证", "validator";
    role_observer() = "观察", "observer";
    node_stopped(reason) = "已停止：{reason}", "stopped: {reason}";
    node_ready() = "就绪", "ready";
    node_catching_up(height) = "追赶中（网络高度 {height}）", "catching up (network at {height})";
    head_node() = "节点", "node";
    head_cloud() = "云", "cloud";
    head_state_root() = "状态根", "state root";
    node_not_ready(reason) = "未就绪：{reason}", "not ready: {reason}";
    head_connected() = "连通", "connected";
    head_role() = "角色", "role";
    head_address() = "节点间地址", "peer address";
    node_registered(name) = "已登记节点 {name}", "node {name} is registered";
    node_registered_before(name) = "节点 {name} 此前已登记", "node {name} was registered before";
    node_removed(name) = "已注销节点 {name}", "node {name} is off the list";
    node_made(name, path) = "已生成节点 {name}：{path}", "node {name} is in {path}";
    node_made_hint(url) = "正在运行的 yulian up 会自动启动它；加入网络：yulian node register --candidate {url}", "a running yulian up starts it by itself; to let it join: yulian node register --candidate {url}";
    node_held(name) = "节点 {name} 已停住；恢复：yulian node start {name}", "node {name} is held; to let it go: yulian node start {name}";
    node_let_go(name) = "节点 {name} 已就绪", "node {name} is ready";

    // Up and networks.
    network_made(dir) = "已在 {dir} 生成新网络（密钥、创世、节点配置）", "a new network is in {dir} (keys, genesis, configuration)";
    network_written(dir, name) = "网络“{name}”已写到 {dir}", "the network \"{name}\" is in {dir}";
    network_keys_hint(dir) = "请阅读 {dir}/README.md：私钥应交给各机构并从这里删除，创世摘要应由各方独立核对", "read {dir}/README.md: hand the private keys to their organisations and remove them here, and have everybody compare the genesis digest";
    label_nodes() = "节点", "nodes";
    starting() = "正在启动节点", "starting nodes";
    connecting() = "节点正在互相连接", "nodes are connecting";
    stopping() = "正在停止所有节点……", "stopping all nodes ...";
    up_hint(dir) = "网络在 {dir}；按 Ctrl-C 停止。死掉的节点会在 3 秒后重新启动（node stop / node start 可停住与放开）\n信任这条链，以便核验证据包：yulian trust add {dir}/genesis.txt", "the network is in {dir}; Ctrl-C stops it. A node that dies is started again after 3 s (node stop and node start hold it and let it go)\nto trust this chain when packs are verified: yulian trust add {dir}/genesis.txt";
    node_died(name, status, seconds) = "节点 {name} 退出了（{status}），{seconds} 秒后重新启动", "node {name} ended ({status}); it is started again in {seconds} s";
    node_taken_in(name) = "发现新节点 {name}，正在启动", "a new node, {name}, is being started";

    // Votes.
    proposal_open(id, yes, no) = "提案 {id}：表决中，赞成 {yes}，反对 {no}", "proposal {id}: open, {yes} for, {no} against";
    proposal_carried(id, yes, no) = "提案 {id}：已通过，赞成 {yes}，反对 {no}", "proposal {id}: carried, {yes} for, {no} against";
    proposal_rejected(id, yes, no) = "提案 {id}：已否决，赞成 {yes}，反对 {no}", "proposal {id}: rejected, {yes} for, {no} against";
    no_proposals() = "没有进行中的提案", "no proposal is open";
    ballot_yes(organisation) = "{organisation} 赞成", "{organisation} for";
    ballot_no(organisation) = "{organisation} 反对", "{organisation} against";
    label_action() = "内容", "action";
    label_proposer() = "提案机构", "proposer";
    label_deadline() = "截止", "deadline";
    label_ballots() = "投票", "ballots";
    action_add(name, key) = "增加验证节点 {name}（{key}）", "add the validator {name} ({key})";
    action_remove(key) = "移除验证节点 {key}", "remove the validator {key}";
    action_replace(old, name, key) = "以 {name}（{key}）替换验证节点 {old}", "replace the validator {old} by {name} ({key})";
    action_parameter(name, value) = "链参数 {name} 设为 {value}", "set the parameter {name} to {value}";
    action_add_organisation(id, name) = "接纳机构 {name}（{id}）", "admit the organisation {name} ({id})";
    action_remove_organisation(id) = "移除机构 {id}", "remove the organisation {id}";
    action_freeze_organisation(id) = "冻结机构 {id}", "freeze the organisation {id}";
    action_unfreeze_organisation(id) = "解冻机构 {id}", "end the freeze of the organisation {id}";
    action_charter() = "修改章程", "change the charter";
    action_protocol(version, height) = "自高度 {height} 起启用协议版本 {version}", "switch on protocol version {version} from height {height}";
    action_other(number) = "本程序不认识的内容（类型 {number}）", "an action that this program does not know (kind {number})";
    protocol_unknown_here(version) = "注意：本程序不认识协议版本 {version}，届时本版本的节点会停止", "note: this program does not know protocol version {version}; nodes of this version will stop there";
    step_preparing() = "准备", "preparing";
    step_catching_up(name) = "等待 {name} 跟上", "waiting for {name} to catch up";
    step_answering(url) = "等待候选节点 {url} 应答", "waiting for the candidate {url} to answer";
    step_voting() = "表决", "voting";
    step_epoch() = "等待新纪元", "waiting for the next epoch";
    validators_in_force(epoch, since, quorum) = "当前验证节点（纪元 {epoch}，自高度 {since} 起，最终确定需 {quorum} 个签名）", "validators in force (epoch {epoch}, since height {since}, {quorum} signatures make a block final)";
    validators_next(height) = "自高度 {height} 起", "from height {height} on";
    only_grows() = "只增不减", "only grows";
    head_value() = "值", "value";
    head_limits() = "上下限", "limits";
    head_version() = "版本", "version";
    head_from_height() = "自高度", "from height";
    head_this_program() = "本程序", "this program";
    known() = "支持", "knows it";
    not_known() = "不支持", "does not know it";
    member() = "成员", "member";
    no_member() = "非成员", "no member";
    frozen() = "已冻结", "frozen";
    head_id() = "编号", "id";
    head_member() = "表决", "votes";

    // Accounts.
    account_added(id) = "已登记账户 {id}", "the account {id} is registered";
    account_changed(id) = "账户 {id} 已更新", "the account {id} is changed";
    account_frozen(reason) = "已冻结：{reason}", "frozen: {reason}";
    label_name() = "名称", "name";
    label_roles() = "角色", "roles";
    label_since() = "登记高度", "since height";
    label_key_since() = "密钥始于高度", "key since height";
    label_asked() = "查询时间", "asked at";

    // Doctor.
    verdict_good() = "正常", "good";
    verdict_warning() = "注意", "warn";
    verdict_bad() = "异常", "BAD";
    doctor_hint(hint) = "处理：{hint}", "do: {hint}";
    doctor_unknown() = "无法测定", "cannot be measured";
    doctor_version(version, protocols) = "yulian {version}，支持协议版本 {protocols}", "yulian {version}, knows protocol versions {protocols}";
    doctor_processor(name, features) = "{name}：{features}", "{name}: {features}";
    doctor_processor_hint(missing) = "缺少 {missing}：国密运算会慢一些，仍可运行", "it lacks {missing}: the cryptography is slower, but works";
    doctor_cores(count) = "{count} 个处理器核", "{count} cores";
    doctor_cores_hint() = "建议每个节点至少 2 核", "give each node 2 cores at least";
    doctor_memory(mib) = "可用内存 {mib} MiB", "{mib} MiB of memory available";
    doctor_memory_hint(mib) = "每个节点建议至少有 {mib} MiB 可用内存", "each node should have {mib} MiB at least";
    doctor_open_files(limit) = "打开文件数上限 {limit}", "limit of open files {limit}";
    doctor_open_files_hint(limit) = "请提高到 {limit} 以上：ulimit -n 65536，或 systemd 的 LimitNOFILE", "raise it to {limit} or more: ulimit -n 65536, or LimitNOFILE of systemd";
    doctor_clock(time) = "本机时钟 {time}", "this machine's clock {time}";
    doctor_clock_hint() = "时钟显然不对：请启用 NTP（timedatectl set-ntp true）", "the clock is plainly wrong: run NTP (timedatectl set-ntp true)";
    doctor_disk(path, rate) = "{path}：每秒落盘 {rate} 次", "{path}: {rate} syncs to the disk per second";
    doctor_disk_hint(rate) = "低于每秒 {rate} 次时区块等待磁盘：建议使用固态硬盘", "below {rate} per second blocks wait for the disk: use an SSD";
    doctor_disk_error_hint() = "请检查磁盘与文件夹权限", "check the disk and the folder's permissions";
    doctor_space(path, mib) = "{path}：剩余空间 {mib} MiB", "{path}: {mib} MiB free";
    doctor_space_hint(mib) = "建议至少保留 {mib} MiB", "keep {mib} MiB free at least";
    doctor_keys(count) = "{count} 个私钥文件，权限均为 0600", "{count} private key files, all of mode 0600";
    doctor_keys_open(paths) = "其他用户可能读取：{paths}", "others may read: {paths}";
    doctor_keys_hint(paths) = "chmod 600 {paths}", "chmod 600 {paths}";
    doctor_ports(count) = "{count} 个端口可用", "{count} ports are free";
    doctor_ports_running(count) = "网络正在运行，使用 {count} 个端口", "the network runs and uses {count} ports";
    doctor_port_taken(address, why) = "{address} 不可用：{why}", "{address} cannot be used: {why}";
    doctor_ports_hint() = "请用 ss -ltnp 查看并停止占用它的程序，或另选端口", "find and stop the program that uses it (ss -ltnp), or choose other ports";
    doctor_node(url, version, chains) = "{url}：版本 {version}，{chains} 条链", "{url}: version {version}, {chains} chains";
    doctor_node_down(url, why) = "{url}：{why}", "{url}: {why}";
    doctor_node_hint() = "请启动该节点，或查看它的日志", "start the node, or see its log";
    doctor_node_stopped(url, why) = "{url}：链已停止：{why}", "{url}: a chain has stopped: {why}";
    doctor_other_version(own) = "与本程序的版本 {own} 不同：请安排升级", "its version is not this program's {own}: plan an upgrade";
    doctor_offset(url, ms, drift, tolerance) = "{url}：时钟相差 {ms} ms（区块时间允许 {drift} ms，节点握手允许 {tolerance} ms）", "{url}: its clock differs by {ms} ms (block times allow {drift} ms, handshakes {tolerance} ms)";
    doctor_offset_hint() = "请在两台主机上启用 NTP", "run NTP on both machines";

    // The ledger of a node.
    node_runs(name, api, peer) = "节点 {name} 运行中：接口 http://{api}，节点间 {peer}；Ctrl-C 停止", "node {name} runs: API http://{api}, peers {peer}; Ctrl-C stops it";
    backing_up() = "正在备份", "backing up";
    restoring() = "正在恢复并验证", "restoring and verifying";
    replaying() = "正在重放", "replaying";
    backed_up(path, height, bytes) = "已备份到 {path}：至高度 {height}，{bytes} 字节", "the backup is in {path}: up to height {height}, {bytes} bytes";
    restored(height, transactions, signatures, proofs) = "已恢复至高度 {height}：重新执行 {transactions} 笔交易，验证 {signatures} 个签名、{proofs} 个最终性证明", "restored up to height {height}: {transactions} transactions executed again, {signatures} signatures and {proofs} finality proofs verified";
    restored_validator() = "注意：若该节点是验证节点，请确认它的旧数据不会再被启动，否则可能对同一高度重复投票", "note: if this node is a validator, make sure that its old data is never started again: it could vote twice at one height";
    replayed(dir, height, transactions, signatures, proofs) = "{dir} 重放一致：至高度 {height}，{transactions} 笔交易，{signatures} 个签名，{proofs} 个最终性证明", "{dir}: the replay agrees up to height {height}, {transactions} transactions, {signatures} signatures, {proofs} finality proofs";
    root_is(root) = "状态根 {root}", "state root {root}";
}
