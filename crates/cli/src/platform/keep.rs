//! Keeps a platform joined: asks until it is answered, believes the relay chain by vote of its own members, and tells how it is.

use super::{
    file::{Platforms, Upstream},
    heartbeat::{HEARTBEAT, Heartbeat},
    join::to_compare,
    peers::{at, relay_at},
    tell,
};
use crate::{
    between::{self, Settings},
    chain, clock,
    connect::{Actor, Connect},
    key::passphrase,
    network::record::Record,
    out,
    problem::{Cause, Exit, Result},
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::Args;
use futures::future::join_all;
use std::time::{Duration, Instant};
use yulian_exec::rules::ROLE_ADMIN;
use yulian_sdk::Chain;
use yulian_types::{
    SealedJoin,
    state_keys::{LINK_ACTIVE, LINK_ENDED, LINK_FROZEN},
};

/// Between two looks while something is to be done.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Between two looks once both sides are linked.
const LINKED_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connect: Connect,
}

/// `yulian platform keep`: for platforms that `yulian up` does not run.
pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    tokio::select! {
        () = keep(&arguments.connect) => Ok(Exit::Done),
        stopped = tokio::signal::ctrl_c() => stopped.or_problem(problem::no_runtime).map(|()| Exit::Done),
    }
}

/// Where a platform stands with the one that it joins.
enum Standing {
    /// It joins none.
    Alone,
    /// Something is to be done, by the people of one side or in a moment.
    Waits(String),
    /// Both sides are linked.
    Linked(String),
}

/// Runs until the future is dropped. What goes wrong is told once and tried again.
pub(crate) async fn keep(connect: &Connect) {
    let mut told = out::Once::default();
    let mut beats = Beats::default();
    loop {
        let (said, pause) = match look(connect, &mut beats).await {
            Ok(Standing::Alone) => (String::new(), LINKED_EVERY),
            Ok(Standing::Waits(text)) => (text, LOOK_EVERY),
            Ok(Standing::Linked(text)) => (text, LINKED_EVERY),
            Err(problem) => (problem.render(), LINKED_EVERY),
        };
        told.note_line(said);
        tokio::time::sleep(pause).await;
    }
}

async fn look(connect: &Connect, beats: &mut Beats) -> Result<Standing> {
    let Some(upstream) = Platforms::read(&connect.dir)?.upstream else {
        return Ok(Standing::Alone);
    };
    let url = upstream.urls.first().cloned().unwrap_or_default();
    if upstream.relay.is_none() {
        return Ok(Standing::Waits(to_compare(&url, &connect.dir).await?));
    }
    let relay = relay_at(&upstream).await?;
    let system = connect.chain().await?;
    let record = chain::running(&system, &upstream.chain).await?;
    let own = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
    transaction::begun(&own).await?;
    match relay
        .link_client(&own.id())
        .await
        .map_err(sdk)?
        .map(|client| client.status)
    {
        Some(LINK_ACTIVE) => {}
        Some(LINK_FROZEN) => return Ok(Standing::Waits(say::join_frozen(own.name()))),
        Some(_) if !upstream.again => return Ok(Standing::Waits(say::join_ended(own.name()))),
        _ => {
            ask(connect, &upstream, &own, &relay).await?;
            return Ok(Standing::Waits(say::join_asked(own.name(), own.id(), url)));
        }
    }
    match own
        .link_client(&relay.id())
        .await
        .map_err(sdk)?
        .map(|client| client.status)
    {
        Some(LINK_ACTIVE) => {}
        standing if standing != Some(LINK_ENDED) || upstream.again => {
            let voters = between::voters(connect, &own).await?;
            let settings = Settings {
                again: upstream.again,
                ..Settings::relay()
            };
            between::agree(&own, &voters, &relay, &settings, &say::reason_fusion()).await?;
        }
        _ => return Ok(Standing::Waits(say::join_left(own.name()))),
    }
    if upstream.again {
        linked(connect)?;
    }
    beats.beat(connect, &upstream, &own, &relay).await?;
    Ok(Standing::Linked(say::join_linked(
        own.name(),
        out::one_line(relay.name()),
    )))
}

/// From now on a link that ends is the members' decision.
fn linked(connect: &Connect) -> Result<()> {
    Platforms::change(&connect.dir, |platforms| {
        if let Some(upstream) = &mut platforms.upstream {
            upstream.again = false;
        }
    })
}

/// Brings the request to every node that is known: it waits there in memory.
async fn ask(connect: &Connect, upstream: &Upstream, own: &Chain, relay: &Chain) -> Result<()> {
    let actor = administrator(connect, own).await?;
    let genesis = own.genesis().await.map_err(sdk)?;
    let urls = reached_at(connect, upstream)?;
    let signer = actor.account.signer();
    let request =
        SealedJoin::sign(relay.id(), &genesis, urls, clock::now_ms(), signer).or_problem(problem::cannot_sign)?;
    let client = at(&upstream.urls)?;
    let brought = (0..upstream.urls.len()).map(|node| {
        let (one, request) = (client.only(node), request.clone());
        async move {
            let chain = one.chain(&relay.id().to_string()).await?;
            chain.ask_to_join(request).await
        }
    });
    let answers = join_all(brought).await;
    // One node is enough: the operators of that platform look at all of theirs.
    let mut refused = None;
    for answer in answers {
        match answer {
            Ok(_) => return Ok(()),
            Err(error) => refused = Some(error),
        }
    }
    refused.map_or(Ok(()), |error| Err(sdk(error)))
}

/// Where others reach this platform.
fn reached_at(connect: &Connect, upstream: &Upstream) -> Result<Vec<String>> {
    match upstream.reached_at.is_empty() {
        true => connect.urls(),
        false => Ok(upstream.reached_at.clone()),
    }
}

/// The administrator of this folder who speaks for the platform.
pub(super) async fn administrator(connect: &Connect, chain: &Chain) -> Result<Actor> {
    let record = Record::read(&connect.dir)?;
    let entry = record.account(None, ROLE_ADMIN)?;
    let path = connect.dir.join(entry.key.clone().unwrap_or_default());
    crate::connect::actor(chain, passphrase::Source::default().read_key(&path)?).await
}

/// When the last heartbeat was sent.
#[derive(Default)]
struct Beats(Option<Instant>);

impl Beats {
    async fn beat(&mut self, connect: &Connect, upstream: &Upstream, own: &Chain, relay: &Chain) -> Result<()> {
        let every = Duration::from_secs(upstream.heartbeat_s);
        if self.0.is_some_and(|last| last.elapsed() < every) {
            return Ok(());
        }
        let urls = reached_at(connect, upstream)?;
        let beat = Heartbeat::take(connect, &own.id(), urls).await?;
        let actor = administrator(connect, own).await?;
        tell::send(own, &actor, &relay.id(), HEARTBEAT, &beat.text(), None).await?;
        self.0 = Some(Instant::now());
        Ok(())
    }
}
