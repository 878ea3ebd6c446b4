//! `yulian chain create`: asks for a chain and waits until every validator has answered for it.

use super::{MODULE, find, offer_of, offers, show};
use crate::{
    account::of_organisation,
    connect::{Actor, Connect, Sign, SignMany},
    governance::{exit_of, propose, standing, vote},
    out,
    problem::{Cause, Exit, Result},
    risk,
    text::{problem, say},
    transaction,
};
use bytes::Bytes;
use clap::Args;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use yulian_exec::rules::ROLE_ADMIN;
use yulian_modules::chain::ACCOUNTS_MAX;
use yulian_sdk::{
    Action, Chain,
    views::{AccountView, ChainLife, ChainRecordView, OfferView},
};
use yulian_types::proto::{CreateChain, Validator};

/// Pause between looks at a chain that starts.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Validators of a chain unless others are named.
const VALIDATORS_DEFAULT: usize = 4;
/// Most accounts of one organisation that are looked at.
const ACCOUNTS_READ_MAX: usize = 1_000;
/// A chain that does not run after this many seconds does not by itself.
const RUNS_WITHIN_S: u64 = 60;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    name: String,
    #[arg(long)]
    title: Option<String>,
    #[arg(long, default_value = "evidence")]
    template: String,
    #[arg(long)]
    organisation: Vec<String>,
    #[arg(long)]
    validator: Vec<String>,
    #[arg(long)]
    observer: Vec<String>,
    #[arg(long, default_value_t = 0)]
    transactions_per_second: u32,
    #[arg(long, default_value_t = 0)]
    storage_mib: u32,
    #[arg(long)]
    vote: bool,
    #[arg(long, value_name = "REASON", requires = "vote")]
    accept_risk: Option<String>,
    #[arg(long, default_value_t = 30)]
    timeout_s: u64,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let system = arguments.connect.chain().await?;
    let actor = arguments.sign.actor(&arguments.connect, &system, ROLE_ADMIN).await?;
    let wanted = Wanted {
        name: &arguments.name,
        title: arguments.title.as_deref(),
        template: &arguments.template,
        organisations: &arguments.organisation,
        validators: &arguments.validator,
        observers: &arguments.observer,
        accept_risk: arguments.accept_risk.as_deref(),
    };
    let mut ground = Ground::read(&system).await?;
    let mut call = wanted.call(&mut ground, &system, &actor.view.organisation).await?;
    call.transactions_per_second = arguments.transactions_per_second;
    call.storage_mib = arguments.storage_mib;
    if arguments.vote {
        call.creator = actor.view.organisation.clone();
        let many = SignMany {
            key: Vec::new(),
            passphrase: arguments.sign.passphrase.clone(),
        };
        let mut voters = many.actors(&arguments.connect, &system, ROLE_ADMIN).await?;
        voters.sort_by_key(|voter| voter.view.organisation != actor.view.organisation);
        let action = Action::CreateChain(Box::new(call));
        let id = propose(&system, &voters, &action, &say::reason_create_chain(&arguments.name)).await?;
        let view = vote(&system, &voters, id, true).await?;
        if exit_of(&view) != Exit::Done {
            out::note_line(standing(&view));
            return Ok(Exit::No);
        }
    } else {
        let signed = actor.account.call(system.terms(), MODULE, "create", &call);
        transaction::result(&system, &signed.or_problem(problem::cannot_sign)?).await?;
    }
    let record = wait(&system, &arguments.name, arguments.timeout_s).await?;
    if arguments.json {
        out::json(&record);
    } else {
        show::print(&record, &ground.offers);
    }
    Ok(match record.life {
        ChainLife::Running => Exit::Done,
        _ => Exit::No,
    })
}

/// Asks for many chains by vote, which is what some templates ask for. What it needs of the system chain is read once.
pub(crate) struct Founder<'a> {
    system: &'a Chain,
    voters: Vec<Actor>,
    names: BTreeSet<String>,
    ground: Ground,
}

