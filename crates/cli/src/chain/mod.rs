//! `yulian chain`: the chains of a platform, on its system chain.

mod create;
mod life;
mod show;

pub(crate) use create::{Founder, running};
pub(crate) use life::sign_for;
pub(crate) use show::life as life_words;

use crate::{
    connect::block_on,
    problem::{Exit, Result},
    refusal::sdk,
    text::problem,
};
use clap::Subcommand;
use yulian_sdk::{
    Chain, Page, SdkError,
    views::{ChainRecordView, OfferView},
};

/// Name of the module.
pub(crate) const MODULE: &str = "chain";
/// Most pages of a register that are read; it may be another platform's, and a node that never ends it is left.
const PAGES_MAX: usize = 64;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Box<create::Arguments>),
    List(show::List),
    Show(show::Show),
    Templates(show::Templates),
    Accept(life::Accept),
    Pause(life::Change),
    Resume(life::Change),
    Archive(life::Change),
    Destroy(life::Destroy),
    Members(life::Members),
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Create(arguments) => block_on(create::run(&arguments)),
        Command::List(arguments) => block_on(show::list(&arguments)),
        Command::Show(arguments) => block_on(show::show(&arguments)),
        Command::Templates(arguments) => block_on(show::templates(&arguments)),
        Command::Accept(arguments) => block_on(life::accept(&arguments)),
        Command::Pause(arguments) => block_on(life::change(&arguments, "pause")),
        Command::Resume(arguments) => block_on(life::change(&arguments, "resume")),
        Command::Archive(arguments) => block_on(life::change(&arguments, "archive")),
        Command::Destroy(arguments) => block_on(life::destroy(&arguments)),
        Command::Members(arguments) => block_on(life::members(&arguments)),
    }
}

/// Every chain of the register.
pub(crate) async fn all(system: &Chain) -> Result<Vec<ChainRecordView>> {
    register(system).await.map_err(sdk)
}

/// The same, or why the node does not say: a chain that is no system chain has no register.
pub(crate) async fn register(system: &Chain) -> Result<Vec<ChainRecordView>, SdkError> {
    let mut chains = Vec::new();
    let mut page = Page::default();
    for _ in 0..PAGES_MAX {
        let found = system.register(&page).await?;
        chains.extend(found.items);
        match found.next {
            Some(next) => page = Page::after(next),
            None => return Ok(chains),
        }
    }
    Err(SdkError::Answer {
        path: "register".into(),
        status: 200,
        reason: format!("more than {PAGES_MAX} pages"),
    })
}

/// A chain of the register by name or genesis digest.
async fn find(system: &Chain, named: &str) -> Result<ChainRecordView> {
    let chains = all(system).await?;
    let names: Vec<&str> = chains.iter().map(|chain| chain.name.as_str()).collect();
    let names = names.join(", ");
    let mut found = chains.into_iter();
    let found = found.find(|chain| chain.name == named || chain.id.to_string() == named);
    found.ok_or_else(|| problem::unknown_platform_chain(named, names))
}

/// What every node offers.
pub(crate) async fn offers(system: &Chain) -> Result<Vec<OfferView>> {
    let mut offers = Vec::new();
    let mut page = Page::default();
    loop {
        let found = system.offers(&page).await.map_err(sdk)?;
        offers.extend(found.items);
        match found.next {
            Some(next) => page = Page::after(next),
            None => return Ok(offers),
        }
    }
}

/// The node of an offer, by name or public key.
pub(crate) fn offer_of<'a>(offers: &'a [OfferView], named: &str) -> Result<&'a OfferView> {
    let mut fitting = offers
        .iter()
        .filter(|offer| offer.name == named || offer.node.to_string() == named);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(problem::ambiguous_node(named)),
        (None, _) => {
            let names: Vec<String> = offers.iter().map(|offer| crate::out::one_line(&offer.name)).collect();
            Err(problem::unknown_node(named, names.join(", ")))
        }
    }
}
