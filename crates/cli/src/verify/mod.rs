//! `yulian verify`: judges an evidence pack without any network, and says what it proves.
//!
//! Nothing of the node is used here: `light` and the cryptography alone decide.

mod show;
pub(crate) mod trust;

use crate::{
    files, out,
    problem::{Cause, Exit, Problem, Result},
    text::{either, problem},
};
use clap::Args;
use std::path::PathBuf;
use yulian_crypto::sm2::FastVerifier;
use yulian_light::{Code, Outcome, PACK_BYTES_MAX, PackError, Subject, Trust, verify_pack};
use yulian_types::limits::HEADER_BYTES_MAX;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    pack: PathBuf,
    file: Option<PathBuf>,
    #[arg(long, conflicts_with = "file")]
    row: Option<String>,
    #[arg(long)]
    genesis: Option<String>,
    #[arg(long)]
    trusted: Option<PathBuf>,
    #[arg(long)]
    header: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    // One byte more than a pack may have: what is longer is judged as such, without being read.
    let pack = files::read_start(&arguments.pack, PACK_BYTES_MAX + 1)?;
    let subject = subject(arguments)?;
    let trust = trust(arguments)?;
    let answer = verify_pack(&pack, subject.as_ref(), &trust, &FastVerifier::default());
    Ok(answer_of(answer, subject.as_ref(), arguments.json))
}

/// Prints the answer and returns the exit code that belongs to it.
fn answer_of(answer: Result<Outcome, PackError>, subject: Option<&Subject>, json: bool) -> Exit {
    if json {
        out::json(&show::json(&answer));
    } else {
        match &answer {
            Ok(outcome) => show::outcome(outcome, subject),
            Err(error) => show::refusal(error),
        }
    }
    match answer {
        Ok(outcome) if outcome.is_yes() => Exit::Done,
        _ => Exit::No,
    }
}

fn subject(arguments: &Arguments) -> Result<Option<Subject>> {
    match (&arguments.file, &arguments.row) {
        (Some(file), _) => Ok(Some(Subject::File(files::sm3_of(file)?))),
        (None, Some(row)) => Ok(Some(Subject::row(row.trim_end_matches(['\r', '\n']).as_bytes()))),
        (None, None) => Ok(None),
    }
}

/// A digest on the command line is all that is trusted; else the list is.
fn trust(arguments: &Arguments) -> Result<Trust> {
    let trust = match &arguments.genesis {
        Some(text) => Trust::chains([trust::genesis_digest(text)?.0]),
        None => {
            let list = trust::Trusted::read(arguments.trusted.as_deref())?;
            Trust::chains(list.digests().map_err(problem::bad_genesis)?)
        }
    };
    match &arguments.header {
        None => Ok(trust),
        Some(path) => {
            let header = header_bytes(files::read(path, 2 * HEADER_BYTES_MAX + 2)?);
            trust
                .with_header(&header.into())
                .or_problem(|| problem::bad_header(path.display()))
        }
    }
}

/// A header as bytes, or as the hexadecimal digits in which a node shows it.
fn header_bytes(content: Vec<u8>) -> Vec<u8> {
    let digits = std::str::from_utf8(&content)
        .ok()
        .and_then(|text| hex::decode(text.trim()).ok());
    digits.unwrap_or(content)
}

/// A pack that does not hold, as the problem of another command.
pub(crate) fn pack_problem(error: &PackError) -> Problem {
    let code: Code = error.code();
    problem::bad_pack(either(code.zh(), code.en())).because(format!("{} [{}]", error, code.as_str()))
}
