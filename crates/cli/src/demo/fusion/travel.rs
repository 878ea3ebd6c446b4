//! Vouchers that go round, a message that nobody takes, and an agent that is killed.

use super::{ASKER, DEPOSITOR, PAUSED, Scene, THIRD, not_held, say, until, verification::Record};
use crate::{agent, clock, problem::Result};
use futures::{StreamExt, stream};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::time::{Duration, Instant};
use yulian_agents::relay::Cursors;

/// Vouchers that are issued, and what goes round of them.
const ISSUED: u64 = 1_000;
const ROUND: u64 = 300;
/// Time that a message to the paused chain is given, seconds: the chains' shortest is 5.
const TIMEOUT_S: &str = "6";
/// Questions that are under way when the agent dies, and how many are asked at a time.
const QUESTIONS: usize = 40;
const AT_ONCE: usize = 20;
/// The agent is back after this time.
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// An agent that lives says so every second: one that did not for so long, ms, is none.
const SILENT_MS_MAX: u64 = 10_000;

/// A series of vouchers, and who holds them.
pub(super) struct Series {
    id: String,
    holder: String,
}

/// Three cities: out, on, and home again. Names the series.
pub(super) async fn round(scene: &Scene, record: &Record) -> Result<(Series, String)> {
    let series = format!("subsidy-{}", clock::now_ms());
    let (issued, round) = (ISSUED.to_string(), ROUND.to_string());
    let words = [
        "voucher",
        "issue",
        &series,
        "--amount",
        &issued,
        "--valid-days",
        "365",
        "--terms",
        &record.digest,
        "--chain",
        DEPOSITOR,
    ];
    let made = scene.shell.ok(&words).await?.value;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let holder = made["holder"].as_str().unwrap_or_default().to_owned();
    let started = Instant::now();
    for (from, to) in [(DEPOSITOR, THIRD), (THIRD, ASKER), (ASKER, DEPOSITOR)] {
        let words = [
            "voucher", "send", &id, "--amount", &round, "--to", to, "--holder", &holder, "--chain", from,
        ];
        scene.shell.ok(&words).await?;
    }
    let took = started.elapsed().as_millis() as u64;
    let books = books(scene, &id).await?;
    let whole = &books["everywhere"];
    let (held, agree) = (whole["held"].as_u64().unwrap_or_default(), &whole["agree"]);
    if held != ISSUED || *agree != true {
        return Err(not_held(&books.to_string()));
    }
    let figure = say::fusion_voucher_figure(ROUND, clock::span(took), held, ISSUED);
    Ok((Series { id, holder }, figure))
}

async fn books(scene: &Scene, id: &str) -> Result<Value> {
    let answer = scene
        .shell
        .ok_quietly(&["voucher", "show", id, "--everywhere", "--chain", DEPOSITOR])
        .await?;
    Ok(answer.value)
}

/// The destination is paused: its clock shows that nobody took it in time, and the holder has it back.
pub(super) async fn paused(scene: &Scene, series: &Series) -> Result<String> {
    let Series { id, holder } = series;
    let before = books(scene, id).await?["held"].as_u64();
    scene.shell.ok(&["chain", "pause", PAUSED, "--reason", "demo"]).await?;
    let started = Instant::now();
    let words = [
        "voucher",
        "send",
        id,
        "--amount",
        "10",
        "--to",
        PAUSED,
        "--holder",
        holder,
        "--timeout-s",
        TIMEOUT_S,
        "--chain",
        DEPOSITOR,
    ];
    let sent = scene.shell.run(&words).await;
    let took = started.elapsed().as_millis() as u64;
    // Whatever came of it, the chain goes on.
    scene.shell.ok(&["chain", "resume", PAUSED]).await?;
    let sent = sent?;
    let status = sent.value["packets"][0]["status"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let after = books(scene, id).await?["held"].as_u64();
    if sent.code == 0 || status != "timed_out" || after != before {
        return Err(not_held(&sent.value.to_string()));
    }
    Ok(say::fusion_paused_figure(clock::span(took), after.unwrap_or_default()))
}

/// Questions are under way when the agent dies. Another life of it carries what is left; each ends once.
pub(super) async fn agent_killed(scene: &Scene, record: &Record) -> Result<String> {
    let folder = agent::folder(&scene.connect.dir);
    let first = process(&folder).ok_or_else(|| not_held("agent"))?;
    let ask = |_| {
        let words = [
            "fusion",
            "ask",
            &record.digest,
            "--from",
            ASKER,
            "--of",
            DEPOSITOR,
            "--organisation",
            &record.organisation,
        ];
        async move { scene.shell.ok_quietly(&words).await }
    };
    let started = Instant::now();
    let mut asked = stream::iter(0..QUESTIONS).map(ask).buffer_unordered(AT_ONCE);
    let (mut answered, mut killed) = (0, false);
    while let Some(answer) = asked.next().await {
        answer?;
        answered += 1;
        if !killed && answered >= QUESTIONS / 4 {
            killed = true;
            if let Some(pid) = i32::try_from(first).ok().and_then(Pid::from_raw) {
                // One that has gone already is what the step is about.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
    let took = started.elapsed().as_millis() as u64;
    let second = until(BACK_WITHIN, async || {
        Ok(process(&folder).filter(|process| *process != first))
    });
    let second = second.await?.ok_or_else(|| not_held("agent"))?;
    Ok(say::fusion_agent_figure(
        first,
        second,
        answered,
        QUESTIONS,
        clock::span(took),
    ))
}

/// The agent that works in a folder now. What the last one left there may be another program's number today.
fn process(folder: &std::path::Path) -> Option<u32> {
    let status = Cursors::read_status(folder).ok()?;
    let lives = clock::now_ms().saturating_sub(status.time_ms) <= SILENT_MS_MAX;
    lives.then_some(status.process)
}
