//! The heartbeat of a platform: how many of its nodes answer, how far its chain is, and where it is reached.

use crate::{connect::Connect, problem::Result, status};
use serde::{Deserialize, Serialize};
use yulian_crypto::Digest;
use yulian_sdk::NodeUrl;
use yulian_types::limits::{JOIN_URL_BYTES_MAX, JOIN_URLS_MAX};

/// Kind of the notice.
pub(crate) const HEARTBEAT: &str = "heartbeat";
/// Format that this program writes and reads.
const FORMAT: u32 = 1;

/// What a platform tells the relay chain, as the JSON text of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heartbeat {
    pub(crate) format: u32,
    /// Version of the program.
    pub(crate) version: String,
    /// Nodes of the platform, and how many of them answer.
    pub(crate) nodes: usize,
    pub(crate) up: usize,
    /// Chains that they host.
    pub(crate) chains: usize,
    /// Height of the chain that joined.
    pub(crate) height: u64,
    /// Where its APIs are reached.
    pub(crate) urls: Vec<String>,
}

impl Heartbeat {
    /// Asks every node.
    pub(crate) async fn take(connect: &Connect, chain: &Digest, urls: Vec<String>) -> Result<Self> {
        let seen = status::ask(&connect.client()?).await;
        let nodes = seen.len();
        let answers: Vec<_> = seen.into_iter().filter_map(|node| node.answer.ok()).collect();
        let own = answers.iter().flat_map(|status| &status.chains);
        let height = own.filter(|one| one.id.0 == *chain).map(|one| one.height).max();
        Ok(Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            nodes,
            up: answers.len(),
            chains: answers
                .iter()
                .map(|status| status.chains.len())
                .max()
                .unwrap_or_default(),
            height: height.unwrap_or_default(),
            urls,
        })
    }

    /// The text of the notice.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What another platform told; none if it is not of this format. Addresses that are none are left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut beat: Self = serde_json::from_str(text).ok()?;
        let fits = |url: &String| url.len() <= JOIN_URL_BYTES_MAX && url.parse::<NodeUrl>().is_ok();
        beat.urls.retain(fits);
        beat.urls.truncate(JOIN_URLS_MAX);
        (beat.format == FORMAT).then_some(beat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_and_foreign_text_harms_nobody() {
        let mut beat = Heartbeat {
            format: FORMAT,
            version: "1".into(),
            nodes: 4,
            up: 3,
            chains: 2,
            height: 9,
            urls: vec!["http://a:1".into()],
        };
        assert_eq!(Heartbeat::parse(&beat.text()), Some(beat.clone()));
        beat.urls.push("file:///etc/passwd".into());
        assert_eq!(Heartbeat::parse(&beat.text()).unwrap().urls, ["http://a:1"]);
        beat.format = 2;
        assert_eq!(Heartbeat::parse(&beat.text()), None);
        for text in ["", "{}", "[1]", "null"] {
            assert_eq!(Heartbeat::parse(text), None);
        }
    }
}
