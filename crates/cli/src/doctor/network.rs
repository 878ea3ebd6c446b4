//! Ports, nodes, and whether clocks agree.

use super::{Finding, Verdict};
use crate::{
    clock, connect::block_on, network::record::Record, out, problem::Result, refusal::sdk, text::say, up::status_file,
};
use std::{net::TcpListener, path::Path, time::Duration};
use yulian_engine::tcp::CLOCK_TOLERANCE;
use yulian_sdk::{Client, Options, views::NodeStatus};
use yulian_types::state_keys::PARAMETER_CLOCK_DRIFT_MS;

/// How long a node may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// A node that asks for a block time this far off is near the bounds: half of the drift that blocks tolerate.
const DRIFT_SHARE: u64 = 2;
/// Bound of the chain's drift where no node tells it: its default, ms.
const DRIFT_DEFAULT_MS: u64 = 5_000;

pub(super) fn findings(dir: &Path, urls: &[String]) -> Result<Vec<Finding>> {
    let running = status_file::read(dir);
    let mut findings = Vec::new();
    if let Ok(record) = Record::read(dir) {
        findings.push(ports(&record, running.is_some()));
    }
    let asked = match (urls, running) {
        ([], Some(running)) => running.nodes.into_iter().map(|node| node.api).collect(),
        (urls, _) => urls.to_vec(),
    };
    if !asked.is_empty() {
        findings.extend(block_on(nodes(&asked))?);
    }
    Ok(findings)
}

fn ports(record: &Record, runs: bool) -> Finding {
    let addresses: Vec<&String> = record.nodes.iter().flat_map(|node| [&node.api, &node.peer]).collect();
    if runs {
        return Finding::good("ports", say::doctor_ports_running(addresses.len()));
    }
    for address in &addresses {
        if let Err(error) = TcpListener::bind(address) {
            return Finding::bad(
                "ports",
                say::doctor_port_taken(address, error),
                say::doctor_ports_hint(),
            );
        }
    }
    Finding::good("ports", say::doctor_ports(addresses.len()))
}

async fn nodes(urls: &[String]) -> Result<Vec<Finding>> {
    let options = Options {
        request_timeout: ANSWER_WITHIN,
        ..Options::default()
    };
    let client = Client::new(urls, options).map_err(sdk)?;
    let mut findings = Vec::new();
    for (at, url) in urls.iter().enumerate() {
        let one = client.only(at);
        let before = clock::now_ms();
        match one.status().await {
            Ok(status) => {
                let own = before.midpoint(clock::now_ms());
                findings.push(node(url, &status));
                findings.push(offset(url, own, status.now_ms, drift_ms(&one).await));
            }
            Err(error) => {
                let why = sdk(error).summary();
                findings.push(Finding::bad(
                    "node",
                    say::doctor_node_down(url, why),
                    say::doctor_node_hint(),
                ));
            }
        }
    }
    Ok(findings)
}

fn node(url: &str, status: &NodeStatus) -> Finding {
    if let Some(reason) = status.chains.iter().find_map(|chain| chain.stopped.as_ref()) {
        let detail = say::doctor_node_stopped(url, out::one_line(reason));
        return Finding::bad("node", detail, say::doctor_node_hint());
    }
    let own = env!("CARGO_PKG_VERSION");
    let detail = say::doctor_node(url, out::one_line(&status.version), status.chains.len());
    Finding::expect("node", status.version == own, detail, || say::doctor_other_version(own))
}

async fn drift_ms(client: &Client) -> u64 {
    let Ok(chain) = client.chain("default").await else {
        return DRIFT_DEFAULT_MS;
    };
    let Ok(info) = chain.info().await else {
        return DRIFT_DEFAULT_MS;
    };
    let drift = info
        .parameters
        .iter()
        .find(|parameter| parameter.name == PARAMETER_CLOCK_DRIFT_MS);
    drift.map_or(DRIFT_DEFAULT_MS, |drift| drift.value.0)
}

/// A clock beyond the handshakes' bound cuts its node off; one beyond the blocks' drift makes validators wait for it.
fn offset(url: &str, own_ms: u64, node_ms: u64, drift_ms: u64) -> Finding {
    let off = own_ms.abs_diff(node_ms);
    let tolerance = u64::try_from(CLOCK_TOLERANCE.as_millis()).unwrap_or(u64::MAX);
    let detail = say::doctor_offset(url, off, drift_ms, tolerance);
    let verdict = match off {
        _ if off >= tolerance || off >= drift_ms => Verdict::Bad,
        _ if off.saturating_mul(DRIFT_SHARE) >= drift_ms => Verdict::Warning,
        _ => Verdict::Good,
    };
    match verdict {
        Verdict::Good => Finding::good("clock", detail),
        Verdict::Warning => Finding::warning("clock", detail, say::doctor_offset_hint()),
        Verdict::Bad => Finding::bad("clock", detail, say::doctor_offset_hint()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_judged_by_the_bounds_of_blocks_and_handshakes() {
        let verdict = |off: u64| offset("u", 1_000_000, 1_000_000 + off, 5_000).verdict;
        assert_eq!([0, 2_499].map(verdict), [Verdict::Good; 2]);
        assert_eq!([2_500, 4_999].map(verdict), [Verdict::Warning; 2]);
        assert_eq!([5_000, 15_000].map(verdict), [Verdict::Bad; 2]);
        // A wide drift parameter does not widen the handshakes' bound.
        assert_eq!(offset("u", 20_000, 0, 60_000).verdict, Verdict::Bad);
        assert_eq!(offset("u", 0, 10_000, 60_000).verdict, Verdict::Good);
    }
}
