//! From a topology to keys and a genesis.

use super::topology::{Account, Charter, Node, Organisation, Topology};
use crate::{
    governance::charter::{text_digest, voting_period_ms},
    key,
    problem::{Cause, Problem, Result},
    text::problem,
};
use bytes::Bytes;
use yulian_crypto::sm2::{PublicKey, SecretKey, Signer};
use yulian_exec::{
    PROTOCOL_VERSIONS_KNOWN, bootstrap, default_parameters,
    rules::{default_charter, risk_of},
};
use yulian_modules::chain::built_in;
use yulian_node::config::SyncMode;
use yulian_types::{
    SealedGenesis, ValidatorSet, account_id, proto,
    state_keys::{CHAIN_MODULE, EVIDENCE_MODULE},
};

const GENESIS_VERSION: u32 = 1;

/// A network with its keys, in memory. Nothing of it is on a disk yet.
pub(crate) struct Plan {
    pub(crate) genesis: SealedGenesis,
    pub(crate) organisations: Vec<PlannedOrganisation>,
    pub(crate) nodes: Vec<PlannedNode>,
}

/// An organisation with its accounts' keys.
pub(crate) struct PlannedOrganisation {
    pub(crate) id: String,
    pub(crate) accounts: Vec<(String, Holder)>,
}

/// A node with its key.
pub(crate) struct PlannedNode {
    pub(crate) node: Node,
    pub(crate) key: Holder,
    pub(crate) sync: SyncMode,
}

/// Who holds a private key.
pub(crate) enum Holder {
    /// It was made here.
    Here(SecretKey),
    /// It was made elsewhere; only the public key is known.
    Elsewhere(PublicKey),
}

impl Holder {
    fn new(public_key: Option<&str>) -> Result<Self> {
        match public_key {
            None => Ok(Self::Here(SecretKey::generate(&mut key::random()))),
            Some(text) => text
                .parse()
                .map(Self::Elsewhere)
                .or_problem(|| problem::bad_public_key(text)),
        }
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        match self {
            Self::Here(secret) => secret.public_key(),
            Self::Elsewhere(public) => *public,
        }
    }

    fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(self.public_key().as_bytes())
    }
}

impl Plan {
    /// Makes keys and genesis, and checks that the chain can be started.
    pub(crate) fn new(topology: &Topology, time_ms: u64) -> Result<Self> {
        let mut organisations = Vec::new();
        for organisation in &topology.organisations {
            let holder = |account: &Account| Ok((account.name.clone(), Holder::new(account.public_key.as_deref())?));
            let accounts = organisation.accounts.iter().map(holder).collect::<Result<_>>()?;
            organisations.push(PlannedOrganisation {
                id: organisation.id.clone(),
                accounts,
            });
        }
        let mut nodes = Vec::new();
        for node in &topology.nodes {
            nodes.push(PlannedNode {
                node: node.clone(),
                key: Holder::new(node.public_key.as_deref())?,
                sync: SyncMode::default(),
            });
        }
        let message = message(topology, &organisations, &nodes, time_ms)?;
        let genesis = SealedGenesis::new(message).or_problem(problem::bad_network)?;
        bootstrap(&genesis).or_problem(problem::bad_network)?;
        Ok(Self {
            genesis,
            organisations,
            nodes,
        })
    }
}

fn message(
    topology: &Topology,
    organisations: &[PlannedOrganisation],
    nodes: &[PlannedNode],
    time_ms: u64,
) -> Result<proto::Genesis> {
    let validators = nodes
        .iter()
        .filter(|planned| planned.node.validator)
        .map(validator)
        .collect();
    let validators = ValidatorSet::new(validators).or_problem(problem::bad_network)?;
    Ok(proto::Genesis {
        version: GENESIS_VERSION,
        name: topology.name.clone(),
        time_ms,
        protocol_version: PROTOCOL_VERSIONS_KNOWN[PROTOCOL_VERSIONS_KNOWN.len() - 1],
        epoch_length: topology.epoch_length,
        validators: Some(validators.message().clone()),
        organisations: topology.organisations.iter().map(organisation).collect(),
        accounts: [accounts(topology, organisations), node_accounts(topology, nodes)].concat(),
        charter: Some(charter(topology.charter.as_ref())?),
        parameters: parameters(topology)?,
        nodes: nodes.iter().map(record).collect(),
        modules: vec![CHAIN_MODULE.into(), EVIDENCE_MODULE.into()],
        templates: templates(),
        offers: offers(topology, nodes),
        accepted_risk: topology
            .accept_risk
            .as_deref()
            .map(|reason| accepted(&validators, reason)),
    })
}

