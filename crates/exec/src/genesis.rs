//! The first state of a chain, from its genesis.

use crate::{
    Executed, MemoryBase, PROTOCOL_VERSIONS_KNOWN, Registry, Snapshot, StateError, chains,
    epoch::{EPOCH_LENGTH_MAX, EPOCH_LENGTH_MIN, Place},
    execute::{Rules, assemble},
    limits::{GENESIS_ACCOUNTS_MAX, GENESIS_ORGANISATIONS_MAX, MEMBERS_MAX, NODES_MAX, NODES_PER_ORGANISATION_MAX},
    parameters::{DEFINITIONS, definition},
    rules::{self, CharterFault, ROLE_ADMIN, SetFault},
    snapshot::path_of,
    tables,
    view::{BlockView, TransactionWrites},
};
use bytes::Bytes;
use prost::Message;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use yulian_crypto::sm2::PublicKey;
use yulian_state::{Tree, workers::OneThread, write_set::Write};
use yulian_types::{
    SealedGenesis, StateKey, account_id, encode,
    limits::GENESIS_MODULES_MAX,
    proto::{self, Genesis},
    state_keys::{CHAIN_MODULE, MODULES_ALWAYS, MODULES_UNLISTED},
};

/// Why a genesis cannot start a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisFault {
    /// This program does not know the protocol version.
    #[error("genesis: protocol version {0} is unknown to this program")]
    Protocol(u32),
    /// The epoch length is out of range.
    #[error("genesis: epoch_length {0} is out of range {EPOCH_LENGTH_MIN} to {EPOCH_LENGTH_MAX}")]
    EpochLength(u64),
    /// The validator set breaks a rule.
    #[error("genesis validators: {0}")]
    Validators(#[source] SetFault),
    /// The charter is missing or breaks a rule.
    #[error("genesis charter: {0}")]
    Charter(#[source] CharterFault),
    /// A required part is missing.
    #[error("genesis: {0} is missing")]
    Missing(&'static str),
    /// A list is too long.
    #[error("genesis: {found} {list}, at most {limit} are allowed")]
    TooMany {
        /// Which list.
        list: &'static str,
        /// Its length.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A parameter is unknown, missing, repeated or out of its limits.
    #[error("genesis parameter {name}: {reason}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The list of modules is not sorted, names one twice, or is too long.
    #[error("genesis modules: names must be sorted and distinct, at most {GENESIS_MODULES_MAX}")]
    Modules,
    /// This program has no module of that name.
    #[error("genesis module {0} is unknown to this program")]
    UnknownModule(String),
    /// What only a system chain has is malformed, or not of a system chain.
    #[error("genesis: {0}")]
    Platform(&'static str),
    /// An organisation, account or node breaks a rule.
    #[error("genesis {kind} {id}: {reason}")]
    Entry {
        /// "organisation", "account", "node" or "validator".
        kind: &'static str,
        /// Its id or name.
        id: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The first state could not be built: a mistake of the program.
    #[error("genesis state: {0}")]
    State(#[from] StateError),
}

/// Validates a genesis and computes the state after it: what executing the genesis block yields. The caller commits
/// its `writes` to the base before it starts the chain.
pub fn bootstrap(genesis: &SealedGenesis) -> Result<Executed, GenesisFault> {
    let message = &genesis.message;
    check_frame(genesis)?;
    check_parameters(message)?;
    let mut writes = Writer::default();
    write_frame(&mut writes, genesis);
    let organisations = write_organisations(&mut writes, message)?;
    write_accounts(&mut writes, message, &organisations)?;
    write_nodes(&mut writes, genesis, &organisations)?;
    write_platform(&mut writes, message)?;

    let nothing = Snapshot::new(MemoryBase::default(), Tree::new(), vec![], vec![]);
    let mut view = BlockView::new(nothing, writes.0.len());
    view.accept(writes.0);
    let rules = Rules::read(&mut view)?;
    let set = Arc::new(genesis.validators.clone());
    let place = Place {
        height: 0,
        epoch: 0,
        validators: set.clone(),
        validators_since: 0,
        announced: set.clone(),
        reference: set,
    };
    Ok(assemble(
        &genesis.block(),
        place,
        vec![],
        view.finish(&[], &OneThread)?,
        rules,
    ))
}

#[derive(Default)]
struct Writer(TransactionWrites);

impl Writer {
    fn put(&mut self, key: &StateKey, value: Bytes) {
        let write = Write {
            module_id: key.module_id,
            key: key.key.clone(),
            value: Some(value),
        };
        self.0.insert(path_of(key), write);
    }

    fn record(&mut self, key: &StateKey, record: &impl Message) {
        self.put(key, encode(record));
    }
}

fn check_frame(genesis: &SealedGenesis) -> Result<(), GenesisFault> {
    let message = &genesis.message;
    if !PROTOCOL_VERSIONS_KNOWN.contains(&message.protocol_version) {
        return Err(GenesisFault::Protocol(message.protocol_version));
    }
    if !(EPOCH_LENGTH_MIN..=EPOCH_LENGTH_MAX).contains(&message.epoch_length) {
        return Err(GenesisFault::EpochLength(message.epoch_length));
    }
    rules::check_set(&genesis.validators, message.accepted_risk.as_ref()).map_err(GenesisFault::Validators)?;
    let charter = message.charter.as_ref().ok_or(GenesisFault::Missing("charter"))?;
    rules::check_charter(charter).map_err(GenesisFault::Charter)?;
    check_modules(message)?;
    for (list, found, limit) in [
        ("organisations", message.organisations.len(), GENESIS_ORGANISATIONS_MAX),
        ("accounts", message.accounts.len(), GENESIS_ACCOUNTS_MAX),
        ("nodes", message.nodes.len(), NODES_MAX),
    ] {
        if found > limit {
            return Err(GenesisFault::TooMany { list, found, limit });
        }
    }
    Ok(())
}

fn check_modules(message: &Genesis) -> Result<(), GenesisFault> {
    let modules = &message.modules;
    if modules.len() <= GENESIS_MODULES_MAX && modules.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(GenesisFault::Modules)
}

/// The modules that a chain has, of those that the program has. Any other behaves as unknown.
///
/// # Errors
/// The genesis lists a module that the program does not have.
pub fn modules_of(registry: &Registry, message: &Genesis) -> Result<Registry, GenesisFault> {
    check_modules(message)?;
    let has = |name: &str| registry.modules().any(|module| module.name() == name);
    if let Some(unknown) = message.modules.iter().find(|name| !has(name)) {
        return Err(GenesisFault::UnknownModule(unknown.clone()));
    }
    let listed = |name: &str| match message.modules.as_slice() {
        [] => MODULES_UNLISTED.contains(&name),
        list => list.iter().any(|listed| listed == name),
    };
    Ok(registry.only(|name| MODULES_ALWAYS.contains(&name) || listed(name)))
}

fn check_parameters(message: &Genesis) -> Result<(), GenesisFault> {
    let fault = |name: &str, reason: String| {
        Err(GenesisFault::Parameter {
            name: name.into(),
            reason,
        })
    };
    let mut seen = BTreeSet::new();
    for parameter in &message.parameters {
        let name = parameter.name.as_str();
        let Some(known) = definition(name) else {
            return fault(name, "unknown".into());
        };
        if !seen.insert(name) {
            return fault(name, "named twice".into());
        }
        if parameter.minimum < known.minimum || parameter.maximum > known.maximum {
            return fault(
                name,
                format!("limits are wider than {} to {}", known.minimum, known.maximum),
            );
        }
        if !(parameter.minimum..=parameter.maximum).contains(&parameter.value) {
            let range = format!("{} to {}", parameter.minimum, parameter.maximum);
            return fault(name, format!("the value {} is out of {range}", parameter.value));
        }
        if known.never_shrinks && !parameter.never_shrinks {
            return fault(name, "must be marked as never shrinking".into());
        }
    }
    match DEFINITIONS.iter().find(|known| !seen.contains(known.name)) {
        Some(known) => fault(known.name, "missing".into()),
        None => Ok(()),
    }
}

fn write_frame(writes: &mut Writer, genesis: &SealedGenesis) {
    let message = &genesis.message;
    for parameter in &message.parameters {
        writes.record(&StateKey::parameter(&parameter.name), parameter);
    }
    if let Some(charter) = &message.charter {
        writes.record(&tables::charter(), charter);
    }
    let digest = genesis.validators.digest();
    writes.put(&tables::decided_set(), Bytes::copy_from_slice(&digest.0));
    writes.put(&tables::validator_set(&digest), genesis.validators.encode());
    if let Some(risk) = &message.accepted_risk {
        let record = proto::RiskRecord {
            risk: Some(risk.clone()),
            set: Bytes::copy_from_slice(&digest.0),
            time_ms: message.time_ms,
            ..Default::default()
        };
        writes.record(&tables::risk(&digest), &record);
    }
    let first = proto::ActivateProtocol {
        version: message.protocol_version,
        height: 0,
    };
    writes.record(&tables::protocol(), &proto::ProtocolSchedule { entries: vec![first] });
}

/// The organisations by id, with how many active administrators each has.
type Organisations<'a> = BTreeMap<&'a str, &'a proto::Organisation>;

fn write_organisations<'a>(writes: &mut Writer, message: &'a Genesis) -> Result<Organisations<'a>, GenesisFault> {
    let mut organisations = Organisations::new();
    let mut members = Vec::new();
    for organisation in &message.organisations {
        let id = organisation.id.as_str();
        let fault = |reason| {
            Err(GenesisFault::Entry {
                kind: "organisation",
                id: id.into(),
                reason,
            })
        };
        if !rules::is_organisation_id(id) || !rules::is_label(&organisation.name) {
            return fault("the id must be 1 to 32 of a-z, 0-9 and -, the name must not be empty or too long");
        }
        if organisation.frozen || organisation.removed || organisation.since_height != 0 {
            return fault("must be neither frozen nor removed, since height 0");
        }
        if organisations.insert(id, organisation).is_some() {
            return fault("named twice");
        }
        if organisation.member {
            members.push(id.to_string());
        }
        writes.record(&StateKey::organisation(id), organisation);
    }
    if members.is_empty() {
        return Err(GenesisFault::Missing("a member organisation"));
    }
    if members.len() > MEMBERS_MAX {
        return Err(GenesisFault::TooMany {
            list: "members",
            found: members.len(),
            limit: MEMBERS_MAX,
        });
    }
    members.sort_unstable();
    writes.record(&tables::members(), &proto::OrganisationList { ids: members });
    Ok(organisations)
}

fn write_accounts(
    writes: &mut Writer,
    message: &Genesis,
    organisations: &Organisations<'_>,
) -> Result<(), GenesisFault> {
    let mut keys = BTreeSet::new();
    let mut admins: BTreeMap<&str, u64> = BTreeMap::new();
    for account in &message.accounts {
        let fault = |reason| {
            Err(GenesisFault::Entry {
                kind: "account",
                id: account.label.clone(),
                reason,
            })
        };
        let Ok(key) = PublicKey::from_bytes(&account.public_key) else {
            return fault("no SM2 public key");
        };
        let id = account_id(&key);
        if account.id[..] != id.0 {
            return fault("the id is not the one of the public key");
        }
        if !organisations.contains_key(account.organisation.as_str()) {
            return fault("the organisation is unknown");
        }
        // An account without roles calls what any account may: that of a node, or of an agent.
        let roles = account.roles.is_empty() || rules::are_roles(&account.roles);
        if !roles || !rules::is_label(&account.label) {
            return fault("roles must be known, sorted and distinct, the label must not be empty or too long");
        }
        if account.frozen
            || !account.frozen_reason.is_empty()
            || (account.since_height, account.key_since_height) != (0, 0)
        {
            return fault("must not be frozen, since height 0");
        }
        if !keys.insert(key) {
            return fault("the public key is used twice");
        }
        if account.roles.iter().any(|role| role == ROLE_ADMIN) {
            *admins.entry(&account.organisation).or_default() += 1;
        }
        writes.record(&StateKey::account(&id), account);
        writes.record(
            &StateKey::key_owner(&key),
            &proto::KeyOwner {
                account: account.id.clone(),
            },
        );
    }
    write_admins(writes, organisations, &admins)
}

fn write_admins(
    writes: &mut Writer,
    organisations: &Organisations<'_>,
    admins: &BTreeMap<&str, u64>,
) -> Result<(), GenesisFault> {
    for id in organisations.keys() {
        let Some(count) = admins.get(id) else {
            let reason = "has no account with the role admin";
            return Err(GenesisFault::Entry {
                kind: "organisation",
                id: id.to_string(),
                reason,
            });
        };
        writes.record(&tables::admin_count(id), &proto::Counter { value: *count });
    }
    Ok(())
}

/// What a system chain begins with.
fn write_platform(writes: &mut Writer, message: &Genesis) -> Result<(), GenesisFault> {
    let system = message.modules.iter().any(|name| name == CHAIN_MODULE);
    if !system {
        let nothing = message.templates.is_empty() && message.offers.is_empty();
        return match nothing {
            true => Ok(()),
            false => Err(GenesisFault::Platform("only a system chain has templates and offers")),
        };
    }
    let (templates, offers) = (&message.templates, &message.offers);
    if templates.len() > chains::TEMPLATES_MAX || !templates.is_sorted_by(|a, b| a.name < b.name) {
        return Err(GenesisFault::Platform(
            "templates must be sorted and distinct, and not too many",
        ));
    }
    if !templates.iter().all(chains::is_template) {
        return Err(GenesisFault::Platform("a template is malformed"));
    }
    if !offers.is_sorted_by(|a, b| a.node < b.node) || !offers.iter().all(chains::is_offer) {
        return Err(GenesisFault::Platform(
            "offers must be well formed, sorted and distinct",
        ));
    }
    let registered = |offer: &proto::NodeOffer| message.nodes.iter().any(|node| node.public_key == offer.node);
    if !offers.iter().all(registered) {
        return Err(GenesisFault::Platform("an offer is of a node that is not registered"));
    }
    for template in templates {
        writes.record(&chains::template(&template.name), template);
    }
    let names = templates.iter().map(|template| template.name.clone()).collect();
    writes.record(&chains::templates(), &proto::NameList { names });
    for offer in offers {
        writes.record(&chains::offer(&offer.node), offer);
    }
    Ok(())
}

fn write_nodes(
    writes: &mut Writer,
    genesis: &SealedGenesis,
    organisations: &Organisations<'_>,
) -> Result<(), GenesisFault> {
    for validator in genesis.validators.validators() {
        let fault = |reason| {
            Err(GenesisFault::Entry {
                kind: "validator",
                id: validator.name.clone(),
                reason,
            })
        };
        if !rules::is_label(&validator.name) || !rules::is_label(&validator.cloud) {
            return fault("name and cloud must not hold control characters or begin or end with a space");
        }
        if !organisations
            .get(validator.organisation.as_str())
            .is_some_and(|organisation| organisation.member)
        {
            return fault("its organisation is no member");
        }
    }
    let mut keys: BTreeSet<Bytes> = BTreeSet::new();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for node in &genesis.message.nodes {
        let fault = |reason| {
            Err(GenesisFault::Entry {
                kind: "node",
                id: node.name.clone(),
                reason,
            })
        };
        if !rules::is_node(node) || !organisations.contains_key(node.organisation.as_str()) {
            return fault("key, name, cloud, organisation or address (host:port) is malformed or unknown");
        }
        if !keys.insert(node.public_key.clone()) {
            return fault("the public key is used twice");
        }
        let same = |v: &proto::Validator| v.cloud == node.cloud && v.organisation == node.organisation;
        let validator = genesis
            .validators
            .validators()
            .iter()
            .find(|v| v.public_key == node.public_key);
        if !validator.is_none_or(same) {
            return fault("cloud or organisation differ from the validator of this key");
        }
        *counts.entry(&node.organisation).or_default() += 1;
        writes.record(&tables::node(&node.public_key), node);
    }
    for (organisation, count) in counts {
        if count > NODES_PER_ORGANISATION_MAX {
            let reason = "has too many nodes";
            return Err(GenesisFault::Entry {
                kind: "organisation",
                id: organisation.into(),
                reason,
            });
        }
        writes.record(&tables::node_count(organisation), &proto::Counter { value: count });
    }
    writes.record(
        &tables::nodes(),
        &proto::NodeList {
            public_keys: keys.into_iter().collect(),
        },
    );
    Ok(())
}
