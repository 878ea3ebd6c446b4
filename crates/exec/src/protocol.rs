//! Protocol versions and the heights from which they are in force.

use yulian_types::proto::ProtocolSchedule;

/// Versions that this program executes.
pub const PROTOCOL_VERSIONS_KNOWN: &[u32] = &[1];

/// The chain has switched to a protocol version that this program does not know. The node must stop: only a newer
/// program can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "自高度 {height} 起，本链使用协议版本 {version}，本程序不认识它：请安装新版本 (from height {height} on, the chain uses protocol \
     version {version}, which this program does not know: install a newer one)"
)]
pub struct UnknownProtocol {
    /// The version.
    pub version: u32,
    /// The first height that cannot be executed.
    pub height: u64,
}

/// The version in force at a height: that of the last entry at or below it; 0 for a schedule without one.
pub fn version_at(schedule: &ProtocolSchedule, height: u64) -> u32 {
    let reached = schedule.entries.iter().rfind(|entry| entry.height <= height);
    reached.map_or(0, |entry| entry.version)
}

pub(crate) fn known_version_at(schedule: &ProtocolSchedule, height: u64) -> Result<u32, UnknownProtocol> {
    let version = version_at(schedule, height);
    if PROTOCOL_VERSIONS_KNOWN.contains(&version) {
        return Ok(version);
    }
    Err(UnknownProtocol { version, height })
}

#[cfg(test)]
mod tests {
    use super::*;
    use yulian_types::proto::ActivateProtocol;

    #[test]
    fn a_version_holds_from_its_height_on() {
        let entry = |version, height| ActivateProtocol { version, height };
        let schedule = ProtocolSchedule {
            entries: vec![entry(1, 0), entry(2, 10)],
        };
        assert_eq!([0, 9, 10, 11].map(|height| version_at(&schedule, height)), [1, 1, 2, 2]);
        let stop = UnknownProtocol { version: 2, height: 10 };
        assert_eq!(known_version_at(&schedule, 10), Err(stop));
        assert!(stop.to_string().contains("version 2"));
    }
}
