//! `yulian backup`: a chain as one file that proves itself, from a node's folder or from its API.

use super::{online, open};
use crate::{
    connect::{Connect, block_on},
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    text::{problem, say},
};
use clap::Args;
use serde_json::json;
use std::{
    fs::{self, File, OpenOptions},
    io::BufWriter,
    path::{Path, PathBuf},
};
use yulian_node::ledger::{Transferred, export};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(short, long)]
    out: PathBuf,
    #[arg(long, conflicts_with = "url")]
    node_dir: Option<PathBuf>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let target = Target::create(&arguments.out)?;
    let mut progress = Progress::new(say::backing_up(), None);
    let done = block_on(async {
        let mut file = BufWriter::new(&target.file);
        match &arguments.node_dir {
            Some(dir) => {
                let ledger = open(dir).await?;
                let done = export(&ledger, &mut file, |height| progress.set(height));
                done.or_problem(|| problem::cannot_back_up(dir.display()))
            }
            None => {
                online::export(&arguments.connect.chain().await?, &mut file, |height| {
                    progress.set(height)
                })
                .await
            }
        }
    });
    drop(progress);
    let done = done?;
    target.keep()?;
    report(&arguments.out, &done, arguments.json);
    Ok(Exit::Done)
}

fn report(path: &Path, done: &Transferred, as_json: bool) {
    if as_json {
        let (height, digest) = (done.height, done.digest.to_string());
        out::json(&json!({ "file": path, "height": height, "digest": digest, "bytes": done.bytes }));
    } else {
        out::line(say::backed_up(path.display(), done.height, done.bytes));
    }
}

/// A file that gets its name when all of it is on the disk.
struct Target {
    file: File,
    beside: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl Target {
    fn create(path: &Path) -> Result<Self> {
        if path.exists() {
            return Err(problem::file_exists(path.display()));
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&beside);
        let file = file.or_problem(|| problem::cannot_write(path.display()))?;
        Ok(Self {
            file,
            beside,
            path: path.to_owned(),
            kept: false,
        })
    }

    fn keep(mut self) -> Result<()> {
        let renamed = self.file.sync_all().and_then(|()| fs::rename(&self.beside, &self.path));
        self.kept = renamed.is_ok();
        renamed.or_problem(|| problem::cannot_write(self.path.display()))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.kept {
            // Half a backup is none; the error that led here says why.
            let _ = fs::remove_file(&self.beside);
        }
    }
}
