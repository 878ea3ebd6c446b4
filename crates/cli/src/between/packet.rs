//! `yulian packet`: what was sent and has not ended, and where each packet stands.

use super::{
    names::Places,
    say,
    wait::{self, in_words, status},
};
use crate::{
    agent::is_linked,
    clock,
    connect::{Connect, block_on},
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::{problem, say as texts},
};
use clap::{Args, Subcommand};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, btree_map::Entry};
use yulian_modules::link::codes;
use yulian_sdk::{Chain, Journey, PacketName, deciding_route};
use yulian_types::{
    Digest, SealedPacket,
    proto::{FreezeRecord, SetRoute},
    state_keys::{NOTICE_MODULE, PACKET_DONE, VERIFICATION_MODULE, VOUCHER_MODULE},
};

/// Modules that send packets.
const MODULES: [&str; 3] = [NOTICE_MODULE, VERIFICATION_MODULE, VOUCHER_MODULE];
/// Pairs of chain and module that are looked at a time.
const AT_ONCE: usize = 8;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    from: Option<String>,
    #[arg(long)]
    to: Option<String>,
    #[arg(long)]
    module: Option<String>,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    sequence: u64,
    #[arg(long)]
    from: String,
    #[arg(long)]
    to: String,
    #[arg(long)]
    module: String,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

pub(crate) fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(arguments) => block_on(list(&arguments)),
        Command::Show(arguments) => block_on(show(&arguments)),
    }
}

/// Where a packet stands, as a program reads it.
#[derive(Debug, Serialize)]
struct Stand {
    source: String,
    source_id: String,
    destination: String,
    destination_id: String,
    module: String,
    sequence: u64,
    /// Known while it has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    /// By this machine's clock: it is not received any more, and its source refunds it.
    late: bool,
    /// sent, relayed, received, ended.
    stage: &'static str,
    /// How it ended, at its destination or at its source: done, failed, timed_out, given_up.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Why it was not done, or why it is not relayed.
    #[serde(skip_serializing_if = "String::is_empty")]
    code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    relayed_height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_height: Option<u64>,
}

/// A relay chain with what it lets pass.
struct Hub {
    chain: Chain,
    routes: Vec<SetRoute>,
    freezes: Vec<FreezeRecord>,
}

impl Hub {
    async fn read(chain: Chain) -> Result<Self> {
        Ok(Self {
            routes: chain.routes().await.map_err(sdk)?,
            freezes: chain.freezes().await.map_err(sdk)?,
            chain,
        })
    }

    /// The code with which it would refuse a packet now.
    fn hinders(&self, packet: &SealedPacket) -> Option<&'static str> {
        let message = &packet.message;
        let meets = |pattern: &[u8], chain: &Digest| pattern == Digest::ZERO.0 || pattern == chain.0;
        let frozen = |freeze: &FreezeRecord| {
            meets(&freeze.source, &packet.source) && meets(&freeze.destination, &packet.destination)
        };
        let Some(route) = deciding_route(&self.routes, &packet.source, &packet.destination, &message.module) else {
            return Some(codes::NO_ROUTE.code);
        };
        let stranger = !route.organisations.is_empty() && !route.organisations.contains(&message.organisation);
        match () {
            () if route.closed => Some(codes::ROUTE_CLOSED.code),
            () if stranger => Some(codes::NOT_ALLOWED.code),
            () if route.ordered && !message.ordered => Some(codes::NOT_ORDERED.code),
            () if self.freezes.iter().any(frozen) => Some(codes::FROZEN.code),
            () => None,
        }
    }
}

/// The relay chains of the chains that are looked at.
#[derive(Default)]
struct Hubs(BTreeMap<Digest, Option<Hub>>);

impl Hubs {
    /// The relay chain between a chain and another, if there is one and it can be asked.
    async fn of(&mut self, places: &Places, source: &Chain) -> Result<Option<Digest>> {
        let Some(id) = source.relay_chain().await.map_err(sdk)? else {
            return Ok(None);
        };
        if let Entry::Vacant(place) = self.0.entry(id) {
            place.insert(match places.chain(&id).await? {
                Some(chain) => Some(Hub::read(chain).await?),
                None => None,
            });
        }
        Ok(Some(id))
    }

    fn get(&self, id: Option<Digest>) -> Option<&Hub> {
        self.0.get(&id?)?.as_ref()
    }
}

