//! Texts of the demonstration.

crate::text::texts! {
    demo_head(chain, nodes, url) = "演示：链“{chain}”，{nodes} 个节点，{url}", "demonstration on the chain \"{chain}\", {nodes} nodes, {url}";
    demo_step(number, name) = "{number}. {name}", "{number}. {name}";
    demo_figure(figure) = "   {figure}", "   {figure}";
    demo_failed(figure) = "   未成立：{figure}", "   does not hold: {figure}";
    demo_column_step() = "步骤", "step";
    demo_column_result() = "结果", "result";
    demo_column_figure() = "数据", "figure";
    demo_yes() = "成立", "holds";
    demo_no() = "未成立", "does not hold";
    demo_all_held(seconds) = "全部成立，用时 {seconds}", "everything held, in {seconds}";
    demo_packs_hint(pack, row, genesis) = "可离线自行核验：yulian verify {pack} --row '{row}' --genesis {genesis}", "verify offline yourself: yulian verify {pack} --row '{row}' --genesis {genesis}";

    fusion_links() = "各链凭中继链之言互相认识", "the chains know each other on the relay chain's word";
    fusion_links_figure(chains, links) = "{chains} 条链之间 {links} 个轻客户端均有效", "{links} light clients among {chains} chains are active";
    fusion_licence(time, number) = "食品经营许可证 JY14101000{number}\n发证时间 {time}\n", "food licence JY14101000{number}\nissued {time}\n";
    fusion_deposit(chain) = "{chain} 存证一份证照", "{chain} deposits a licence";
    fusion_deposit_figure(digest, ms, bytes) = "摘要 {digest}…，{ms} 最终确定，证据包 {bytes} 字节", "digest {digest}..., final within {ms}, a pack of {bytes} bytes";
    fusion_ask(from, of) = "{from} 经中继链向 {of} 核验，取回含中继路径的证据包", "{from} verifies it at {of} through the relay chain, and gets the pack with the relay path";
    fusion_ask_figure(ms, height, answered, bytes) = "有效，{ms} ms 得到对方自证的答复（存证在高度 {height}，答复记在本链高度 {answered}）；证据包 {bytes} 字节", "valid, answered with proof in {ms} ms (deposited at height {height}, the answer stands here at height {answered}); a pack of {bytes} bytes";
    fusion_offline() = "离线核验，只信任中继链的创世摘要", "verify offline, trusting the relay chain's genesis digest alone";
    fusion_offline_figure(changed, unknown) = "成立；改一个字节：{changed}；别的摘要：{unknown}", "holds; one byte changed: {changed}; another digest: {unknown}";
    fusion_voucher(a, b, c) = "凭证走一圈：{a} → {b} → {c} → {a}", "vouchers go round: {a}, {b}, {c}, {a}";
    fusion_voucher_figure(amount, ms, held, issued) = "{amount} 份走完三程用时 {ms}；各链合计 {held}，发行 {issued}，账目相符", "{amount} went three ways in {ms}; all chains hold {held}, issued were {issued}, the books agree";
    fusion_paused(chain) = "发往已暂停的 {chain}：到时退回", "sent to {chain}, which is paused: refunded in time";
    fusion_paused_figure(ms, held) = "{ms} 后凭对方区块时间证明超时并退回，发行链仍持有 {held}", "after {ms} the time-out was proven by the other chain's clock and refunded; home holds {held} as before";
    fusion_agent_killed() = "搬运途中 kill -9 中继代理", "kill -9 the relay agent while it carries";
    fusion_agent_figure(first, second, answered, count, ms) = "进程 {first} 被杀，{second} 接着搬运；{count} 个问题全部得到答复（{answered}），共 {ms}", "process {first} was killed, {second} went on; all {count} questions were answered ({answered}), in {ms}";
    fusion_forged() = "向中继链提交伪造的区块头，必须被拒绝", "bring forged headers to the relay chain, which must be refused";
    fusion_forged_figure(count, codes) = "{count} 份均被拒绝：{codes}；轻客户端未变", "all {count} refused: {codes}; the light client is as it was";
    fusion_created() = "为一个应用建链并使用", "create a chain for an application and use it";
    fusion_created_figure(made, used) = "{made} 后就绪，{used} 后第一笔存证最终确定；已归档", "ready after {made}, first deposit final after {used}; archived";
    fusion_cloud(cloud) = "失去一朵云：{cloud}", "lose a cloud: {cloud}";
    fusion_cloud_figure(on, count, slowest, back) = "{count} 条链中 {on} 条继续，最慢 {slowest} 后下一笔最终确定；节点 {back} 后追平，各节点区块一致", "{on} of {count} chains went on, the slowest final again after {slowest}; its nodes caught up within {back}, all nodes have the same blocks";
    fusion_hint(pack, relay) = "可离线自行核验：yulian verify {pack} --genesis {relay}", "verify offline yourself: yulian verify {pack} --genesis {relay}";

    demo_documents() = "存证两份方案文件", "deposit both plan documents";
    demo_documents_figure(deposited, before, ms) = "新存证 {deposited} 份，此前已存证 {before} 份，{ms} 内最终确定（含本次演示的标记文件）", "{deposited} deposited, {before} deposited before, final within {ms} (with a marker document of this run)";
    demo_table() = "逐行存证河南统计用区划代码", "deposit the division codes of Henan row by row";
    demo_table_progress() = "逐行存证", "depositing rows";
    demo_table_figure(rows, deposited, before, seconds, tps) = "{rows} 行：新存证 {deposited}，此前已存证 {before}，{seconds}，{tps} 笔/秒", "{rows} rows: {deposited} deposited, {before} deposited before, {seconds}, {tps} tx/s";
    demo_packs() = "获取证据包", "fetch evidence packs";
    demo_packs_figure(count, largest, row, dir) = "{count} 个，最大 {largest} 字节，表格一行的 {row} 字节，写入 {dir}", "{count}, the largest {largest} bytes, that of a table row {row} bytes, written to {dir}";
    demo_verify() = "离线核验，只信任创世摘要", "verify offline, trusting the genesis digest alone";
    demo_verify_figure(count, ms, signed, validators, height) = "{count} 个均成立，每个 {ms} ms；{validators} 个验证节点中 {signed} 个签名，高度 {height}", "all {count} hold, {ms} ms each; {signed} of {validators} validators signed, height {height}";
    demo_tamper() = "改动一个字节，必须被拒绝", "change one byte, which must be refused";
    demo_tamper_figure(file, pack, chain) = "文件：{file}；证据包：{pack}；别的链：{chain}", "file: {file}; pack: {pack}; other chain: {chain}";
    demo_row() = "离线核验表格的一行", "verify one row of the table offline";
    demo_row_figure(row, ms, time, refused) = "“{row}”成立，{ms} ms，存证时间 {time}；改一个字即被拒绝：{refused}", "\"{row}\" holds, {ms} ms, deposited {time}; one character changed is refused: {refused}";
    demo_kill() = "kill -9 一个节点，继续存证", "kill -9 one node, go on depositing";
    demo_kill_figure(node, first, count, tps) = "{node} 被杀；{first} 后下一笔最终确定；其间又存证 {count} 笔，{tps} 笔/秒", "{node} was killed; the next deposit was final after {first}; {count} more meanwhile, {tps} tx/s";
    demo_restart() = "重新启动该节点，比较全部节点的状态根", "start it again, compare the state roots of all nodes";
    demo_restart_figure(node, ms, nodes, height, root) = "{node} {ms} 后就绪；{nodes} 个节点在高度 {height} 的状态根相同：{root}", "{node} was ready after {ms}; the state roots of {nodes} nodes at height {height} are equal: {root}";
    demo_replace() = "表决：以同一云的第五个节点替换一个验证节点", "vote: a fifth node of the same cloud replaces a validator";
    demo_back() = "表决换回", "vote it back";
    demo_replace_progress() = "准备候选节点", "preparing the candidate";
    demo_replace_figure(old, new, cloud, ms, votes, epoch, height) = "{old} → {new}（{cloud}），{votes} 票同意，{ms} 后生效：纪元 {epoch}，自高度 {height}", "{old} to {new} ({cloud}), {votes} votes in favour, in force after {ms}: epoch {epoch}, since height {height}";
    demo_history() = "变更之后存证并核验：验证节点历史一直证明到创世", "deposit and verify after the changes: the validators' history is proven back to genesis";
    demo_history_figure(bytes, ms, changes) = "证据包 {bytes} 字节，{ms} ms，含 {changes} 次验证节点变更的证明", "a pack of {bytes} bytes, {ms} ms, with proofs of {changes} changes of validators";
}
