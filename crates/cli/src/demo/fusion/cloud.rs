//! A chain for an application, and a cloud that is lost.

use super::{Scene, not_held, say, until};
use crate::{clock, files, problem::Result};
use std::time::{Duration, Instant};

/// Seconds for which the cloud is away.
const AWAY_S: &str = "5";
/// A paused chain can be archived after a few seconds.
const ARCHIVED_WITHIN: Duration = Duration::from_secs(20);
/// Code of a chain that was paused just now.
const TOO_EARLY: &str = "chain.too_early";

/// Created by a transaction, used, and archived so that the demonstration can be repeated.
pub(super) async fn created(scene: &Scene) -> Result<String> {
    let name = format!("农产品溯源-{}", clock::now_ms());
    let started = Instant::now();
    scene
        .shell
        .ok(&["chain", "create", &name, "--template", "evidence"])
        .await?;
    let made = started.elapsed().as_millis() as u64;
    let file = scene.shell.files.join("batch.txt");
    files::write(&file, name.as_bytes(), false)?;
    let path = file.display().to_string();
    scene.shell.ok(&["evidence", "put", &path, "--chain", &name]).await?;
    let used = started.elapsed().as_millis() as u64;
    scene.shell.ok(&["chain", "pause", &name, "--reason", "demo"]).await?;
    archive(scene, &name).await?;
    Ok(say::fusion_created_figure(clock::span(made), clock::span(used)))
}

/// A chain is archived once it has been paused for a while, so that every node has its last block.
async fn archive(scene: &Scene, name: &str) -> Result<()> {
    let words = ["chain", "archive", name, "--reason", "demo"];
    let archived = until(ARCHIVED_WITHIN, async || {
        let answer = scene.shell.quietly(&words).await?;
        match answer.value["error"]["code"].as_str() {
            _ if answer.code == 0 => Ok(Some(())),
            Some(TOO_EARLY) => Ok(None),
            _ => Err(not_held(&answer.value.to_string())),
        }
    });
    archived.await?.ok_or_else(|| not_held(TOO_EARLY))
}

pub(super) async fn lost(scene: &Scene) -> Result<String> {
    let answer = scene
        .shell
        .ok(&["drill", "lose-cloud", &scene.cloud, "--seconds", AWAY_S])
        .await?;
    let report = answer.value;
    if report["held"] != true {
        return Err(not_held(&report.to_string()));
    }
    let next = report["chains"].as_array().into_iter().flatten();
    let slowest = next
        .filter_map(|chain| chain["next_final_ms"].as_u64())
        .max()
        .unwrap_or_default();
    let back = report["returned"].as_array().into_iter().flatten();
    let back = back
        .filter_map(|node| node["caught_up_ms"].as_u64())
        .max()
        .unwrap_or_default();
    Ok(say::fusion_cloud_figure(
        &report["went_on"],
        &report["expected"],
        clock::span(slowest),
        clock::span(back),
    ))
}
