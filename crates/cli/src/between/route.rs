//! `yulian route`: who may send what to whom through the relay chain, and the regulator's freeze.

use super::{agree::decide_and_settle, names::Places, say, wait::digest};
use crate::{
    connect::{Connect, Sign, block_on},
    fusion::hub,
    governance::Ballot,
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say as texts},
    transaction,
};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use yulian_exec::rules::ROLE_REGULATOR;
use yulian_sdk::{Action, Chain, deciding_route, views::ProposalStatus};
use yulian_types::{
    Digest,
    proto::{Freeze, FreezeRecord, RemoveRoute, SetRoute},
};

/// What stands for any chain on the command line.
const ANY: &str = "any";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Set(Set),
    Close(Change),
    Remove(Change),
    Freeze(Stop),
    Lift(Lift),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

/// From whom to whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct Way {
    #[arg(long, default_value = ANY)]
    from: String,
    #[arg(long, default_value = ANY)]
    to: String,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    way: Way,
    #[arg(long, default_value = "")]
    module: String,
    #[arg(long)]
    organisation: Vec<String>,
    #[arg(long)]
    ordered: bool,
    #[command(flatten)]
    ballot: Ballot,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    way: Way,
    #[arg(long, default_value = "")]
    module: String,
    #[command(flatten)]
    ballot: Ballot,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    way: Way,
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
pub(crate) struct Lift {
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    ballot: Ballot,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Set(arguments) => block_on(set(&arguments)),
        Command::Close(arguments) => block_on(close(&arguments)),
        Command::Remove(arguments) => block_on(remove(&arguments)),
        Command::Freeze(arguments) => block_on(freeze(&arguments)),
        Command::Lift(arguments) => block_on(lift(&arguments)),
    }
}

/// A route, as a program reads it. An empty id stands for any chain, an empty module for any module.
#[derive(Debug, Serialize)]
struct Route {
    source: String,
    source_id: String,
    destination: String,
    destination_id: String,
    module: String,
    /// None: all of the source's.
    organisations: Vec<String>,
    ordered: bool,
    closed: bool,
}

#[derive(Debug, Serialize)]
struct Frozen {
    source: String,
    source_id: String,
    destination: String,
    destination_id: String,
    reason: String,
    by: String,
    height: u64,
}

/// A chain of a pattern: name and id, both empty for any.
fn end(places: &Places, bytes: &[u8]) -> (String, String) {
    match Digest::from_slice(bytes) {
        Some(id) if id != Digest::ZERO => (places.name(&id), id.to_string()),
        _ => (String::new(), String::new()),
    }
}

fn or_any(name: &str) -> String {
    match name.is_empty() {
        true => say::any(),
        false => name.to_owned(),
    }
}

impl Route {
    fn new(places: &Places, route: &SetRoute) -> Self {
        let (source, source_id) = end(places, &route.source);
        let (destination, destination_id) = end(places, &route.destination);
        Self {
            source,
            source_id,
            destination,
            destination_id,
            module: route.module.clone(),
            organisations: route.organisations.clone(),
            ordered: route.ordered,
            closed: route.closed,
        }
    }

    fn status(&self) -> String {
        match self.closed {
            true => say::route_closed(),
            false => say::route_open(),
        }
    }

    fn line(&self) -> String {
        let (source, destination) = (or_any(&self.source), or_any(&self.destination));
        say::route_line(source, destination, or_any(&out::one_line(&self.module)), self.status())
    }
}

impl Frozen {
    fn new(places: &Places, freeze: &FreezeRecord) -> Self {
        let (source, source_id) = end(places, &freeze.source);
        let (destination, destination_id) = end(places, &freeze.destination);
        Self {
            source,
            source_id,
            destination,
            destination_id,
            reason: freeze.reason.clone(),
            by: hex::encode(&freeze.by),
            height: freeze.height,
        }
    }
}

/// The relay chain: the one that is named, else that of the platform.
async fn to_relay(connect: &Connect) -> Result<Connect> {
    if !connect.is_default_chain() {
        return Ok(connect.clone());
    }
    let (_, records) = Places::of_platform(connect).await?;
    let relay = hub(&records).ok_or_else(problem::no_relay)?;
    Ok(Connect {
        chain: relay.id.to_string(),
        ..connect.clone()
    })
}

async fn at_relay(ballot: &Ballot) -> Result<Ballot> {
    Ok(Ballot {
        connect: to_relay(&ballot.connect).await?,
        ..ballot.clone()
    })
}

