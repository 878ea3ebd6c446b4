//! Texts of the benchmark.

crate::text::texts! {
    bench_starting(nodes, path) = "启动压测网络：{nodes} 个节点，{path}", "starting a network of {nodes} nodes in {path}";
    bench_signing(count) = "预先签名 {count} 笔交易", "signing {count} transactions beforehand";
    bench_loading() = "提交并等待最终确定", "submitting, and waiting for finality";
    bench_memory_disk(path) = "注意：{path} 在内存文件系统上，落盘没有代价；请用 --work-dir 换到真实磁盘", "note: {path} is on a file system in memory, where syncing costs nothing; name a real disk by --work-dir";
    bench_used_up() = "注意：签好的交易在时间结束之前用完；可用 --count 增加", "note: the signed transactions were used up before the time was over; sign more by --count";
    bench_refused(why) = "注意：有交易被拒绝，第一个原因：{why}", "note: transactions were refused, the first because: {why}";
    bench_leg(first, last, tps, p50, p99, memory) = "第 {first}–{last} 笔：{tps} 笔/秒，p50 {p50} ms，p99 {p99} ms，节点内存 {memory}", "transactions {first}-{last}: {tps}/s, p50 {p50} ms, p99 {p99} ms, memory of the nodes {memory}";
    bench_head(nodes, clients) = "压测结果：{nodes} 个节点，{clients} 个客户端", "result: {nodes} nodes, {clients} clients";
    bench_mode() = "方式", "way";
    bench_mode_stream(batch, window) = "只提交，按最终区块流计数；每次 {batch} 笔，每个客户端在途最多 {window} 笔", "submit, and count in the stream of final blocks; {batch} at a time, at most {window} under way for each client";
    bench_mode_wait() = "逐笔提交并等待最终结果", "submit one, wait for its final result, go on";
    bench_throughput() = "最终确定", "committed";
    bench_throughput_value(tps, committed, seconds) = "{tps} 笔/秒（{seconds} 秒内 {committed} 笔）", "{tps} tx/s ({committed} in {seconds} s)";
    bench_success() = "成功率", "success";
    bench_success_value(rate, sent, failed, unresolved, pauses) = "{rate} %（发出 {sent}，失败 {failed}，结果未见 {unresolved}；因限流重发 {pauses} 次）", "{rate} % ({sent} sent, {failed} failed, {unresolved} unseen; sent again after back-pressure {pauses} times)";
    bench_latency() = "时延", "latency";
    bench_latency_value(p50, p99, max) = "p50 {p50} ms，p99 {p99} ms，最大 {max} ms", "p50 {p50} ms, p99 {p99} ms, longest {max} ms";
    bench_cpu() = "处理器", "CPU";
    bench_cpu_value(all, nodes, loader) = "{all} ms/笔（全部节点 {nodes}，压测端 {loader}）", "{all} ms/tx (all nodes {nodes}, loader {loader})";
    bench_cpu_unknown(loader) = "压测端 {loader} ms/笔；节点进程未知", "loader {loader} ms/tx; the node processes are not known";
    bench_blocks() = "区块", "blocks";
    bench_blocks_value(blocks, each) = "{blocks} 个，平均每块 {each} 笔", "{blocks}, {each} transactions each on average";
    bench_size() = "交易大小", "transaction";
    bench_size_value(bytes, asked) = "{bytes} 字节（要求 {asked}）", "{bytes} bytes ({asked} asked for)";
    bench_disk() = "磁盘", "disk";
    bench_disk_value(path, system, rate) = "{path}（{system}），写 4 KB 并落盘 {rate} 次/秒", "{path} ({system}), {rate} writes of 4 KB synced per second";
    bench_stored() = "占用", "stored";
    bench_stored_value(bytes) = "每个节点每笔 {bytes} 字节", "{bytes} bytes for each transaction on each node";
    bench_memory() = "内存", "memory";
    bench_memory_value(name, start, end) = "{name} {start} → {end} MiB", "{name} {start} to {end} MiB";
    bench_sign() = "签名", "signing";
    bench_sign_value(count, seconds, rate, cpu) = "事先签名 {count} 笔，{seconds} 秒，{rate} 笔/秒，处理器 {cpu} ms/笔，不计入以上结果", "{count} signed beforehand in {seconds} s, {rate}/s, CPU {cpu} ms each, not part of the above";
    bench_legs_note() = "每段的交易在该段之前签好，签名时不施压", "the transactions of each leg are signed before it; there is no load meanwhile";
}
