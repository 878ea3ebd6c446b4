//! Counters of a node in the text format that Prometheus reads (exposition format 0.0.4).

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};
use yulian_state::Tree;

/// Upper bounds of a histogram's buckets, ms.
const BUCKETS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 30_000];

/// Something that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.add(1);
    }

    /// `count` more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    const TYPE: &str = "counter";

    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let _ = writeln!(out, "{name}{{{labels}}} {}", self.get());
    }
}

/// Something that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: u64) {
        self.0.store(i64::try_from(value).unwrap_or(i64::MAX), Relaxed);
    }

    /// Adds to it, or takes away.
    pub fn change(&self, by: i64) {
        self.0.fetch_add(by, Relaxed);
    }

    /// Its value.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }

    const TYPE: &str = "gauge";

    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let _ = writeln!(out, "{name}{{{labels}}} {}", self.get());
    }
}

/// How long something took, in buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS_MS.len()],
    count: AtomicU64,
    sum_ms: AtomicU64,
}

impl Histogram {
    /// Counts one duration, ms.
    pub fn observe_ms(&self, ms: u64) {
        if let Some(at) = BUCKETS_MS.iter().position(|bound| ms <= *bound) {
            self.buckets[at].fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.sum_ms.fetch_add(ms, Relaxed);
    }

    const TYPE: &str = "histogram";

    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let mut below = 0;
        for (bound, bucket) in BUCKETS_MS.iter().zip(&self.buckets) {
            below += bucket.load(Relaxed);
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}");
        }
        let count = self.count.load(Relaxed);
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", self.sum_ms.load(Relaxed));
        let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
    }
}

/// Declares the metrics of a chain with their help texts, so that none is shown without being explained.
macro_rules! metrics {
    ($($field:ident: $kind:ident, $name:literal, $help:literal;)*) => {
        /// What a chain counts about itself.
        #[derive(Debug, Default)]
        pub struct ChainMetrics {
            $(#[doc = $help] pub $field: $kind,)*
        }

        /// All metrics of some chains, each with the chain's name as label.
        pub fn render(chains: &[(String, SharedMetrics)]) -> String {
            let mut out = String::new();
            let labels: Vec<_> = chains.iter().map(|(name, _)| format!("chain=\"{}\"", escape(name))).collect();
            $(
                let name = concat!("yulian_", $name);
                let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {}", $help, $kind::TYPE);
                for ((_, metrics), labels) in chains.iter().zip(&labels) {
                    metrics.$field.render(&mut out, name, labels);
                }
            )*
            out
        }
    };
}

metrics! {
    height: Gauge, "final_height", "Height of the last durable final block.";
    final_time_ms: Gauge, "final_block_time_ms", "Time of the last final block, ms since 1970.";
    transactions_final: Counter, "transactions_final_total", "Transactions in final blocks since the start.";
    transactions_failed: Counter, "transactions_failed_total", "Final transactions whose execution failed.";
    submitted: Counter, "transactions_submitted_total", "Transactions submitted at this node.";
    gossiped: Counter, "transactions_gossiped_total", "Transactions received from other members.";
    refused: Counter, "transactions_refused_total", "Transactions refused at admission.";
    signatures: Counter, "signatures_verified_total", "Transaction signatures verified by this node.";
    signatures_spared: Counter, "signatures_spared_total", "Signatures of block transactions that were verified before.";
    connected: Gauge, "connected_peers", "Other members of the chain that this node is connected to.";
    pool_transactions: Gauge, "mempool_transactions", "Transactions waiting for a block.";
    pool_bytes: Gauge, "mempool_bytes", "Bytes of waiting transactions.";
    pool_evicted: Gauge, "mempool_evicted", "Transactions that gave way to lighter senders since the start.";
    admission_busy: Counter, "admission_busy_total", "Submissions refused because the admission queue was full.";
    gossip_sent: Counter, "gossip_messages_sent_total", "Messages with transactions sent to the members.";
    gossip_dropped: Counter, "gossip_messages_dropped_total", "Messages from members dropped because the queue was full.";
    gossip_malformed: Counter, "gossip_messages_malformed_total", "Messages from members that were malformed.";
    proposed: Counter, "blocks_proposed_total", "Blocks proposed by this node.";
    proposed_empty: Counter, "blocks_proposed_empty_total", "Proposed blocks without transactions.";
    verified: Counter, "blocks_verified_total", "Proposals found valid.";
    invalid: Counter, "blocks_invalid_total", "Proposals found invalid.";
    execute_ms: Histogram, "block_execution_ms", "Time to execute a block.";
    execution_threads: Gauge, "execution_threads", "Threads that execute a block.";
    commit_ms: Histogram, "block_commit_ms", "Time to make a final block durable.";
    finality_ms: Histogram, "block_finality_ms", "From a block's own time to its being durable here.";
    wait_ms: Histogram, "submit_wait_ms", "From submission to the final result, for waiting clients.";
    waiters: Gauge, "submit_waiters", "Clients waiting for a final result.";
    streams: Gauge, "block_streams", "Open streams of final blocks.";
    disk_bytes: Gauge, "disk_bytes", "Bytes of the chain's store on disk.";
    syncs: Gauge, "disk_syncs", "Times that the store was forced to disk since the start.";
    state_keys: Gauge, "state_keys", "Keys in the state.";
    state_cold: Gauge, "state_keys_cold", "Keys of the state that are not in memory, by state_memory_mib.";
    quota_transactions: Gauge, "quota_transactions_per_second", "Transactions per second that the platform lets the chain take; 0 = no limit.";
    last_second: Gauge, "transactions_last_second", "Transactions that reached this node in the last whole second.";
    quota_bytes: Gauge, "quota_storage_bytes", "Bytes on the disk that the platform lets the chain take; 0 = no limit.";
    quota_used_bytes: Gauge, "quota_storage_used_bytes", "Bytes on the disk as last measured for that quota.";
    quota_refusals: Gauge, "quota_refusals", "Transactions that a quota refused since the start.";
    cloud_excess: Gauge, "validators_cloud_excess", "Validators of the fullest cloud beyond what the set in force can lose; 0 = any cloud may be lost.";
    faults: Counter, "validator_faults_total", "Verified breaches of the protocol by validators.";
}

impl ChainMetrics {
    /// Notes what the state is.
    pub(crate) fn state(&self, tree: &Tree) {
        self.state_keys.set(tree.len() as u64);
        self.state_cold.set(tree.cold() as u64);
    }
}

/// The metrics of a chain as its parts share them.
pub type SharedMetrics = Arc<ChainMetrics>;

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_shown_with_its_explanation() {
        let metrics = SharedMetrics::default();
        metrics.height.set(7);
        metrics.commit_ms.observe_ms(3);
        metrics.commit_ms.observe_ms(100_000);
        let other = SharedMetrics::default();
        let out = render(&[("豫 \"1\"".into(), metrics), ("b".into(), other)]);
        assert!(out.contains("yulian_final_height{chain=\"豫 \\\"1\\\"\"} 7\n"));
        assert!(out.contains("yulian_block_commit_ms_bucket{chain=\"豫 \\\"1\\\"\",le=\"5\"} 1\n"));
        assert!(out.contains("le=\"+Inf\"} 2\n"));
        let samples = out.lines().filter(|line| !line.starts_with('#')).count();
        assert!(samples > 60);
        assert_eq!(out.matches("# TYPE yulian_final_height ").count(), 1);
        assert!(out.lines().all(|line| line.starts_with('#') || line.contains("chain=")));
    }
}
