//! `yulian charter`: the rules by which the members decide.

use super::Ballot;
use crate::{
    connect::{Connect, block_on},
    files, out,
    problem::{Exit, Result},
    refusal::sdk,
    text::say,
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};
use yulian_crypto::Digest;
use yulian_sdk::{
    Action,
    views::{CharterView, QuorumView},
};
use yulian_types::proto;

const MS_PER_HOUR: u64 = 3_600_000;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(Show),
    Propose(Propose),
    Change(Change),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[arg(long)]
    file: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    #[arg(long)]
    file: PathBuf,
    #[command(flatten)]
    ballot: Ballot,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[arg(long)]
    validators: Option<Share>,
    #[arg(long)]
    parameters: Option<Share>,
    #[arg(long)]
    charter: Option<Share>,
    #[arg(long)]
    voting_hours: Option<u64>,
    #[arg(long)]
    text: Option<PathBuf>,
    #[command(flatten)]
    ballot: Ballot,
}

/// The length of a vote as the chain keeps it, ms.
pub(crate) fn voting_period_ms(hours: u64) -> u64 {
    hours.saturating_mul(MS_PER_HOUR)
}

/// What stands on the chain for a charter's text: the digest of its file.
pub(crate) fn text_digest(path: &Path) -> Result<Bytes> {
    Ok(files::sm3_of(path)?.to_vec().into())
}

/// "2/3": more than two thirds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share(u32, u32);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parts = text.split_once('/');
        let parsed = parts.and_then(|(above, below)| Some(Self(above.parse().ok()?, below.parse().ok()?)));
        parsed.ok_or_else(|| say::share_expected().to_string())
    }
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Show(arguments) => block_on(show(&arguments)),
        Command::Propose(arguments) => block_on(propose(&arguments)),
        Command::Change(arguments) => block_on(change(&arguments)),
    }
}

async fn show(arguments: &Show) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let info = chain.info().await.map_err(sdk)?;
    if arguments.json {
        out::json(&json!({ "height": info.height, "charter": info.charter }));
        return Ok(Exit::Done);
    }
    let CharterView {
        validators,
        parameters,
        charter,
        voting_period_ms,
        digest,
        text_digest,
    } = info.charter;
    let share = |quorum: Option<QuorumView>| {
        quorum.map_or_else(String::new, |quorum| {
            say::more_than(quorum.numerator, quorum.denominator)
        })
    };
    out::fields(&[
        (say::label_validator_quorum(), share(validators)),
        (say::label_parameter_quorum(), share(parameters)),
        (say::label_charter_quorum(), share(charter)),
        (
            say::label_voting_hours(),
            (voting_period_ms.0 / MS_PER_HOUR).to_string(),
        ),
        (
            say::label_charter_text(),
            text_digest.map_or_else(say::charter_text_absent, |digest| digest.to_string()),
        ),
        (say::label_charter_digest(), digest.to_string()),
    ]);
    Ok(match &arguments.file {
        Some(file) if !compare_text(file, text_digest.map(|digest| digest.0))? => Exit::No,
        _ => Exit::Done,
    })
}

/// Says whether a file is the charter's text.
pub(crate) fn compare_text(file: &Path, known: Option<Digest>) -> Result<bool> {
    let digest = files::sm3_of(file)?;
    let same = known == Some(digest);
    out::note_line(match same {
        true => say::charter_text_same(file.display(), digest),
        false => say::charter_text_other(file.display(), digest),
    });
    Ok(same)
}

/// A new text under the rules in force.
async fn propose(arguments: &Propose) -> Result<Exit> {
    out::note_line(say::charter_text_digest(hex::encode(text_digest(&arguments.file)?)));
    let change = Change {
        validators: None,
        parameters: None,
        charter: None,
        voting_hours: None,
        text: Some(arguments.file.clone()),
        ballot: arguments.ballot.clone(),
    };
    self::change(&change).await
}

async fn change(arguments: &Change) -> Result<Exit> {
    let (chain, voters) = arguments.ballot.open().await?;
    let now = chain.info().await.map_err(sdk)?.charter;
    let quorum = |given: Option<Share>, now: Option<QuorumView>| {
        let now = now.map(|now| Share(now.numerator, now.denominator));
        given
            .or(now)
            .map(|Share(numerator, denominator)| proto::Quorum { numerator, denominator })
    };
    let charter = proto::Charter {
        validators: quorum(arguments.validators, now.validators),
        parameters: quorum(arguments.parameters, now.parameters),
        charter: quorum(arguments.charter, now.charter),
        voting_period_ms: match arguments.voting_hours {
            Some(hours) => voting_period_ms(hours),
            None => now.voting_period_ms.0,
        },
        text_digest: match &arguments.text {
            Some(path) => text_digest(path)?,
            None => now
                .text_digest
                .map(|digest| digest.0.to_vec().into())
                .unwrap_or_default(),
        },
    };
    let action = Action::ChangeCharter(charter);
    let view = arguments
        .ballot
        .decide(&chain, &voters, &action, say::action_charter())
        .await?;
    Ok(arguments.ballot.finish(&view))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_two_numbers() {
        assert_eq!("2/3".parse(), Ok(Share(2, 3)));
        for other in ["", "2", "2/", "/3", "2/3/4", "-2/3", "0.6"] {
            assert!(other.parse::<Share>().is_err(), "{other}");
        }
    }
}
