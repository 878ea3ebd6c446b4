//! `yulian demo fusion`: what chains of a fusion network do for each other, on the network of `yulian up --topology henan`.
//!
//! Each step runs the commands that a person would type, shown as they are, and judges their answers.

mod attack;
mod cloud;
mod shell;
mod travel;
mod verification;

use super::{Journey, say, scene::not_held};
use crate::{
    connect::{Connect, DIR_DEFAULT},
    out,
    platform::relay_chain,
    problem::{Exit, Result},
    text::problem,
    up::status_file,
};
use clap::Args;
use shell::Shell;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Chains that play; `--topology henan` has them.
const DEPOSITOR: &str = "郑州";
const ASKER: &str = "开封";
const THIRD: &str = "洛阳";
const PAUSED: &str = "信阳";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long, default_value = DIR_DEFAULT)]
    dir: PathBuf,
    #[arg(long, default_value = "联通")]
    cloud: String,
}

/// Between two looks at what takes a moment.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Looks until there is an answer; none where that takes too long.
async fn until<T>(within: Duration, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let end = Instant::now() + within;
    loop {
        match look().await? {
            None if Instant::now() < end => tokio::time::sleep(LOOK_EVERY).await,
            answer => return Ok(answer),
        }
    }
}

/// Where it plays.
struct Scene {
    shell: Shell,
    connect: Connect,
    /// Genesis digest of the relay chain: all that the offline verifier believes.
    relay: String,
    cloud: String,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let running = status_file::read(&arguments.dir).ok_or_else(|| problem::nothing_runs(arguments.dir.display()))?;
    let connect = Connect::of_folder(&arguments.dir);
    let relay = relay_chain(&connect).await?;
    let scene = Scene {
        shell: Shell::new(&arguments.dir)?,
        relay: relay.id().to_string(),
        connect,
        cloud: arguments.cloud.clone(),
    };
    out::line(say::demo_head(
        out::one_line(relay.name()),
        running.nodes.len(),
        &running.url,
    ));
    let started = Instant::now();
    let mut journey = Journey::default();
    let ended = play(&scene, &mut journey).await;
    journey.end(ended, started)
}

async fn play(scene: &Scene, journey: &mut Journey) -> Result<()> {
    journey.begin(say::fusion_links());
    journey.note(verification::linked(scene).await)?;

    journey.begin(say::fusion_deposit(DEPOSITOR));
    let record = journey.note_with(verification::deposit(scene).await)?;

    journey.begin(say::fusion_ask(ASKER, DEPOSITOR));
    let pack = journey.note_with(verification::ask(scene, &record).await)?;

    journey.begin(say::fusion_offline());
    journey.note(verification::offline(scene, &record, &pack).await)?;

    journey.begin(say::fusion_voucher(DEPOSITOR, THIRD, ASKER));
    let series = journey.note_with(travel::round(scene, &record).await)?;

    journey.begin(say::fusion_paused(PAUSED));
    journey.note(travel::paused(scene, &series).await)?;

    journey.begin(say::fusion_agent_killed());
    journey.note(travel::agent_killed(scene, &record).await)?;

    journey.begin(say::fusion_forged());
    journey.note(attack::forged(scene).await)?;

    journey.begin(say::fusion_created());
    journey.note(cloud::created(scene).await)?;

    journey.begin(say::fusion_cloud(&scene.cloud));
    journey.note(cloud::lost(scene).await)?;
    journey.hint = Some(say::fusion_hint(pack.display(), &scene.relay));
    Ok(())
}
