//! A line that shows how far long work has come: on a terminal only, never in what a program reads.

use crate::{clock, out, text::say};
use std::{
    io::Write,
    time::{Duration, Instant},
};

/// The line is drawn anew at most this often.
const REDRAW: Duration = Duration::from_millis(100);
/// Columns of the bar.
const BAR: usize = 24;

/// Work with a known or unknown end.
pub(crate) struct Progress {
    label: String,
    total: Option<u64>,
    done: u64,
    started: Instant,
    drawn: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Work of `total` steps, or of nobody knows how many.
    pub(crate) fn new(label: impl Into<String>, total: Option<u64>) -> Self {
        Self {
            label: label.into(),
            total,
            done: 0,
            started: Instant::now(),
            drawn: None,
            shown: out::is_watched(),
        }
    }

    /// More steps are done.
    pub(crate) fn add(&mut self, steps: u64) {
        self.set(self.done.saturating_add(steps));
    }

    /// So many steps are done.
    pub(crate) fn set(&mut self, done: u64) {
        self.done = done;
        if self.shown && self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
            self.draw();
        }
    }

    /// What is being done now.
    pub(crate) fn label(&mut self, label: impl Into<String>) {
        self.label = label.into();
        if self.shown {
            self.draw();
        }
    }

    fn draw(&mut self) {
        self.drawn = Some(Instant::now());
        let line = line(&self.label, self.done, self.total, self.started.elapsed());
        // A line that cannot be shown is no reason to stop working.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown && self.drawn.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[2K");
        }
    }
}

fn line(label: &str, done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1000) / ms;
    match total.filter(|total| *total > 0) {
        None if done == 0 => format!("{label}  {}", clock::span(ms)),
        None => format!("{label}  {done}  {rate}/s"),
        Some(total) => {
            let filled = (BAR as u64 * done.min(total) / total) as usize;
            let bar = format!("{}{}", "#".repeat(filled), ".".repeat(BAR - filled));
            let left = ms.saturating_mul(total.saturating_sub(done)) / done.max(1);
            let left = if done == 0 {
                String::new()
            } else {
                say::progress_left(clock::span(left))
            };
            format!("{label}  [{bar}]  {done}/{total}  {rate}/s  {left}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_share_rate_and_time_left() {
        let shown = line("a", 50, Some(200), Duration::from_secs(10));
        assert!(
            shown.starts_with("a  [######..................]  50/200  5/s"),
            "{shown}"
        );
        assert!(shown.contains("30.0 s"), "{shown}");
        assert_eq!(line("a", 0, None, Duration::from_millis(5)), "a  5 ms");
        assert!(line("a", 9, Some(3), Duration::ZERO).contains("9/3"));
    }
}