/// A packet and the chains that know of it.
struct Sought<'a> {
    places: &'a Places,
    source: &'a Chain,
    /// None where the packet needs no relay.
    hub: Option<&'a Hub>,
}

impl Sought<'_> {
    async fn stand(&self, name: &PacketName) -> Result<Option<Stand>> {
        let destination = self.places.chain(&name.destination).await?;
        let hub = self.hub.filter(|hub| hub.chain.id() != name.destination);
        let relay = hub.map(|hub| &hub.chain);
        let journey = Journey::read(name, self.source, relay, destination.as_ref())
            .await
            .map_err(sdk)?;
        Ok(Stand::new(self.places, name, &journey, hub))
    }
}

impl Stand {
    /// None of a packet that nobody knows.
    fn new(places: &Places, name: &PacketName, journey: &Journey, hub: Option<&Hub>) -> Option<Self> {
        let Journey {
            sent,
            relayed,
            received,
            confirmed,
            ended,
        } = journey;
        let message = sent.as_ref().map(|packet| &packet.message);
        let stage = match (ended, received, relayed, sent) {
            (Some(_), ..) => "ended",
            (None, Some(_), ..) => "received",
            (None, None, Some(_), _) => "relayed",
            (None, None, None, Some(_)) => "sent",
            (None, None, None, None) => return None,
        };
        let hindered = || hub.zip(sent.as_ref()).and_then(|(hub, packet)| hub.hinders(packet));
        let of_result = received.as_ref().or(confirmed.as_ref());
        let (ended_as, code) = match (ended, of_result) {
            (Some(end), _) => (Some(end.status), end.code.clone()),
            (None, Some(result)) => (Some(result.status), result.code.clone()),
            (None, None) if stage == "sent" => (None, hindered().unwrap_or_default().to_owned()),
            (None, None) => (None, String::new()),
        };
        let late = message.is_some_and(|message| message.timeout_ms <= clock::now_ms());
        Some(Self {
            source: places.name(&name.source),
            source_id: name.source.to_string(),
            destination: places.name(&name.destination),
            destination_id: name.destination.to_string(),
            module: name.module.clone(),
            sequence: name.sequence,
            method: message.map(|message| message.method.clone()),
            organisation: message.map(|message| message.organisation.clone()),
            timeout_ms: message.map(|message| message.timeout_ms),
            late,
            stage,
            status: ended_as.map(status),
            code,
            relayed_height: relayed.as_ref().map(|record| record.height),
            received_height: received.as_ref().map(|result| result.height),
            ended_height: ended.as_ref().map(|end| end.height),
        })
    }

    /// How far it is, in words.
    fn stands(&self) -> String {
        match (self.stage, self.status) {
            ("sent", _) if self.code.is_empty() => say::stage_sent(),
            ("sent", _) => say::stage_hindered(in_words(&self.code), &self.code),
            ("relayed", _) => say::stage_relayed(),
            (_, Some("done")) if self.stage == "received" => say::stage_received(),
            ("received", _) => say::stage_refused(in_words(&self.code), &self.code),
            (_, Some("done")) => say::stage_done(),
            (_, Some("failed")) => say::packet_failed_there(in_words(&self.code), &self.code),
            (_, Some("timed_out")) => say::packet_timed_out(&self.code),
            _ => say::packet_given_up(&self.code),
        }
    }

    fn left(&self) -> String {
        self.timeout_ms.map_or_else(String::new, wait::left)
    }
}

async fn list(arguments: &List) -> Result<Exit> {
    let (mut places, records) = Places::of_platform(&arguments.connect).await?;
    let sources = match &arguments.from {
        Some(named) => vec![places.hosted(named).await?],
        None => {
            let linked = records.iter().filter(|record| is_linked(record));
            let mut chains = Vec::new();
            for record in linked {
                chains.extend(places.chain(&record.id.0).await?);
            }
            chains
        }
    };
    let mut known = Vec::new();
    for source in sources {
        let clients = source.link_clients().await.map_err(sdk)?;
        places.add(&source, &clients);
        known.push((source, clients));
    }
    let to = arguments.to.as_deref().map(|named| places.find(named)).transpose()?;
    let mut hubs = Hubs::default();
    let mut stands = Vec::new();
    for (source, clients) in &known {
        let mut pairs = Vec::new();
        for client in clients {
            let destination = wait::digest(&client.chain_id)?;
            let wanted = to.is_none_or(|to| to == destination);
            let modules = MODULES.iter().filter(|name| arguments.takes(name));
            pairs.extend(modules.filter(|_| wanted).map(|module| (destination, *module)));
        }
        let hub = hubs.of(&places, source).await?;
        let sought = Sought {
            places: &places,
            source,
            hub: hubs.get(hub),
        };
        stands.extend(open(&sought, pairs).await?);
    }
    match arguments.json {
        true => out::json(&json!({ "packets": stands })),
        false => print_all(&stands),
    }
    Ok(Exit::Done)
}

