//! What is in a data folder: `format` (the number of its layout, as text) and `db` (the files of `fjall`).

use crate::StoreError;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The layout that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// Longest `format` file that is looked at, bytes.
const FORMAT_BYTES_MAX: u64 = 16;
/// How much of a journal is read at one time when looking for its end, bytes.
const CHUNK_BYTES: u64 = 1 << 16;

/// The files of `fjall`.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join("db")
}

/// Makes the folder if it is new, and refuses it if it is not one of ours or written by a newer program.
pub(super) fn prepare(folder: &Path) -> Result<(), StoreError> {
    let io = |step| move |source| StoreError::io(step, source);
    fs::create_dir_all(folder).map_err(io("making the data folder"))?;
    match read_format(&folder.join("format")).map_err(io("reading the format file"))? {
        Some(text) => check_format(folder, &text),
        None if database(folder).exists() => Err(StoreError::NotAStore {
            folder: folder.to_owned(),
            reason: "it has data but no format file".into(),
        }),
        None => write_format(folder).map_err(io("writing the format file")),
    }
}

fn read_format(file: &Path) -> io::Result<Option<String>> {
    let file = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(FORMAT_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn check_format(folder: &Path, text: &str) -> Result<(), StoreError> {
    let folder = folder.to_owned();
    match text.trim().parse() {
        Ok(found) if found > FORMAT => Err(StoreError::NewerFormat {
            folder,
            found,
            known: FORMAT,
        }),
        Ok(FORMAT) => Ok(()),
        _ => Err(StoreError::NotAStore {
            folder,
            reason: format!("its format file says {text:?}"),
        }),
    }
}

/// The file appears whole or not at all, before any data does.
fn write_format(folder: &Path) -> io::Result<()> {
    let temporary = folder.join("format.new");
    let mut file = File::create(&temporary)?;
    writeln!(file, "{FORMAT}")?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join("format"))?;
    File::open(folder)?.sync_all()
}

/// Bytes that the files in `folder` take on the disk; holes in files do not count.
pub(super) fn used_bytes(folder: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    /// The unit of `st_blocks`, whatever the file system's block size.
    const BLOCK_BYTES: u64 = 512;
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A file that compaction has just removed counts nothing.
        sum += match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => used_bytes(&entry.path()).or_else(gone)?,
            Ok(metadata) => metadata.blocks() * BLOCK_BYTES,
            Err(error) => gone(error)?,
        };
    }
    Ok(sum)
}

fn gone(error: io::Error) -> io::Result<u64> {
    match error.kind() {
        io::ErrorKind::NotFound => Ok(0),
        _ => Err(error),
    }
}

/// Bytes that may still be written to the file system of `folder`.
pub(super) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(folder)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// The last bytes of the newest journal, cut off, and how to put them back.
pub(super) struct CutTail {
    journal: PathBuf,
    length: u64,
    at: u64,
    byte: u8,
}

/// Takes the last byte that is not zero from the newest journal: the end mark of its last batch is then incomplete,
/// and `fjall` discards that batch.
///
/// A power failure may leave a batch whose end mark reached the disk and whose middle did not. `fjall` takes that for damage
/// and refuses to open. As every batch is synced before the next one is written, only the last one can be torn,
/// and it was never acknowledged.
pub(super) fn cut_torn_batch(folder: &Path) -> io::Result<Option<CutTail>> {
    let Some(journal) = newest_journal(&database(folder))? else {
        return Ok(None);
    };
    let mut file = OpenOptions::new().read(true).write(true).open(&journal)?;
    let length = file.metadata()?.len();
    let Some((at, byte)) = last_byte(&mut file, length)? else {
        return Ok(None);
    };
    file.set_len(at)?;
    file.sync_all()?;
    Ok(Some(CutTail {
        journal,
        length,
        at,
        byte,
    }))
}

impl CutTail {
    /// Makes the journal what it was: the damage was somewhere else.
    pub(super) fn restore(&self) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.journal)?;
        file.seek(SeekFrom::Start(self.at))?;
        file.write_all(&[self.byte])?;
        file.set_len(self.length)?;
        file.sync_all()
    }
}

fn newest_journal(database: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(database)? {
        let path = entry?.path();
        let is_journal = path.extension().is_some_and(|extension| extension == "jnl");
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(number) = number.filter(|_| is_journal)
            && newest.as_ref().is_none_or(|(other, _)| *other < number)
        {
            newest = Some((number, path));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

/// Place and value of the last byte that is not zero: the rest of a journal is room taken beforehand.
fn last_byte(file: &mut File, length: u64) -> io::Result<Option<(u64, u8)>> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(CHUNK_BYTES);
        let mut chunk = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk)?;
        if let Some(at) = chunk.iter().rposition(|byte| *byte != 0) {
            return Ok(Some((start + at as u64, chunk[at])));
        }
        end = start;
    }
    Ok(None)
}
