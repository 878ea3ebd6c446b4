//! The rows of a CSV file (RFC 4180, UTF-8, names of the columns in the first line), one after the other: a table may be
//! far larger than the memory.

use crate::{
    problem::{Cause, Result},
    text::problem,
};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};
use yulian_crypto::Digest;
use yulian_sdk::row_digest;

/// Longest row, bytes.
const ROW_BYTES_MAX: usize = 1 << 20;
/// Most columns.
const COLUMNS_MAX: usize = 4096;
/// UTF-8's byte order mark is no part of the first column's name.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its value in the column that names rows.
    pub(crate) id: String,
    /// Line of the file that it begins with, from 1.
    pub(crate) line: u64,
    /// SM3("ylTblRow" ‖ the row as it stands in the file, without its line end).
    pub(crate) digest: Digest,
}

/// Reads rows.
pub(crate) struct Rows {
    path: PathBuf,
    lines: BufReader<File>,
    line: u64,
    columns: usize,
    id: usize,
}

impl Rows {
    /// Opens a table; `id` names the column that tells its rows apart.
    pub(crate) fn open(path: &Path, id: &str) -> Result<Self> {
        let file = File::open(path).or_problem(|| problem::cannot_read(path.display()))?;
        let mut rows = Self {
            path: path.to_owned(),
            lines: BufReader::new(file),
            line: 1,
            columns: 0,
            id: 0,
        };
        let head = rows.record()?.ok_or_else(|| problem::empty_table(path.display()))?.1;
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
        let names = fields(head).ok_or_else(|| problem::bad_row(path.display(), 1))?;
        if names.len() > COLUMNS_MAX {
            return Err(problem::too_many_columns(path.display(), COLUMNS_MAX));
        }
        rows.columns = names.len();
        let found = names.iter().position(|name| name == id);
        rows.id = found.ok_or_else(|| problem::no_column(path.display(), id, names.join(", ")))?;
        Ok(rows)
    }

    /// The next row that is not empty, as it stands, with the line it begins with.
    fn record(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        loop {
            let first = self.line;
            let mut record = Vec::new();
            let mut quotes = 0;
            loop {
                let before = record.len();
                self.read_line(&mut record)?;
                quotes += record[before..].iter().filter(|byte| **byte == b'"').count();
                // A line end inside quotes belongs to the row.
                if record.len() == before || quotes % 2 == 0 {
                    break;
                }
            }
            let ended = record.is_empty();
            strip_line_end(&mut record);
            match (ended, record.is_empty()) {
                (true, _) => return Ok(None),
                (false, true) => {}
                (false, false) => return Ok(Some((first, record))),
            }
        }
    }

    fn read_line(&mut self, record: &mut Vec<u8>) -> Result<()> {
        loop {
            let buffer = self
                .lines
                .fill_buf()
                .or_problem(|| problem::cannot_read(self.path.display()))?;
            let end = buffer.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let take = end.unwrap_or(buffer.len());
            if record.len() + take > ROW_BYTES_MAX {
                return Err(problem::row_too_long(self.path.display(), self.line, ROW_BYTES_MAX));
            }
            record.extend_from_slice(&buffer[..take]);
            self.lines.consume(take);
            if end.is_some() {
                self.line += 1;
            }
            if end.is_some() || take == 0 {
                return Ok(());
            }
        }
    }

    fn next_row(&mut self) -> Result<Option<Row>> {
        let Some((line, record)) = self.record()? else {
            return Ok(None);
        };
        let values = fields(&record).filter(|values| values.len() == self.columns);
        let mut values = values.ok_or_else(|| problem::bad_row(self.path.display(), line))?;
        Ok(Some(Row {
            id: values.swap_remove(self.id),
            line,
            digest: row_digest(&record),
        }))
    }

    /// The next rows, at most `limit`; none at the end of the table.
    pub(crate) fn next_rows(&mut self, limit: usize) -> Result<Vec<Row>> {
        self.by_ref().take(limit).collect()
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

fn strip_line_end(record: &mut Vec<u8>) {
    if record.last() == Some(&b'\n') {
        record.pop();
        if record.last() == Some(&b'\r') {
            record.pop();
        }
    }
}

/// The fields of a row, or none if it is not UTF-8 or its quotes are malformed.
fn fields(record: &[u8]) -> Option<Vec<String>> {
    let mut rest = std::str::from_utf8(record).ok()?;
    let mut out = Vec::new();
    loop {
        let field;
        (field, rest) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        out.push(field);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(out),
        }
    }
}

/// A field up to its closing quote, and what follows it.
fn quoted(inside: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = inside;
    loop {
        let end = rest.find('"')?;
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8], id: &str) -> Result<Vec<Row>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        std::fs::write(&path, content).unwrap();
        Rows::open(&path, id)?.collect()
    }

    fn code(content: &[u8], id: &str) -> String {
        read(content, id).unwrap_err().code().to_owned()
    }

    #[test]
    fn rows_are_their_lines_without_line_ends() {
        let rows = read(
            "\u{feff}code,name\r\n41,河南省\r\n\r\n42,\"a,\"\"b\"\"\"\n\"43\",\"x\r\ny\"".as_bytes(),
            "code",
        )
        .unwrap();
        let seen: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.line)).collect();
        assert_eq!(seen, [("41", 2), ("42", 4), ("43", 5)]);
        let lines = ["41,河南省", "42,\"a,\"\"b\"\"\"", "\"43\",\"x\r\ny\""];
        let digests: Vec<_> = lines.iter().map(|line| row_digest(line.as_bytes())).collect();
        assert_eq!(rows.iter().map(|row| row.digest).collect::<Vec<_>>(), digests);
    }

    #[test]
    fn the_table_of_the_divisions_is_read_whole() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/henan-divisions.csv");
        let rows: Vec<Row> = Rows::open(&path, "code").unwrap().collect::<Result<_>>().unwrap();
        assert_eq!(rows.len(), 55_164);
        assert_eq!((rows[0].id.as_str(), rows[0].line), ("41", 2));
    }

    #[test]
    fn tables_that_are_none_are_refused() {
        assert_eq!(code(b"", "a"), "empty_table");
        assert_eq!(code(b"a,b\n1,2\n", "c"), "no_column");
        assert_eq!(code(b"a,b\n1\n", "a"), "bad_row");
        assert_eq!(code(b"a,b\n1,\"2\n", "a"), "bad_row");
        assert_eq!(code(b"a,b\n1,\"2\"x\n", "a"), "bad_row");
        assert_eq!(code(b"a\n\xff\n", "a"), "bad_row");
        assert_eq!(
            code(&[b"a\n".to_vec(), vec![b'1'; ROW_BYTES_MAX + 1]].concat(), "a"),
            "row_too_long"
        );
        assert_eq!(code(&vec![b','; COLUMNS_MAX], "a"), "too_many_columns");
    }
}
