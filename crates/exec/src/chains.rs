//! What genesis and the module `chain` share: tables, limits and the form of templates and offers.

use crate::{
    epoch::{EPOCH_LENGTH_MAX, EPOCH_LENGTH_MIN},
    parameters::definition,
    rules::{ROLES, is_label, is_organisation_id},
};
use yulian_crypto::sm2::PublicKey;
use yulian_types::{
    StateKey,
    limits::{GENESIS_MODULES_MAX, NAME_BYTES_MAX},
    proto::{ChainTemplate, NodeOffer},
    state_keys::CHAIN_ID,
};

/// Table of `chain`: names of all chains, one record.
pub const TABLE_CHAINS: u8 = 3;
/// Table of `chain`: templates by name.
pub const TABLE_TEMPLATE: u8 = 4;
/// Table of `chain`: names of all templates, one record.
pub const TABLE_TEMPLATES: u8 = 5;
/// Table of `chain`: standing offers by public key of the node.
pub const TABLE_OFFER: u8 = 6;
/// Table of `chain`: number of chains of an organisation, by template ‖ 0 ‖ organisation id.
pub const TABLE_COUNT: u8 = 7;

/// Table of `chain`: who validates a chain since it voted on that, by the chain's name.
pub const TABLE_SET: u8 = 8;

/// Most chains of a platform, those that are destroyed among them: their names are never given again.
pub const CHAINS_MAX: usize = 1_000;
/// Most templates of a platform.
pub const TEMPLATES_MAX: usize = 64;
/// Most organisations, and most templates, that an offer names.
pub const OFFER_NAMES_MAX: usize = 64;
/// Most chains that a node may offer to host.
pub const NODE_CHAINS_MAX: u32 = 1_024;
/// Most MiB that a node may offer: 1 PiB.
pub const NODE_STORAGE_MIB_MAX: u32 = 1 << 30;
/// Most parameters that a template or a creation sets.
pub const PARAMETERS_MAX: usize = 32;
/// Most bytes of a chain's name.
pub const CHAIN_NAME_BYTES_MAX: usize = 32;
/// What the interface calls a node's first chain.
const RESERVED_NAME: &str = "default";
/// Shortest and longest time that validators of a chain may wait for a leader, ms.
pub const LEADER_TIMEOUT_MS: std::ops::RangeInclusive<u32> = 100..=60_000;
/// Highest quota, transactions per second.
pub const TRANSACTIONS_PER_SECOND_MAX: u32 = 1_000_000;

// A list of all names fits a state value.
const _: () = assert!(CHAINS_MAX * (CHAIN_NAME_BYTES_MAX + 2) <= yulian_types::limits::STATE_VALUE_BYTES_MAX);

fn key(table: u8, parts: &[&[u8]]) -> StateKey {
    StateKey::new(CHAIN_ID, table, parts)
}

/// [`yulian_types::proto::NameList`] of all chains.
pub fn chains() -> StateKey {
    key(TABLE_CHAINS, &[])
}

/// [`ChainTemplate`] of a name.
pub fn template(name: &str) -> StateKey {
    key(TABLE_TEMPLATE, &[name.as_bytes()])
}

/// [`yulian_types::proto::NameList`] of all templates.
pub fn templates() -> StateKey {
    key(TABLE_TEMPLATES, &[])
}

/// [`NodeOffer`] of a node.
pub fn offer(node: &[u8]) -> StateKey {
    key(TABLE_OFFER, &[node])
}

/// [`yulian_types::proto::ChainSet`] of a chain.
pub fn set(name: &str) -> StateKey {
    key(TABLE_SET, &[name.as_bytes()])
}

/// [`yulian_types::proto::Counter`]: chains of a template that an organisation has.
pub fn count(template: &str, organisation: &str) -> StateKey {
    key(TABLE_COUNT, &[template.as_bytes(), &[0], organisation.as_bytes()])
}

