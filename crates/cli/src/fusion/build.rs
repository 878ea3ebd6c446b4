//! `yulian fusion build`: makes the chains of a fusion network and links them. What is there already stays.

use super::{Layout, RELAY_TEMPLATE, SHARING_TEMPLATE, link};
use crate::{
    chain,
    connect::Connect,
    out,
    problem::{Exit, Result},
    progress::Progress,
    refusal::sdk,
    text::say,
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
    for (name, template) in wanted {
        chain::ask_for(connect, &system, name, template).await?;
        progress.add(1);
    }
    let relay = open(connect, &system, &layout.relay).await?;
    let members: Vec<Chain> = stream::iter(&layout.members)
        .map(|name| open(connect, &system, name))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    progress.label(say::step_links());
    progress.set(0);
    link::open_routes(connect, &relay).await?;
    // A link that cannot be made holds no other up; the first problem is told at the end.
    let here = async {
        let mut ended = Ok(());
        for member in &members {
            ended = ended.and(link::agree(connect, &relay, member, false, false).await);
        }
        ended
    };
    let there = async {
        let mut linked = stream::iter(&members)
            .map(|member| link::agree(connect, member, &relay, true, false))
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

/// A chain of the platform, once it runs.
async fn open(connect: &Connect, system: &Chain, name: &str) -> Result<Chain> {
    let record = chain::running(system, name).await?;
    let chain = connect.client()?.chain(&record.id.to_string()).await.map_err(sdk)?;
    link::settled(&chain).await?;
    Ok(chain)
}
