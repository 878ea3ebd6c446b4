//! `yulian evidence revoke` and `supersede`.

use super::target::{Target, digest_or_file};
use crate::{
    connect::{Actor, Connect, Sign},
    problem::{Cause, Exit, Result},
    text::{problem, say},
    transaction,
};
use clap::Args;
use yulian_exec::rules::ROLE_WRITER;
use yulian_sdk::{Chain, SignedTransaction};

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    target: Target,
    #[arg(long)]
    reason: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct Supersede {
    #[command(flatten)]
    target: Target,
    #[arg(long)]
    by: String,
    #[arg(long)]
    reason: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

pub(crate) async fn revoke(arguments: &Revoke) -> Result<Exit> {
    let digest = arguments.target.digest()?;
    let (chain, actor) = open(&arguments.connect, &arguments.sign).await?;
    let signed = actor.account.revoke(chain.terms(), &digest, &arguments.reason);
    let signed: SignedTransaction = signed.or_problem(problem::cannot_sign)?;
    transaction::finish(&chain, &signed, say::revoked_done(digest), arguments.json).await
}

pub(crate) async fn supersede(arguments: &Supersede) -> Result<Exit> {
    let digest = arguments.target.digest()?;
    let by = digest_or_file(&arguments.by)?;
    let (chain, actor) = open(&arguments.connect, &arguments.sign).await?;
    let signed = actor.account.supersede(chain.terms(), &digest, &by, &arguments.reason);
    let signed: SignedTransaction = signed.or_problem(problem::cannot_sign)?;
    transaction::finish(&chain, &signed, say::superseded_done(digest, by), arguments.json).await
}

async fn open(connect: &Connect, sign: &Sign) -> Result<(Chain, Actor)> {
    let chain = connect.chain().await?;
    let actor = sign.actor(connect, &chain, ROLE_WRITER).await?;
    Ok((chain, actor))
}
