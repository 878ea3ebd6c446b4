//! Where a passphrase comes from: a file, the environment, or a person at the terminal. Never a default.

use crate::{
    files, out,
    problem::{Cause, Result},
    text::{problem, say},
};
use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};
use yulian_crypto::{
    key_file::{self, KeyFileError, PemError},
    sm2::SecretKey,
};
use zeroize::Zeroizing;

/// Environment variable that holds a passphrase.
pub(crate) const VARIABLE: &str = "YULIAN_PASSPHRASE";
/// Longest passphrase, bytes.
const PASSPHRASE_BYTES_MAX: usize = 1024;

/// How a command is given a passphrase.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Source {
    #[arg(long)]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl Source {
    /// The passphrase of a file or of the environment.
    fn given(&self) -> Result<Option<Zeroizing<String>>> {
        if let Some(path) = &self.passphrase_file {
            let text = Zeroizing::new(files::read_text(path, PASSPHRASE_BYTES_MAX + 2)?);
            let line = text.strip_suffix('\n').unwrap_or(&text);
            return Ok(Some(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned())));
        }
        Ok(std::env::var(VARIABLE)
            .ok()
            .filter(|text| !text.is_empty())
            .map(Zeroizing::new))
    }

    /// A passphrase for a new file: asked for twice where a person types it.
    pub(crate) fn new_passphrase(&self) -> Result<Zeroizing<String>> {
        if let Some(passphrase) = self.given()? {
            return Ok(passphrase);
        }
        let first = ask(&say::ask_new_passphrase())?;
        if first.is_empty() {
            return Err(problem::empty_passphrase());
        }
        if *first != *ask(&say::ask_passphrase_again())? {
            return Err(problem::passphrases_differ());
        }
        Ok(first)
    }

    /// The passphrase of a key file, if the file needs one.
    pub(crate) fn of_file(&self, path: &Path) -> Result<Option<Zeroizing<String>>> {
        if let Some(given) = self.given()? {
            return Ok(Some(given));
        }
        match key_file::read(path, None) {
            Err(KeyFileError::Content {
                source: PemError::NeedsPassphrase,
                ..
            }) => Ok(Some(ask(&say::ask_passphrase(path.display()))?)),
            // What is wrong with it is told by whoever uses it.
            _ => Ok(None),
        }
    }

    /// Reads a private key file; a person is asked when it is encrypted and nothing else gives the passphrase.
    pub(crate) fn read_key(&self, path: &Path) -> Result<SecretKey> {
        let passphrase = self.of_file(path)?;
        key_file::read(path, passphrase.as_ref().map(|text| text.as_str()))
            .or_problem(|| problem::bad_key_file(path.display()))
    }
}

/// Asks at the terminal, not showing what is typed.
fn ask(question: &str) -> Result<Zeroizing<String>> {
    let no_terminal = || problem::no_terminal(VARIABLE);
    let terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .or_problem(no_terminal)?;
    let before = tcgetattr(&terminal).or_problem(no_terminal)?;
    let quiet = Quiet::new(&terminal, before).or_problem(no_terminal)?;
    let typed = read_line(&terminal, question).or_problem(no_terminal);
    drop(quiet);
    out::note_line("");
    typed
}

fn read_line(mut terminal: &File, question: &str) -> std::io::Result<Zeroizing<String>> {
    write!(terminal, "{question}")?;
    let mut line = Zeroizing::new(String::with_capacity(PASSPHRASE_BYTES_MAX + 2));
    BufReader::new(terminal.take(PASSPHRASE_BYTES_MAX as u64 + 2)).read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

/// The terminal shows nothing while this lives.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File, before: Termios) -> rustix::io::Result<Self> {
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to put right.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
