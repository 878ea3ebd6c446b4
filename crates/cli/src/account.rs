//! `yulian account`: the accounts of an organisation.

use crate::{
    clock,
    connect::{Connect, Sign, block_on},
    key::{self, passphrase},
    network::record::{AccountEntry, Record},
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use yulian_crypto::Digest;
use yulian_exec::rules::{ROLE_ADMIN, ROLE_WRITER};
use yulian_sdk::{AccountRef, Chain, Page, views::AccountView};
use yulian_types::account_id;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Add(Add),
    Roles(Roles),
    Rotate(Rotate),
    Freeze(Freeze),
    Unfreeze(Unfreeze),
}

/// What every command that changes an account has.
#[derive(Debug, Args)]
pub(crate) struct By {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    organisation: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    account: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[arg(long)]
    new_key: PathBuf,
    #[arg(long)]
    new_passphrase_file: Option<PathBuf>,
    #[arg(long)]
    label: String,
    #[arg(long = "role", default_value = ROLE_WRITER)]
    roles: Vec<String>,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct Roles {
    account: String,
    #[arg(long = "role", required = true)]
    roles: Vec<String>,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[arg(long)]
    account: Option<String>,
    #[arg(long)]
    new_key: PathBuf,
    #[arg(long)]
    new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct Freeze {
    account: String,
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    by: By,
}

#[derive(Debug, Args)]
pub(crate) struct Unfreeze {
    account: String,
    #[command(flatten)]
    by: By,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Show(arguments) => block_on(show(&arguments)),
        Command::Add(arguments) => block_on(add(&arguments)),
        Command::Roles(arguments) => block_on(roles(&arguments)),
        Command::Rotate(arguments) => block_on(rotate(&arguments)),
        Command::Freeze(arguments) => block_on(freeze(&arguments)),
        Command::Unfreeze(arguments) => block_on(unfreeze(&arguments)),
    }
}

/// An account id, a public key, or a key file.
fn reference(text: &str) -> Result<AccountRef> {
    match text.parse() {
        Ok(reference) => Ok(reference),
        Err(_) if std::path::Path::new(text).is_file() => Ok(AccountRef::Key(key::public_key(
            text.as_ref(),
            &passphrase::Source::default(),
        )?)),
        Err(_) => Err(problem::bad_account(text)),
    }
}

async fn find(chain: &Chain, text: &str) -> Result<AccountView> {
    chain.account(reference(text)?).await.map_err(sdk)
}

/// An account of a chain that holds something: an id, a public key, a key file, or ORGANISATION/ACCOUNT of the network in the folder.
pub(crate) async fn holder(connect: &Connect, chain: &Chain, text: &str) -> Result<Digest> {
    let reference = holder_ref(connect, text)?;
    Ok(chain.account(reference).await.map_err(sdk)?.id.0)
}

/// The same on a chain that cannot be asked from here: only ids will do, and keys that are still their account's first.
pub(crate) fn holder_unseen(connect: &Connect, text: &str) -> Result<Digest> {
    Ok(match holder_ref(connect, text)? {
        AccountRef::Id(id) => id,
        AccountRef::Key(key) => account_id(&key),
    })
}

fn holder_ref(connect: &Connect, text: &str) -> Result<AccountRef> {
    if let Some((organisation, name)) = text.split_once('/')
        && Record::is_in(&connect.dir)
    {
        let record = Record::read(&connect.dir)?;
        let own = |account: &&AccountEntry| account.organisation == organisation && account.name == name;
        if let Some(account) = record.accounts.iter().find(own) {
            return Ok(AccountRef::Id(parse_id(&account.id)?));
        }
    }
    reference(text)
}

fn parse_id(text: &str) -> Result<Digest> {
    text.parse().map_err(|_| problem::bad_digest(text))
}

async fn id_of(chain: &Chain, text: &str) -> Result<Digest> {
    Ok(find(chain, text).await?.id.0)
}

/// All accounts of an organisation, frozen ones too, at most so many.
pub(crate) async fn of_organisation(chain: &Chain, organisation: &str, most: usize) -> Result<Vec<AccountView>> {
    let mut accounts = Vec::new();
    let mut page = Page::default();
    loop {
        let found = chain.accounts(organisation, &page).await.map_err(sdk)?;
        accounts.extend(found.items);
        match found.next {
            Some(next) if accounts.len() < most => page = Page::after(next),
            _ => break,
        }
    }
    accounts.truncate(most);
    Ok(accounts)
}

async fn list(arguments: &List) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let accounts = of_organisation(&chain, &arguments.organisation, usize::MAX).await?;
    if arguments.json {
        out::json(&json!({ "organisation": arguments.organisation, "accounts": accounts }));
        return Ok(Exit::Done);
    }
    let row = |account: &AccountView| {
        let frozen = if account.frozen { say::frozen() } else { String::new() };
        vec![
            account.id.to_string(),
            out::one_line(&account.label),
            account.roles.join(", "),
            frozen,
        ]
    };
    let rows: Vec<_> = accounts.iter().map(row).collect();
    out::table(
        &[say::head_id(), say::head_name(), say::head_role(), String::new()],
        &rows,
    );
    Ok(Exit::Done)
}

