//! `yulian key`: SM2 key files.

pub(crate) mod passphrase;

use crate::{
    files, out,
    problem::{Cause, Exit, Result},
    text::{problem, say},
};
use clap::{Args, Subcommand};
use passphrase::Source;
use rand_core::UnwrapErr;
use serde_json::json;
use std::path::{Path, PathBuf};
use yulian_crypto::{
    key_file,
    sm2::{PublicKey, SecretKey, Signer},
};
use yulian_types::account_id;

const ENCRYPTED_MARK: &str = "BEGIN ENCRYPTED PRIVATE KEY";
const PUBLIC_MARK: &str = "BEGIN PUBLIC KEY";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(New),
    Show(Show),
    Public(Public),
    Encrypt(Change),
    Decrypt(Change),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    file: PathBuf,
    #[arg(long)]
    encrypt: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    file: PathBuf,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Public {
    file: PathBuf,
    #[arg(short, long)]
    out: PathBuf,
    #[command(flatten)]
    passphrase: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    file: PathBuf,
    #[arg(short, long)]
    out: PathBuf,
    #[arg(long)]
    new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Source,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::New(arguments) => new(&arguments),
        Command::Show(arguments) => show(&arguments),
        Command::Public(arguments) => public(&arguments),
        Command::Encrypt(arguments) => encrypt(&arguments),
        Command::Decrypt(arguments) => decrypt(&arguments),
    }
}

/// The operating system's random source. If it fails there is no way to go on safely, and the process ends.
pub(crate) fn random() -> UnwrapErr<rand::rngs::SysRng> {
    UnwrapErr(rand::rngs::SysRng)
}

/// Makes a key and writes its file, mode 0600, never over another.
pub(crate) fn create(path: &Path, passphrase: Option<&str>) -> Result<PublicKey> {
    let secret = SecretKey::generate(&mut random());
    write(path, &secret, passphrase)?;
    Ok(secret.public_key())
}

fn write(path: &Path, secret: &SecretKey, passphrase: Option<&str>) -> Result<()> {
    key_file::write(path, secret, passphrase, &mut random()).or_problem(|| problem::cannot_write_key(path.display()))
}

fn new(arguments: &New) -> Result<Exit> {
    let passphrase = match arguments.encrypt || arguments.passphrase.passphrase_file.is_some() {
        true => Some(arguments.passphrase.new_passphrase()?),
        false => None,
    };
    let public = create(&arguments.file, passphrase.as_ref().map(|text| text.as_str()))?;
    print(
        &arguments.file,
        &public,
        "private",
        passphrase.is_some(),
        arguments.json,
    );
    if passphrase.is_none() && !arguments.json {
        out::note_line(say::key_not_encrypted());
    }
    Ok(Exit::Done)
}

fn show(arguments: &Show) -> Result<Exit> {
    let text = files::read_text(&arguments.file, key_file::FILE_BYTES_MAX)?;
    let public = public_key(&arguments.file, &arguments.passphrase)?;
    let kind = if text.contains(PUBLIC_MARK) {
        "public"
    } else {
        "private"
    };
    print(
        &arguments.file,
        &public,
        kind,
        text.contains(ENCRYPTED_MARK),
        arguments.json,
    );
    Ok(Exit::Done)
}

/// The public key of a private or a public key file.
pub(crate) fn public_key(path: &Path, passphrase: &Source) -> Result<PublicKey> {
    let text = zeroize::Zeroizing::new(files::read_text(path, key_file::FILE_BYTES_MAX)?);
    if text.contains(PUBLIC_MARK) {
        return key_file::read_public(path).or_problem(|| problem::bad_key_file(path.display()));
    }
    Ok(passphrase.read_key(path)?.public_key())
}

fn print(path: &Path, public: &PublicKey, kind: &str, encrypted: bool, as_json: bool) {
    let account = account_id(public);
    if as_json {
        out::json(&json!({
            "file": path, "kind": kind, "encrypted": encrypted,
            "public_key": public.to_string(), "account": account.to_string(),
        }));
        return;
    }
    let kind = match (kind, encrypted) {
        ("public", _) => say::key_kind_public(),
        (_, true) => say::key_kind_encrypted(),
        _ => say::key_kind_plain(),
    };
    out::fields(&[
        (say::label_file(), path.display().to_string()),
        (say::label_kind(), kind),
        (say::label_public_key(), public.to_string()),
        (say::label_account(), account.to_string()),
    ]);
}

fn public(arguments: &Public) -> Result<Exit> {
    let public = public_key(&arguments.file, &arguments.passphrase)?;
    let out = &arguments.out;
    key_file::write_public(out, &public).or_problem(|| problem::cannot_write_key(out.display()))?;
    print(out, &public, "public", false, false);
    Ok(Exit::Done)
}

fn encrypt(arguments: &Change) -> Result<Exit> {
    let secret = arguments.passphrase.read_key(&arguments.file)?;
    let source = Source {
        passphrase_file: arguments.new_passphrase_file.clone(),
    };
    let passphrase = source.new_passphrase()?;
    write(&arguments.out, &secret, Some(&passphrase))?;
    print(&arguments.out, &secret.public_key(), "private", true, false);
    out::note_line(say::key_old_stays(arguments.file.display()));
    Ok(Exit::Done)
}

fn decrypt(arguments: &Change) -> Result<Exit> {
    let secret = arguments.passphrase.read_key(&arguments.file)?;
    write(&arguments.out, &secret, None)?;
    print(&arguments.out, &secret.public_key(), "private", false, false);
    out::note_line(say::key_not_encrypted());
    Ok(Exit::Done)
}
