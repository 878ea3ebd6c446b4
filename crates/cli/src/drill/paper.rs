//! The report of a drill as a document, in Chinese and then in English, to be filed.

use super::report::{ChainReport, Fate, Figures, Report};
use crate::{clock, out};
use std::fmt::Write;
use yulian_sdk::views::CloudShareView;

/// The document, Markdown.
pub(super) fn text(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = head(&mut page, report)
        .and_then(|()| chains(&mut page, report))
        .and_then(|()| phases(&mut page, report))
        .and_then(|()| notes(&mut page, report));
    page
}

fn head(page: &mut String, report: &Report) -> std::fmt::Result {
    let cloud = cell(&report.cloud);
    writeln!(
        page,
        "# 断云演练报告：{cloud}\n\n*Drill: the loss of the cloud {cloud}*\n"
    )?;
    let (zh, en) = verdict(report);
    writeln!(page, "**{zh}**\n\n**{en}**\n")?;
    writeln!(page, "| 项目 item | 数据 figure |\n|---|---|")?;
    writeln!(page, "| 时间 time | {} |", clock::beijing(report.started_ms))?;
    writeln!(page, "| 软件版本 version | {} |", report.version)?;
    let nodes: Vec<String> = report.returned.iter().map(|node| cell(&node.node)).collect();
    writeln!(page, "| 停止的节点 nodes stopped | {}（kill -9） |", nodes.join(", "))?;
    writeln!(page, "| 留下的节点 nodes that stayed | {} |", report.staying)?;
    writeln!(page, "| 断云时长 away for | {} |", clock::span(report.away_ms))?;
    writeln!(
        page,
        "| 继续的链 chains that went on | {}/{} |",
        report.went_on, report.expected
    )?;
    if let Some((name, ms)) = report.slowest() {
        let median = report.median_next_ms().unwrap_or_default();
        writeln!(
            page,
            "| 断云后下一笔最终确定 next final after the loss | 中位 median {}，最慢 slowest {}（{}） |",
            clock::span(median),
            clock::span(ms),
            cell(name)
        )?;
    }
    for node in &report.returned {
        writeln!(
            page,
            "| {} 返回并追上全部链 back with all chains | {} |",
            cell(&node.node),
            clock::span(node.caught_up_ms)
        )?;
    }
    writeln!(page)
}

fn verdict(report: &Report) -> (String, String) {
    let (went_on, expected) = (report.went_on, report.expected);
    match report.held {
        true => (
            format!("结论：成立。应当继续的 {expected} 条链全部继续，节点返回后各节点区块一致。"),
            format!(
                "It holds: all {went_on} of {expected} chains that must go on did, and all nodes have the same blocks again."
            ),
        ),
        false => (
            format!("结论：不成立。应当继续的 {expected} 条链中 {went_on} 条继续；见下表。"),
            format!("It does not hold: {went_on} of {expected} chains that must go on did; see the table."),
        ),
    }
}

fn chains(page: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(page, "## 各链 Chains\n")?;
    writeln!(
        page,
        "| 链 chain | 验证节点 validators | 在该云 in the cloud | 可失去 can lose | 断云后下一笔 next final | \
         之前 before p50/p99 ms | 断云中 meanwhile p50/p99 ms | 之后 after p50/p99 ms | 结果 result |"
    )?;
    writeln!(page, "|---|---|---|---|---|---|---|---|---|")?;
    for chain in &report.chains {
        writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            cell(&chain.name),
            chain.validators,
            chain.in_cloud,
            chain.faults_max,
            chain.next_final_ms.map_or_else(|| "—".into(), clock::span),
            latency(&chain.phases.before),
            latency(&chain.phases.lost),
            latency(&chain.phases.after),
            fate(chain),
        )?;
    }
    writeln!(page)
}

fn phases(page: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(page, "## 各阶段（全部链） Phases, all chains\n")?;
    writeln!(
        page,
        "| 阶段 phase | 最终确定 final | 没有 not | p50 ms | p99 ms | 最长 longest ms |\n|---|---|---|---|---|---|"
    )?;
    for (name, figures) in [
        ("之前 before", &report.phases.before),
        ("断云中 meanwhile", &report.phases.lost),
        ("返回中 returning", &report.phases.returning),
        ("之后 after", &report.phases.after),
    ] {
        let number = |value: Option<u64>| value.map_or_else(|| "—".into(), |value| value.to_string());
        writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} |",
            figures.done,
            figures.failed,
            number(figures.p50_ms),
            number(figures.p99_ms),
            number(figures.longest_ms)
        )?;
    }
    writeln!(page)
}

fn notes(page: &mut String, report: &Report) -> std::fmt::Result {
    for chain in &report.chains {
        if let Some(risk) = &chain.risk {
            let share =
                |share: &CloudShareView| format!("{} {}/{}", cell(&share.cloud), share.validators, chain.validators);
            let shares: Vec<String> = risk.accepted.clouds.iter().map(share).collect();
            writeln!(
                page,
                "* {}：已接受的风险 accepted risk：{}；理由 reason：{}",
                cell(&chain.name),
                shares.join(", "),
                cell(&risk.accepted.reason)
            )?;
        }
        if let Some(why) = &chain.first_failure {
            writeln!(
                page,
                "* {}：第一笔未成的原因 first failure：{}",
                cell(&chain.name),
                cell(why)
            )?;
        }
    }
    let every = clock::span(report.every_ms);
    writeln!(
        page,
        "\n说明：负载为每链每 {every} 一笔存证（没有存证模块的链为 link.tick），全部提交给留下的节点；“断云后下一笔”从第一个进程被杀算起，\
         到此后才提交的一笔交易最终确定为止；断云时在途的交易计入“断云中”。\n"
    )?;
    writeln!(
        page,
        "Load: a deposit on each chain every {every} (link.tick where it has no evidence), all given to nodes that stay. \"Next final\" runs from the \
         moment the first process was killed until a transaction that was sent after all were gone was final. What was under way at the loss counts as \"meanwhile\"."
    )
}

fn fate(chain: &ChainReport) -> String {
    let fate = match chain.fate {
        Fate::WentOn => "继续 went on",
        Fate::StoodStill => "**停住 stood still**",
        Fate::StoppedAsAccepted => "停住，成员已接受此风险，如预期 stopped, as accepted",
        Fate::NotDriven => "未驱动 not driven",
    };
    match chain.same_everywhere {
        true => fate.into(),
        false => format!("{fate}；**高度 {} 的区块不同 nodes differ**", chain.compared_height),
    }
}

fn latency(figures: &Figures) -> String {
    match (figures.p50_ms, figures.p99_ms) {
        (Some(p50), Some(p99)) => format!("{p50}/{p99}"),
        _ => "—".into(),
    }
}

/// A foreign text in a cell of a table.
fn cell(text: &str) -> String {
    out::one_line(text).replace('|', "/")
}
