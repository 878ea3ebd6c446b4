//! `yulian evidence put`: files, one deposit each.

use super::{own_record, packs};
use crate::{
    connect::{Actor, Connect, Sign},
    files, out,
    problem::{Exit, Problem, Result},
    progress::Progress,
    refusal,
    text::{problem, say},
};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use yulian_crypto::Digest;
use yulian_exec::rules::ROLE_WRITER;
use yulian_modules::evidence::codes::ALREADY_DEPOSITED;
use yulian_sdk::{Chain, Patience, SignedTransaction, Subject};

/// Files that are deposited together.
const TOGETHER_MAX: usize = 256;
/// End of the name of a pack.
pub(super) const PACK_SUFFIX: &str = ".pack.json";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[arg(long)]
    pack_dir: Option<PathBuf>,
    #[arg(long)]
    description: Option<String>,
    #[arg(long, default_value = "")]
    source: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

/// A file on its way onto the chain.
struct Item {
    path: PathBuf,
    digest: Digest,
    stage: Stage,
    /// Why it came no further.
    problem: Option<Problem>,
    pack: Option<PathBuf>,
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Not on the chain.
    Failed,
    /// Deposited by an earlier run.
    Already,
    /// Deposited by this one.
    Deposited,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<Exit> {
    if let Some(folder) = &arguments.pack_dir {
        files::create_dir(folder)?;
        check_names(&arguments.files)?;
    }
    let chain = arguments.connect.chain().await?;
    let actor = arguments.sign.actor(&arguments.connect, &chain, ROLE_WRITER).await?;
    let mut progress = Progress::new(say::depositing(), Some(arguments.files.len() as u64));
    let mut items = Vec::new();
    for files in arguments.files.chunks(TOGETHER_MAX) {
        let mut some = read(files)?;
        deposit(&chain, &actor, arguments, &mut some).await?;
        for item in &mut some {
            if item.stage != Stage::Failed {
                fetch(&chain, &actor, arguments, item).await;
            }
            progress.add(1);
        }
        items.append(&mut some);
    }
    drop(progress);
    Ok(report(&items, arguments.json))
}

/// Two files of one name would write the same pack.
fn check_names(files: &[PathBuf]) -> Result<()> {
    let mut names = BTreeMap::new();
    for path in files {
        if let Some(other) = names.insert(path.file_name(), path) {
            return Err(problem::same_pack(other.display(), path.display()));
        }
    }
    Ok(())
}

fn read(paths: &[PathBuf]) -> Result<Vec<Item>> {
    let item = |path: &PathBuf| {
        let digest = files::sm3_of(path)?;
        Ok(Item {
            path: path.clone(),
            digest,
            stage: Stage::Failed,
            problem: None,
            pack: None,
        })
    };
    paths.iter().map(item).collect()
}

async fn deposit(chain: &Chain, actor: &Actor, arguments: &Arguments, items: &mut [Item]) -> Result<()> {
    let mut places = Vec::new();
    let mut transactions: Vec<SignedTransaction> = Vec::new();
    for (place, item) in items.iter_mut().enumerate() {
        if own_record(chain, &item.digest, &actor.view.organisation)
            .await?
            .is_some()
        {
            item.stage = Stage::Already;
            continue;
        }
        let name = file_name(&item.path);
        let description = arguments.description.as_deref().unwrap_or(&name);
        let signed = actor
            .account
            .deposit(chain.terms(), &item.digest, description, &arguments.source);
        transactions.push(signed.map_err(|error| problem::cannot_sign().caused_by(&error))?);
        places.push(place);
    }
    let results = chain.submit_all_and_wait(&transactions, Patience::UntilExpiry).await;
    for (place, result) in places.into_iter().zip(results) {
        let item = &mut items[place];
        match result.map_err(refusal::submission).and_then(refusal::effective) {
            Ok(_) => item.stage = Stage::Deposited,
            // The same file twice on one command line, or another who was quicker.
            Err(problem) if problem.code() == ALREADY_DEPOSITED.code => item.stage = Stage::Already,
            Err(problem) => item.problem = Some(problem),
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

async fn fetch(chain: &Chain, actor: &Actor, arguments: &Arguments, item: &mut Item) {
    let target = files::with_suffix(&item.path, PACK_SUFFIX, arguments.pack_dir.as_deref());
    let subject = Subject::File(item.digest);
    let fetched = packs::fetch(chain, &item.digest, &actor.view.organisation, Some(&subject)).await;
    match fetched.and_then(|pack| files::write(&target, &pack, false)) {
        Ok(()) => item.pack = Some(target),
        Err(problem) => item.problem = Some(problem),
    }
}

fn report(items: &[Item], as_json: bool) -> Exit {
    if as_json {
        let items: Vec<Value> = items.iter().map(value).collect();
        out::json(&json!({ "files": items }));
    } else {
        items.iter().for_each(show);
    }
    worst(items.iter().filter_map(|item| item.problem.as_ref()))
}

/// The gravest of several ends.
pub(super) fn worst<'a>(problems: impl Iterator<Item = &'a Problem>) -> Exit {
    problems
        .map(Problem::exit)
        .max_by_key(|exit| exit.code())
        .unwrap_or(Exit::Done)
}

fn value(item: &Item) -> Value {
    let mut value = json!({
        "file": item.path, "digest": item.digest.to_string(), "status": item.stage, "pack": item.pack,
    });
    if let Some(problem) = &item.problem {
        value["error"] = problem.json()["error"].clone();
    }
    value
}

fn show(item: &Item) {
    let path = item.path.display();
    let stage = match item.stage {
        Stage::Failed => say::put_failed(),
        Stage::Already => say::put_already(),
        Stage::Deposited => say::put_deposited(),
    };
    out::line(format!("{stage}  {path}  SM3 {}", item.digest));
    if let Some(pack) = &item.pack {
        out::line(say::put_pack(pack.display()));
    }
    if let Some(problem) = &item.problem {
        out::note_line(problem.render());
    }
}
