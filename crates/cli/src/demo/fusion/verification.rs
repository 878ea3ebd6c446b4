//! One city deposits, another verifies it, and a third party does so offline.

use super::{ASKER, DEPOSITOR, PAUSED, Scene, THIRD, not_held, say, until};
use crate::{
    clock, files, network,
    problem::{Cause, Result},
    text::problem,
};
use std::{fs, path::PathBuf, time::Duration};
use yulian_exec::rules::ROLE_WRITER;

/// The agent introduces all chains to each other within this time.
const LINKED_WITHIN: Duration = Duration::from_secs(60);
/// A digest that no chain has: nobody's genesis.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000001";

/// What was deposited.
pub(super) struct Record {
    pub(super) file: PathBuf,
    pub(super) digest: String,
    pub(super) organisation: String,
}

/// Waits until the chains that play know each other.
pub(super) async fn linked(scene: &Scene) -> Result<String> {
    let played = [DEPOSITOR, ASKER, THIRD, PAUSED];
    let all = played.len() * (played.len() - 1);
    let mut known = 0;
    let linked = until(LINKED_WITHIN, async || {
        known = 0;
        for at in played {
            let answer = scene.shell.ok_quietly(&["link", "list", "--chain", at]).await?;
            let links = answer.value["links"].as_array().cloned().unwrap_or_default();
            let active = |name: &&&str| {
                let fits = |link: &&serde_json::Value| link["name"] == **name && link["status"] == "active";
                links.iter().any(|link| fits(&link))
            };
            known += played.iter().filter(|name| **name != at).filter(active).count();
        }
        Ok((known == all).then_some(()))
    });
    match linked.await? {
        Some(()) => Ok(say::fusion_links_figure(played.len(), all)),
        None => Err(not_held(&format!("{known} / {all}"))),
    }
}

pub(super) async fn deposit(scene: &Scene) -> Result<(Record, String)> {
    let file = scene.shell.files.join("licence.txt");
    let content = say::fusion_licence(clock::beijing(clock::now_ms()), clock::now_ms());
    files::write(&file, content.as_bytes(), false)?;
    let path = file.display().to_string();
    let answer = scene
        .shell
        .ok(&["evidence", "put", &path, "--chain", DEPOSITOR])
        .await?;
    let put = &answer.value["files"][0];
    let digest = put["digest"].as_str().unwrap_or_default().to_owned();
    let pack = fs::read(scene.shell.files.join("licence.txt.pack.json")).or_problem(|| problem::cannot_read(&path))?;
    // The same account as the command took: there is one that writes and does nothing else.
    let record = network::record::Record::read(&scene.connect.dir)?;
    let organisation = record.account(None, ROLE_WRITER)?.organisation.clone();
    let figure = say::fusion_deposit_figure(
        digest.get(..16).unwrap_or_default(),
        clock::span(answer.took.as_millis() as u64),
        pack.len(),
    );
    Ok((
        Record {
            file,
            digest,
            organisation,
        },
        figure,
    ))
}

/// Through the relay chain, with the pack that carries the relay chain's word.
pub(super) async fn ask(scene: &Scene, record: &Record) -> Result<(PathBuf, String)> {
    let pack = scene.shell.files.join("licence.relay.pack.json");
    let path = pack.display().to_string();
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
        "--pack",
        &path,
    ];
    let answer = scene.shell.ok(&words).await?.value;
    let bytes = fs::metadata(&pack).map_or(0, |file| file.len());
    let (took, height) = (answer["took_ms"].as_u64().unwrap_or_default(), &answer["height"]);
    if answer["found"] != true || answer["status"] != 1 {
        return Err(not_held(&answer.to_string()));
    }
    Ok((
        pack,
        say::fusion_ask_figure(took, height, &answer["answered_height"], bytes),
    ))
}

/// Only the relay chain's digest is known; one byte changed, or another digest, and the answer is no.
pub(super) async fn offline(scene: &Scene, record: &Record, pack: &std::path::Path) -> Result<String> {
    let (file, path) = (record.file.display().to_string(), pack.display().to_string());
    let verify = |path: &str, genesis: &str| {
        let words = [path, &file, genesis].map(str::to_owned);
        async move {
            let [path, file, genesis] = words;
            scene.shell.run(&["verify", &path, &file, "--genesis", &genesis]).await
        }
    };
    let yes = verify(&path, &scene.relay).await?;
    if yes.code != 0 {
        return Err(not_held(&yes.value.to_string()));
    }
    let mut bytes = fs::read(pack).or_problem(|| problem::cannot_read(&path))?;
    // The middle of the file is in some signature, hash or header.
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    let changed = scene.shell.files.join("changed.pack.json");
    files::write(&changed, &bytes, false)?;
    let no = verify(&changed.display().to_string(), &scene.relay).await?;
    let unknown = verify(&path, NOBODY).await?;
    if no.code == 0 || unknown.code == 0 {
        return Err(not_held("changed"));
    }
    let code = |value: &serde_json::Value| {
        value["error"]["code"]
            .as_str()
            .or(value["code"].as_str())
            .unwrap_or("-")
            .to_owned()
    };
    Ok(say::fusion_offline_figure(code(&no.value), code(&unknown.value)))
}
