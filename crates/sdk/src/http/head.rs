//! Heads: written for requests, parsed for answers.

use super::{HttpError, Request};
use crate::{limits::HEADERS_MAX, url::NodeUrl};
use bytes::{Buf, BytesMut};

/// How the body of an answer is framed (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// Until the connection closes.
    ToEnd,
}

/// What matters of the head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) framing: Framing,
    /// The connection may be used again.
    pub(crate) keep: bool,
}

/// Appends the head of a request.
pub(crate) fn write_head(out: &mut BytesMut, url: &NodeUrl, request: &Request) {
    let method = if request.body.is_some() { "POST " } else { "GET " };
    for part in [method, &request.path, " HTTP/1.1\r\nhost: ", url.authority(), "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if let Some(body) = &request.body {
        let line = format!(
            "content-type: application/octet-stream\r\ncontent-length: {}\r\n",
            body.len()
        );
        out.extend_from_slice(line.as_bytes());
    }
    if let Some(height) = request.last_event {
        out.extend_from_slice(format!("last-event-id: {height}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// Takes a complete head off the front of `buffer`, if it is there.
pub(crate) fn take_head(buffer: &mut BytesMut) -> Result<Option<Head>, HttpError> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let parsed = response.parse(buffer).map_err(|_| HttpError::Malformed("head"))?;
    let httparse::Status::Complete(length) = parsed else {
        return Ok(None);
    };
    let head = judge(&response)?;
    buffer.advance(length);
    Ok(Some(head))
}

fn judge(response: &httparse::Response<'_, '_>) -> Result<Head, HttpError> {
    let status = response.code.ok_or(HttpError::Malformed("status"))?;
    if status < 200 {
        return Err(HttpError::Malformed("an interim answer that was not asked for"));
    }
    let mut length = None;
    let mut chunked = false;
    let mut keep = response.version == Some(1);
    for field in response.headers.iter() {
        let value = || {
            std::str::from_utf8(field.value)
                .map(str::trim)
                .map_err(|_| HttpError::Malformed("a field"))
        };
        if field.name.eq_ignore_ascii_case("content-length") {
            let number = value()?.parse().map_err(|_| HttpError::Malformed("content-length"))?;
            if length.replace(number).is_some_and(|other: u64| other != number) {
                return Err(HttpError::Malformed("two lengths"));
            }
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value()?.eq_ignore_ascii_case("chunked") {
                return Err(HttpError::Malformed("an unknown transfer encoding"));
            }
            chunked = true;
        } else if field.name.eq_ignore_ascii_case("connection") && value()?.eq_ignore_ascii_case("close") {
            keep = false;
        }
    }
    let framing = match (status, chunked, length) {
        (_, true, Some(_)) => return Err(HttpError::Malformed("a length and chunks")),
        (204 | 304, ..) => Framing::Length(0),
        (_, true, None) => Framing::Chunked,
        (_, false, Some(length)) => Framing::Length(length),
        (_, false, None) => Framing::ToEnd,
    };
    keep &= framing != Framing::ToEnd;
    Ok(Head { status, framing, keep })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Head>, HttpError> {
        take_head(&mut BytesMut::from(text))
    }

    #[test]
    fn heads_are_taken_when_complete() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let mut buffer = BytesMut::from(text);
        let head = take_head(&mut buffer).expect("head").expect("complete");
        assert_eq!((head.status, head.framing, head.keep), (200, Framing::Length(3), true));
        assert_eq!(&buffer[..], b"abc");
        for end in 0..text.len() - 4 {
            assert!(matches!(parse(&text[..end]), Ok(None)), "{end}");
        }
    }

    #[test]
    fn framings() {
        let head = |fields: &str| {
            parse(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"))
                .expect("head")
                .expect("complete")
        };
        assert_eq!(head("transfer-encoding: chunked\r\n").framing, Framing::Chunked);
        assert_eq!(head("").framing, Framing::ToEnd);
        assert!(!head("").keep);
        assert!(!head("content-length: 1\r\nconnection: close\r\n").keep);
        assert_eq!(
            head("content-length: 1\r\ncontent-length: 1\r\n").framing,
            Framing::Length(1)
        );
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for fields in [
            "content-length: 1\r\ncontent-length: 2\r\n",
            "content-length: 1\r\ntransfer-encoding: chunked\r\n",
            "content-length: -1\r\n",
            "content-length: 18446744073709551616\r\n",
            "transfer-encoding: gzip\r\n",
        ] {
            assert!(parse(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).is_err(), "{fields}");
        }
        assert!(parse("HTTP/1.1 100 Continue\r\n\r\n").is_err());
        assert!(parse("SMTP hello\r\n\r\n").is_err());
    }
}
