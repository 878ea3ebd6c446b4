//! `yulian organisation invite`, `accept`, `join`, `leave`, and what is pending.

use super::{Ballot, charter::compare_text};
use crate::{
    clock,
    connect::{Connect, Sign},
    files,
    key::{self, passphrase},
    out,
    problem::{Cause, Exit, Result},
    progress::Progress,
    refusal::sdk,
    text::{problem, say},
    transaction,
};
use clap::Args;
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};
use yulian_crypto::{Digest, sm2::PublicKey};
use yulian_exec::rules::{ROLE_ADMIN, ROLE_WRITER};
use yulian_sdk::{Action, Chain, acceptance};
use yulian_types::proto::{InviteOrganisation, JoinOrganisation, LeaveAnswer};

/// Between two looks at validators that are on their way out.
const PAUSE: Duration = Duration::from_millis(150);
/// Longest acceptance, bytes.
const ACCEPTANCE_BYTES_MAX: usize = 4_096;
const MS_PER_HOUR: u64 = 3_600_000;

#[derive(Debug, Args)]
pub(crate) struct Invite {
    id: String,
    #[arg(long)]
    name: String,
    #[arg(long)]
    member: bool,
    #[arg(long, value_name = "KEY|FILE")]
    admin_public_key: String,
    #[arg(long)]
    admin_label: Option<String>,
    #[arg(long, default_value_t = 168)]
    valid_hours: u64,
    #[command(flatten)]
    ballot: Ballot,
}

#[derive(Debug, Args)]
pub(crate) struct Accept {
    id: String,
    #[arg(long)]
    key: PathBuf,
    #[arg(long)]
    text: Option<PathBuf>,
    #[arg(short, long)]
    out: PathBuf,
    #[command(flatten)]
    passphrase: passphrase::Source,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Join {
    file: PathBuf,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

#[derive(Debug, Args)]
pub(crate) struct Leave {
    #[arg(long)]
    reason: String,
    #[arg(long, default_value_t = 180)]
    timeout_s: u64,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    sign: Sign,
}

/// An acceptance as a file: whoever carries it need not be trusted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// Genesis digest.
    chain: String,
    organisation: String,
    /// Digest of the charter that is accepted.
    charter: String,
    /// Signature of the invited key.
    signature: String,
}

pub(super) async fn invite(arguments: &Invite) -> Result<Exit> {
    let (chain, voters) = arguments.ballot.open().await?;
    let Invite { id, name, member, .. } = arguments;
    let admin = public_key(&arguments.admin_public_key)?;
    let now = chain.header(yulian_sdk::BlockRef::Latest).await.map_err(sdk)?.time_ms;
    let until = now
        .max(clock::now_ms())
        .saturating_add(arguments.valid_hours.saturating_mul(MS_PER_HOUR));
    let default = || format!("{name} admin");
    let terms = InviteOrganisation {
        id: id.clone(),
        name: name.clone(),
        member: *member,
        admin_public_key: admin.as_bytes().to_vec().into(),
        admin_label: arguments.admin_label.clone().unwrap_or_else(default),
        valid_until_ms: until,
    };
    let reason = say::action_invite(id, name, clock::beijing(until));
    let action = Action::InviteOrganisation(terms);
    let view = arguments.ballot.decide(&chain, &voters, &action, reason).await?;
    Ok(arguments.ballot.finish(&view))
}

/// A key in hexadecimal, or that of a file.
fn public_key(named: &str) -> Result<PublicKey> {
    match named.parse() {
        Ok(key) => Ok(key),
        Err(_) => key::public_key(&PathBuf::from(named), &passphrase::Source::default()),
    }
}

pub(super) async fn accept(arguments: &Accept) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let charter = chain.info().await.map_err(sdk)?.charter;
    if let Some(text) = &arguments.text
        && !compare_text(text, charter.text_digest.map(|digest| digest.0))?
    {
        return Ok(Exit::No);
    }
    let key = arguments.passphrase.read_key(&arguments.key)?;
    let signed = acceptance(&chain.id(), &charter.digest.0, &arguments.id, &key).or_problem(problem::cannot_sign)?;
    let file = Acceptance {
        chain: chain.id().to_string(),
        organisation: signed.id,
        charter: charter.digest.to_string(),
        signature: hex::encode(&signed.signature),
    };
    let mut text = serde_json::to_vec_pretty(&file).unwrap_or_default();
    text.push(b'\n');
    files::write(&arguments.out, &text, false)?;
    out::fields(&[
        (say::head_genesis(), file.chain),
        (say::label_charter_digest(), file.charter),
        (
            say::label_charter_text(),
            charter
                .text_digest
                .map_or_else(say::charter_text_absent, |digest| digest.to_string()),
        ),
    ]);
    out::line(say::acceptance_written(arguments.out.display()));
    Ok(Exit::Done)
}