impl<'a> Founder<'a> {
    /// With every administrator's key of the folder.
    pub(crate) async fn new(connect: &Connect, system: &'a Chain) -> Result<Self> {
        let names = super::all(system).await?.into_iter().map(|chain| chain.name);
        Ok(Self {
            system,
            voters: SignMany::of_folder().actors(connect, system, ROLE_ADMIN).await?,
            names: names.collect(),
            ground: Ground::read(system).await?,
        })
    }

    /// Asks for a chain of a template, unless there is one of that name.
    pub(crate) async fn ask_for(&mut self, name: &str, template: &str) -> Result<()> {
        if self.names.contains(name) {
            return Ok(());
        }
        let creator = self.voters.last().map(|voter| voter.view.organisation.clone());
        let creator = creator.unwrap_or_default();
        let wanted = Wanted {
            name,
            template,
            ..Default::default()
        };
        let mut call = wanted.call(&mut self.ground, self.system, &creator).await?;
        call.creator = creator;
        self.ground.host(&call);
        let action = Action::CreateChain(Box::new(call));
        let id = propose(self.system, &self.voters, &action, &say::reason_create_chain(name)).await?;
        let view = vote(self.system, &self.voters, id, true).await?;
        self.names.insert(name.into());
        match exit_of(&view) {
            Exit::Done => Ok(()),
            _ => Err(problem::not_carried(self.system.name(), id)),
        }
    }
}

/// What a new chain is made from: nodes that offer to host, accounts of the system chain by organisation.
struct Ground {
    offers: Vec<OfferView>,
    accounts: BTreeMap<String, Vec<AccountView>>,
}

impl Ground {
    async fn read(system: &Chain) -> Result<Self> {
        Ok(Self {
            offers: offers(system).await?,
            accounts: BTreeMap::new(),
        })
    }

    /// The accounts of organisations that may act: administrators first, then the others in the order of the organisations, no more
    /// than a chain can begin with. The rest can be registered on the chain.
    async fn accounts(&mut self, system: &Chain, organisations: &BTreeSet<&str>) -> Result<Vec<Bytes>> {
        for id in organisations {
            if !self.accounts.contains_key(*id) {
                let all = of_organisation(system, id, ACCOUNTS_READ_MAX).await?;
                self.accounts.insert((*id).into(), all);
            }
        }
        let may_act = |account: &&AccountView| !account.frozen && !account.roles.is_empty();
        let all = organisations.iter().flat_map(|id| &self.accounts[*id]).filter(may_act);
        let (first, rest): (Vec<_>, Vec<_>) =
            all.partition(|account| account.roles.iter().any(|role| role == ROLE_ADMIN));
        let (found, most) = (first.len() + rest.len(), ACCOUNTS_MAX);
        if found > most {
            out::note_line(say::accounts_left(found - most, most));
        }
        let taken = first.into_iter().chain(rest).take(most);
        Ok(taken.map(|account| Bytes::copy_from_slice(&account.id.0.0)).collect())
    }

    /// Nodes host a chain more than when they were read.
    fn host(&mut self, call: &CreateChain) {
        for offer in &mut self.offers {
            let key = offer.node.0.as_bytes();
            if call
                .validators
                .iter()
                .chain(&call.observers)
                .any(|node| node[..] == key[..])
            {
                offer.chains += 1;
            }
        }
    }
}

/// A chain of the register, once it runs.
pub(crate) async fn running(system: &Chain, name: &str) -> Result<ChainRecordView> {
    let record = wait(system, name, RUNS_WITHIN_S).await?;
    match record.life {
        ChainLife::Running => Ok(record),
        _ => Err(problem::chain_not_running(name)),
    }
}

/// What is asked for.
#[derive(Debug, Default)]
struct Wanted<'a> {
    name: &'a str,
    title: Option<&'a str>,
    template: &'a str,
    organisations: &'a [String],
    validators: &'a [String],
    observers: &'a [String],
    accept_risk: Option<&'a str>,
}

