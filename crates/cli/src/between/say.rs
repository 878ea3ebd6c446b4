//! What the commands between chains say.

use crate::text::texts;

texts! {
    comma() = "，", ", ";
    yes() = "是", "yes";
    no() = "否", "no";

    // Waiting for packets.
    waiting_for(chain) = "等待链 {chain} 的结果", "waiting for chain {chain}";
    packet_line(source, destination, module, sequence, stands) = "  {source} → {destination}  {module} 第 {sequence} 号：{stands}", "  {source} -> {destination}  {module} no. {sequence}: {stands}";
    packet_on_its_way() = "在途", "on its way";
    packet_done(height) = "已送达并确认（对方高度 {height}）", "received and acknowledged (height {height} there)";
    packet_failed_there(why, code) = "对方拒绝：{why} [{code}]", "refused there: {why} [{code}]";
    packet_timed_out(code) = "未在规定时间内送达 [{code}]", "not received in time [{code}]";
    packet_given_up(code) = "目的链已由表决终止连接 [{code}]", "given up by vote [{code}]";
    time_left(span) = "剩 {span}", "{span} left";
    time_over() = "已到时", "over";

    no_packets() = "没有未结束的消息", "no packet has not ended";
    stage_sent() = "已发出，等待中继", "sent, waits to be relayed";
    stage_hindered(why, code) = "不会中继：{why} [{code}]；到时退回", "not relayed: {why} [{code}]; refunded in its time";
    stage_relayed() = "已中继，等待送达", "relayed, waits to be received";
    stage_received() = "已送达，等待确认", "received, waits to be acknowledged";
    stage_refused(why, code) = "对方拒绝：{why} [{code}]，等待退回", "refused there: {why} [{code}], waits to be refunded";
    stage_done() = "已完成", "done";
    head_from() = "来源", "from";
    head_to() = "目的", "to";
    head_module() = "模块", "module";
    head_sequence() = "序号", "no.";
    head_timeout() = "超时", "time-out";
    label_relayed() = "中继", "relayed";
    label_received() = "送达", "received";
    label_ended() = "结束", "ended";
    at_height(height) = "高度 {height}", "height {height}";

    // Routes.
    any() = "任意", "any";
    route_open() = "开通", "open";
    route_closed() = "关闭", "closed";
    head_ordered() = "按序", "in order";
    no_routes() = "没有路由：不中继任何消息", "no routes: nothing is relayed";
    route_line(source, destination, module, status) = "{source} → {destination}，模块 {module}：{status}", "{source} -> {destination}, module {module}: {status}";
    route_decides_now(route) = "此后由这条路由决定：{route}", "this route decides now: {route}";
    no_route_decides() = "此后没有路由适用，不再中继", "no route applies now: nothing is relayed";
    freeze_line(source, destination, reason, height) = "已冻结 {source} → {destination}（高度 {height}）：{reason}", "frozen {source} -> {destination} (height {height}): {reason}";
    way_frozen(source, destination) = "已冻结 {source} → {destination}，须表决才能解除", "{source} -> {destination} is frozen until a vote lifts it";
    way_open(source, destination) = "已解除冻结 {source} → {destination}", "{source} -> {destination} is frozen no more";

    // Notices.
    no_notices(chain) = "链 {chain} 没有收到通告", "chain {chain} has received no notices";
    notice_head(source, kind, organisation, time) = "{source}  {kind}  {organisation}  {time}", "{source}  {kind}  {organisation}  {time}";
    kind_heartbeat() = "心跳", "heartbeat";
    kind_parameter() = "参数", "parameter";
    kind_policy() = "政策", "policy";
    kind_notice() = "通知", "notice";

    // Links.
    no_links(chain) = "链 {chain} 没有为其他链保存轻客户端", "chain {chain} keeps no light client of another";
    link_active() = "可用", "active";
    link_expired() = "信任期已过", "trust period over";
    link_frozen() = "已冻结", "frozen";
    link_ended() = "已终止", "ended";
    link_none() = "无", "none";
    link_relay() = "中继链", "relay chain";
    link_direct() = "直达", "direct";
    link_introduced() = "中继链引入", "introduced by the relay";
    link_voted() = "表决", "by vote";
    head_age() = "距最新区块头", "since last header";
    head_trust_left() = "信任期剩余", "trust left";
    head_believed() = "依据", "believed";
    label_trust_period() = "信任期", "trust period";
    label_kept() = "保存", "kept";
    kept(headers, sets) = "{headers} 个区块头，{sets} 个验证节点集合", "{headers} headers, {sets} sets of validators";
    label_opened() = "开通", "opened";
    opened(opened, updated) = "本链高度 {opened}，最近更新于 {updated}", "at height {opened} here, last updated at {updated}";
    time_and_age(time, age) = "{time}（{age} 前）", "{time} ({age} ago)";
    link_height_of(height, tip) = "{height}（对方现为 {tip}）", "{height} (it is at {tip} now)";
    link_agreed_only(at, of, height) = "链 {at} 已在高度 {height} 表决信任链 {of}，尚未开通。再次执行 yulian link agree 即开通", "chain {at} agreed on {of} at height {height} and has not opened it. yulian link agree opens it";
    link_unknown(at, of) = "链 {at} 没有链 {of} 的轻客户端", "chain {at} keeps no light client of {of}";
    compare_digest(of, digest) = "链 {of} 的创世摘要，请通过其他渠道与对方核对：\n  {digest}", "genesis digest of chain {of}, to be compared out of band with those who run it:\n  {digest}";
    reason_agree(of) = "信任链 {of}", "believe chain {of}";
    link_made(at, of, height) = "链 {at} 已信任链 {of}，自高度 {height} 起", "chain {at} believes chain {of} from height {height} on";
    link_settings(at, of) = "链 {at} 对链 {of} 的设置已更新", "the settings of the link from {at} to {of} are changed";
    nodes_agree(chain, height) = "链 {chain}：各节点在高度 {height} 的最终区块相同", "{chain}: the nodes have the same final block at height {height}";
    nodes_disagree(chain, height) = "链 {chain}：各节点在高度 {height} 的最终区块不同，该链已分叉，不可再信", "{chain}: the nodes have different final blocks at height {height}: the chain has forked and is not to be believed";
    conflict_written(file) = "证据已写入 {file}；冻结轻客户端：yulian link conflict {file}", "the proof is in {file}; freeze the light client by: yulian link conflict {file}";
    link_now_frozen(of) = "链 {of} 的轻客户端已冻结", "the light client of {of} is frozen";

    // Vouchers.
    issued(series, amount, holder) = "已发行 {series} {amount} 份，持有人 {holder}", "{amount} of {series} issued to {holder}";
    series_id(id, until) = "  系列编号 {id}，有效期至 {until}", "  id of the series {id}, valid until {until}";
    no_series(chain) = "链 {chain} 没有凭证系列", "chain {chain} has no series of vouchers";
    no_holdings(chain) = "该账户在链 {chain} 上没有凭证", "the account has no vouchers on chain {chain}";
    head_series() = "系列", "series";
    head_amount() = "数量", "amount";
    head_held() = "持有", "held";
    head_moving() = "在途", "moving";
    head_issued() = "发行", "issued";
    head_home() = "发行链", "home";
    head_expires() = "有效期至", "valid until";
    head_by_home() = "发行链记账", "by its home";
    head_agree() = "相符", "agrees";
    home_marked(chain) = "{chain}（发行链）", "{chain} (home)";
    label_terms() = "条款摘要", "digest of the terms";
    series_of(series, chain, height) = "凭证 {series}，链 {chain} 的账目（高度 {height}）", "vouchers {series}, the books of chain {chain} (height {height})";
    books_at_home(issued, redeemed, held, moving, outside, unclaimed) = "  发行 {issued} = 已兑付 {redeemed} + 本链持有 {held} + 在途 {moving} + 他链 {outside} + 待领 {unclaimed}", "  issued {issued} = redeemed {redeemed} + held here {held} + moving {moving} + outside {outside} + unclaimed {unclaimed}";
    books_outside(chain, amount) = "    其中 {chain}  {amount}", "    of that {chain}  {amount}";
    books_elsewhere(held, moving, home) = "  本链持有 {held}，在途 {moving}；发行总账在链 {home}", "  held here {held}, moving {moving}; what was issued stands on chain {home}";
    books_whole(issued, redeemed, held, way, unclaimed) = "  全部链：已兑付 {redeemed} + 持有 {held} + 途中 {way} + 待领 {unclaimed} = 发行 {issued}", "  all chains: redeemed {redeemed} + held {held} + on the way {way} + unclaimed {unclaimed} = issued {issued}";
    books_agree() = "  账目相符", "  the books agree";
    books_do_not_agree() = "  账目不符！请核查上列各链", "  the books do NOT agree: examine the chains above";
    vouchers_given(series, amount, holder) = "{series} {amount} 份已转给 {holder}", "{amount} of {series} given to {holder}";
    vouchers_redeemed(series, amount) = "{series} {amount} 份已兑付", "{amount} of {series} redeemed";
    vouchers_arrived(series, ms) = "{series} 已完成，用时 {ms} 毫秒", "{series}: done in {ms} ms";
    vouchers_sent(series) = "{series} 已发出，用 yulian packet list 查看进展", "{series}: sent; see yulian packet list for how it goes";
    vouchers_refunded(series) = "{series} 未成，已退回原持有人", "{series}: not done, refunded to the holder";
    vouchers_returning(series) = "{series} 未成，正由发行链送回原持有人", "{series}: not done, on the way back from its home to the holder";
    vouchers_refused(series) = "{series} 未成", "{series}: not done";
}
