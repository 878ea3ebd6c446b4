//! `yulian tx`: transactions by themselves, and what every command that sends one ends with.

use crate::{
    clock,
    connect::{Connect, Sign, block_on},
    files, out,
    problem::{Cause, Exit, Result},
    refusal::{self, sdk},
    text::{problem, say},
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use yulian_crypto::Digest;
use yulian_exec::rules::ROLE_ADMIN;
use yulian_modules::registry;
use yulian_sdk::{
    BlockRef, Chain, SdkError, SignedTransaction, succeeded,
    views::{ExecutionResult, FinalResult, SubmitAnswer, TransactionState, TransactionView},
};
use yulian_types::{
    SealedTransaction, StateKey, TransactionBuilder, limits::TRANSACTION_BYTES_MAX,
    state_keys::PARAMETER_CLOCK_DRIFT_MS,
};

/// What a transaction did is provable within this time: the block after it must be final.
const PROVABLE_WITHIN: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Code of a node whose last state is not provable yet.
const NOT_PROVABLE: &str = "not_provable";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(Show),
    Make(Make),
    Submit(Submit),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    id: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Make {
    module: String,
    method: String,
    #[arg(long, default_value = "")]
    arguments: String,
    #[arg(short, long)]
    out: PathBuf,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    file: PathBuf,
    #[arg(long)]
    no_wait: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Show(arguments) => block_on(show(&arguments)),
        Command::Make(arguments) => block_on(make(&arguments)),
        Command::Submit(arguments) => block_on(submit(&arguments)),
    }
}

/// Submits, waits for the final result, and says what was done.
pub(crate) async fn finish(chain: &Chain, signed: &SignedTransaction, done: String, as_json: bool) -> Result<Exit> {
    let result = result(chain, signed).await?;
    show_done(&result, done, as_json);
    Ok(Exit::Done)
}

/// Says what a transaction did.
pub(crate) fn show_done(result: &FinalResult, done: String, as_json: bool) {
    if as_json {
        out::json(result);
    } else {
        out::line(say::done_at(done, result.block.height, result.id));
    }
}

/// The final result of a transaction that had its effect.
pub(crate) async fn result(chain: &Chain, signed: &SignedTransaction) -> Result<FinalResult> {
    let result = chain.submit_and_wait(signed).await.map_err(refusal::submission)?;
    refusal::effective(result)
}

/// The same, once the state after its block can be proven: from then on a reader sees what it did.
pub(crate) async fn provable_result(chain: &Chain, signed: &SignedTransaction) -> Result<FinalResult> {
    let done = result(chain, signed).await?;
    match provable(chain, done.block.height).await? {
        true => Ok(done),
        false => Err(problem::not_provable_yet(done.id, out::one_line(chain.name()))),
    }
}

/// Waits until the state after the last block can be proven: a reader then sees all that was done until now.
pub(crate) async fn settle(chain: &Chain) -> Result<()> {
    settle_at(chain, chain.header(BlockRef::Latest).await.map_err(sdk)?.height).await
}

/// Waits until a new chain's state can be proven: its first block makes that of genesis so.
pub(crate) async fn begun(chain: &Chain) -> Result<()> {
    settle_at(chain, 0).await
}

async fn settle_at(chain: &Chain, height: u64) -> Result<()> {
    match provable(chain, height).await? {
        true => Ok(()),
        false => Err(problem::not_settled(out::one_line(chain.name()))),
    }
}

