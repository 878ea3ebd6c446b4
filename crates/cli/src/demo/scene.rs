//! Where the demonstration plays: the running network, the writer, the administrators, and its own small deposits.

use super::data::Document;
use crate::{
    clock,
    connect::{Actor, Connect, Sign, SignMany},
    files,
    key::{self, passphrase},
    network::record::Record,
    problem::{Cause, Problem, Result},
    refusal::{self, sdk},
    text::problem,
    transaction,
    up::status_file::{self, Running},
};
use std::path::{Path, PathBuf};
use yulian_crypto::{Digest, sm3};
use yulian_exec::rules::{ROLE_ADMIN, ROLE_WRITER};
use yulian_light::Code;
use yulian_modules::evidence::codes::ALREADY_DEPOSITED;
use yulian_sdk::{
    Chain, EvidenceFilter, Outcome, Page, Patience, Report, SignedTransaction, Subject, Trust, verify_pack,
};

/// Folder for packs within that of the network.
const PACK_FOLDER: &str = "demo";

/// All that the steps need.
pub(super) struct Scene {
    pub(super) dir: PathBuf,
    pub(super) running: Running,
    pub(super) record: Record,
    pub(super) chain: Chain,
    pub(super) writer: Actor,
    pub(super) voters: Vec<Actor>,
    /// Genesis digest as the folder tells it: all that the verifier believes.
    pub(super) genesis: Digest,
}

impl Scene {
    /// The network that runs in a folder.
    pub(super) async fn open(dir: &Path, url: &[String]) -> Result<Self> {
        let running = status_file::read(dir).ok_or_else(|| problem::nothing_runs(dir.display()))?;
        let record = Record::read(dir)?;
        let genesis = record.chain_id()?;
        // Asked for by its digest: nodes of another chain are refused.
        let connect = Connect {
            url: addresses(&running, url),
            dir: dir.to_owned(),
            chain: genesis.to_string(),
        };
        let chain = connect.chain().await?;
        let sign = Sign {
            key: None,
            actor: None,
            passphrase: passphrase::Source::default(),
        };
        let writer = sign.actor(&connect, &chain, ROLE_WRITER).await?;
        let voters = SignMany::of_folder().actors(&connect, &chain, ROLE_ADMIN).await?;
        Ok(Self {
            dir: dir.to_owned(),
            running,
            record,
            chain,
            writer,
            voters,
            genesis,
        })
    }

    /// Organisation of the writer.
    pub(super) fn organisation(&self) -> &str {
        &self.writer.view.organisation
    }

    /// Signs the deposit of a digest.
    pub(super) fn sign(&self, digest: &Digest, description: &str, source: &str) -> Result<SignedTransaction> {
        let signed = self
            .writer
            .account
            .deposit(self.chain.terms(), digest, description, source);
        signed.or_problem(problem::cannot_sign)
    }

    /// Deposits a document; returns whether an earlier run had done so.
    pub(super) async fn deposit(&self, document: &Document) -> Result<bool> {
        let digest = document.digest();
        if self.is_deposited(&self.chain, digest).await? {
            return Ok(true);
        }
        let signed = self.sign(&digest, document.description, document.source)?;
        match transaction::result(&self.chain, &signed).await {
            Err(problem) if problem.code() == ALREADY_DEPOSITED.code => Ok(true),
            other => other.map(|_| false),
        }
    }

    /// Deposits a document that no other run has, and returns its digest.
    pub(super) async fn deposit_marker(&self) -> Result<Digest> {
        let digest = marker();
        let signed = self.sign(&digest, &format!("yulian demo {}", clock::beijing(clock::now_ms())), "")?;
        transaction::result(&self.chain, &signed).await?;
        Ok(digest)
    }

    /// Deposits many of them at once.
    pub(super) async fn deposit_markers(&self, count: usize) -> Result<()> {
        let sign = |_| self.sign(&marker(), "yulian demo", "");
        let transactions = (0..count).map(sign).collect::<Result<Vec<_>>>()?;
        let results = self
            .chain
            .submit_all_and_wait(&transactions, Patience::UntilExpiry)
            .await;
        for result in results {
            result.map_err(refusal::submission).and_then(refusal::effective)?;
        }
        Ok(())
    }

    /// Whether the writer's organisation has deposited a digest.
    pub(super) async fn is_deposited(&self, chain: &Chain, digest: Digest) -> Result<bool> {
        let mut page = Page::default();
        loop {
            let found = chain
                .evidence(EvidenceFilter::Digest(digest), &page)
                .await
                .map_err(sdk)?;
            if found
                .items
                .iter()
                .any(|record| record.organisation == self.organisation())
            {
                return Ok(true);
            }
            match found.next {
                Some(next) => page = Page::after(next),
                None => return Ok(false),
            }
        }
    }

    /// Writes a pack into the folder of the demonstration.
    pub(super) fn keep(&self, name: &str, pack: &[u8]) -> Result<PathBuf> {
        let folder = self.packs();
        files::create_dir(&folder)?;
        let path = folder.join(format!("{name}.pack.json"));
        files::write(&path, pack, false)?;
        Ok(path)
    }

    /// The folder of the demonstration.
    pub(super) fn packs(&self) -> PathBuf {
        self.dir.join(PACK_FOLDER)
    }

    /// What a pack proves to somebody who knows the genesis digest and nothing else. No node is asked.
    pub(super) fn prove(&self, pack: &[u8], subject: &Subject) -> Result<Box<Report>> {
        match verify_pack(pack, Some(subject), &Trust::chains([self.genesis])) {
            Ok(Outcome::Proven(report)) => Ok(report.into()),
            Ok(Outcome::UnknownChain(report)) => Err(problem::other_chain(report.chain_id, self.genesis)),
            Err(error) => Err(crate::verify::pack_problem(&error)),
        }
    }

    /// The code with which a pack is refused; that it is not refused is the problem.
    pub(super) fn refused(&self, pack: &[u8], subject: &Subject, what: &str) -> Result<&'static str> {
        match verify_pack(pack, Some(subject), &Trust::chains([self.genesis])) {
            Ok(Outcome::Proven(_)) => Err(not_held(what)),
            Ok(Outcome::UnknownChain(_)) => Ok(Code::UnknownChain.as_str()),
            Err(error) => Ok(error.code().as_str()),
        }
    }
}

/// Something that must hold does not.
pub(super) fn not_held(what: &str) -> Problem {
    problem::demo_not_held(what)
}

/// The node that is named first, then the others of the network.
fn addresses(running: &Running, named: &[String]) -> Vec<String> {
    let own = running
        .nodes
        .iter()
        .filter(|node| node.pid != 0)
        .map(|node| node.api.clone());
    let others = own.filter(|api| !named.iter().any(|url| url.trim_end_matches('/') == api));
    named.iter().cloned().chain(others).collect()
}

/// A digest that nobody has deposited.
fn marker() -> Digest {
    let mut bytes = [0; 32];
    rand_core::Rng::fill_bytes(&mut key::random(), &mut bytes);
    sm3::hash(&[&bytes])
}