async fn show(arguments: &Show) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let view = find(&chain, &arguments.account).await?;
    if arguments.json {
        out::json(&view);
        return Ok(Exit::Done);
    }
    let status = match (&view.frozen_reason, view.frozen) {
        (Some(reason), true) => say::account_frozen(out::one_line(reason)),
        (None, true) => say::frozen(),
        _ => say::active(),
    };
    out::fields(&[
        (say::label_account(), view.id.to_string()),
        (say::label_name(), out::one_line(&view.label)),
        (say::label_organisation(), view.organisation.clone()),
        (say::label_roles(), view.roles.join(", ")),
        (say::label_public_key(), view.public_key.to_string()),
        (say::label_since(), view.since_height.to_string()),
        (say::label_key_since(), view.key_since_height.to_string()),
        (say::label_status(), status),
        (say::label_asked(), clock::beijing(clock::now_ms())),
    ]);
    Ok(Exit::Done)
}

async fn add(arguments: &Add) -> Result<Exit> {
    let By { json, connect, sign } = &arguments.by;
    let chain = connect.chain().await?;
    let admin = sign.actor(connect, &chain, ROLE_ADMIN).await?;
    let new = new_key(&arguments.new_key, arguments.new_passphrase_file.clone())?;
    let id = account_id(&yulian_crypto::sm2::Signer::public_key(&new));
    let roles: Vec<&str> = arguments.roles.iter().map(String::as_str).collect();
    let signed = admin
        .account
        .register_account(chain.terms(), &new, &roles, &arguments.label);
    let signed = signed.or_problem(problem::cannot_sign)?;
    transaction::finish(&chain, &signed, say::account_added(id), *json).await
}

/// The new key's file; it is made if it is not there.
fn new_key(path: &std::path::Path, passphrase_file: Option<PathBuf>) -> Result<yulian_crypto::sm2::SecretKey> {
    let passphrase = passphrase::Source { passphrase_file };
    if !path.exists() {
        let secret = match &passphrase.passphrase_file {
            Some(_) => Some(passphrase.new_passphrase()?),
            None => None,
        };
        key::create(path, secret.as_ref().map(|text| text.as_str()))?;
    }
    passphrase.read_key(path)
}

async fn roles(arguments: &Roles) -> Result<Exit> {
    let By { json, connect, sign } = &arguments.by;
    let chain = connect.chain().await?;
    let admin = sign.actor(connect, &chain, ROLE_ADMIN).await?;
    let id = id_of(&chain, &arguments.account).await?;
    let roles: Vec<&str> = arguments.roles.iter().map(String::as_str).collect();
    let signed = admin
        .account
        .set_roles(chain.terms(), &id, &roles)
        .or_problem(problem::cannot_sign)?;
    transaction::finish(&chain, &signed, say::account_changed(id), *json).await
}

async fn rotate(arguments: &Rotate) -> Result<Exit> {
    let By { json, connect, sign } = &arguments.by;
    let chain = connect.chain().await?;
    let actor = sign.actor(connect, &chain, ROLE_ADMIN).await?;
    let id = match &arguments.account {
        Some(account) => id_of(&chain, account).await?,
        None => actor.account.id(),
    };
    let new = new_key(&arguments.new_key, arguments.new_passphrase_file.clone())?;
    let signed = actor
        .account
        .rotate_key(chain.terms(), &id, &new)
        .or_problem(problem::cannot_sign)?;
    transaction::finish(&chain, &signed, say::account_changed(id), *json).await
}

async fn freeze(arguments: &Freeze) -> Result<Exit> {
    let By { json, connect, sign } = &arguments.by;
    let chain = connect.chain().await?;
    let admin = sign.actor(connect, &chain, ROLE_ADMIN).await?;
    let id = id_of(&chain, &arguments.account).await?;
    let signed = admin
        .account
        .freeze_account(chain.terms(), &id, &arguments.reason)
        .or_problem(problem::cannot_sign)?;
    transaction::finish(&chain, &signed, say::account_changed(id), *json).await
}

async fn unfreeze(arguments: &Unfreeze) -> Result<Exit> {
    let By { json, connect, sign } = &arguments.by;
    let chain = connect.chain().await?;
    let admin = sign.actor(connect, &chain, ROLE_ADMIN).await?;
    let id = id_of(&chain, &arguments.account).await?;
    let signed = admin
        .account
        .unfreeze_account(chain.terms(), &id)
        .or_problem(problem::cannot_sign)?;
    transaction::finish(&chain, &signed, say::account_changed(id), *json).await
}
