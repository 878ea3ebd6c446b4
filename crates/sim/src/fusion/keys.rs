//! Keys and genesis of the chains of a simulated fusion network.

use crate::keys::{START_MS, account, admin_key, key, node_key, node_record, organisation, validator};
use std::sync::Arc;
use yulian_crypto::sm2::{PublicKey, SecretKey, Signer as _};
use yulian_exec::{default_parameters, rules};
use yulian_types::{SealedGenesis, ValidatorSet, account_id, proto};

/// Machines that host the chains: four validate each chain, the fifth is its candidate.
pub const MACHINES: usize = 5;
/// The relay chain's place.
pub const HUB: usize = 0;
/// Member chains that machines host, at places 1 to this.
pub const CITIES: usize = 3;
/// Chains that machines host.
pub const CHAINS: usize = CITIES + 1;
/// Place of the chain that exists in its liars' words alone.
pub const CAPTURED: usize = CHAINS;
/// Place of a chain that never was, for which a relay chain that lies vouches.
pub const PHANTOM: usize = CAPTURED + 1;
/// Holders of vouchers on each chain.
pub const HOLDERS: usize = 2;
/// Accounts that carry: two agents, the liars' own and one that plays tricks.
pub const CARRIERS: usize = 4;
/// Organisation of holders and carriers.
pub const ORGANISATION: &str = "holders";

/// Modules beside those that every chain has.
const MODULES: [&str; 5] = ["evidence", "link", "notice", "verification", "voucher"];
/// Validators of each chain.
const SEATS: usize = 4;
/// A chain that no machine hosts never ends its first epoch.
const CAPTURED_EPOCH: u64 = 1_000_000;

/// Key of a holder of a chain; no other chain knows the account.
pub(crate) fn holder_key(chain: usize, number: usize) -> SecretKey {
    key("holder", chain * HOLDERS + number)
}

/// Account of a holder.
pub(crate) fn holder_id(chain: usize, number: usize) -> Vec<u8> {
    account_id(&holder_key(chain, number).public_key()).to_vec()
}

/// Key of a carrier, the same on every chain.
pub(crate) fn carrier_key(number: usize) -> SecretKey {
    key("carrier", number)
}

/// Key of the regulator's account on the relay chain.
pub(crate) fn regulator_key() -> SecretKey {
    key("regulator", 0)
}

/// Key of a validator, of a chain that machines host or of one that they do not.
pub(crate) fn signing_key(public: &[u8]) -> Option<SecretKey> {
    let alone = (0..SEATS).map(|number| key("captured", number));
    let mut all = alone.chain((0..MACHINES).map(node_key));
    all.find(|key| key.public_key().as_bytes() == public)
}

/// The machine that does not validate a chain at first.
pub(crate) fn candidate(chain: usize) -> usize {
    (chain + 4) % MACHINES
}

/// The chain at a place.
pub(crate) fn genesis(chain: usize, epoch_length: u64) -> Arc<SealedGenesis> {
    let captured = |number: usize| {
        let public: PublicKey = key("captured", number).public_key();
        proto::Validator {
            public_key: public.as_bytes().to_vec().into(),
            ..validator(number)
        }
    };
    let set = match chain {
        CAPTURED.. => (0..SEATS).map(captured).collect(),
        _ => (0..MACHINES)
            .filter(|n| *n != candidate(chain))
            .map(validator)
            .collect(),
    };
    let set = ValidatorSet::new(set).expect("a set");
    let nodes = match chain {
        CAPTURED.. => vec![],
        _ => (0..MACHINES).map(node_record).collect(),
    };
    let members = (0..MACHINES).map(|number| proto::Organisation {
        id: organisation(number),
        name: format!("机构 {number}"),
        member: true,
        ..Default::default()
    });
    let holders = proto::Organisation {
        id: ORGANISATION.into(),
        name: "持有人".into(),
        ..Default::default()
    };
    let half = || {
        Some(proto::Quorum {
            numerator: 1,
            denominator: 2,
        })
    };
    let message = proto::Genesis {
        version: 1,
        name: format!("链 {chain}"),
        time_ms: START_MS - 60_000,
        protocol_version: 1,
        epoch_length: if chain >= CAPTURED {
            CAPTURED_EPOCH
        } else {
            epoch_length
        },
        validators: Some(set.message().clone()),
        organisations: members.chain([holders]).collect(),
        accounts: accounts(chain),
        charter: Some(proto::Charter {
            validators: half(),
            parameters: half(),
            charter: half(),
            ..rules::default_charter()
        }),
        parameters: default_parameters(),
        nodes,
        modules: MODULES.map(String::from).to_vec(),
        ..Default::default()
    };
    Arc::new(SealedGenesis::new(message).expect("a genesis"))
}

fn accounts(chain: usize) -> Vec<proto::Account> {
    let admins = (0..MACHINES).map(|n| account(&admin_key(n), organisation(n), &[rules::ROLE_ADMIN]));
    let holders = (0..HOLDERS).map(|n| {
        let roles = [rules::ROLE_ADMIN, rules::ROLE_WRITER];
        account(&holder_key(chain, n), ORGANISATION.into(), &roles[1 - n.min(1)..])
    });
    let carriers = (0..CARRIERS).map(|n| account(&carrier_key(n), ORGANISATION.into(), &[]));
    let regulator = account(&regulator_key(), ORGANISATION.into(), &[rules::ROLE_REGULATOR]);
    admins.chain(holders).chain(carriers).chain([regulator]).collect()
}
