//! `yulian demo`: the whole journey on a running network, each step with its figure. It may be repeated at any time.

mod data;
mod fusion;
mod nodes;
mod proofs;
mod rows;
pub(crate) mod say;
mod scene;

use crate::{
    clock,
    connect::{DIR_DEFAULT, block_on},
    out,
    problem::{Exit, Problem, Result},
};
use clap::{Args, Subcommand};
use scene::Scene;
use std::{path::PathBuf, sync::Arc, time::Instant};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[arg(long)]
    url: Vec<String>,
    #[arg(long, default_value = DIR_DEFAULT)]
    dir: PathBuf,
}

/// Other demonstrations than the ledger's.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    Fusion(fusion::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    if let Some(Part::Fusion(arguments)) = &arguments.part {
        return block_on(fusion::run(arguments));
    }
    block_on(async {
        let scene = Arc::new(Scene::open(&arguments.dir, &arguments.url).await?);
        let (name, nodes) = (out::one_line(scene.chain.name()), scene.running.nodes.len());
        out::line(say::demo_head(name, nodes, &scene.running.url));
        let started = Instant::now();
        let mut journey = Journey::default();
        let ended = play(&scene, &mut journey).await;
        journey.end(ended, started)
    })
}

async fn play(scene: &Arc<Scene>, journey: &mut Journey) -> Result<()> {
    journey.begin(say::demo_documents());
    journey.note(proofs::documents(scene).await)?;

    journey.begin(say::demo_table());
    journey.note(rows::deposit(scene).await)?;

    journey.begin(say::demo_packs());
    let packs = journey.note_with(proofs::fetch(scene).await)?;

    journey.begin(say::demo_verify());
    journey.note(proofs::verify(scene, &packs))?;

    journey.begin(say::demo_tamper());
    journey.note(proofs::tamper(scene, &packs))?;

    journey.begin(say::demo_row());
    journey.note(proofs::row(scene, &packs))?;

    journey.begin(say::demo_kill());
    let killed = journey.note_with(nodes::kill(scene).await)?;

    journey.begin(say::demo_restart());
    journey.note(nodes::restart(scene, &killed).await)?;

    journey.begin(say::demo_replace());
    let pair = journey.hold(nodes::Pair::prepare(scene).await)?;
    journey.note(pair.replace(scene).await)?;

    journey.begin(say::demo_back());
    journey.note(pair.back(scene).await)?;

    journey.begin(say::demo_history());
    journey.note(proofs::after_changes(scene).await)?;
    let path = packs.row.path.display();
    journey.hint = Some(say::demo_packs_hint(path, &packs.line, scene.genesis));
    Ok(())
}

/// The steps so far.
#[derive(Default)]
struct Journey {
    steps: Vec<Step>,
    hint: Option<String>,
}

struct Step {
    name: String,
    held: bool,
    figure: String,
}

impl Journey {
    fn begin(&mut self, name: String) {
        out::line(say::demo_step(self.steps.len() + 1, &name));
        self.steps.push(Step {
            name,
            held: false,
            figure: String::new(),
        });
    }

    /// Ends the step with its figure.
    fn note(&mut self, figure: Result<String>) -> Result<()> {
        self.note_with(figure.map(|figure| ((), figure)))
    }

    /// Ends the step with its figure, and passes on what later steps need.
    fn note_with<T>(&mut self, ended: Result<(T, String)>) -> Result<T> {
        let (value, figure) = self.hold(ended)?;
        out::line(say::demo_figure(&figure));
        if let Some(step) = self.steps.last_mut() {
            (step.held, step.figure) = (true, figure);
        }
        Ok(value)
    }

    /// A part of a step; a problem ends the step.
    fn hold<T>(&mut self, part: Result<T>) -> Result<T> {
        part.inspect_err(|problem: &Problem| {
            let figure = problem.summary();
            out::line(say::demo_failed(&figure));
            if let Some(step) = self.steps.last_mut() {
                step.figure = figure;
            }
        })
    }

    /// The table of all steps, and how it ended.
    fn end(&self, ended: Result<()>, started: Instant) -> Result<Exit> {
        self.print();
        ended?;
        out::line(say::demo_all_held(clock::span(started.elapsed().as_millis() as u64)));
        Ok(Exit::Done)
    }

    fn print(&self) {
        let result = |step: &Step| if step.held { say::demo_yes() } else { say::demo_no() };
        let row = |step: &Step| vec![step.name.clone(), result(step), step.figure.clone()];
        let rows: Vec<Vec<String>> = self.steps.iter().map(row).collect();
        out::line("");
        out::table(
            &[
                say::demo_column_step(),
                say::demo_column_result(),
                say::demo_column_figure(),
            ],
            &rows,
        );
        if let Some(hint) = &self.hint {
            out::line(hint);
        }
    }
}
