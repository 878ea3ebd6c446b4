//! The answer about a pack in words and as JSON.

use crate::{
    clock,
    out::{self, one_line},
    problem::Result,
    text::{either, say},
};
use serde_json::{Value, json};
use yulian_light::{
    Code, Content, Depositor, Drift, Finality, NameSource, Outcome, PackError, Report, Root, SignedBy, Status, Subject,
};

/// `{"answer": "yes"|"no", "code"?, "message"?, "outcome"?, "report"?}`.
pub(super) fn json(answer: &Result<Outcome, PackError>) -> Value {
    match answer {
        Ok(outcome) => {
            let mut value = serde_json::to_value(outcome).unwrap_or_default();
            value["answer"] = json!(if outcome.is_yes() { "yes" } else { "no" });
            if let Outcome::UnknownChain(_) = outcome {
                value["code"] = json!(Code::UnknownChain.as_str());
            }
            value
        }
        Err(error) => {
            let code = error.code();
            let message = either(code.zh(), code.en());
            json!({ "answer": "no", "code": code.as_str(), "message": message, "detail": error.to_string() })
        }
    }
}

pub(super) fn refusal(error: &PackError) {
    let code = error.code();
    out::line(say::verify_refused(either(code.zh(), code.en()), code.as_str()));
    out::line(say::verify_detail(error));
}

pub(super) fn outcome(outcome: &Outcome, subject: Option<&Subject>) {
    let report = outcome.report();
    out::line(headline(outcome));
    let mut rows = relay(report);
    rows.push((say::label_content(), content(report, subject)));
    if let Content::Batch { root, count, index } = &report.content {
        let place = index.map_or_else(|| say::batch_whole(count), |index| say::batch_place(index + 1, count));
        rows.push((say::label_batch(), format!("{place}  {root}")));
    }
    for (label, text) in [
        (say::label_description(), &report.description),
        (say::label_source(), &report.source),
    ] {
        if !text.is_empty() {
            rows.push((label, one_line(text)));
        }
    }
    let Depositor { account, key, .. } = &report.depositor;
    rows.push((say::label_depositor(), depositor(&report.depositor)));
    rows.push((say::label_account(), account.to_string()));
    rows.push((say::label_key(), key.to_string()));
    rows.push((say::label_time(), time(report)));
    rows.push((
        say::label_chain(),
        format!("{}  {}", one_line(&report.chain_name), report.chain_id),
    ));
    rows.push((say::label_block(), say::block_place(report.height, report.block)));
    rows.push((say::label_transaction(), report.transaction_id.to_string()));
    rows.push((say::label_finality(), finality(&report.finality)));
    rows.extend(
        report
            .finality
            .signed_by
            .iter()
            .map(|signer| (String::new(), signed_by(signer))),
    );
    rows.push((say::label_status(), status(report)));
    if let Some(later) = &report.status_finality {
        rows.push((String::new(), finality(later)));
        rows.extend(later.signed_by.iter().map(|signer| (String::new(), signed_by(signer))));
    }
    if report.set_changes > 0 {
        rows.push((say::label_history(), say::set_changes(report.set_changes)));
    }
    out::fields(&rows);
}

/// From the relay chain to the pack's: who says so, of which block, and what that is worth to this reader.
fn relay(report: &Report) -> Vec<(String, String)> {
    let Some(path) = &report.relay else {
        return Vec::new();
    };
    let rests_on = match path.rests_on {
        Some(Root::Relay) => say::rests_on_relay(),
        Some(Root::Chain) => say::rests_on_chain(),
        None => say::rests_on_nobody(),
    };
    let as_of = say::as_of(path.as_of_height, clock::beijing(path.as_of_time_ms));
    let vouches = say::relay_vouches(one_line(&path.known_as), path.vouched_height, path.vouched_block, as_of);
    let mut rows = vec![
        (
            say::label_relay(),
            format!("{}  {}", one_line(&path.chain_name), path.chain_id),
        ),
        (String::new(), rests_on),
        (say::label_vouched(), vouches),
        (String::new(), finality(&path.finality)),
    ];
    let signers = path.finality.signed_by.iter();
    rows.extend(signers.map(|signer| (String::new(), signed_by(signer))));
    if path.set_changes > 0 {
        rows.push((String::new(), say::set_changes(path.set_changes)));
    }
    rows
}

fn headline(outcome: &Outcome) -> String {
    match (outcome, &outcome.report().status) {
        (Outcome::UnknownChain(report), _) => say::verify_unknown(report.chain_id),
        (Outcome::Proven(_), Status::Active) => say::verify_yes(),
        (Outcome::Proven(_), Status::Superseded { .. }) => say::verify_superseded(),
        (Outcome::Proven(_), Status::Revoked { .. }) => say::verify_revoked(),
    }
}

fn content(report: &Report, subject: Option<&Subject>) -> String {
    let digest = report.digest;
    match subject {
        Some(Subject::File(_)) => say::content_file(digest),
        Some(Subject::Row(_)) => say::content_row(digest),
        None => say::content_alone(digest),
    }
}

fn depositor(depositor: &Depositor) -> String {
    let named = |name: &Option<(String, NameSource)>| {
        name.as_ref().map(|(name, source)| match source {
            NameSource::Genesis => say::name_from_genesis(one_line(name)),
            NameSource::State => say::name_from_state(one_line(name)),
        })
    };
    let label = named(&depositor.label).unwrap_or_else(say::name_unproven);
    let organisation = named(&depositor.organisation_name);
    match organisation {
        Some(name) => format!("{label}, {name} [{}]", depositor.organisation),
        None => format!("{label} [{}]", depositor.organisation),
    }
}

fn time(report: &Report) -> String {
    let time = clock::beijing(report.time.time_ms);
    match &report.time.drift {
        None => time,
        Some(Drift { ms, limit_ms, .. }) => say::time_with_drift(time, clock::span(*ms), clock::span(*limit_ms)),
    }
}

fn finality(finality: &Finality) -> String {
    let Finality {
        height,
        epoch,
        view,
        validators,
        quorum,
        signed_by,
    } = finality;
    say::finality(height, epoch, view, validators, signed_by.len(), quorum)
}

fn signed_by(signer: &SignedBy) -> String {
    let SignedBy {
        name,
        cloud,
        organisation,
        key,
    } = signer;
    format!(
        "{}  {}  {organisation}  {key}",
        out::pad(&one_line(name), 12),
        one_line(cloud)
    )
}

fn status(report: &Report) -> String {
    let as_of = say::as_of(report.as_of_height, clock::beijing(report.as_of_time_ms));
    match &report.status {
        Status::Active => say::status_active(as_of),
        Status::Superseded {
            by,
            reason,
            height,
            time_ms,
        } => say::status_superseded(by, height, clock::beijing(*time_ms), one_line(reason), as_of),
        Status::Revoked {
            reason,
            height,
            time_ms,
        } => say::status_revoked(height, clock::beijing(*time_ms), one_line(reason), as_of),
    }
}
