//! Addresses of nodes.

use std::{fmt, str::FromStr};

/// Where a node's interface is: `http://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeUrl {
    authority: String,
    address: String,
}

/// A text is no address of a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address of a node: {reason}")]
pub struct UrlError {
    text: String,
    reason: &'static str,
}

impl NodeUrl {
    /// host:port as it was written, for the header `host`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// host:port to connect to.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl FromStr for NodeUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let refuse = |reason| UrlError {
            text: text.chars().take(200).collect(),
            reason,
        };
        let rest = text
            .strip_prefix("http://")
            .ok_or_else(|| refuse("it does not begin with http://"))?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        if authority.is_empty() || !authority.chars().all(plain) {
            return Err(refuse("expected host:port and nothing more"));
        }
        let port = match authority.rsplit_once(':') {
            // The colon may be one of an IPv6 address without a port.
            Some((_, port)) if !port.contains(']') => Some(port),
            _ => None,
        };
        let address = match port {
            None => format!("{authority}:80"),
            Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => authority.to_string(),
            Some(_) => return Err(refuse("the port is no number from 1 to 65535")),
        };
        Ok(Self {
            authority: authority.to_string(),
            address,
        })
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// Percent-encodes one part of a path or a value of a query (RFC 3986, section 2.1).
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, address) in [
            ("http://127.0.0.1:18000", "127.0.0.1:18000"),
            ("http://127.0.0.1:18000/", "127.0.0.1:18000"),
            ("http://node.example", "node.example:80"),
            ("http://[::1]:80", "[::1]:80"),
            ("http://[::1]", "[::1]:80"),
        ] {
            assert_eq!(text.parse::<NodeUrl>().expect(text).address(), address);
        }
        for bad in [
            "127.0.0.1:1",
            "https://a:1",
            "http://",
            "http://a:0",
            "http://a:65536",
            "http://a:x",
            "http://a/b",
            "http://u@a",
            "http://a\r\nx: y",
        ] {
            assert!(bad.parse::<NodeUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_but_unreserved_characters_leaves_unescaped() {
        assert_eq!(escape("河南 a/b?c=~1"), "%E6%B2%B3%E5%8D%97%20a%2Fb%3Fc%3D~1");
    }
}
