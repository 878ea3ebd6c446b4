//! Runs commands of this program and reads their answers.

use super::not_held;
use crate::{
    out,
    problem::{Cause, Result},
    text::{self, problem},
};
use serde_json::Value;
use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::process::Command;

/// Commands on the network of a folder.
pub(super) struct Shell {
    program: PathBuf,
    dir: PathBuf,
    /// Files of the demonstration.
    pub(super) files: PathBuf,
}

/// What a command answered.
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) value: Value,
    pub(super) took: Duration,
}

impl Shell {
    pub(super) fn new(dir: &Path) -> Result<Self> {
        let files = dir.join("demo");
        crate::files::create_dir(&files)?;
        Ok(Self {
            program: env::current_exe().or_problem(problem::no_runtime)?,
            dir: dir.to_owned(),
            files,
        })
    }

    /// Shows a command and runs it, with whatever result.
    pub(super) async fn run(&self, words: &[&str]) -> Result<Answer> {
        out::line(format!("   $ yulian {}", shown(words)));
        self.quietly(words).await
    }

    /// Runs a command that is one of many.
    pub(super) async fn quietly(&self, words: &[&str]) -> Result<Answer> {
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        command
            .args(["--lang", text::language().code()])
            .args(words)
            .arg("--json");
        // Verifying offline knows no network.
        if words.first() != Some(&"verify") {
            command.arg("--dir").arg(&self.dir);
        }
        let output = command
            .kill_on_drop(true)
            .output()
            .await
            .or_problem(problem::no_runtime)?;
        let said = String::from_utf8_lossy(&output.stdout);
        Ok(Answer {
            code: output.status.code().unwrap_or(-1),
            value: serde_json::from_str(said.trim()).unwrap_or(Value::Null),
            took: started.elapsed(),
        })
    }

    /// Runs a command that must succeed.
    pub(super) async fn ok(&self, words: &[&str]) -> Result<Answer> {
        held(self.run(words).await?, words)
    }

    /// The same, one of many.
    pub(super) async fn ok_quietly(&self, words: &[&str]) -> Result<Answer> {
        held(self.quietly(words).await?, words)
    }
}

fn held(answer: Answer, words: &[&str]) -> Result<Answer> {
    match answer.code {
        0 => Ok(answer),
        code => {
            let error = &answer.value["error"];
            let why = ["code", "message", "reason"].map(|field| error[field].as_str().unwrap_or_default());
            Err(not_held(&format!("yulian {}: {code} {}", shown(words), why.join(" "))))
        }
    }
}

/// A command as one types it.
fn shown(words: &[&str]) -> String {
    let quoted = |word: &&str| match word.contains(char::is_whitespace) {
        true => format!("'{word}'"),
        false => (*word).to_owned(),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}
