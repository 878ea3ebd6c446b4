//! Standard output and standard error.

use serde::Serialize;
use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};
use unicode_width::UnicodeWidthStr;

/// Whether a result could not be written: then the program must not say that all is well.
static FAILED: AtomicBool = AtomicBool::new(false);

/// One line of the result.
pub(crate) fn line(text: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    note(writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()));
}

/// One JSON value, in one line.
pub(crate) fn json(value: &impl Serialize) {
    line(serde_json::to_string(value).unwrap_or_default());
}

/// One line for the person at the terminal, beside the result.
pub(crate) fn note_line(text: impl AsRef<str>) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Tells a person a thing once, and again only after another one.
#[derive(Debug, Default)]
pub(crate) struct Once(String);

impl Once {
    /// Says a text unless it was said last; an empty one says nothing and forgets.
    pub(crate) fn note_line(&mut self, text: String) {
        if text != self.0 && !text.is_empty() {
            note_line(&text);
        }
        self.0 = text;
    }

    /// What is said next is new.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Whether a person may be watching standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether some of the result was lost.
pub(crate) fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

fn note(result: io::Result<()>) {
    match result {
        Ok(()) => {}
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(_) => FAILED.store(true, Ordering::Relaxed),
    }
}

/// A foreign text on one line: it cannot move the cursor, make up lines of its own or turn the direction of writing.
pub(crate) fn one_line(text: &str) -> String {
    let invisible =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars()
        .map(|c| if c.is_control() || invisible(c) { ' ' } else { c })
        .collect()
}

/// Pads a text to a width in columns; a Chinese character takes two.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// Lines of "label  value" with the values in one column.
pub(crate) fn fields(rows: &[(String, String)]) {
    let columns = rows.iter().map(|(label, _)| label.width()).max().unwrap_or_default();
    for (label, value) in rows {
        line(format!("  {}  {value}", pad(label, columns)));
    }
}

/// A table with a head.
pub(crate) fn table(head: &[String], rows: &[Vec<String>]) {
    let columns: Vec<usize> = (0..head.len())
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells
                .chain(head.get(at))
                .map(|cell| cell.width())
                .max()
                .unwrap_or_default()
        })
        .collect();
    for row in std::iter::once(head).chain(rows.iter().map(Vec::as_slice)) {
        let cells: Vec<String> = row
            .iter()
            .zip(&columns)
            .map(|(cell, width)| pad(cell, *width))
            .collect();
        line(cells.join("  ").trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(pad("联通", 6), "联通  ");
        assert_eq!(pad("abc", 2), "abc");
    }

    #[test]
    fn foreign_texts_stay_on_their_line() {
        assert_eq!(one_line("联通\n\u{1b}[2Ka\u{202e}b"), "联通  [2Ka b");
    }
}
