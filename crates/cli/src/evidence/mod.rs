//! `yulian evidence`: deposits, packs, look-ups, corrections.

mod change;
mod find;
pub(crate) mod packs;
mod put;
pub(crate) mod relayed;
pub(crate) mod rows;
mod table;
mod target;

pub(crate) use target::digest_or_file;

use crate::{
    connect::block_on,
    problem::{Exit, Result},
};
use clap::Subcommand;
use yulian_sdk::{AccountRef, Chain, EvidenceFilter, Page, views::EvidenceView};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Put(put::Arguments),
    PutTable(table::Arguments),
    Pack(packs::Arguments),
    Find(find::Arguments),
    Revoke(change::Revoke),
    Supersede(change::Supersede),
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Put(arguments) => block_on(put::run(&arguments)),
        Command::PutTable(arguments) => block_on(table::run(arguments)),
        Command::Pack(arguments) => block_on(packs::run(&arguments)),
        Command::Find(arguments) => block_on(find::run(&arguments)),
        Command::Revoke(arguments) => block_on(change::revoke(&arguments)),
        Command::Supersede(arguments) => block_on(change::supersede(&arguments)),
    }
}

/// The record of a digest that an organisation deposited.
async fn own_record(chain: &Chain, digest: &yulian_crypto::Digest, organisation: &str) -> Result<Option<EvidenceView>> {
    let filter = EvidenceFilter::Digest(*digest);
    let mut page = Page::default();
    loop {
        let found = chain.evidence(filter, &page).await.map_err(crate::refusal::sdk)?;
        if let Some(record) = found
            .items
            .into_iter()
            .find(|record| record.organisation == organisation)
        {
            return Ok(Some(record));
        }
        match found.next {
            Some(next) => page = Page::after(next),
            None => return Ok(None),
        }
    }
}

/// An account id or a public key.
fn account_ref(text: &str) -> Result<AccountRef> {
    text.parse().map_err(|_| crate::text::problem::bad_account(text))
}