impl Wanted<'_> {
    /// The call, with what was not named filled in from the system chain.
    async fn call(&self, ground: &mut Ground, system: &Chain, creator: &str) -> Result<CreateChain> {
        let offers = ground.offers.clone();
        let offers = &offers;
        let validators = match self.validators {
            [] => choose(offers, self.template),
            named => pick(offers, named)?,
        };
        let observers = pick(offers, self.observers)?;
        let mut organisations: BTreeSet<&str> = self.organisations.iter().map(String::as_str).collect();
        organisations.insert(creator);
        let owners = validators
            .iter()
            .chain(&observers)
            .map(|offer| offer.organisation.as_str());
        organisations.extend(owners);
        Ok(CreateChain {
            name: self.name.into(),
            title: self.title.unwrap_or(self.name).into(),
            template: self.template.into(),
            organisations: self.organisations.to_vec(),
            validators: keys(&validators),
            observers: keys(&observers),
            accounts: ground.accounts(system, &organisations).await?,
            accept_risk: self
                .accept_risk
                .and_then(|reason| risk::of(validators.iter().map(|offer| validator(offer)).collect(), reason)),
            ..Default::default()
        })
    }
}

/// Nodes with room that take the template, one of each cloud in turn, those that host least first.
fn choose<'a>(offers: &'a [OfferView], template: &str) -> Vec<&'a OfferView> {
    let takes = |offer: &&OfferView| {
        let template = offer.templates.is_empty() || offer.templates.iter().any(|own| own == template);
        template && !offer.draining && offer.chains < offer.chains_max
    };
    let mut free: Vec<&OfferView> = offers.iter().filter(takes).collect();
    free.sort_by_key(|offer| offer.chains);
    let mut clouds = BTreeSet::new();
    let (mut chosen, rest): (Vec<&OfferView>, Vec<&OfferView>) =
        free.into_iter().partition(|offer| clouds.insert(offer.cloud.as_str()));
    chosen.extend(rest);
    chosen.truncate(VALIDATORS_DEFAULT);
    chosen
}

fn pick<'a>(offers: &'a [OfferView], named: &[String]) -> Result<Vec<&'a OfferView>> {
    named.iter().map(|name| offer_of(offers, name)).collect()
}

fn validator(offer: &OfferView) -> Validator {
    Validator {
        public_key: Bytes::copy_from_slice(offer.node.0.as_bytes()),
        name: offer.name.clone(),
        cloud: offer.cloud.clone(),
        organisation: offer.organisation.clone(),
    }
}

fn keys(offers: &[&OfferView]) -> Vec<Bytes> {
    let mut keys: Vec<Bytes> = offers
        .iter()
        .map(|offer| Bytes::copy_from_slice(offer.node.0.as_bytes()))
        .collect();
    keys.sort();
    keys
}

/// Looks until the chain runs or cannot, or the time is over.
async fn wait(system: &Chain, name: &str, timeout_s: u64) -> Result<ChainRecordView> {
    let until = Instant::now() + Duration::from_secs(timeout_s);
    loop {
        let record = find(system, name).await?;
        if record.life != ChainLife::Starting || Instant::now() >= until {
            return Ok(record);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yulian_crypto::sm2::{SecretKey, Signer};

    fn offer(number: u8, cloud: &str, chains: u32) -> OfferView {
        let key = SecretKey::from_bytes(&[number; 32]).unwrap().public_key().to_string();
        OfferView {
            node: serde_json::from_value(key.into()).unwrap(),
            name: format!("n{number}"),
            cloud: cloud.into(),
            organisation: "o".into(),
            chains,
            chains_max: 2,
            storage_mib: 0,
            storage_mib_max: 1,
            organisations: vec![],
            templates: vec![],
            draining: false,
        }
    }

    #[test]
    fn clouds_come_first_and_full_nodes_not_at_all() {
        let mut offers = vec![
            offer(1, "a", 0),
            offer(2, "a", 0),
            offer(3, "b", 1),
            offer(4, "c", 0),
            offer(5, "d", 2),
            offer(6, "d", 1),
        ];
        let names = |offers: &[OfferView]| -> BTreeSet<String> {
            choose(offers, "evidence")
                .iter()
                .map(|offer| offer.name.clone())
                .collect()
        };
        let expected = |list: [&str; 4]| list.map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(names(&offers), expected(["n1", "n3", "n4", "n6"]));
        offers[5].draining = true;
        assert_eq!(names(&offers), expected(["n1", "n2", "n3", "n4"]));
    }
}
