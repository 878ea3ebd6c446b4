//! Errors as a person and a program see them: what failed, why, what to do, a stable code, and the exit code.

use crate::text::{self, Language};
use serde::Serialize;
use std::{borrow::Cow, error::Error, fmt};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked, or the answer is yes: 0.
    Done,
    /// The answer is no: 1.
    No,
    /// It could not do what was asked: 2.
    CannotRun,
}

impl Exit {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::CannotRun => 2,
        }
    }
}

/// The result of everything that can fail here.
pub(crate) type Result<T, E = Problem> = std::result::Result<T, E>;

/// Why a command did not succeed.
pub(crate) struct Problem(Box<Inner>);

struct Inner {
    exit: Exit,
    code: Cow<'static, str>,
    what: String,
    why: Option<String>,
    hint: String,
}

/// A problem as `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    hint: &'a str,
}

impl Problem {
    /// A problem of a stable code. The catalogue of texts makes these.
    pub(crate) fn new(exit: Exit, code: impl Into<Cow<'static, str>>, what: String, hint: String) -> Self {
        let code = code.into();
        Self(Box::new(Inner {
            exit,
            code,
            what,
            why: None,
            hint,
        }))
    }

    /// Names the cause: what the system, a file or a peer says.
    #[must_use]
    pub(crate) fn because(mut self, why: impl fmt::Display) -> Self {
        self.0.why = Some(why.to_string());
        self
    }

    /// Names an error and the errors behind it as the cause.
    #[must_use]
    pub(crate) fn caused_by(self, error: &dyn Error) -> Self {
        let mut why = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            let text = source.to_string();
            // Many errors print their source themselves.
            if !why.contains(&text) {
                why = format!("{why}: {text}");
            }
            next = source.source();
        }
        self.because(why)
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// How the program ends when nobody handles the problem.
    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }

    /// What failed and why, in one line.
    pub(crate) fn summary(&self) -> String {
        match (&self.0.why, text::language()) {
            (None, _) => self.0.what.clone(),
            (Some(why), Language::Zh) => format!("{}：{why}", self.0.what),
            (Some(why), Language::En) => format!("{}: {why}", self.0.what),
        }
    }

    /// The text for a terminal.
    pub(crate) fn render(&self) -> String {
        let Inner {
            code, what, why, hint, ..
        } = &*self.0;
        let mut out = text::say::problem_what(what, code);
        if let Some(why) = why {
            out = format!("{out}\n{}", text::say::problem_why(why));
        }
        if !hint.is_empty() {
            out = format!("{out}\n{}", text::say::problem_hint(hint));
        }
        out
    }

    /// The object that `--json` prints.
    pub(crate) fn json(&self) -> serde_json::Value {
        let Inner {
            code, what, why, hint, ..
        } = &*self.0;
        let error = Body {
            code,
            message: what,
            reason: why.as_deref(),
            hint,
        };
        serde_json::to_value(Shown { error }).unwrap_or_default()
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.summary(), self.0.code)
    }
}

/// Adds the cause to the problem that a failed step is.
pub(crate) trait Cause<T> {
    /// Replaces the error by `problem`, with the error as its cause.
    fn or_problem(self, problem: impl FnOnce() -> Problem) -> Result<T>;
}

impl<T, E: Error> Cause<T> for std::result::Result<T, E> {
    fn or_problem(self, problem: impl FnOnce() -> Problem) -> Result<T> {
        self.map_err(|error| problem().caused_by(&error))
    }
}
