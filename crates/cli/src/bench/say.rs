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
    bench_latency_value(p50, p99, p999, max) = "p50 {p50} ms，p99 {p99} ms，p99.9 {p999} ms，最大 {max} ms", "p50 {p50} ms, p99 {p99} ms, p99.9 {p999} ms, longest {max} ms";
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
    bench_processes() = "各节点", "each node";
    bench_process_value(name, cpu, start, end) = "{name}：处理器 {cpu} ms/笔，内存 {start} → {end} MiB", "{name}: CPU {cpu} ms/tx, memory {start} to {end} MiB";
    bench_accounts() = "签名账户", "signers";
    bench_accounts_value(count, registered) = "{count} 个轮流签名（其中 {registered} 个在计时之前由交易创建，其余在创世中或已在链上）", "{count} sign in turn ({registered} of them registered by transactions before the clock started, the others in the genesis or on the chain already)";
    bench_accounts_new(count, registered) = "{count} 个，每笔交易换一个新账户（其中 {registered} 个在计时之前由交易创建，节点已核验过其持钥证明）", "{count}, a new one for each transaction ({registered} of them registered by transactions before the clock started, so that nodes have verified their proof of possession)";
    bench_sign() = "签名", "signing";
    bench_sign_value(count, seconds, rate, cpu) = "事先签名 {count} 笔，{seconds} 秒，{rate} 笔/秒，处理器 {cpu} ms/笔，不计入以上结果", "{count} signed beforehand in {seconds} s, {rate}/s, CPU {cpu} ms each, not part of the above";
    bench_legs_note() = "每段的交易在该段之前签好，签名时不施压", "the transactions of each leg are signed before it; there is no load meanwhile";
    bench_sign_meanwhile() = "在压测过程中提前几秒签名，计入压测端处理器时间", "signed a few seconds ahead during the run, part of the loader's CPU";

    // Several chains.
    bench_chains_head(chains, clients) = "压测结果：{chains} 条链同时与其中一条单独比较，共 {clients} 个客户端", "result: {chains} chains together against one of them alone, {clients} clients in all";
    bench_chains_label(chains) = "{chains} 条链", "{chains} chain(s)";
    bench_chains_value(tps, committed, failed, blocks, p50, p99, cpu) = "{tps} 笔/秒（{committed} 笔，未成功 {failed}，{blocks} 块），p50 {p50} ms，p99 {p99} ms，处理器 {cpu} ms/笔", "{tps} tx/s ({committed}, {failed} without success, {blocks} blocks), p50 {p50} ms, p99 {p99} ms, CPU {cpu} ms/tx";
    bench_chains_ratio() = "同时 ÷ 单独", "together / alone";

    // Over the relay chain.
    bench_relay_head(chains, rate) = "跨链压测结果：{chains} 条链依次向下一条链核验，共每秒 {rate} 条", "result: {chains} chains, each asks the next one, {rate} messages per second in all";
    bench_relay_rate() = "在来源链确认", "acknowledged at the source";
    bench_relay_rate_value(sustained, overall, ended) = "施压期间 {sustained} 条/秒；至最后一条为止 {overall} 条/秒（共 {ended} 条）", "{sustained}/s during the load; {overall}/s up to the last ({ended} in all)";
    bench_relay_latency_value(p50, p99, max) = "从应发出到来源链确认：p50 {p50} ms，p99 {p99} ms，最大 {max} ms", "from when it was due to its end at the source: p50 {p50} ms, p99 {p99} ms, longest {max} ms";
    bench_relay_ends() = "消息结局", "how they ended";
    bench_relay_ends_value(sent, done, failed, late, given, lost) = "发出 {sent}：完成 {done}，失败 {failed}，超时 {late}，放弃 {given}，丢失 {lost}", "{sent} sent: {done} done, {failed} failed, {late} timed out, {given} given up, {lost} lost";
    bench_relay_not_sent_value(count, refused) = "{count} 条（在途已满）；被来源链拒绝 {refused} 条", "{count} (too many under way); {refused} refused by the source";
    bench_relay_process_value(name, cpu, cores, start, end) = "{name}：{cpu} ms/条，{cores} 核，内存 {start} → {end} MiB", "{name}: {cpu} ms each, {cores} cores, memory {start} to {end} MiB";
    bench_relay_backlog() = "积压", "backlog";
    bench_relay_backlog_value(second, asked, ended, open, agent) = "第 {second} 秒：已发 {asked}，已结束 {ended}，未结束 {open}（代理待办 {agent}）", "second {second}: {asked} asked, {ended} ended, {open} open ({agent} wait for the agent)";

    // The open loop.
    bench_mode_open(rate, most) = "开环：每秒 {rate} 笔按时发出，不等结果；时延从应发出的时刻算起；在途最多 {most} 笔", "open loop: {rate} tx/s leave on time, whatever the answers; latency is from the time they were due; at most {most} under way";
    bench_not_sent() = "未发出", "not sent";
    bench_not_sent_value(all, room, unsigned) = "{all} 笔（在途已满 {room}，签名未就绪 {unsigned}）", "{all} (too many under way {room}, not signed in time {unsigned})";
    bench_not_sent_note(count) = "注意：{count} 笔到时未能发出，不在成功率和时延之内", "note: {count} were due and not sent; they are in neither the success rate nor the latency";
    bench_registering(count) = "创建 {count} 个签名账户", "registering {count} accounts that will sign";
    bench_signers_used_up(count) = "注意：{count} 个新账户在时间结束之前用完，每个只签一笔；可用 --signers 增加", "note: the {count} new accounts, which sign once each, were used up before the time was over; name more by --signers";
    bench_drawn(path) = "曲线图：{path}", "plot: {path}";
    bench_plot_title(nodes) = "豫链压测：{nodes} 个节点", "yulian bench: {nodes} nodes";
    bench_plot_seconds() = "时间（秒）", "time (s)";
    bench_plot_throughput() = "吞吐（笔/秒）", "throughput (tx/s)";
    bench_plot_sent() = "发出", "sent";
    bench_plot_committed() = "最终确定", "committed";
    bench_plot_latency() = "时延（ms）", "latency (ms)";
    bench_plot_memory() = "节点内存（MiB）", "memory of a node (MiB)";
    bench_plot_largest() = "最大", "largest";
    bench_plot_mean() = "平均", "mean";

    // Rounds.
    bench_peak(seconds, tps) = "闭环 {seconds} 秒测得峰值 {tps} 笔/秒", "peak of a closed loop of {seconds} s: {tps} tx/s";
    bench_pressure_step(clients, seconds) = "压力：{clients} 个客户端，{seconds} 秒", "pressure: {clients} clients for {seconds} s";
    bench_pressure_head(nodes, seconds) = "压力测试结果：{nodes} 个节点，每级 {seconds} 秒", "result of the pressure round: {nodes} nodes, {seconds} s each";
    bench_step_used_up(clients) = "注意：{clients} 个客户端时，签好的交易在时间结束之前用完；可用 --count 增加", "note: with {clients} clients the signed transactions were used up before the time was over; sign more by --count";
    bench_col_clients() = "客户端", "clients";
    bench_col_tps() = "笔/秒", "tx/s";
    bench_col_success() = "成功 %", "success %";
    bench_col_cpu() = "处理器 ms/笔", "CPU ms/tx";
    bench_col_memory() = "内存 MiB", "memory MiB";
    bench_col_phase() = "阶段", "phase";
    bench_col_rate() = "速率", "rate";
    bench_col_sent() = "发出", "sent";
    bench_col_not_sent() = "未发出", "not sent";
    bench_col_committed() = "最终确定", "committed";
    bench_spike_head(nodes, base, times) = "尖峰测试结果：{nodes} 个节点，基础速率每秒 {base} 笔，尖峰为其 {times} 倍", "result of the spike round: {nodes} nodes, base rate {base} tx/s, spike {times} times as much";
    bench_phase_before() = "之前", "before";
    bench_phase_spike() = "尖峰", "spike";
    bench_phase_after() = "之后", "after";
    bench_recovered(seconds) = "尖峰结束 {seconds} 秒后，时延回到之前的水平", "{seconds} s after the spike, latency was as before";
    bench_not_recovered() = "到结束时，时延没有回到尖峰之前的水平", "until the end, latency was not as before the spike";
    bench_stability_head(nodes, rate, seconds) = "稳定性测试结果：{nodes} 个节点，每秒 {rate} 笔，{seconds} 秒", "result of the stability round: {nodes} nodes, {rate} tx/s for {seconds} s";
    bench_stable() = "结论：稳定", "verdict: stable";
    bench_not_stable() = "结论：不稳定，下列至少一项超出限度", "verdict: not stable, at least one of these is out of its limit";
    bench_memory() = "内存", "memory";
    bench_verdict_success(rate, missed) = "{rate} %，未发出 {missed} 笔（限度 100 %，0 笔）", "{rate} %, {missed} not sent (limit 100 %, 0)";
    bench_verdict_memory(second, last, ratio, most) = "最后四分之一 {last} MiB，第二个四分之一 {second} MiB；扣除状态树为每笔存证保留的 113 字节后 {ratio} %（限度 {most} %）", "last quarter {last} MiB, second quarter {second} MiB; without the 113 bytes that the state tree keeps for each deposit {ratio} % (limit {most} %)";
    bench_verdict_quarters(second, last, unit, ratio, most) = "最后四分之一 {last} {unit}，第二个四分之一 {second} {unit}：{ratio} %（限度 {most} %）", "last quarter {last} {unit}, second quarter {second} {unit}: {ratio} % (limit {most} %)";

    // Floods.
    bench_forging(count) = "制作 {count} 笔无效交易", "making {count} invalid transactions";
    bench_phase_calm() = "第一阶段：只有正常负载", "first phase: the honest load alone";
    bench_phase_flood(rate) = "第二阶段：另有每秒 {rate} 笔无效交易", "second phase: {rate} invalid transactions per second beside it";
    bench_flood_known() = "冒用已有账户，签名错误", "in the name of existing accounts, signed wrongly";
    bench_flood_unknown() = "账户不存在，签名正确", "of accounts that do not exist, signed rightly";
    bench_flood_head(nodes, rate, flood, kind) = "洪泛测试结果：{nodes} 个节点，正常负载每秒 {rate} 笔，无效交易每秒 {flood} 笔（{kind}）", "result with a flood: {nodes} nodes, honest load {rate} tx/s, invalid transactions {flood}/s ({kind})";
    bench_without_flood() = "无洪泛", "without";
    bench_with_flood() = "有洪泛", "with";
    bench_flood_answers(sent, missed, answers) = "无效交易发出 {sent} 笔，未发出 {missed} 笔；回答：{answers}", "invalid transactions: {sent} sent, {missed} not sent; answers: {answers}";

    // Cryptography.
    bench_crypto_head(rounds) = "国密性能：每秒次数，按线程处理器时间，{rounds} 轮交替，取中位数；比值以 RustCrypto 的同一操作为 1", "SM2, SM3, SM4: operations per second of thread CPU time, median of {rounds} interleaved rounds; ratio to the same operation of RustCrypto";
    bench_crypto_round(round, rounds) = "第 {round} 轮，共 {rounds} 轮", "round {round} of {rounds}";
    bench_crypto_no_openssl() = "注意：没有 openssl 命令，或它没有给出 SM2 的结果；相关各行略去", "note: there is no openssl command, or it told nothing of SM2; its rows are left out";
    bench_crypto_openssl(version) = "OpenSSL 各行由 openssl speed 自己按处理器时间测得：{version}", "the rows of OpenSSL are measured by openssl speed itself, by its CPU time: {version}";
    bench_col_operation() = "操作", "operation";
    bench_col_implementation() = "实现", "implementation";
    bench_col_per_second() = "次/秒", "per second";
    bench_col_ratio() = "比值", "ratio";
    bench_op_sm2_verify() = "SM2 验签", "SM2 verify";
    bench_op_sm2_verify_unknown() = "SM2 验签，首次出现的公钥", "SM2 verify, unknown key";
    bench_op_sm2_verify_cached() = "SM2 验签，见过的公钥", "SM2 verify, cached key";
    bench_op_sm2_verify_batch() = "SM2 验签，每批 256 个，常用公钥", "SM2 verify, batches of 256, hot keys";
    bench_op_nistp256_verify() = "nistp256 验签（ECDSA）", "nistp256 verify (ECDSA)";
    bench_op_sm2_sign() = "SM2 签名", "SM2 sign";
    bench_op_sm3(bytes) = "SM3，{bytes} 字节", "SM3 of {bytes} bytes";
    bench_op_sm4(bytes) = "SM4-GCM 加密，{bytes} 字节", "SM4-GCM seal of {bytes} bytes";
}