impl List {
    fn takes(&self, module: &str) -> bool {
        self.module.as_deref().is_none_or(|wanted| wanted == module)
    }
}

/// What of these pairs has not ended, the oldest first.
async fn open(sought: &Sought<'_>, pairs: Vec<(Digest, &str)>) -> Result<Vec<Stand>> {
    let found: Vec<Vec<SealedPacket>> = stream::iter(pairs)
        .map(|(destination, module)| async move {
            let open = sought.source.open_packets(&destination, module).await.map_err(sdk)?;
            Ok::<_, crate::problem::Problem>(open.packets)
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let names = found
        .iter()
        .flat_map(|packets| packets.iter().rev().map(PacketName::of_packet));
    let stands: Vec<Option<Stand>> = stream::iter(names)
        .map(|name| async move { sought.stand(&name).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(stands.into_iter().flatten().collect())
}

fn print_all(stands: &[Stand]) {
    if stands.is_empty() {
        out::line(say::no_packets());
        return;
    }
    let row = |stand: &Stand| {
        vec![
            stand.source.clone(),
            stand.destination.clone(),
            stand.module.clone(),
            stand.sequence.to_string(),
            stand.organisation.clone().unwrap_or_default(),
            stand.left(),
            stand.stands(),
        ]
    };
    let head = [
        say::head_from(),
        say::head_to(),
        say::head_module(),
        say::head_sequence(),
        texts::label_organisation(),
        say::head_timeout(),
        texts::label_status(),
    ];
    out::table(&head, &stands.iter().map(row).collect::<Vec<_>>());
}

async fn show(arguments: &Show) -> Result<Exit> {
    let (mut places, _) = Places::of_platform(&arguments.connect).await?;
    let source = places.hosted(&arguments.from).await?;
    let clients = source.link_clients().await.map_err(sdk)?;
    places.add(&source, &clients);
    let name = PacketName {
        source: source.id(),
        destination: places.find(&arguments.to)?,
        module: arguments.module.clone(),
        sequence: arguments.sequence,
    };
    let mut hubs = Hubs::default();
    let hub = hubs.of(&places, &source).await?;
    let sought = Sought {
        places: &places,
        source: &source,
        hub: hubs.get(hub),
    };
    let stand = sought.stand(&name).await?;
    let stand = stand.ok_or_else(|| problem::unknown_packet(places.name(&name.source), arguments.sequence))?;
    match arguments.json {
        true => out::json(&stand),
        false => print(&stand),
    }
    let refused = stand
        .status
        .is_some_and(|status| status != super::wait::status(PACKET_DONE));
    Ok(if refused { Exit::No } else { Exit::Done })
}

fn print(stand: &Stand) {
    let mut rows = vec![
        (say::head_from(), format!("{}  {}", stand.source, stand.source_id)),
        (
            say::head_to(),
            format!("{}  {}", stand.destination, stand.destination_id),
        ),
        (say::head_module(), stand.module.clone()),
        (say::head_sequence(), stand.sequence.to_string()),
    ];
    if let (Some(method), Some(organisation)) = (&stand.method, &stand.organisation) {
        rows.push((texts::label_call(), method.clone()));
        rows.push((texts::label_organisation(), organisation.clone()));
    }
    if let Some(timeout_ms) = stand.timeout_ms {
        rows.push((
            say::head_timeout(),
            format!("{}  {}", clock::beijing(timeout_ms), stand.left()),
        ));
    }
    for (label, height) in [
        (say::label_relayed(), stand.relayed_height),
        (say::label_received(), stand.received_height),
        (say::label_ended(), stand.ended_height),
    ] {
        rows.extend(height.map(|height| (label, say::at_height(height))));
    }
    rows.push((texts::label_status(), stand.stands()));
    out::fields(&rows);
}
