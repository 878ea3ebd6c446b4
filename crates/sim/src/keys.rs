//! Keys and genesis of a simulated chain; everything follows from small numbers.

use std::sync::Arc;
use yulian_crypto::{
    sm2::{PublicKey, SecretKey, Signer},
    sm3,
};
use yulian_exec::{default_charter, default_parameters, rules};
use yulian_types::{SealedGenesis, ValidatorSet, account_id, proto};

/// Machines of a simulation: validators and candidates.
pub const MACHINES: usize = 7;
/// Clients of a simulation.
pub const CLIENTS: usize = 3;
/// Time of day at which every simulation begins, ms since 1970-01-01 UTC.
pub const START_MS: u64 = yulian_engine::simulated::START_MS;

/// A key of its kind and number.
pub(crate) fn key(kind: &str, number: usize) -> SecretKey {
    // A digest is a valid key but for a chance of 2^-32; the numbers used here are all valid.
    let seed = sm3::hash(&[b"simulation key", kind.as_bytes(), &(number as u64).to_be_bytes()]);
    SecretKey::from_bytes(&seed.0).expect("a digest below the order of the curve")
}

/// Key of a machine.
pub fn node_key(number: usize) -> SecretKey {
    key("node", number)
}

/// Public key of a machine.
pub fn node_id(number: usize) -> PublicKey {
    node_key(number).public_key()
}

/// Key of the admin of a machine's organisation.
pub fn admin_key(number: usize) -> SecretKey {
    key("admin", number)
}

/// Key of a client's account.
pub fn client_key(number: usize) -> SecretKey {
    key("client", number)
}

/// The validator record of a machine: its own organisation, its own cloud.
pub fn validator(number: usize) -> proto::Validator {
    proto::Validator {
        public_key: node_id(number).as_bytes().to_vec().into(),
        name: format!("node-{number}"),
        cloud: format!("cloud-{number}"),
        organisation: organisation(number),
    }
}

/// Id of a machine's organisation.
pub(crate) fn organisation(number: usize) -> String {
    format!("org-{number}")
}

/// An account of genesis.
pub(crate) fn account(key: &SecretKey, organisation: String, roles: &[&str]) -> proto::Account {
    proto::Account {
        id: account_id(&key.public_key()).to_vec().into(),
        organisation,
        public_key: key.public_key().as_bytes().to_vec().into(),
        roles: roles.iter().map(|role| role.to_string()).collect(),
        label: "simulated".into(),
        ..Default::default()
    }
}

/// A machine as it is registered on a chain.
pub(crate) fn node_record(number: usize) -> proto::NodeRecord {
    let validator = validator(number);
    proto::NodeRecord {
        public_key: validator.public_key,
        name: validator.name,
        cloud: validator.cloud,
        organisation: validator.organisation,
        address: format!("10.0.0.{}:1", number + 1),
    }
}

/// A chain whose first `validators` machines validate; every machine is registered and may follow.
pub fn genesis(validators: usize, epoch_length: u64) -> Arc<SealedGenesis> {
    let set = ValidatorSet::new((0..validators).map(validator).collect()).expect("a set");
    let organisations = (0..MACHINES).map(|number| proto::Organisation {
        id: organisation(number),
        name: format!("机构 {number}"),
        // A candidate's organisation must be a member.
        member: true,
        ..Default::default()
    });
    let clients = proto::Organisation {
        id: "clients".into(),
        name: "客户".into(),
        ..Default::default()
    };
    let admins = (0..MACHINES).map(|n| account(&admin_key(n), organisation(n), &[rules::ROLE_ADMIN]));
    let writers = (0..CLIENTS).map(|n| {
        account(
            &client_key(n),
            "clients".into(),
            &[rules::ROLE_ADMIN, rules::ROLE_WRITER],
        )
    });
    let message = proto::Genesis {
        version: 1,
        name: "simulation".into(),
        time_ms: START_MS - 1_000,
        protocol_version: 1,
        epoch_length,
        validators: Some(set.message().clone()),
        organisations: organisations.chain([clients]).collect(),
        accounts: admins.chain(writers).collect(),
        charter: Some(default_charter()),
        parameters: default_parameters(),
        nodes: (0..MACHINES).map(node_record).collect(),
        ..Default::default()
    };
    Arc::new(SealedGenesis::new(message).expect("a genesis"))
}
