//! Pressure: more and more clients, each as fast as it is answered.

use crate::{
    bench::{
        figures::{ms, percent},
        finish,
        load::Plan,
        outcome::Outcome,
        report::Report,
        say,
        session::{Measured, Session},
    },
    out,
    problem::{Exit, Result},
};
use serde_json::{Value, json};

/// Clients of each step.
pub(super) const CLIENTS: [usize; 5] = [1, 8, 32, 64, 128];

pub(super) async fn run(session: &mut Session<'_>) -> Result<Exit> {
    let mut steps = Vec::new();
    let mut all = Outcome::default();
    for clients in CLIENTS {
        out::note_line(say::bench_pressure_step(clients, session.arguments.seconds));
        let plan = Plan {
            clients,
            ..session.arguments.plan()
        };
        let step = session.closed(plan).await?;
        all.add(step.outcome.clone());
        steps.push(step);
    }
    match session.arguments.json {
        true => out::json(&json(session, &steps)),
        false => print(session, &steps),
    }
    finish(session, &all)
}

fn json(session: &Session<'_>, steps: &[Measured]) -> Value {
    let steps: Vec<Value> = steps.iter().map(|step| Report::new(session, step).json()).collect();
    json!({ "round": "pressure", "nodes": session.target.nodes, "steps": steps })
}

fn print(session: &Session<'_>, steps: &[Measured]) {
    let head = [
        say::bench_col_clients(),
        say::bench_col_tps(),
        say::bench_col_success(),
        "p50 ms".into(),
        "p99 ms".into(),
        "p99.9 ms".into(),
        say::bench_col_cpu(),
        say::bench_col_memory(),
    ];
    let row = |step: &Measured| {
        let outcome = &step.outcome;
        let cpu = Report::new(session, step).cpu_ms_per_tx();
        vec![
            step.plan.clients.to_string(),
            format!("{:.0}", outcome.tps()),
            percent(outcome.success_rate()),
            ms(outcome.latency_ms(0.5)),
            ms(outcome.latency_ms(0.99)),
            ms(outcome.latency_ms(0.999)),
            cpu.map_or_else(|| "-".into(), ms),
            step.end
                .memory_mib()
                .iter()
                .max()
                .map_or_else(|| "-".into(), u64::to_string),
        ]
    };
    out::line(say::bench_pressure_head(
        session.target.nodes,
        session.arguments.seconds,
    ));
    out::table(&head, &steps.iter().map(row).collect::<Vec<_>>());
    for step in steps {
        if let Some(why) = &step.outcome.refusal {
            out::note_line(say::bench_refused(out::one_line(why)));
        }
        if step.outcome.used_up {
            out::note_line(say::bench_step_used_up(step.plan.clients));
        }
    }
}
