//! Bodies of answers, read piece by piece.

use super::{HttpError, connection::Connection, head::Framing};
use crate::limits::CHUNK_LINE_BYTES_MAX;
use bytes::{Buf, Bytes, BytesMut};

/// Where the reading of a body stands.
#[derive(Debug)]
pub(crate) struct Body {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// This many bytes are still to come; none is the end.
    Length(u64),
    /// A chunk begins with the line of its size.
    ChunkSize,
    /// This many bytes of the chunk are still to come, then its line end.
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    /// Fields behind the last chunk, until an empty line.
    Trailer,
    /// Until the connection closes.
    ToEnd,
    /// Read.
    Done,
}

impl Body {
    pub(crate) fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::ToEnd => State::ToEnd,
        };
        Self { state }
    }

    /// The whole rest, of at most `limit` bytes.
    pub(crate) async fn collect(&mut self, connection: &mut Connection, limit: usize) -> Result<Bytes, HttpError> {
        if let State::Length(length) = self.state {
            if length > limit as u64 {
                return Err(HttpError::TooLarge(limit));
            }
            return self.collect_length(connection, length as usize).await;
        }
        let mut out = BytesMut::new();
        while let Some(piece) = self.next(connection).await? {
            if out.len() + piece.len() > limit {
                return Err(HttpError::TooLarge(limit));
            }
            out.extend_from_slice(&piece);
        }
        Ok(out.freeze())
    }

    /// Without a copy: what is read stands in one piece.
    async fn collect_length(&mut self, connection: &mut Connection, length: usize) -> Result<Bytes, HttpError> {
        let missing = length.saturating_sub(connection.buffer.len());
        connection.buffer.reserve(missing);
        while connection.buffer.len() < length {
            connection.fill().await?;
        }
        self.state = State::Done;
        Ok(connection.buffer.split_to(length).freeze())
    }

    /// The next piece, or `None` at the end.
    pub(crate) async fn next(&mut self, connection: &mut Connection) -> Result<Option<Bytes>, HttpError> {
        loop {
            if let Some(piece) = self.take(&mut connection.buffer)? {
                return Ok(Some(piece));
            }
            if self.state == State::Done {
                return Ok(None);
            }
            match connection.fill().await {
                Err(HttpError::Closed) if self.state == State::ToEnd => self.state = State::Done,
                other => other?,
            }
        }
    }

    /// A piece of what has been read, or `None` when more must be read or the body is at its end.
    fn take(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, HttpError> {
        loop {
            match self.state {
                State::Done | State::Length(0) => {
                    self.state = State::Done;
                    return Ok(None);
                }
                State::Length(rest) => return Ok(piece(buffer, rest, &mut self.state, State::Length)),
                State::Chunk(0) => self.state = State::ChunkEnd,
                State::Chunk(rest) => return Ok(piece(buffer, rest, &mut self.state, State::Chunk)),
                State::ToEnd => return Ok(piece(buffer, u64::MAX, &mut self.state, |_| State::ToEnd)),
                State::ChunkSize => match take_line(buffer)? {
                    None => return Ok(None),
                    Some(line) => match chunk_size(&line)? {
                        0 => self.state = State::Trailer,
                        size => self.state = State::Chunk(size),
                    },
                },
                State::ChunkEnd => match take_line(buffer)? {
                    None => return Ok(None),
                    Some(line) if line.is_empty() => self.state = State::ChunkSize,
                    Some(_) => return Err(HttpError::Malformed("a chunk longer than its size")),
                },
                State::Trailer => match take_line(buffer)? {
                    None => return Ok(None),
                    Some(line) if line.is_empty() => self.state = State::Done,
                    Some(_) => {}
                },
            }
        }
    }
}

/// At most `rest` bytes of what has been read.
fn piece(buffer: &mut BytesMut, rest: u64, state: &mut State, next: impl FnOnce(u64) -> State) -> Option<Bytes> {
    if buffer.is_empty() {
        return None;
    }
    let length = buffer.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
    *state = next(rest - length as u64);
    Some(buffer.split_to(length).freeze())
}

/// A line without its end, if it is complete.
fn take_line(buffer: &mut BytesMut) -> Result<Option<BytesMut>, HttpError> {
    let Some(end) = buffer.iter().take(CHUNK_LINE_BYTES_MAX).position(|byte| *byte == b'\n') else {
        let long = buffer.len() >= CHUNK_LINE_BYTES_MAX;
        return if long {
            Err(HttpError::TooLarge(CHUNK_LINE_BYTES_MAX))
        } else {
            Ok(None)
        };
    };
    let mut line = buffer.split_to(end);
    buffer.advance(1);
    if line.last() != Some(&b'\r') {
        return Err(HttpError::Malformed("a line of the chunks"));
    }
    line.truncate(end - 1);
    Ok(Some(line))
}

/// The number in front of an optional extension (RFC 9112, section 7.1).
fn chunk_size(line: &[u8]) -> Result<u64, HttpError> {
    let digits = line
        .split(|byte| matches!(byte, b';' | b' ' | b'\t'))
        .next()
        .unwrap_or_default();
    let text = std::str::from_utf8(digits).unwrap_or_default();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = plain.then(|| u64::from_str_radix(text, 16).ok()).flatten();
    size.ok_or(HttpError::Malformed("a chunk's size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` in pieces of `step` bytes and collects what comes out.
    fn read(framing: Framing, text: &[u8], step: usize) -> Result<(Vec<u8>, bool), HttpError> {
        let mut body = Body::new(framing);
        let mut buffer = BytesMut::new();
        let mut out = Vec::new();
        for part in text.chunks(step) {
            buffer.extend_from_slice(part);
            while let Some(piece) = body.take(&mut buffer)? {
                out.extend_from_slice(&piece);
            }
        }
        Ok((out, body.state == State::Done))
    }

    #[test]
    fn chunks_come_out_whole_however_they_arrive() {
        let text = b"5\r\nhello\r\n1;ext=1\r\n \r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n";
        for step in 1..text.len() {
            let read = read(Framing::Chunked, text, step).expect("chunks");
            assert_eq!(read, (b"hello 0123456789".to_vec(), true), "{step}");
        }
    }

    #[test]
    fn a_body_of_known_length_ends_there() {
        assert_eq!(
            read(Framing::Length(3), b"abcdef", 2).expect("body"),
            (b"abc".to_vec(), true)
        );
        assert_eq!(
            read(Framing::Length(9), b"abc", 2).expect("body"),
            (b"abc".to_vec(), false)
        );
    }

    #[test]
    fn broken_chunks_are_refused() {
        let long = vec![b'1'; CHUNK_LINE_BYTES_MAX + 1];
        for bad in [
            &b"g\r\n"[..],
            b"\r\n",
            b"-1\r\n",
            b"5\nhello\r\n",
            b"2\r\nhello\r\n",
            b"11111111111111111\r\n",
            &long,
        ] {
            assert!(
                read(Framing::Chunked, bad, 1).is_err(),
                "{:?}",
                String::from_utf8_lossy(bad)
            );
        }
    }
}
