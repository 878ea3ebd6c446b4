//! Tables as evidence: a digest for each row of a CSV file, batches of rows, proofs for single rows.

use crate::limits::{COLUMNS_MAX, TABLE_BYTES_MAX};
use std::{collections::BTreeMap, ops::Range};
use yulian_crypto::{Digest, merkle};
use yulian_light::{batch_leaf, row_digest};

/// Why a file is no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Longer than [`TABLE_BYTES_MAX`].
    #[error("{0} bytes, at most {TABLE_BYTES_MAX} are allowed")]
    TooLong(usize),
    /// No line with the names of the columns.
    #[error("the table is empty")]
    Empty,
    /// Not UTF-8.
    #[error("line {0} is not UTF-8")]
    Encoding(usize),
    /// A quoted field is not closed, or something follows behind its closing quote.
    #[error("line {0}: a quoted field is malformed")]
    Quotes(usize),
    /// More than [`COLUMNS_MAX`] columns.
    #[error("more than {COLUMNS_MAX} columns")]
    TooManyColumns,
    /// Another number of fields than the first line has.
    #[error("line {line}: {found} fields, the first line has {expected}")]
    Fields {
        /// Line, from 1.
        line: usize,
        /// Fields of the line.
        found: usize,
        /// Columns of the table.
        expected: usize,
    },
    /// There is no such column.
    #[error("there is no column {name:?}; there are: {columns}")]
    NoColumn {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        columns: String,
    },
    /// Two rows have the same id.
    #[error("line {second} has the same id {id:?} as line {first}")]
    SameId {
        /// The id.
        id: String,
        /// Line, from 1.
        first: usize,
        /// Line, from 1.
        second: usize,
    },
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Value of the id column.
    pub id: String,
    /// Line of the file that it begins with, from 1.
    pub line: usize,
    bytes: Range<usize>,
}

/// A CSV file (RFC 4180, UTF-8, LF or CRLF, the names of the columns in the first line) with its rows by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    bytes: Vec<u8>,
    columns: Vec<String>,
    rows: Vec<Row>,
    by_id: BTreeMap<String, usize>,
}

impl Table {
    /// Reads a table; `id` names the column that tells its rows apart. Empty lines are passed over.
    ///
    /// # Errors
    /// See [`TableError`].
    pub fn parse(bytes: Vec<u8>, id: &str) -> Result<Self, TableError> {
        if bytes.len() > TABLE_BYTES_MAX {
            return Err(TableError::TooLong(bytes.len()));
        }
        let mut records = Records::new(&bytes);
        let (line, head) = records.next().ok_or(TableError::Empty)??;
        let columns = fields(&bytes[head], line)?;
        if columns.len() > COLUMNS_MAX {
            return Err(TableError::TooManyColumns);
        }
        let column = columns
            .iter()
            .position(|name| name == id)
            .ok_or_else(|| TableError::NoColumn {
                name: id.into(),
                columns: columns.join(", "),
            })?;
        let mut rows: Vec<Row> = Vec::new();
        let mut by_id = BTreeMap::new();
        for record in records {
            let (line, range) = record?;
            let mut values = fields(&bytes[range.clone()], line)?;
            if values.len() != columns.len() {
                return Err(TableError::Fields {
                    line,
                    found: values.len(),
                    expected: columns.len(),
                });
            }
            let id = values.swap_remove(column);
            if let Some(first) = by_id.insert(id.clone(), rows.len()) {
                let first = rows[first].line;
                return Err(TableError::SameId {
                    id,
                    first,
                    second: line,
                });
            }
            rows.push(Row { id, line, bytes: range });
        }
        Ok(Self {
            bytes,
            columns,
            rows,
            by_id,
        })
    }

    /// Names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows in the order of the file.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Position of the row of an id.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The bytes of a row as they stand in the file, without the line end.
    pub fn line(&self, row: &Row) -> &[u8] {
        &self.bytes[row.bytes.clone()]
    }

    /// SM3("ylTblRow" ‖ line): what is deposited for a row.
    pub fn digest(&self, row: &Row) -> Digest {
        row_digest(self.line(row))
    }

    /// The digests of all rows in the order of the file.
    pub fn digests(&self) -> Vec<Digest> {
        self.rows.iter().map(|row| self.digest(row)).collect()
    }
}

/// Splits a file into records: a line end inside quotes does not end one.
struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        // A byte order mark is no part of the first column's name.
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, at, line: 1 }
    }

    fn take(&mut self) -> Result<(usize, Range<usize>), TableError> {
        let (start, first_line) = (self.at, self.line);
        let mut quoted = false;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => quoted = !quoted,
                b'\n' => {
                    self.line += 1;
                    if !quoted {
                        return Ok((first_line, start..without_cr(self.bytes, start, self.at - 1)));
                    }
                }
                _ => {}
            }
        }
        if quoted {
            return Err(TableError::Quotes(first_line));
        }
        Ok((first_line, start..without_cr(self.bytes, start, self.at)))
    }
}

