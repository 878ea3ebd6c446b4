//! How a chain stands on this node.

use super::ChainApi;
use crate::{metrics::SharedMetrics, regime::Standing};
use std::sync::Arc;
use yulian_api::{ApiError, Code, DigestText, KeyText, views::*};
use yulian_crypto::sm2::PublicKey;
use yulian_engine::Runtime;
use yulian_exec::{epoch, tables};
use yulian_store::Kv;
use yulian_types::{ValidatorSet, faults_max, proto::RiskRecord};

/// Blocks by which a node may be behind the network and still count as ready.
pub const READY_LAG_MAX: u64 = 32;

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    fn network_height(&self) -> u64 {
        let own = self.node.ledger().tip().height;
        self.node
            .network_status()
            .map_or(own, |status| status.network_height.max(own))
    }

    /// Whether the node is about where the network is.
    pub(super) fn keeps_up(&self) -> bool {
        self.node.ledger().tip().height + READY_LAG_MAX >= self.network_height()
    }

    /// The validators in force at a height, from the last decided sets.
    pub(super) fn set_at(&self, height: u64) -> Result<Arc<ValidatorSet>, ApiError> {
        let mark = self.node.ledger().set_at(height);
        Ok(self.node.set(&mark.digest)?.ok_or(Code::Internal)?)
    }

    /// The risk that members accepted with a set, where it has one.
    pub(super) fn risk(&self, set: &ValidatorSet) -> Result<Option<RiskView>, ApiError> {
        if set.overweight_clouds().is_empty() {
            return Ok(None);
        }
        let record: Option<RiskRecord> = self.node.record(&tables::risk(&set.digest()))?;
        Ok(record.as_ref().map(RiskView::from))
    }

    pub(super) fn status(&self) -> Result<ChainStatus, ApiError> {
        let ledger = self.node.ledger();
        let latest = self.node.latest.borrow().clone();
        let tip = latest.tip;
        let engine = self.node.network_status().unwrap_or_default();
        let set = self.set_at(tip.height + 1)?;
        let counts = self.node.pool.lock().counts();
        let limits = &self.node.options.pool;
        let connected = self.node.connected();
        let readiness = self.readiness_with(&connected);
        let fault = |(key, kind): &(_, &str)| FaultView {
            validator: KeyText(*key),
            kind: kind.to_string(),
        };
        Ok(ChainStatus {
            id: DigestText(ledger.chain_id()),
            name: ledger.genesis().message.name.clone(),
            height: tip.height,
            digest: DigestText(tip.digest),
            state_root: DigestText(tip.state_root),
            time_ms: tip.time_ms,
            network_height: self.network_height(),
            kept_from_height: ledger.pruned_below(),
            epoch: epoch::epoch_of(tip.height + 1, ledger.epoch_length()),
            view: engine.view,
            protocol_version: self.protocol_version(),
            validating: set.contains(&self.identity.public_key),
            ready: readiness.ready,
            reason: readiness.reason,
            validators: validator_views(&set),
            risk: self.risk(&set)?,
            mempool: MempoolView {
                transactions: counts.transactions as u64,
                bytes: counts.bytes as u64,
                transactions_max: limits.transactions_max as u64,
                bytes_max: limits.bytes_max as u64,
            },
            connected: connected.into_iter().map(KeyText).collect(),
            faults: self.node.faults().iter().map(fault).collect(),
            stopped: self.node.stop_reason(),
            regime: self.regime(),
        })
    }

    /// What the platform lets the chain do here, and how much of its quotas it uses.
    fn regime(&self) -> RegimeView {
        let regime = self.node.regime();
        let usage = regime.usage(self.node.runtime.now_ms());
        let limit = |value: u32| (value > 0).then_some(value);
        RegimeView {
            standing: match regime.standing() {
                Standing::Open => ChainStanding::Open,
                Standing::Paused => ChainStanding::Paused,
                Standing::Closed => ChainStanding::Closed,
            },
            transactions_per_second: limit(usage.quotas.transactions_per_second),
            transactions_last_second: usage.transactions_last_second,
            storage_mib: limit(usage.quotas.storage_mib),
            storage_used_mib: usage.storage_bytes >> 20,
            storage_used_bytes: usage.storage_bytes,
            quota_refusals: usage.refused,
        }
    }

    pub(super) fn readiness(&self) -> ChainReadiness {
        self.readiness_with(&self.node.connected())
    }

    fn readiness_with(&self, connected: &[PublicKey]) -> ChainReadiness {
        let reason = if let Some(reason) = self.node.stop_reason() {
            Some(reason)
        } else if self.node.network().is_none() {
            Some("正在启动 (starting)".into())
        } else if !self.keeps_up() {
            Some("正在追赶区块 (catching up)".into())
        } else {
            self.isolation(connected)
        };
        ChainReadiness {
            id: DigestText(self.node.ledger().chain_id()),
            ready: reason.is_none(),
            height: self.node.ledger().tip().height,
            network_height: self.network_height(),
            reason,
        }
    }

    /// Why no block can become final here: a validator needs a quorum, with itself; any other node needs one to ask.
    fn isolation(&self, connected: &[PublicKey]) -> Option<String> {
        let set = self.set_at(self.node.ledger().tip().height + 1).ok()?;
        let reached = connected.iter().filter(|key| set.contains(key)).count();
        let needed = if set.contains(&self.identity.public_key) {
            set.quorum() - 1
        } else {
            1
        };
        (reached < needed).then(|| isolated(reached, needed))
    }

    /// What keeps the chain from running, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let name = &self.node.ledger().genesis().message.name;
        self.node.stop_reason().map(|reason| format!("{name}: {reason}"))
    }

    /// The chain's name and counters, the changing ones brought up to date.
    pub(super) fn measured(&self) -> (String, SharedMetrics) {
        self.node.note_pool();
        let (metrics, store) = (self.node.metrics(), self.node.ledger().store());
        if let Ok(bytes) = store.disk_bytes() {
            metrics.disk_bytes.set(bytes);
        }
        metrics.syncs.set(store.sync_count());
        metrics.connected.set(self.node.connected().len() as u64);
        let usage = self.node.regime().usage(self.node.runtime.now_ms());
        metrics
            .quota_transactions
            .set(usage.quotas.transactions_per_second.into());
        metrics.last_second.set(usage.transactions_last_second.into());
        metrics.quota_bytes.set(u64::from(usage.quotas.storage_mib) << 20);
        metrics.quota_used_bytes.set(usage.storage_bytes);
        metrics.quota_refusals.set(usage.refused);
        if let Ok(set) = self.set_at(self.node.ledger().tip().height + 1) {
            metrics.cloud_excess.set(cloud_excess(&set));
        }
        (self.node.ledger().genesis().message.name.clone(), metrics.clone())
    }
}

/// Validators that the fullest cloud holds beyond what the set can lose.
fn cloud_excess(set: &ValidatorSet) -> u64 {
    let fullest = set.clouds().into_values().max().unwrap_or_default();
    fullest.saturating_sub(faults_max(set.len())) as u64
}

/// Says to how many validators a node is connected and what may keep it from more.
fn isolated(reached: usize, needed: usize) -> String {
    format!(
        "只连通 {reached} 个其他验证节点，至少需要 {needed} 个：请检查网络与地址、创世文件、本节点是否已登记、时钟 \
         (connected to {reached} other validators, at least {needed} are needed: check network and addresses, the genesis \
         file, whether this node is registered, and clocks)"
    )
}
