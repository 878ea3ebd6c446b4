//! What a command about one record is about: a file, a row, or a digest.

use crate::{files, problem::Result, text::problem};
use clap::Args;
use std::path::PathBuf;
use yulian_crypto::Digest;
use yulian_sdk::row_digest;

#[derive(Debug, Clone, Args)]
#[group(id = "target", required = true, multiple = false)]
pub(crate) struct Target {
    pub(crate) file: Option<PathBuf>,
    #[arg(long)]
    pub(crate) digest: Option<String>,
    #[arg(long)]
    pub(crate) row: Option<String>,
}

impl Target {
    /// The digest under which it is deposited.
    pub(crate) fn digest(&self) -> Result<Digest> {
        match (&self.file, &self.digest, &self.row) {
            (Some(file), ..) => files::sm3_of(file),
            (_, Some(digest), _) => parse_digest(digest),
            (_, _, Some(row)) => Ok(row_digest(row.trim_end_matches(['\r', '\n']).as_bytes())),
            (None, None, None) => Err(problem::nothing_named()),
        }
    }
}

/// 64 hexadecimal digits.
pub(crate) fn parse_digest(text: &str) -> Result<Digest> {
    text.trim().parse().map_err(|_| problem::bad_digest(text))
}

/// A digest, or else a file that is hashed.
pub(crate) fn digest_or_file(text: &str) -> Result<Digest> {
    match text.trim().parse() {
        Ok(digest) => Ok(digest),
        Err(_) => files::sm3_of(&PathBuf::from(text)),
    }
}