fn without_cr(bytes: &[u8], start: usize, end: usize) -> usize {
    if end > start && bytes[end - 1] == b'\r' {
        end - 1
    } else {
        end
    }
}

impl Iterator for Records<'_> {
    type Item = Result<(usize, Range<usize>), TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.bytes.len() {
            match self.take() {
                Ok((_, range)) if range.is_empty() => {}
                other => return Some(other),
            }
        }
        None
    }
}

/// The fields of a record.
fn fields(record: &[u8], line: usize) -> Result<Vec<String>, TableError> {
    let text = std::str::from_utf8(record).map_err(|_| TableError::Encoding(line))?;
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let (field, behind) = match rest.strip_prefix('"') {
            Some(inside) => quoted_field(inside).ok_or(TableError::Quotes(line))?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                if rest[..end].contains('"') {
                    return Err(TableError::Quotes(line));
                }
                (rest[..end].to_string(), &rest[end..])
            }
        };
        out.push(field);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None if behind.is_empty() => return Ok(out),
            None => return Err(TableError::Quotes(line)),
        }
    }
}

/// A field up to its closing quote, and what follows.
fn quoted_field(inside: &str) -> Option<(String, &str)> {
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

/// Digests that are deposited together as one Merkle root.
#[derive(Debug, Clone)]
pub struct RowBatch {
    tree: merkle::Tree,
}

impl RowBatch {
    /// A batch of digests of rows or files, in order.
    pub fn new(digests: &[Digest]) -> Self {
        let tree = merkle::Tree::new(digests.iter().map(batch_leaf).collect());
        Self { tree }
    }

    /// What is deposited.
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// How many digests it has.
    pub fn count(&self) -> u64 {
        self.tree.count()
    }

    /// That the digest at a position is in the batch.
    pub fn prove(&self, index: u64) -> Option<merkle::Proof> {
        self.tree.prove(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, TableError> {
        Table::parse(text.as_bytes().to_vec(), "code")
    }

    #[test]
    fn rows_are_the_bytes_of_their_lines() {
        let table = table("code,name\r\n41,河南省\r\n\r\n4101,\"郑州,市\"\n\"41\"\"02\",开封").expect("table");
        let lines: Vec<_> = table.rows().iter().map(|row| table.line(row)).collect();
        let expected = ["41,河南省", "4101,\"郑州,市\"", "\"41\"\"02\",开封"];
        assert_eq!(lines, expected.map(str::as_bytes));
        assert_eq!(table.find("41\"02"), Some(2));
        assert_eq!(table.rows()[1].line, 4);
        assert_eq!(table.digest(&table.rows()[0]), row_digest("41,河南省".as_bytes()));
    }

    #[test]
    fn a_quoted_line_end_belongs_to_the_row() {
        let table = table("name,code\n\"a\nb\",1\nc,2\n").expect("table");
        assert_eq!(table.line(&table.rows()[0]), b"\"a\nb\",1");
        assert_eq!(table.rows()[1].line, 4);
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(table("\u{feff}code\n1\n").expect("table").columns(), ["code"]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert_eq!(table(""), Err(TableError::Empty));
        assert!(matches!(table("name\n1\n"), Err(TableError::NoColumn { .. })));
        assert!(matches!(
            table("code,name\n1\n"),
            Err(TableError::Fields { line: 2, .. })
        ));
        assert!(matches!(
            table("code\n1\n1\n"),
            Err(TableError::SameId {
                first: 2,
                second: 3,
                ..
            })
        ));
        assert_eq!(table("code\n\"1\n2\n"), Err(TableError::Quotes(2)));
        assert_eq!(table("code\n\"1\"2\n"), Err(TableError::Quotes(2)));
        assert_eq!(table("code\n1\"2\"\n"), Err(TableError::Quotes(2)));
        let bytes = b"code\n\xff\n".to_vec();
        assert_eq!(Table::parse(bytes, "code"), Err(TableError::Encoding(2)));
    }

    #[test]
    fn a_batch_proves_each_of_its_rows() {
        let table = table("code\n1\n2\n3\n").expect("table");
        let batch = RowBatch::new(&table.digests());
        for (index, digest) in table.digests().iter().enumerate() {
            let proof = batch.prove(index as u64).expect("index");
            assert!(proof.verify(&batch.root(), &batch_leaf(digest)));
        }
        assert_eq!(batch.prove(3), None);
    }
}
