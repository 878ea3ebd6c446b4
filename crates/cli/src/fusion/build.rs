//! `yulian fusion build`: makes the chains of a fusion network and links them. What is there already stays.

use super::{Layout, RELAY_TEMPLATE, SHARING_TEMPLATE};
use crate::{
    between::{self, Settings},
    chain::{self, Founder},
    connect::{Actor, Connect},
    out,
    problem::{Exit, Result},
    progress::Progress,
    refusal::sdk,
    text::say,
    transaction,
};
use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use std::time::Instant;
use yulian_sdk::Chain;

/// Chains that are linked at a time: each votes by itself.
const AT_ONCE: usize = 6;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    topology: Option<String>,
    #[arg(long)]
    member: Vec<String>,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let layout = Layout::new(arguments.topology.as_deref(), &arguments.member)?;
    build(&arguments.connect, &layout).await?;
    Ok(Exit::Done)
}

/// Makes what is missing and says how long it took.
pub(crate) async fn build(connect: &Connect, layout: &Layout) -> Result<()> {
    let started = Instant::now();
    let mut progress = Progress::new(say::step_chains(), Some(layout.len() as u64));
    let system = connect.chain().await?;
    let wanted = [(layout.relay.as_str(), RELAY_TEMPLATE)]
        .into_iter()
        .chain(layout.members.iter().map(|name| (name.as_str(), SHARING_TEMPLATE)));
    let mut founder = Founder::new(connect, &system).await?;
    for (name, template) in wanted {
        founder.ask_for(name, template).await?;
        progress.add(1);
    }
    let relay = open(connect, &system, &layout.relay).await?;
    let members: Vec<Place> = stream::iter(&layout.members)
        .map(|name| open(connect, &system, name))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    progress.label(say::step_links());
    progress.set(0);
    let reason = say::reason_fusion();
    between::open_routes(&relay.chain, &relay.voters, &reason).await?;
    let (as_member, as_relay) = (Settings::member(), Settings::relay());
    // A link that cannot be made holds no other up; the first problem is told at the end.
    let here = async {
        let mut ended = Ok(());
        for member in &members {
            ended = ended.and(relay.agree(member, &as_member, &reason).await);
        }
        ended
    };
    let there = async {
        let mut linked = stream::iter(&members)
            .map(|member| member.agree(&relay, &as_relay, &reason))
            .buffer_unordered(AT_ONCE);
        let mut ended = Ok(());
        while let Some(done) = linked.next().await {
            ended = ended.and(done);
            progress.add(1);
        }
        ended
    };
    let (here, there) = futures::future::join(here, there).await;
    drop(progress);
    here.and(there)?;
    out::note_line(say::fusion_built(
        layout.len(),
        format_args!("{:.1}", started.elapsed().as_secs_f64()),
    ));
    Ok(())
}

/// A chain of the network with those who vote there.
struct Place {
    chain: Chain,
    voters: Vec<Actor>,
}

impl Place {
    async fn agree(&self, of: &Self, settings: &Settings, reason: &str) -> Result<()> {
        between::agree(&self.chain, &self.voters, &of.chain, settings, reason).await
    }
}

/// A chain of the platform, once it runs.
async fn open(connect: &Connect, system: &Chain, name: &str) -> Result<Place> {
    let record = chain::running(system, name).await?;
    let chain = system.client().chain(&record.id.to_string()).await.map_err(sdk)?;
    transaction::begun(&chain).await?;
    let voters = between::voters(connect, &chain).await?;
    Ok(Place { chain, voters })
}