/// Waits until the state after the block of a height can be proven; false if that takes too long.
async fn provable(chain: &Chain, height: u64) -> Result<bool> {
    let until = Instant::now() + PROVABLE_WITHIN;
    // Any key does: what counts is the height after which the answer holds.
    let key = StateKey::parameter(PARAMETER_CLOCK_DRIFT_MS);
    loop {
        let provable = match chain.state(&key, None).await {
            // Not even that of genesis.
            Err(SdkError::Refused { error, .. }) if error.code == NOT_PROVABLE => None,
            view => Some(view.map_err(sdk)?.height),
        };
        if provable.is_some_and(|provable| provable >= height) {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn show(arguments: &Show) -> Result<Exit> {
    let id: Digest = arguments
        .id
        .trim()
        .parse()
        .map_err(|_| problem::bad_digest(&arguments.id))?;
    let chain = arguments.connect.chain().await?;
    let view = chain.transaction(&id).await.map_err(sdk)?;
    if arguments.json {
        out::json(&view);
    } else {
        print(&view);
    }
    Ok(Exit::Done)
}

fn print(view: &TransactionView) {
    let state = match (&view.block, view.state) {
        (Some(block), TransactionState::Final) => {
            let place = view.index.map_or(0, |index| index + 1);
            say::transaction_final(block.height, place, clock::beijing(block.time_ms))
        }
        _ => say::transaction_queued(),
    };
    let mut rows = vec![
        (say::label_transaction(), view.id.to_string()),
        (say::label_status(), state),
        (
            say::label_call(),
            out::one_line(&format!("{}.{}", view.module, view.method)),
        ),
        (say::label_sender(), view.sender.to_string()),
        (say::label_valid_until(), clock::beijing(view.valid_until_ms.0)),
        (say::label_arguments(), view.arguments.to_string()),
    ];
    if let Some(account) = &view.on_behalf_of {
        rows.push((say::label_on_behalf_of(), account.to_string()));
    }
    rows.extend(
        view.signatures
            .iter()
            .map(|signature| (say::label_key(), signature.signer.to_string())),
    );
    if let Some(result) = &view.result {
        rows.push((say::label_result(), outcome(result)));
        rows.push((say::label_metering(), result.metering.to_string()));
    }
    out::fields(&rows);
}

/// What an execution came to, in words.
pub(crate) fn outcome(result: &ExecutionResult) -> String {
    match result.success {
        true => say::success(),
        false => say::failure(refusal::failed(result).summary(), &result.code),
    }
}

async fn make(arguments: &Make) -> Result<Exit> {
    let bytes = hex::decode(arguments.arguments.trim()).or_problem(|| problem::bad_hex(&arguments.arguments))?;
    let chain = arguments.connect.chain().await?;
    let role = role_of(&arguments.module, &arguments.method)?;
    let actor = arguments.sign.actor(&arguments.connect, &chain, role).await?;
    // Half the window that a transaction of this chain may be valid for, by the network's clock.
    let status = chain.client().status().await.map_err(sdk)?;
    let valid_until_ms = status.now_ms + yulian_sdk::Terms::VALID_FOR_DEFAULT.as_millis() as u64;
    let mut nonce = [0; yulian_types::limits::NONCE_BYTES];
    rand_core::Rng::fill_bytes(&mut crate::key::random(), &mut nonce);
    let builder = TransactionBuilder::new(
        chain.id(),
        actor.account.id(),
        nonce,
        valid_until_ms,
        &arguments.module,
        &arguments.method,
        bytes.into(),
    );
    let (bytes, id) = builder.sign(actor.account.signer()).or_problem(problem::cannot_sign)?;
    files::write(&arguments.out, &bytes, false)?;
    out::line(say::transaction_made(
        id,
        arguments.out.display(),
        clock::beijing(valid_until_ms),
    ));
    Ok(Exit::Done)
}

/// The first role that may call a method; checks that there is such a method.
fn role_of(module: &str, method: &str) -> Result<&'static str> {
    let registry = registry();
    let found = registry.modules().find(|known| known.name() == module);
    let methods = found.map(|known| known.methods()).unwrap_or_default();
    let method_found = methods.iter().find(|known| known.name == method);
    let known = method_found.ok_or_else(|| problem::unknown_call(module, method))?;
    Ok(known.roles.first().copied().unwrap_or(ROLE_ADMIN))
}

async fn submit(arguments: &Submit) -> Result<Exit> {
    let content = files::read(&arguments.file, 2 * TRANSACTION_BYTES_MAX + 2)?;
    let digits = std::str::from_utf8(&content)
        .ok()
        .and_then(|text| hex::decode(text.trim()).ok());
    let bytes: Bytes = digits.unwrap_or(content).into();
    let bad = || problem::bad_transaction(arguments.file.display());
    let sealed = SealedTransaction::decode(bytes).or_problem(bad)?;
    let signed = SignedTransaction {
        id: sealed.id,
        valid_until_ms: sealed.payload.valid_until_ms,
        bytes: sealed.bytes,
    };
    let chain = arguments.connect.chain().await?;
    if arguments.no_wait {
        return queue(&chain, &signed, arguments.json).await;
    }
    let result = chain.submit_and_wait(&signed).await.map_err(refusal::submission)?;
    if arguments.json {
        out::json(&result);
    } else {
        let said = outcome(&result.result);
        out::line(say::done_at(said, result.block.height, signed.id));
    }
    Ok(succeeded(result).map_or(Exit::No, |_| Exit::Done))
}

async fn queue(chain: &Chain, signed: &SignedTransaction, as_json: bool) -> Result<Exit> {
    let answer = chain.submit(signed).await.map_err(sdk)?;
    if as_json {
        out::json(&answer);
    }
    match answer {
        SubmitAnswer::Refused { error, .. } => {
            Err(refusal::submission(yulian_sdk::SubmitError::Refused(Box::new(error))))
        }
        SubmitAnswer::Final(result) if !as_json => {
            out::line(say::done_at(outcome(&result.result), result.block.height, signed.id));
            Ok(Exit::Done)
        }
        SubmitAnswer::Queued { .. } if !as_json => {
            out::line(say::transaction_sent(signed.id));
            Ok(Exit::Done)
        }
        _ => Ok(Exit::Done),
    }
}
