//! The life of `yulian up`: starts the nodes, says when they are ready, keeps them running, takes in new ones, stops all.

use super::{
    carrier,
    child::{Event, Keeper, LOG_FILE},
    log::{TAIL_LINES, tail},
    ready,
    role::Part,
    status_file::{self, Running, RunningNode},
};
use crate::{
    chain,
    connect::Connect,
    fusion::{self, SHARING_TEMPLATE},
    network::record::{NodeEntry, Record},
    out, platform,
    problem::{Cause, Problem, Result},
    text::{problem, say},
};
use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Interval, MissedTickBehavior, interval},
};

/// Events that may wait to be noted.
const EVENTS_MAX: usize = 64;
/// Between two looks for nodes that were added to the network.
const LOOK: Duration = Duration::from_millis(250);

/// Runs the network until a signal comes. `founders` are the nodes without which there is no chain.
///
/// As soon as they are ready the platform's part is built, if one is named, and its relay agent runs beside them.
pub(super) async fn run(dir: &Path, record: &Record, founders: usize, part: Option<Part>) -> Result<()> {
    let mut signals = Signals::new()?;
    let mut network = Network::new(dir, record);
    for node in &record.nodes {
        network.take_in(node);
    }
    let ended = network.watch_over(record, founders, part, &mut signals).await;
    // Whatever the reason, no process stays behind.
    out::note_line(say::stopping());
    network.stop().await;
    ended
}

struct Network {
    dir: PathBuf,
    running: Running,
    keepers: JoinSet<Result<()>>,
    stop: watch::Sender<bool>,
    events: mpsc::Sender<Event>,
    told: mpsc::Receiver<Event>,
    look: Interval,
}

impl Network {
    fn new(dir: &Path, record: &Record) -> Self {
        let (events, told) = mpsc::channel(EVENTS_MAX);
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            dir: dir.to_owned(),
            running: Running {
                pid: std::process::id(),
                url: record.nodes.first().map(url).unwrap_or_default(),
                genesis: record.genesis.clone(),
                nodes: Vec::new(),
            },
            keepers: JoinSet::new(),
            stop: watch::Sender::new(false),
            events,
            told,
            look,
        }
    }

    /// Starts a node.
    fn take_in(&mut self, node: &NodeEntry) {
        let keeper = Keeper {
            index: self.running.nodes.len(),
            node: node.clone(),
            folder: self.dir.join(&node.folder),
            events: self.events.clone(),
            stop: self.stop.subscribe(),
        };
        self.running.nodes.push(RunningNode {
            name: node.name.clone(),
            cloud: node.cloud.clone(),
            pid: 0,
            api: url(node),
            folder: node.folder.display().to_string(),
        });
        self.keepers.spawn(keeper.run());
    }

    /// Until a signal comes, the network does not get ready, or a node cannot be started at all.
    async fn watch_over(
        &mut self,
        record: &Record,
        founders: usize,
        part: Option<Part>,
        signals: &mut Signals,
    ) -> Result<()> {
        let dir = self.dir.clone();
        let ready = ready::wait(&dir, &record.nodes[..founders.min(record.nodes.len())]);
        tokio::pin!(ready);
        let mut is_ready = false;
        let fused = fused(&dir, part);
        tokio::pin!(fused);
        loop {
            tokio::select! {
                () = signals.come() => return Ok(()),
                Some(event) = self.told.recv() => self.note(&event, is_ready)?,
                answer = &mut ready, if !is_ready => {
                    answer?;
                    is_ready = true;
                    self.say_ready();
                }
                ended = &mut fused, if is_ready => ended?,
                Some(ended) = self.keepers.join_next() => ended.or_problem(problem::no_runtime)??,
                _ = self.look.tick(), if is_ready => self.look_for_new(),
            }
        }
    }

    fn say_ready(&self) {
        let urls: Vec<&str> = self.running.nodes.iter().map(|node| node.api.as_str()).collect();
        out::line(format!("ready  {}", urls.join("  ")));
        out::note_line(say::up_hint(self.dir.display()));
    }

    fn note(&mut self, event: &Event, is_ready: bool) -> Result<()> {
        let (index, pid) = match event {
            Event::Started(index, pid) => (*index, *pid),
            Event::Died(index, _) => (*index, 0),
        };
        if let Some(node) = self.running.nodes.get_mut(index) {
            node.pid = pid;
        }
        status_file::write(&self.dir, &self.running)?;
        match event {
            Event::Died(index, status) if !is_ready => Err(self.died_at_start(*index, *status)),
            _ => Ok(()),
        }
    }

    /// Trying again would show the same mistake: its own words do.
    fn died_at_start(&self, index: usize, status: ExitStatus) -> Problem {
        let Some(node) = self.running.nodes.get(index) else {
            return problem::cannot_start_node(index);
        };
        let log = self.dir.join(&node.folder).join(LOG_FILE);
        problem::node_died_at_start(&node.name, status, log.display()).because(tail(&log, TAIL_LINES))
    }

    /// Nodes that were added to the record while the network runs. A record that is just being replaced is read the
    /// next time.
    fn look_for_new(&mut self) {
        let Ok(record) = Record::read(&self.dir) else {
            return;
        };
        for node in record.nodes.iter().skip(self.running.nodes.len()) {
            out::note_line(say::node_taken_in(&node.name));
            self.take_in(node);
        }
    }

    async fn stop(mut self) {
        self.stop.send_replace(true);
        // Keepers tell what they do until their end.
        drop(self.events);
        while self.told.recv().await.is_some() {}
        while self.keepers.join_next().await.is_some() {}
        status_file::remove(&self.dir);
    }
}

/// Builds the platform's part, if one was asked for; then carries between chains, and keeps what joins platforms, for ever.
async fn fused(dir: &Path, part: Option<Part>) -> Result<()> {
    let connect = Connect::of_folder(dir);
    // The nodes serve what there is, whether or not everything was built.
    if let Some(Err(problem)) = match &part {
        Some(part) => Some(build(&connect, part).await),
        None => None,
    } {
        out::note_line(problem.render());
    }
    tokio::join!(carrier::run(&connect), platform::keep(&connect));
    Ok(())
}

async fn build(connect: &Connect, part: &Part) -> Result<()> {
    match part {
        Part::Fusion(layout) => {
            fusion::build(connect, layout).await?;
            platform::say_how_to_join(connect).await
        }
        Part::City(name, _) => {
            let system = connect.chain().await?;
            let mut founder = chain::Founder::new(connect, &system).await?;
            founder.ask_for(name, SHARING_TEMPLATE).await?;
            let record = chain::running(&system, name).await?;
            out::note_line(say::city_ready(name, record.id));
            Ok(())
        }
    }
}

fn url(node: &NodeEntry) -> String {
    format!("http://{}", node.api)
}

/// What asks a process to stop.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> Result<Self> {
        let one = |kind| signal(kind).or_problem(problem::no_runtime);
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(one);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn come(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