pub(super) async fn join(arguments: &Join) -> Result<Exit> {
    let bad = || problem::bad_acceptance(arguments.file.display());
    let text = files::read_text(&arguments.file, ACCEPTANCE_BYTES_MAX)?;
    let file: Acceptance = serde_json::from_str(&text).or_problem(bad)?;
    let chain = arguments.connect.chain().await?;
    if file.chain != chain.id().to_string() {
        return Err(problem::other_chain(&file.chain, chain.id()));
    }
    let charter: Digest = file.charter.parse().or_problem(bad)?;
    let acceptance = JoinOrganisation {
        id: file.organisation.clone(),
        charter: charter.to_vec().into(),
        signature: hex::decode(&file.signature).or_problem(bad)?.into(),
    };
    // Whoever carries it says nothing by it.
    let carrier = arguments.sign.actor(&arguments.connect, &chain, ROLE_WRITER).await?;
    let signed = carrier.account.join_organisation(chain.terms(), &acceptance);
    let signed = signed.or_problem(problem::cannot_sign)?;
    transaction::finish(
        &chain,
        &signed,
        say::organisation_joined(&file.organisation),
        arguments.json,
    )
    .await
}

pub(super) async fn leave(arguments: &Leave) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let actor = arguments.sign.actor(&arguments.connect, &chain, ROLE_ADMIN).await?;
    let organisation = actor.view.organisation.clone();
    let deadline = Instant::now() + Duration::from_secs(arguments.timeout_s);
    let mut progress = Progress::new(say::step_leaving(), None);
    loop {
        let signed = actor.account.leave_organisation(chain.terms(), &arguments.reason);
        let result = transaction::result(&chain, &signed.or_problem(problem::cannot_sign)?).await?;
        let answer = LeaveAnswer::decode(result.result.output.0).or_problem(problem::bad_answer)?;
        if answer.left {
            drop(progress);
            match arguments.json {
                true => out::json(&json!({ "organisation": organisation, "left": true })),
                false => out::line(say::organisation_left(&organisation)),
            }
            return Ok(Exit::Done);
        }
        progress.label(say::step_epoch());
        while validates(&chain, &organisation).await? {
            if Instant::now() >= deadline {
                return Err(problem::still_leaving(&organisation));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn validates(chain: &Chain, organisation: &str) -> Result<bool> {
    let view = chain.validators().await.map_err(sdk)?;
    let sets = [Some(&view.current), view.next.as_ref()];
    let mut all = sets.into_iter().flatten().flat_map(|set| &set.validators);
    Ok(all.any(|validator| validator.organisation == organisation))
}

pub(super) async fn pending(chain: &Chain, as_json: bool) -> Result<Exit> {
    let view = chain.pending().await.map_err(sdk)?;
    if as_json {
        out::json(&view);
        return Ok(Exit::Done);
    }
    if view.invitations.is_empty() && view.leaving.is_empty() && view.proposals.is_empty() {
        out::line(say::nothing_pending());
    }
    for invitation in &view.invitations {
        out::line(say::pending_invitation(
            &invitation.organisation,
            out::one_line(&invitation.name),
            invitation.admin_public_key,
            clock::beijing(invitation.valid_until_ms),
            invitation.proposal,
        ));
    }
    for leaving in &view.leaving {
        out::line(say::pending_leave(
            &leaving.organisation,
            clock::beijing(leaving.time_ms),
            out::one_line(&leaving.reason),
        ));
    }
    for proposal in &view.proposals {
        out::line(say::pending_proposal(
            proposal.id,
            &proposal.proposer,
            clock::beijing(proposal.deadline_ms),
        ));
    }
    Ok(Exit::Done)
}
