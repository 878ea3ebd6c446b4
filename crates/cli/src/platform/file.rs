//! `platforms.toml` in a network's folder: which platform it joins, and which ones have joined it.

use crate::{
    files,
    problem::{Cause, Result},
    text::problem,
};
use serde::{Deserialize, Serialize};
use std::path::Path;
use yulian_crypto::Digest;

/// Name of the file.
const FILE: &str = "platforms.toml";
/// Longest file, bytes.
const BYTES_MAX: usize = 1 << 20;
/// Seconds between two heartbeats unless the file names others.
const HEARTBEAT_S_DEFAULT: u64 = 300;

/// The other platforms of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platforms {
    /// The platform with the relay chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) upstream: Option<Upstream>,
    /// Platforms whose chains this one's relay chain links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) joined: Vec<Joined>,
}

/// The platform that is joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upstream {
    /// APIs of its nodes.
    pub(crate) urls: Vec<String>,
    /// Genesis digest of its relay chain, once it was compared out of band.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relay: Option<Digest32>,
    /// Name of this platform's chain that joins.
    pub(crate) chain: String,
    /// Addresses under which others reach this platform's APIs; those of the folder's nodes if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reached_at: Vec<String>,
    /// The operators want a link that has ended once more; until it stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) again: bool,
    #[serde(default = "heartbeat_s")]
    pub(crate) heartbeat_s: u64,
}

/// A platform that has joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Joined {
    pub(crate) name: String,
    /// Genesis digest of its chain.
    pub(crate) chain: Digest32,
    /// APIs that its request named; its heartbeats tell of others.
    pub(crate) urls: Vec<String>,
}

/// A digest as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Digest32(pub(crate) Digest);

impl TryFrom<String> for Digest32 {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("{text}: 64 hexadecimal digits"))
    }
}

impl From<Digest32> for String {
    fn from(digest: Digest32) -> Self {
        digest.0.to_string()
    }
}

const fn heartbeat_s() -> u64 {
    HEARTBEAT_S_DEFAULT
}

impl Upstream {
    pub(crate) fn new(url: String, relay: Option<Digest>, chain: &str) -> Self {
        Self {
            urls: vec![url],
            relay: relay.map(Digest32),
            chain: chain.into(),
            reached_at: Vec::new(),
            again: true,
            heartbeat_s: HEARTBEAT_S_DEFAULT,
        }
    }
}

impl Platforms {
    /// What the folder says; nothing where there is no file.
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = files::read_text(&path, BYTES_MAX)?;
        toml::from_str(&text).or_problem(|| problem::bad_platforms(path.display()))
    }

    /// Changes what the file says now: a vote takes time, and others write it meanwhile.
    pub(crate) fn change(dir: &Path, change: impl FnOnce(&mut Self)) -> Result<()> {
        let mut platforms = Self::read(dir)?;
        change(&mut platforms);
        platforms.write(dir)
    }

    /// Writes the file in one step.
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        let text = toml::to_string(self).or_problem(|| problem::cannot_write(path.display()))?;
        files::write(&path, text.as_bytes(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_wrong_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Platforms::read(folder.path()).unwrap(), Platforms::default());
        let platforms = Platforms {
            upstream: Some(Upstream::new("http://a:1".into(), Some(Digest([3; 32])), "郑州")),
            joined: vec![Joined {
                name: "开封".into(),
                chain: Digest32(Digest([4; 32])),
                urls: vec!["http://b:2".into()],
            }],
        };
        platforms.write(folder.path()).unwrap();
        assert_eq!(Platforms::read(folder.path()).unwrap(), platforms);
        std::fs::write(folder.path().join(FILE), "[upstream]\nurls = 1").unwrap();
        assert_eq!(Platforms::read(folder.path()).unwrap_err().code(), "bad_platforms");
    }
}
