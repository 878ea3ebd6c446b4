//! A genesis like that of the default network: four clouds, five organisations, six accounts.

use super::secret;
use yulian_crypto::sm2::Signer;
use yulian_types::{SealedGenesis, ValidatorSet, account_id, proto, state_keys};

/// Time of genesis, ms: 2026-11-01 00:00 UTC.
pub const START_MS: u64 = 1_793_491_200_000;
/// Value of the drift parameter, ms.
pub const DRIFT_MS: u64 = 1_000;
/// Hard limit of the drift parameter, ms.
pub const DRIFT_LIMIT_MS: u64 = 10_000;

/// (organisation id, name, cloud of its node if it runs one)
const ORGANISATIONS: [(&str, &str, &str); 5] = [
    ("unicom", "中国联通河南分公司", "联通"),
    ("mobile", "中国移动河南公司", "移动"),
    ("telecom", "中国电信河南分公司", "电信"),
    ("inspur", "浪潮云（河南）", "浪潮"),
    ("zzdata", "郑州市大数据管理局", ""),
];

/// (name, value, least, most) of the chain's parameters.
const PARAMETERS: [(&str, u64, u64, u64); 6] = [
    (state_keys::PARAMETER_CLOCK_DRIFT_MS, DRIFT_MS, 100, DRIFT_LIMIT_MS),
    ("block_bytes_max", 1 << 20, 1 << 16, 1 << 22),
    ("block_transactions_max", 5_000, 1, 20_000),
    ("metering_limit_max", 10_000_000, 1_000, 1_000_000_000),
    ("replay_window_ms", 600_000, 60_000, 3_600_000),
    ("transaction_bytes_max", 65_536, 1_024, 131_072),
];

/// Validator `number` of the test network, with the key `secret(number)`.
pub fn validator(number: u32) -> proto::Validator {
    let (organisation, _, cloud) = ORGANISATIONS[number as usize % 4];
    proto::Validator {
        public_key: secret(number).public_key().as_bytes().to_vec().into(),
        name: format!("{organisation}-{number}"),
        cloud: cloud.into(),
        organisation: organisation.into(),
    }
}

fn account(number: usize, organisation: &str, role: &str) -> proto::Account {
    let key = secret(100 + number as u32).public_key();
    proto::Account {
        id: account_id(&key).to_vec().into(),
        organisation: organisation.into(),
        public_key: key.as_bytes().to_vec().into(),
        roles: vec![role.into()],
        label: format!("{organisation} {role}"),
        ..Default::default()
    }
}

/// Genesis with `validators` validators. Account 0 to 4: an admin of each organisation; account 5: a writer of the
/// last; keys `secret(100 + number)`.
pub fn genesis(name: &str, validators: u32, epoch_length: u64) -> SealedGenesis {
    let set = ValidatorSet::new((0..validators).map(validator).collect()).expect("set");
    let node = |v: &proto::Validator| proto::NodeRecord {
        public_key: v.public_key.clone(),
        name: v.name.clone(),
        cloud: v.cloud.clone(),
        organisation: v.organisation.clone(),
        address: "127.0.0.1:18000".into(),
    };
    let organisation = |(id, name, _): &(&str, &str, &str)| proto::Organisation {
        id: (*id).into(),
        name: (*name).into(),
        member: true,
        ..Default::default()
    };
    let parameter = |(name, value, minimum, maximum): &(&str, u64, u64, u64)| proto::Parameter {
        name: (*name).into(),
        value: *value,
        minimum: *minimum,
        maximum: *maximum,
        never_shrinks: name.ends_with("bytes_max"),
    };
    let quorum = Some(proto::Quorum {
        numerator: 2,
        denominator: 3,
    });
    let mut accounts: Vec<_> = (0..5).map(|n| account(n, ORGANISATIONS[n].0, "admin")).collect();
    accounts.push(account(5, "zzdata", "writer"));
    SealedGenesis::new(proto::Genesis {
        version: 1,
        name: name.into(),
        time_ms: START_MS,
        protocol_version: 1,
        epoch_length,
        nodes: set.validators().iter().map(node).collect(),
        validators: Some(set.message().clone()),
        organisations: ORGANISATIONS.iter().map(organisation).collect(),
        accounts,
        charter: Some(proto::Charter {
            validators: quorum,
            parameters: quorum,
            charter: quorum,
            voting_period_ms: 604_800_000,
            ..Default::default()
        }),
        parameters: PARAMETERS.iter().map(parameter).collect(),
        ..Default::default()
    })
    .expect("genesis")
}
