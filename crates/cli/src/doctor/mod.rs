//! `yulian doctor`: whether this machine, this folder and these nodes are fit for service, and what to do where not.

mod machine;
mod network;
mod storage;

use crate::{
    out,
    problem::{Exit, Result},
    text::say,
};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, default_value = "./yulian-data")]
    dir: PathBuf,
    #[arg(long)]
    url: Vec<String>,
    #[arg(long)]
    json: bool,
}

/// How a finding is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// In order.
    Good,
    /// It works, but not as well as it should.
    Warning,
    /// It does not work, or not safely.
    Bad,
}

/// What one check found.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// Stable name of the check.
    check: &'static str,
    verdict: Verdict,
    /// What was found.
    detail: String,
    /// What to do; empty when nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    hint: String,
}

impl Finding {
    fn good(check: &'static str, detail: String) -> Self {
        Self {
            check,
            verdict: Verdict::Good,
            detail,
            hint: String::new(),
        }
    }

    fn warning(check: &'static str, detail: String, hint: String) -> Self {
        Self {
            check,
            verdict: Verdict::Warning,
            detail,
            hint,
        }
    }

    fn bad(check: &'static str, detail: String, hint: String) -> Self {
        Self {
            check,
            verdict: Verdict::Bad,
            detail,
            hint,
        }
    }

    /// Good if `holds`, else a warning with what to do.
    fn expect(check: &'static str, holds: bool, detail: String, hint: impl FnOnce() -> String) -> Self {
        if holds {
            Self::good(check, detail)
        } else {
            Self::warning(check, detail, hint())
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let mut findings = machine::findings();
    findings.extend(storage::findings(&arguments.dir));
    findings.extend(network::findings(&arguments.dir, &arguments.url)?);
    let worst = findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .unwrap_or(Verdict::Good);
    if arguments.json {
        out::json(&serde_json::json!({ "verdict": worst, "findings": findings }));
    } else {
        findings.iter().for_each(print);
    }
    Ok(if worst == Verdict::Bad { Exit::No } else { Exit::Done })
}

fn print(finding: &Finding) {
    let verdict = match finding.verdict {
        Verdict::Good => say::verdict_good(),
        Verdict::Warning => say::verdict_warning(),
        Verdict::Bad => say::verdict_bad(),
    };
    out::line(format!(
        "{}  {}  {}",
        out::pad(&verdict, 6),
        out::pad(finding.check, 12),
        finding.detail
    ));
    if !finding.hint.is_empty() {
        out::line(format!("{}  {}", out::pad("", 22), say::doctor_hint(&finding.hint)));
    }
}
