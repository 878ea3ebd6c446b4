//! The address that one joins: `http://host:port#digest`, where the digest is that of the relay chain's genesis.

use crate::{
    problem::{Cause, Result},
    text::problem,
};
use yulian_crypto::Digest;
use yulian_sdk::NodeUrl;

/// An address, and the relay chain that is expected there, if it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinUrl {
    pub(crate) url: String,
    pub(crate) relay: Option<Digest>,
}

impl JoinUrl {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (url, digest) = match text.split_once('#') {
            Some((url, digest)) => (url, Some(digest)),
            None => (text, None),
        };
        let parsed: Result<NodeUrl> = url.parse().or_problem(|| problem::bad_join_url(text));
        let relay = digest.map(|digest| digest.parse().map_err(|_| problem::bad_digest(digest)));
        Ok(Self {
            url: parsed?.to_string().trim_end_matches('/').to_owned(),
            relay: relay.transpose()?,
        })
    }

    /// The text that another platform is given.
    pub(crate) fn text(url: &str, relay: &Digest) -> String {
        format!("{url}#{relay}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_name_what_is_expected_there() {
        let digest = Digest([7; 32]);
        let url = "http://10.0.0.1:18000";
        let named = JoinUrl::parse(&JoinUrl::text(url, &digest)).unwrap();
        assert_eq!((named.url.as_str(), named.relay), (url, Some(digest)));
        assert_eq!(JoinUrl::parse(url).unwrap().relay, None);
        for wrong in ["", "#", "10.0.0.1", "https//x", "http://a:1#12", "http://a:1#"] {
            assert!(JoinUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
