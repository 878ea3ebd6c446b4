//! Texts of drills.

crate::text::texts! {
    drill_head(cloud, nodes, chains) = "断云演练：{cloud}（{nodes}），{chains} 条链", "drill: {cloud} is lost ({nodes}), {chains} chains";
    drill_before() = "演练之前：各链施以轻负载", "before: light load on every chain";
    drill_lost(cloud) = "{cloud} 的节点已停", "the nodes of {cloud} are gone";
    drill_returning() = "节点返回，追赶区块", "the nodes come back and catch up";
    drill_after() = "演练之后：各链施以轻负载", "after: light load on every chain";
    drill_column_chain() = "链", "chain";
    drill_column_set() = "该云/验证节点（可失去）", "in the cloud/validators (can lose)";
    drill_column_next() = "断云后下一笔最终确定", "next final after the loss";
    drill_column_before() = "之前 p50/p99 ms", "before p50/p99 ms";
    drill_column_lost() = "断云中 p50/p99 ms", "meanwhile p50/p99 ms";
    drill_column_returning() = "返回中 p50/p99 ms", "returning p50/p99 ms";
    drill_column_after() = "之后 p50/p99 ms", "after p50/p99 ms";
    drill_column_fate() = "结果", "result";
    drill_set(lost, validators, limit) = "{lost}/{validators}（{limit}）", "{lost}/{validators} ({limit})";
    drill_went_on() = "继续", "went on";
    drill_stood_still() = "停住", "stood still";
    drill_stopped_as_accepted() = "停住（成员已接受此风险，如预期）", "stopped (its members accepted this risk: as expected)";
    drill_not_driven() = "未驱动（文件夹中没有可写的账户）", "not driven (no account in the folder may write)";
    drill_differs(fate, height) = "{fate}；高度 {height} 的区块各节点不同！", "{fate}; the nodes differ at height {height}!";
    drill_returned(node, time) = "{node} 返回并追上全部链：{time}", "{node} was back with all chains after {time}";
    drill_phase(name, done, failed, latency) = "{name}：{latency}（{done} 笔最终确定，{failed} 笔没有）", "{name}: {latency} ({done} final, {failed} not)";
    drill_held(cloud, went_on, expected, time) = "成立：失去 {cloud} {time}，{expected} 条链中 {went_on} 条继续", "it holds: {cloud} was away for {time}, {went_on} of {expected} chains went on";
    drill_not_held(cloud, went_on, expected) = "不成立：失去 {cloud} 时 {expected} 条链中只有 {went_on} 条继续，或各节点的区块不同", "it does not hold: without {cloud} only {went_on} of {expected} chains went on, or the nodes differ";
    drill_written(path) = "报告：{path}", "report: {path}";
}