/// The risk that the validators have. Where they have none, genesis refuses that one is accepted.
fn accepted(validators: &ValidatorSet, reason: &str) -> proto::AcceptedRisk {
    let nothing = || proto::AcceptedRisk {
        validators: validators.len() as u32,
        reason: reason.into(),
        ..Default::default()
    };
    risk_of(validators, reason).unwrap_or_else(nothing)
}

/// The templates of this program.
fn templates() -> Vec<proto::ChainTemplate> {
    let registry = yulian_modules::registry();
    built_in(|name| registry.modules().any(|module| module.name() == name))
}

/// What the nodes offer to host, where the topology says so for all of them.
fn offers(topology: &Topology, nodes: &[PlannedNode]) -> Vec<proto::NodeOffer> {
    let Some(capacity) = &topology.offer else {
        return Vec::new();
    };
    let offer = |planned: &PlannedNode| proto::NodeOffer {
        node: planned.key.bytes(),
        chains_max: capacity.chains,
        storage_mib_max: capacity.storage_mib,
        ..Default::default()
    };
    let mut offers: Vec<_> = nodes.iter().map(offer).collect();
    offers.sort_by(|a, b| a.node.cmp(&b.node));
    offers
}

/// Nodes that host chains speak on the system chain with their own keys: accounts without roles.
fn node_accounts(topology: &Topology, nodes: &[PlannedNode]) -> Vec<proto::Account> {
    let account = |planned: &PlannedNode| proto::Account {
        id: account_id(&planned.key.public_key()).to_vec().into(),
        organisation: planned.node.organisation.clone(),
        public_key: planned.key.bytes(),
        label: planned.node.name.clone(),
        ..Default::default()
    };
    match topology.offer {
        Some(_) => nodes.iter().map(account).collect(),
        None => Vec::new(),
    }
}

fn validator(planned: &PlannedNode) -> proto::Validator {
    let Node {
        name,
        cloud,
        organisation,
        ..
    } = planned.node.clone();
    proto::Validator {
        public_key: planned.key.bytes(),
        name,
        cloud,
        organisation,
    }
}

fn record(planned: &PlannedNode) -> proto::NodeRecord {
    let Node {
        name,
        cloud,
        organisation,
        ..
    } = planned.node.clone();
    let address = planned.node.peer_address();
    proto::NodeRecord {
        public_key: planned.key.bytes(),
        name,
        cloud,
        organisation,
        address,
    }
}

impl Node {
    /// "host:port" at which other nodes reach it; an IPv6 address is put in brackets.
    pub(crate) fn peer_address(&self) -> String {
        match self.host.contains(':') && !self.host.starts_with('[') {
            true => format!("[{}]:{}", self.host, self.peer_port),
            false => format!("{}:{}", self.host, self.peer_port),
        }
    }
}

fn organisation(organisation: &Organisation) -> proto::Organisation {
    let Organisation { id, name, member, .. } = organisation.clone();
    proto::Organisation {
        id,
        name,
        member,
        ..Default::default()
    }
}

fn accounts(topology: &Topology, organisations: &[PlannedOrganisation]) -> Vec<proto::Account> {
    let mut out = Vec::new();
    for (organisation, planned) in topology.organisations.iter().zip(organisations) {
        for (account, (_, holder)) in organisation.accounts.iter().zip(&planned.accounts) {
            let label = || format!("{} {}", organisation.name, account.name);
            out.push(proto::Account {
                id: account_id(&holder.public_key()).to_vec().into(),
                organisation: organisation.id.clone(),
                public_key: holder.bytes(),
                roles: account.roles.clone(),
                label: account.label.clone().unwrap_or_else(label),
                ..Default::default()
            });
        }
    }
    out
}

fn charter(charter: Option<&Charter>) -> Result<proto::Charter> {
    let Some(charter) = charter else {
        return Ok(default_charter());
    };
    let quorum = |[numerator, denominator]: [u32; 2]| Some(proto::Quorum { numerator, denominator });
    let text_digest = match &charter.text {
        Some(path) => text_digest(path)?,
        None => Bytes::new(),
    };
    Ok(proto::Charter {
        validators: quorum(charter.validators),
        parameters: quorum(charter.parameters),
        charter: quorum(charter.charter),
        voting_period_ms: voting_period_ms(charter.voting_hours),
        text_digest,
    })
}

fn parameters(topology: &Topology) -> Result<Vec<proto::Parameter>> {
    let mut parameters = default_parameters();
    for (name, value) in &topology.parameters {
        let unknown = || -> Problem { problem::unknown_parameter(name) };
        let parameter = parameters
            .iter_mut()
            .find(|parameter| parameter.name == *name)
            .ok_or_else(unknown)?;
        parameter.value = *value;
    }
    Ok(parameters)
}