/// Whether a text is a chain's name: 1 to [`CHAIN_NAME_BYTES_MAX`] bytes that need no escape in an address.
pub fn is_chain_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && !"/?#%&".contains(c);
    (1..=CHAIN_NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(allowed) && name != RESERVED_NAME
}

/// Whether a template is well formed.
pub fn is_template(template: &ChainTemplate) -> bool {
    let module = |name: &String| (1..=NAME_BYTES_MAX).contains(&name.len());
    is_organisation_id(&template.name)
        && is_label(&template.title_zh)
        && is_label(&template.title_en)
        && (1..=GENESIS_MODULES_MAX).contains(&template.modules.len())
        && template.modules.is_sorted_by(|a, b| a < b)
        && template.modules.iter().all(module)
        && template.parameters.len() <= PARAMETERS_MAX
        && template.parameters.is_sorted_by(|a, b| a.name < b.name)
        && template.parameters.iter().all(|p| in_range(&p.name, p.value))
        && (EPOCH_LENGTH_MIN..=EPOCH_LENGTH_MAX).contains(&template.epoch_length)
        && LEADER_TIMEOUT_MS.contains(&template.leader_timeout_ms)
        && (template.role.is_empty() || ROLES.contains(&template.role.as_str()))
        && template.per_organisation_max > 0
        && (1..=TRANSACTIONS_PER_SECOND_MAX).contains(&template.transactions_per_second)
        && (1..=NODE_STORAGE_MIB_MAX).contains(&template.storage_mib)
}

/// Whether a parameter is known and its value within the limits of the program.
pub fn in_range(name: &str, value: u64) -> bool {
    definition(name).is_some_and(|known| (known.minimum..=known.maximum).contains(&value))
}

/// Whether an offer is well formed; what the node hosts is not the owner's to say.
pub fn is_offer(offer: &NodeOffer) -> bool {
    let ids = |list: &[String]| {
        list.len() <= OFFER_NAMES_MAX
            && list.is_sorted_by(|a, b| a < b)
            && list.iter().all(|name| is_organisation_id(name))
    };
    PublicKey::from_bytes(&offer.node).is_ok()
        && offer.chains_max <= NODE_CHAINS_MAX
        && offer.storage_mib_max <= NODE_STORAGE_MIB_MAX
        && ids(&offer.organisations)
        && ids(&offer.templates)
        && (offer.chains, offer.storage_mib) == (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_no_escape() {
        assert!(is_chain_name("郑州") && is_chain_name("evidence-2") && is_chain_name(&"a".repeat(32)));
        for name in ["", "default", "a b", "a/b", "a?", "a%20", "a\n", &"a".repeat(33)] {
            assert!(!is_chain_name(name), "{name:?}");
        }
    }

    #[test]
    fn templates_and_offers_are_sorted_and_bounded() {
        let template = ChainTemplate {
            name: "evidence".into(),
            title_zh: "存证链".into(),
            title_en: "evidence".into(),
            modules: vec!["evidence".into()],
            epoch_length: 256,
            leader_timeout_ms: 2_000,
            role: "admin".into(),
            per_organisation_max: 1,
            transactions_per_second: 1,
            storage_mib: 1,
            ..Default::default()
        };
        assert!(is_template(&template));
        let wrong: [fn(&mut ChainTemplate); 6] = [
            |t| t.name = "Evidence".into(),
            |t| t.modules.clear(),
            |t| t.modules = vec!["b".into(), "a".into()],
            |t| t.role = "root".into(),
            |t| t.leader_timeout_ms = 0,
            |t| {
                t.parameters.push(yulian_types::proto::ParameterValue {
                    name: "heartbeat_ms".into(),
                    value: 1,
                })
            },
        ];
        for change in wrong {
            let mut template = template.clone();
            change(&mut template);
            assert!(!is_template(&template));
        }
        assert!(!is_offer(&NodeOffer::default()));
    }
}
