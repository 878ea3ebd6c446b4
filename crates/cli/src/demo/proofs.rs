//! Packs: fetched, verified without any node, and refused when a byte is another.

use super::{
    data::{self, DOCUMENTS, ROW_ID},
    say,
    scene::{Scene, not_held},
};
use crate::{
    clock,
    evidence::packs,
    problem::{Problem, Result},
    text::problem,
};
use bytes::Bytes;
use std::{path::PathBuf, time::Instant};
use yulian_crypto::Digest;
use yulian_sdk::{Outcome, Subject, Trust, verify_pack};

/// Most time that the verification of a pack may take, ms.
const VERIFY_MS_MAX: f64 = 20.0;
/// Times that a pack is verified for one figure.
const ROUNDS: u32 = 20;

/// A pack with what it is of.
pub(super) struct Proof {
    pub(super) subject: Subject,
    pub(super) pack: Bytes,
    pub(super) path: PathBuf,
}

/// The packs of the documents and of one row.
pub(super) struct Proofs {
    pub(super) documents: Vec<Proof>,
    pub(super) row: Proof,
    /// The row as it stands in the table.
    pub(super) line: String,
}

/// Fetches the packs and keeps them as files.
pub(super) async fn fetch(scene: &Scene) -> Result<(Proofs, String)> {
    let mut documents = Vec::new();
    for document in DOCUMENTS {
        documents.push(proof(scene, document.file, Subject::File(document.digest())).await?);
    }
    let table = data::table()?;
    let row = table.find(ROW_ID).and_then(|at| table.rows().get(at));
    let row = row.ok_or_else(|| problem::no_row(data::TABLE_FILE, data::TABLE_ID, ROW_ID))?;
    let line = String::from_utf8_lossy(table.line(row)).into_owned();
    let row = proof(scene, ROW_ID, Subject::row(line.as_bytes())).await?;
    let largest = documents
        .iter()
        .map(|proof| proof.pack.len())
        .chain([row.pack.len()])
        .max()
        .unwrap_or_default();
    let figure = say::demo_packs_figure(documents.len() + 1, largest, row.pack.len(), scene.packs().display());
    Ok((Proofs { documents, row, line }, figure))
}

async fn proof(scene: &Scene, name: &str, subject: Subject) -> Result<Proof> {
    let pack = packs::fetch(&scene.chain, &subject.digest(), scene.organisation(), Some(&subject)).await?;
    let path = scene.keep(name, &pack)?;
    Ok(Proof { subject, pack, path })
}

/// Each document against its pack.
pub(super) fn verify(scene: &Scene, proofs: &Proofs) -> Result<String> {
    let mut slowest: f64 = 0.0;
    let mut figure = None;
    for proof in &proofs.documents {
        let (report, ms) = timed(scene, proof)?;
        slowest = slowest.max(ms);
        figure = Some(report.finality);
    }
    let finality = figure.ok_or_else(|| not_held(ROW_ID))?;
    let (count, ms) = (proofs.documents.len(), format!("{slowest:.2}"));
    Ok(say::demo_verify_figure(
        count,
        ms,
        finality.signed_by.len(),
        finality.validators,
        finality.height,
    ))
}

/// The report of a pack and the time of one verification, ms.
fn timed(scene: &Scene, proof: &Proof) -> Result<(Box<yulian_sdk::Report>, f64)> {
    let report = scene.prove(&proof.pack, &proof.subject)?;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        scene.prove(&proof.pack, &proof.subject)?;
    }
    let ms = started.elapsed().as_secs_f64() * 1000.0 / f64::from(ROUNDS);
    match ms <= VERIFY_MS_MAX {
        true => Ok((report, ms)),
        false => Err(not_held(&format!("{ms:.1} ms > {VERIFY_MS_MAX} ms"))),
    }
}

/// One byte of the file, one byte of the pack, one digest of the genesis.
pub(super) fn tamper(scene: &Scene, proofs: &Proofs) -> Result<String> {
    let (Some(proof), document) = (proofs.documents.first(), DOCUMENTS[0]) else {
        return Err(not_held(DOCUMENTS[0].file));
    };
    let mut bytes = document.bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let file = scene.refused(&proof.pack, &Subject::file(&bytes), document.file)?;
    let pack = changed_packs(scene, proof)?;
    Ok(say::demo_tamper_figure(file, pack, other_chain(scene, proof)?))
}

/// A byte here and there; the answer to each must be no. Returns the code of the one in the middle.
fn changed_packs(scene: &Scene, proof: &Proof) -> Result<&'static str> {
    const PLACES: usize = 64;
    let mut codes = Vec::new();
    for place in 0..PLACES {
        let mut pack = proof.pack.to_vec();
        let at = place * (pack.len() - 1) / (PLACES - 1);
        pack[at] ^= 1;
        codes.push(scene.refused(&pack, &proof.subject, &format!("byte {at}"))?);
    }
    Ok(codes.swap_remove(PLACES / 2))
}

/// The genuine pack before somebody who trusts another chain.
fn other_chain(scene: &Scene, proof: &Proof) -> Result<&'static str> {
    let mut other = scene.genesis;
    other.0[0] ^= 1;
    match verify_pack(&proof.pack, Some(&proof.subject), &Trust::chains([other])) {
        Ok(Outcome::UnknownChain(_)) => Ok(yulian_light::Code::UnknownChain.as_str()),
        Ok(Outcome::Proven(_)) => Err(not_held("genesis")),
        Err(error) => Err(crate::verify::pack_problem(&error)),
    }
}

/// The row, and the row with one character more.
pub(super) fn row(scene: &Scene, proofs: &Proofs) -> Result<String> {
    let (report, ms) = timed(scene, &proofs.row)?;
    let other = proofs.line.replacen("郑州", "鄭州", 1);
    if other == proofs.line {
        return Err(not_held(&proofs.line));
    }
    let refused = scene.refused(&proofs.row.pack, &Subject::row(other.as_bytes()), &other)?;
    let time = clock::beijing(report.time.time_ms);
    Ok(say::demo_row_figure(&proofs.line, format!("{ms:.2}"), time, refused))
}

/// A deposit after changes of validators: its proof leads through all of them.
pub(super) async fn after_changes(scene: &Scene) -> Result<String> {
    let digest: Digest = scene.deposit_marker().await?;
    let proof = proof(scene, "after-changes", Subject::File(digest)).await?;
    let (report, ms) = timed(scene, &proof)?;
    match report.set_changes {
        0 => Err(not_held("set_changes = 0")),
        changes => Ok(say::demo_history_figure(proof.pack.len(), format!("{ms:.2}"), changes)),
    }
}

/// Both plan documents and a marker of this run.
pub(super) async fn documents(scene: &Scene) -> Result<String> {
    let started = Instant::now();
    let mut before = 0;
    for document in DOCUMENTS {
        before += usize::from(scene.deposit(&document).await?);
    }
    scene.deposit_marker().await?;
    let deposited = DOCUMENTS.len() - before;
    let span = clock::span(started.elapsed().as_millis() as u64);
    Ok::<_, Problem>(say::demo_documents_figure(deposited, before, span))
}
