//! The bytes of a log: one record per commit, each checksum covering the one before.
//!
//! Record = body length (4 bytes) ‖ checksum (16) ‖ body, integers little-endian. The checksum is XXH3-128 of
//! (checksum of the record before ‖ body length ‖ body), so that a record left over from an earlier, abandoned
//! tail of the file never continues a newer one. Body = operations, each
//! space id (1) ‖ kind (1) ‖ key length (4) ‖ key ‖ value length (4) ‖ value; for a deleted range the two byte
//! strings are its ends, for a deleted key the second is empty.

use crate::{BATCH_BYTES_MAX, Batch};
use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

/// Bytes before the body of a record.
const HEADER_BYTES: usize = 20;
/// Longest body: a batch within its limit stays below, as an operation costs less here than there.
const BODY_BYTES_MAX: usize = BATCH_BYTES_MAX;

const KIND_PUT: u8 = 1;
const KIND_DELETE: u8 = 2;
const KIND_DELETE_RANGE: u8 = 3;

/// The checksum of the last record; all zeros before the first.
pub(super) type Chain = [u8; 16];

/// One change read from or written to a record.
#[derive(Debug)]
pub(super) enum Change {
    Put(Bytes, Bytes),
    Delete(Bytes),
    DeleteRange(Bytes, Bytes),
}

/// Appends the record of `batch` to `out` and moves `chain` on.
pub(super) fn encode(batch: &Batch, chain: &mut Chain, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + HEADER_BYTES, 0);
    for (space, changes) in &batch.spaces {
        for (from, to) in &changes.ranges {
            operation(out, space.id(), KIND_DELETE_RANGE, from, to);
        }
        for (key, value) in &changes.points {
            match value {
                Some(value) => operation(out, space.id(), KIND_PUT, key, value),
                None => operation(out, space.id(), KIND_DELETE, key, &[]),
            }
        }
    }
    let length = length_bytes(out.len() - start - HEADER_BYTES);
    *chain = checksum(chain, length, &out[start + HEADER_BYTES..]);
    out[start..start + 4].copy_from_slice(&length);
    out[start + 4..start + HEADER_BYTES].copy_from_slice(chain);
}

/// The body of the record at the start of `bytes` and the record's whole length, or `None` where the log ends:
/// nothing left, a torn record, or one that does not continue `chain`.
pub(super) fn next<'a>(bytes: &'a [u8], chain: &mut Chain) -> Option<(&'a [u8], usize)> {
    let length: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let body_bytes = u32::from_le_bytes(length) as usize;
    if body_bytes > BODY_BYTES_MAX {
        return None;
    }
    let end = HEADER_BYTES + body_bytes;
    let body = bytes.get(HEADER_BYTES..end)?;
    let expected = checksum(chain, length, body);
    if bytes[4..HEADER_BYTES] != expected {
        return None;
    }
    *chain = expected;
    Some((body, end))
}

/// The changes in a record's body, or `None` if it is not well-formed.
pub(super) fn changes(body: &Bytes) -> Option<Vec<(u8, Change)>> {
    let mut out = Vec::new();
    let mut rest = body.clone();
    while !rest.is_empty() {
        let head = take(&mut rest, 2)?;
        let first = take_string(&mut rest)?;
        let second = take_string(&mut rest)?;
        let change = match head[1] {
            KIND_PUT => Change::Put(first, second),
            KIND_DELETE if second.is_empty() => Change::Delete(first),
            KIND_DELETE_RANGE if first < second => Change::DeleteRange(first, second),
            _ => return None,
        };
        out.push((head[0], change));
    }
    Some(out)
}

fn operation(out: &mut Vec<u8>, space: u8, kind: u8, first: &[u8], second: &[u8]) {
    out.extend_from_slice(&[space, kind]);
    for part in [first, second] {
        out.extend_from_slice(&length_bytes(part.len()));
        out.extend_from_slice(part);
    }
}

/// The limits on keys, values and batches are checked before, so every length fits.
fn length_bytes(length: usize) -> [u8; 4] {
    (length as u32).to_le_bytes()
}

fn checksum(chain: &Chain, length: [u8; 4], body: &[u8]) -> Chain {
    let mut hasher = Xxh3::new();
    hasher.update(chain);
    hasher.update(&length);
    hasher.update(body);
    hasher.digest128().to_le_bytes()
}

fn take(rest: &mut Bytes, count: usize) -> Option<Bytes> {
    (count <= rest.len()).then(|| rest.split_to(count))
}

fn take_string(rest: &mut Bytes) -> Option<Bytes> {
    let length: [u8; 4] = take(rest, 4)?.as_ref().try_into().ok()?;
    take(rest, u32::from_le_bytes(length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{INDEX, META};

    fn sample() -> Batch {
        let mut batch = Batch::new();
        batch.put(META, b"a", "1");
        batch.delete(META, b"b");
        batch.delete_range(INDEX, b"c", b"d");
        batch
    }

    #[test]
    fn what_is_written_is_read() {
        let (mut written, mut read) = (Chain::default(), Chain::default());
        let mut bytes = Vec::new();
        encode(&sample(), &mut written, &mut bytes);
        encode(&Batch::new(), &mut written, &mut bytes);
        let (body, end) = next(&bytes, &mut read).unwrap();
        let found = changes(&Bytes::copy_from_slice(body)).unwrap();
        assert!(matches!(&found[0], (7, Change::DeleteRange(from, to)) if from == "c" && to == "d"));
        assert!(matches!(&found[1], (8, Change::Put(key, value)) if key == "a" && value == "1"));
        assert!(matches!(&found[2], (8, Change::Delete(key)) if key == "b"));
        let (body, _) = next(&bytes[end..], &mut read).unwrap();
        assert!(body.is_empty());
        assert_eq!(read, written);
    }

    #[test]
    fn a_changed_or_cut_record_ends_the_log() {
        let mut bytes = Vec::new();
        encode(&sample(), &mut Chain::default(), &mut bytes);
        for end in 0..bytes.len() {
            assert!(next(&bytes[..end], &mut Chain::default()).is_none());
        }
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            assert!(next(&changed, &mut Chain::default()).is_none());
        }
        assert!(next(&bytes, &mut [1; 16]).is_none());
    }
}