impl Way {
    /// Both ends; zeros for any chain.
    fn ends(&self, places: &Places) -> Result<(Digest, Digest)> {
        let end = |named: &str| match named {
            ANY => Ok(Digest::ZERO),
            named => places.find(named),
        };
        Ok((end(&self.from)?, end(&self.to)?))
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let connect = to_relay(&arguments.connect).await?;
    let chain = connect.chain().await?;
    let (places, _) = Places::around(&connect, &chain).await?;
    let routes = chain.routes().await.map_err(sdk)?;
    let routes: Vec<Route> = routes.iter().map(|route| Route::new(&places, route)).collect();
    let freezes = chain.freezes().await.map_err(sdk)?;
    let freezes: Vec<Frozen> = freezes.iter().map(|freeze| Frozen::new(&places, freeze)).collect();
    if arguments.json {
        out::json(&json!({ "chain": chain.name(), "routes": routes, "freezes": freezes }));
    } else {
        print(&routes, &freezes);
    }
    Ok(Exit::Done)
}

fn print(routes: &[Route], freezes: &[Frozen]) {
    let row = |route: &Route| {
        let organisations = match route.organisations.is_empty() {
            true => say::any(),
            false => out::one_line(&route.organisations.join(", ")),
        };
        vec![
            or_any(&route.source),
            or_any(&route.destination),
            or_any(&out::one_line(&route.module)),
            organisations,
            if route.ordered { say::yes() } else { say::no() },
            route.status(),
        ]
    };
    let head = [
        say::head_from(),
        say::head_to(),
        say::head_module(),
        texts::label_organisation(),
        say::head_ordered(),
        texts::label_status(),
    ];
    match routes.is_empty() {
        true => out::line(say::no_routes()),
        false => out::table(&head, &routes.iter().map(row).collect::<Vec<_>>()),
    }
    for freeze in freezes {
        out::line(say::freeze_line(
            or_any(&freeze.source),
            or_any(&freeze.destination),
            out::one_line(&freeze.reason),
            freeze.height,
        ));
    }
}

/// Votes on a route and says what became of it.
async fn decide(ballot: &Ballot, way: &Way, make: impl Fn(Digest, Digest) -> Action) -> Result<Exit> {
    let ballot = at_relay(ballot).await?;
    let (chain, voters) = ballot.open().await?;
    let (places, _) = Places::around(&ballot.connect, &chain).await?;
    let (source, destination) = way.ends(&places)?;
    let action = make(source, destination);
    let reason = reason(&places, &action);
    let view = decide_and_settle(&ballot, &chain, &voters, &action, reason).await?;
    let exit = ballot.finish(&view);
    if view.status == ProposalStatus::Carried && !ballot.json {
        out::line(carried(&chain, &places, &action).await?);
    }
    Ok(exit)
}

/// What holds now that an action was carried.
async fn carried(chain: &Chain, places: &Places, action: &Action) -> Result<String> {
    Ok(match action {
        Action::SetRoute(route) => Route::new(places, route).line(),
        Action::RemoveRoute(route) => {
            let routes = chain.routes().await.map_err(sdk)?;
            let (source, destination) = (digest(&route.source)?, digest(&route.destination)?);
            match deciding_route(&routes, &source, &destination, &route.module) {
                Some(wider) => say::route_decides_now(Route::new(places, wider).line()),
                None => say::no_route_decides(),
            }
        }
        Action::LiftFreeze(freeze) => {
            let name = |bytes: &[u8]| or_any(&end(places, bytes).0);
            say::way_open(name(&freeze.source), name(&freeze.destination))
        }
        _ => String::new(),
    })
}

fn reason(places: &Places, action: &Action) -> String {
    let ends =
        |source: &[u8], destination: &[u8]| (or_any(&end(places, source).0), or_any(&end(places, destination).0));
    match action {
        Action::SetRoute(route) => {
            let (source, destination) = ends(&route.source, &route.destination);
            match route.closed {
                true => texts::action_close_route(source, destination, &route.module),
                false => texts::action_open_route(source, destination, &route.module),
            }
        }
        Action::RemoveRoute(route) => {
            let (source, destination) = ends(&route.source, &route.destination);
            texts::action_remove_route(source, destination, &route.module)
        }
        Action::LiftFreeze(freeze) => {
            let (source, destination) = ends(&freeze.source, &freeze.destination);
            texts::action_lift_freeze(source, destination)
        }
        _ => String::new(),
    }
}

async fn set(arguments: &Set) -> Result<Exit> {
    let mut organisations = arguments.organisation.clone();
    organisations.sort();
    organisations.dedup();
    decide(&arguments.ballot, &arguments.way, |source, destination| {
        Action::SetRoute(SetRoute {
            source: source.to_vec().into(),
            destination: destination.to_vec().into(),
            module: arguments.module.clone(),
            organisations: organisations.clone(),
            ordered: arguments.ordered,
            closed: false,
        })
    })
    .await
}

async fn close(arguments: &Change) -> Result<Exit> {
    decide(&arguments.ballot, &arguments.way, |source, destination| {
        Action::SetRoute(SetRoute {
            source: source.to_vec().into(),
            destination: destination.to_vec().into(),
            module: arguments.module.clone(),
            closed: true,
            ..Default::default()
        })
    })
    .await
}

async fn remove(arguments: &Change) -> Result<Exit> {
    decide(&arguments.ballot, &arguments.way, |source, destination| {
        Action::RemoveRoute(RemoveRoute {
            source: source.to_vec().into(),
            destination: destination.to_vec().into(),
            module: arguments.module.clone(),
        })
    })
    .await
}

async fn freeze(arguments: &Stop) -> Result<Exit> {
    let connect = to_relay(&arguments.connect).await?;
    let chain = connect.chain().await?;
    let (places, _) = Places::around(&connect, &chain).await?;
    let (source, destination) = arguments.way.ends(&places)?;
    let actor = arguments.sign.actor(&connect, &chain, ROLE_REGULATOR).await?;
    let signed = actor
        .account
        .freeze_way(chain.terms(), &source, &destination, &arguments.reason)
        .or_problem(problem::cannot_sign)?;
    let name = |id: Digest| or_any(&end(&places, &id.0).0);
    let done = say::way_frozen(name(source), name(destination));
    let result = transaction::provable_result(&chain, &signed).await?;
    transaction::show_done(&result, done, arguments.json);
    Ok(Exit::Done)
}

async fn lift(arguments: &Lift) -> Result<Exit> {
    decide(&arguments.ballot, &arguments.way, |source, destination| {
        Action::LiftFreeze(Freeze {
            source: source.to_vec().into(),
            destination: destination.to_vec().into(),
            reason: String::new(),
        })
    })
    .await
}
