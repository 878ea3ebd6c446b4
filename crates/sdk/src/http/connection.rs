//! One connection.

use super::{
    HttpError, Request,
    head::{Head, take_head, write_head},
};
use crate::{limits::HEAD_BYTES_MAX, url::NodeUrl};
use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Bodies up to this size go out in one write with their head.
const JOINED_BYTES_MAX: usize = 16 * 1024;
/// Room for each read.
const READ_BYTES: usize = 8 * 1024;

/// A connection with what has been read of it beyond the last answer.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) buffer: BytesMut,
}

impl Connection {
    pub(crate) async fn open(url: &NodeUrl) -> Result<Self, HttpError> {
        let stream = TcpStream::connect(url.address()).await.map_err(HttpError::Connect)?;
        // Requests are written whole: waiting for more would only delay them.
        stream.set_nodelay(true).map_err(HttpError::Connect)?;
        Ok(Self {
            stream,
            buffer: BytesMut::with_capacity(READ_BYTES),
        })
    }

    /// Sends a request and reads the head of its answer.
    pub(crate) async fn exchange(&mut self, url: &NodeUrl, request: &Request) -> Result<Head, HttpError> {
        self.send(url, request).await?;
        loop {
            if let Some(head) = take_head(&mut self.buffer)? {
                return Ok(head);
            }
            if self.buffer.len() >= HEAD_BYTES_MAX {
                return Err(HttpError::TooLarge(HEAD_BYTES_MAX));
            }
            self.fill().await?;
        }
    }

    async fn send(&mut self, url: &NodeUrl, request: &Request) -> Result<(), HttpError> {
        let mut head = BytesMut::with_capacity(256);
        write_head(&mut head, url, request);
        let mut rest = None;
        match &request.body {
            Some(body) if body.len() <= JOINED_BYTES_MAX => head.extend_from_slice(body),
            other => rest = other.as_ref(),
        }
        self.stream.write_all(&head).await.map_err(HttpError::Broken)?;
        if let Some(body) = rest {
            self.stream.write_all(body).await.map_err(HttpError::Broken)?;
        }
        Ok(())
    }

    /// Reads more; the end of the connection is [`HttpError::Closed`].
    pub(crate) async fn fill(&mut self) -> Result<(), HttpError> {
        self.buffer.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(HttpError::Closed),
            Ok(_) => Ok(()),
            Err(error) => Err(HttpError::Broken(error)),
        }
    }
}
