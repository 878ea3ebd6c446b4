//! The genesis of a new chain: a function of the call and of the system chain's state, and of nothing else.

use super::{codes, create::Request};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use yulian_crypto::{Digest, sm2::PublicKey};
use yulian_exec::{
    Call, Code, Failure, GenesisFault, bootstrap, chains, default_parameters,
    rules::{self, SetFault},
    tables,
};
use yulian_types::{
    SealedGenesis, StateKey, account_id,
    limits::STATE_VALUE_BYTES_MAX,
    proto::{Account, Charter, Genesis, NodeRecord, Organisation, Parameter, Validator, ValidatorSet},
};

/// Version of the genesis message.
const GENESIS_VERSION: u32 = 1;

/// The genesis, and the ids of the members, sorted.
pub(super) fn genesis(call: &mut Call<'_>, request: &Request) -> Result<(SealedGenesis, Vec<String>), Failure> {
    let organisations = organisations(call, request)?;
    let members = organisations.values().filter(|organisation| organisation.member);
    let members = members.map(|organisation| organisation.id.clone()).collect();
    let accounts = accounts(call, request, &organisations)?;
    let charter: Option<Charter> = call.record(&tables::charter(), "charter")?;
    let charter = charter.map(|charter| Charter {
        text_digest: Bytes::new(),
        ..charter
    });
    let mut nodes: Vec<NodeRecord> = request.validators.iter().chain(&request.observers).cloned().collect();
    nodes.sort_by(|a, b| a.public_key.cmp(&b.public_key));
    let message = Genesis {
        version: GENESIS_VERSION,
        name: request.arguments.name.clone(),
        time_ms: call.block().time_ms,
        protocol_version: call.block().protocol_version,
        epoch_length: request.template.epoch_length,
        validators: Some(ValidatorSet {
            validators: request.validators.iter().map(validator).collect(),
        }),
        organisations: organisations.into_values().collect(),
        accounts,
        charter,
        parameters: parameters(request)?,
        nodes,
        modules: request.template.modules.clone(),
        accepted_risk: request.arguments.accept_risk.clone(),
        ..Default::default()
    };
    let sealed = SealedGenesis::new(message).map_err(|error| Failure::new(&codes::BAD_GENESIS, error.to_string()))?;
    if sealed.bytes.len() > STATE_VALUE_BYTES_MAX {
        let detail = format!("{} bytes, at most {STATE_VALUE_BYTES_MAX}", sealed.bytes.len());
        return Err(Failure::new(&codes::GENESIS_TOO_LARGE, detail));
    }
    bootstrap(&sealed).map_err(|fault| Failure::new(code(&fault), fault.to_string()))?;
    Ok((sealed, members))
}

fn code(fault: &GenesisFault) -> &'static Code {
    match fault {
        GenesisFault::Validators(SetFault::Cloud { .. }) => &codes::TOO_MANY_IN_CLOUD,
        GenesisFault::Validators(SetFault::Risk { .. }) => &codes::OTHER_RISK,
        _ => &codes::BAD_GENESIS,
    }
}

fn validator(node: &NodeRecord) -> Validator {
    Validator {
        public_key: node.public_key.clone(),
        name: node.name.clone(),
        cloud: node.cloud.clone(),
        organisation: node.organisation.clone(),
    }
}

/// Creator, those that the call names and the validators' owners are members; owners of observers are not.
fn organisations(call: &mut Call<'_>, request: &Request) -> Result<BTreeMap<String, Organisation>, Failure> {
    let mut members = BTreeSet::from([&request.creator.id]);
    members.extend(&request.arguments.organisations);
    members.extend(request.validators.iter().map(|node| &node.organisation));
    let mut ids = members.clone();
    ids.extend(request.observers.iter().map(|node| &node.organisation));
    let mut organisations = BTreeMap::new();
    for id in ids {
        let bad = || Failure::new(&codes::BAD_ACCOUNTS, format!("organisation {id}"));
        if !rules::is_organisation_id(id) {
            return Err(bad());
        }
        let record: Option<Organisation> = call.record(&StateKey::organisation(id), "organisation")?;
        let record = record.filter(|record| !record.removed && !record.frozen);
        let organisation = Organisation {
            id: id.clone(),
            name: record.ok_or_else(bad)?.name,
            member: members.contains(id),
            ..Default::default()
        };
        organisations.insert(id.clone(), organisation);
    }
    Ok(organisations)
}

/// Accounts of the system chain with their current keys, then the further ones.
fn accounts(
    call: &mut Call<'_>,
    request: &Request,
    organisations: &BTreeMap<String, Organisation>,
) -> Result<Vec<Account>, Failure> {
    let mut accounts = Vec::new();
    for id in &request.arguments.accounts {
        let bad = || Failure::new(&codes::BAD_ACCOUNTS, "an account is unknown, frozen or of no member");
        let id = Digest::from_slice(id).ok_or_else(bad)?;
        let account: Option<Account> = call.record(&StateKey::account(&id), "account")?;
        let account = account.filter(|account| !account.frozen).ok_or_else(bad)?;
        accounts.push((account.organisation, account.public_key, account.roles, account.label));
    }
    for account in &request.arguments.extra {
        let account = account.clone();
        accounts.push((account.organisation, account.public_key, account.roles, account.label));
    }
    let account = |(organisation, public_key, roles, label): (String, Bytes, Vec<String>, String)| {
        let key = PublicKey::from_bytes(&public_key);
        let known = organisations.contains_key(&organisation);
        let key = key.ok().filter(|_| known);
        let key = key.ok_or_else(|| Failure::new(&codes::BAD_ACCOUNTS, format!("{label} of {organisation}")))?;
        Ok(Account {
            id: Bytes::copy_from_slice(&account_id(&key).0),
            organisation,
            public_key,
            roles,
            label,
            ..Default::default()
        })
    };
    accounts.into_iter().map(account).collect()
}

fn parameters(request: &Request) -> Result<Vec<Parameter>, Failure> {
    let mut parameters = default_parameters();
    let values = request.template.parameters.iter().chain(&request.arguments.parameters);
    for asked in values {
        let known = parameters.iter_mut().find(|parameter| parameter.name == asked.name);
        let known = known.filter(|_| chains::in_range(&asked.name, asked.value));
        let bad = || Failure::new(&codes::BAD_QUOTA, format!("{} = {}", asked.name, asked.value));
        known.ok_or_else(bad)?.value = asked.value;
    }
    Ok(parameters)
}
