//! The file behind a [`CachedSigner`](crate::sm2::CachedSigner).
//!
//! ```text
//! file   = "ylSigL01" record*
//! record = subject (32) ‖ r ‖ s (64) ‖ first 8 bytes of SM3("ylSigRec" ‖ subject ‖ r ‖ s)
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "a signature must be on the disk before it is released"
)]

use crate::files::{create_private, open_private, sync_parent};
use crate::sm2::{SIGNATURE_BYTES, Signature, SignatureCache};
use crate::sm3::{DIGEST_BYTES, Digest, tagged};
use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const MAGIC: &[u8; 8] = b"ylSigL01";
const CHECK_BYTES: usize = 8;
const SIGNED_BYTES: usize = DIGEST_BYTES + SIGNATURE_BYTES;
const RECORD_BYTES: usize = SIGNED_BYTES + CHECK_BYTES;

type Record = [u8; RECORD_BYTES];

/// How many signatures a validator's file keeps by default. A replica never signs again what lies
/// thousands of views back; the file stays below 14 MB.
pub const SIGNATURES_KEPT: usize = 65_536;

/// An append-only file of signatures, synced at each entry, held by one process at a time.
///
/// The last `kept_max` signatures are kept; the file is rewritten when it holds twice as many. A
/// record torn by a crash is dropped at the next start: its signature had not been released.
#[derive(Debug)]
pub struct SignatureFile {
    path: PathBuf,
    kept_max: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Where the next record goes; everything before is synced.
    end: u64,
    /// A write failed and could not be undone, so nothing may follow it.
    broken: bool,
    known: HashMap<Digest, Signature>,
    /// Subjects of `known`, oldest first.
    order: VecDeque<Digest>,
}

impl SignatureFile {
    /// Opens or creates the file; `kept_max` is at least 1, usually [`SIGNATURES_KEPT`].
    ///
    /// # Errors
    /// `WouldBlock` when another process holds the file; `InvalidData` when it is no such file or a
    /// record other than the last is damaged; `PermissionDenied` when its mode is wider than 0600.
    pub fn open(path: &Path, kept_max: usize) -> io::Result<Self> {
        let file = match create_private(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => open_private(path)?,
            other => other?,
        };
        file.try_lock()?;
        let kept_max = kept_max.max(1);
        let mut inner = Inner {
            file,
            end: MAGIC.len() as u64,
            broken: false,
            known: HashMap::new(),
            order: VecDeque::new(),
        };
        inner.load(kept_max)?;
        sync_parent(path)?;
        Ok(Self {
            path: path.to_owned(),
            kept_max,
            inner: Mutex::new(inner),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the file by one with the kept signatures only.
    fn compact(&self, inner: &mut Inner) -> io::Result<()> {
        let path = self.path.with_extension("new");
        // What a crash left behind from an earlier attempt.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = create_private(&path)?;
        // Locked before it gets the name: no other process can come in between.
        file.try_lock()?;
        let mut bytes = MAGIC.to_vec();
        for subject in &inner.order {
            bytes.extend(record(subject, &inner.known[subject]));
        }
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&path, &self.path)?;
        let old = std::mem::replace(&mut inner.file, file);
        let _ = old.unlock();
        inner.end = bytes.len() as u64;
        sync_parent(&self.path)
    }
}

/// The lock is given back here and not by closing the file: a child process that another thread is
/// starting holds a copy of every open file until it runs its program, and the lock with it.
impl Drop for SignatureFile {
    fn drop(&mut self) {
        let _ = self.lock().file.unlock();
    }
}

impl SignatureCache for SignatureFile {
    fn get(&self, subject: &Digest) -> io::Result<Option<Signature>> {
        Ok(self.lock().known.get(subject).copied())
    }

    fn put(&self, subject: &Digest, signature: &Signature) -> io::Result<()> {
        let mut inner = self.lock();
        if let Some(known) = inner.known.get(subject) {
            let same = known == signature;
            return if same {
                Ok(())
            } else {
                Err(ErrorKind::AlreadyExists.into())
            };
        }
        inner.append(&record(subject, signature))?;
        inner.remember(*subject, *signature, self.kept_max);
        let records = (inner.end as usize - MAGIC.len()) / RECORD_BYTES;
        if records >= self.kept_max.saturating_mul(2) {
            self.compact(&mut inner)?;
        }
        Ok(())
    }
}

impl Inner {
    /// Reads the records, and cuts off what a crash tore.
    fn load(&mut self, kept_max: usize) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        let file = self.file.try_clone()?;
        let mut reader = BufReader::new(&file);
        if !read_magic(&mut reader)? {
            self.file.set_len(0)?;
            self.file.write_all_at(MAGIC, 0)?;
            return self.file.sync_all();
        }
        while let Some(bytes) = read_record(&mut reader)? {
            let Some((subject, signature)) = parse(&bytes) else {
                if self.end + RECORD_BYTES as u64 == size {
                    break;
                }
                return Err(damaged(self.end));
            };
            self.remember(subject, signature, kept_max);
            self.end += RECORD_BYTES as u64;
        }
        if self.end < size {
            self.file.set_len(self.end)?;
            self.file.sync_all()?;
        }
        Ok(())
    }

    fn remember(&mut self, subject: Digest, signature: Signature, kept_max: usize) {
        if self.known.insert(subject, signature).is_none() {
            self.order.push_back(subject);
        }
        if self.order.len() > kept_max {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.known.remove(&oldest));
        }
    }

    fn append(&mut self, record: &Record) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier write to the file of signatures failed"));
        }
        let written = self
            .file
            .write_all_at(record, self.end)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // After a failed sync nobody knows what the disk holds: nothing is written behind it.
            self.broken = true;
            return Err(error);
        }
        self.end += RECORD_BYTES as u64;
        Ok(())
    }
}

/// Whether the file is one of ours; false when it is empty or its very creation was cut short.
fn read_magic(reader: &mut impl Read) -> io::Result<bool> {
    let mut start = Vec::new();
    reader.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    if start == MAGIC {
        Ok(true)
    } else if MAGIC.starts_with(&start) {
        Ok(false)
    } else {
        Err(io::Error::new(ErrorKind::InvalidData, "this is no file of signatures"))
    }
}

/// The next whole record, or `None` at the end and at a part of one.
fn read_record(reader: &mut impl Read) -> io::Result<Option<Record>> {
    let mut bytes = [0; RECORD_BYTES];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn record(subject: &Digest, signature: &Signature) -> Record {
    let mut out = [0; RECORD_BYTES];
    out[..DIGEST_BYTES].copy_from_slice(&subject.0);
    out[DIGEST_BYTES..SIGNED_BYTES].copy_from_slice(signature.as_bytes());
    let check = check(&out[..SIGNED_BYTES]);
    out[SIGNED_BYTES..].copy_from_slice(&check);
    out
}

fn parse(record: &Record) -> Option<(Digest, Signature)> {
    let (signed, stored) = record.split_at(SIGNED_BYTES);
    if stored != check(signed) {
        return None;
    }
    let (subject, signature) = signed.split_at(DIGEST_BYTES);
    Some((Digest::from_slice(subject)?, Signature::from_bytes(signature).ok()?))
}

fn check(signed: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = tagged(b"ylSigRec", &[signed]);
    *digest.0.first_chunk().expect("a digest is longer than the check")
}

fn damaged(offset: u64) -> io::Error {
    let what = format!("the record at byte {offset} of the file of signatures is damaged");
    io::Error::new(ErrorKind::InvalidData, what)
}
