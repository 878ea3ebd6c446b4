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
