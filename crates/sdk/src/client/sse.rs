//! Server-sent events (WHATWG HTML, section 9.2), as far as nodes send them.

use crate::limits::EVENT_BYTES_MAX;
use bytes::{Buf, BytesMut};

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

/// The stream exceeds a maximum or is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadStream;

/// Events out of the pieces of a body.
#[derive(Debug, Default)]
pub(super) struct Parser {
    buffer: BytesMut,
    /// How far `buffer` has been searched for a line end.
    searched: usize,
    event: Event,
}

impl Parser {
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next complete event.
    pub(super) fn next(&mut self) -> Result<Option<Event>, BadStream> {
        while let Some(line) = self.line()? {
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                if event.data.is_empty() {
                    continue;
                }
                return Ok(Some(event));
            }
            self.field(&line)?;
        }
        Ok(None)
    }

    fn field(&mut self, line: &str) -> Result<(), BadStream> {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event.name = value.into(),
            "data" => {
                if self.event.data.len() + value.len() > EVENT_BYTES_MAX {
                    return Err(BadStream);
                }
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // The id is the height, which the data has too; comments and other fields mean nothing here.
            _ => {}
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Option<String>, BadStream> {
        let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(end) = found.map(|at| at + self.searched) else {
            self.searched = self.buffer.len();
            return if self.buffer.len() > EVENT_BYTES_MAX {
                Err(BadStream)
            } else {
                Ok(None)
            };
        };
        let line = self.buffer.split_to(end);
        self.buffer.advance(1);
        self.searched = 0;
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        String::from_utf8(line.to_vec()).map(Some).map_err(|_| BadStream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8], step: usize) -> Vec<Event> {
        let mut parser = Parser::default();
        let mut out = Vec::new();
        for piece in text.chunks(step) {
            parser.feed(piece);
            while let Some(event) = parser.next().expect("stream") {
                out.push(event);
            }
        }
        out
    }

    #[test]
    fn events_come_out_however_they_arrive() {
        let text = "event: block\nid: 7\ndata: {\"a\":\ndata:1}\n\n:\n\nevent: error\r\ndata: 错误\r\n\r\ndata: cut";
        let event = |name: &str, data: &str| Event {
            name: name.into(),
            data: data.into(),
        };
        for step in 1..text.len() {
            let expected = [event("block", "{\"a\":\n1}"), event("error", "错误")];
            assert_eq!(parse(text.as_bytes(), step), expected, "{step}");
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let mut parser = Parser::default();
        parser.feed(b"data: \xff\n");
        assert_eq!(parser.next(), Err(BadStream));
    }
}
