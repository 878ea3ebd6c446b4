//! Templates: what a new chain of a kind is like. They are data; votes change them.

use super::{codes, names_with};
use crate::effect::Effect;
use yulian_exec::{Call, Failure, chains, parameters::HEARTBEAT_MS, rules::ROLE_ADMIN};
use yulian_types::proto::{ChainTemplate, NameList, ParameterValue};

/// An idle chain makes a block so often: views that pass without one cost about 9 KB each until the next.
const HEARTBEAT_EVERY_MS: u64 = 300_000;

/// The templates that the genesis of a new platform has, sorted by name. `known` tells which modules the program has: a
/// template that needs others is left out.
pub fn built_in(known: impl Fn(&str) -> bool) -> Vec<ChainTemplate> {
    let template = |name: &str, zh: &str, en: &str, modules: &[&str]| ChainTemplate {
        name: name.into(),
        title_zh: zh.into(),
        title_en: en.into(),
        modules: modules.iter().map(|module| module.to_string()).collect(),
        parameters: vec![ParameterValue {
            name: HEARTBEAT_MS.into(),
            value: HEARTBEAT_EVERY_MS,
        }],
        epoch_length: 256,
        leader_timeout_ms: 5_000,
        role: ROLE_ADMIN.into(),
        per_organisation_max: 128,
        transactions_per_second: 2_000,
        storage_mib: 10_240,
    };
    let relay = ChainTemplate {
        role: String::new(),
        per_organisation_max: 1,
        leader_timeout_ms: 2_000,
        ..template(
            "relay",
            "中继链",
            "relay chain",
            &["evidence", "link", "notice", "verification"],
        )
    };
    let all = [
        template("evidence", "存证链", "evidence chain", &["evidence"]),
        relay,
        template(
            "sharing",
            "数据共享链",
            "sharing chain",
            &["evidence", "link", "notice", "verification", "voucher"],
        ),
    ];
    let whole = |template: &ChainTemplate| template.modules.iter().all(|module| known(module));
    all.into_iter().filter(whole).collect()
}

/// What setting a template changes.
pub(crate) fn set(call: &mut Call<'_>, template: &ChainTemplate) -> Result<Effect, Failure> {
    if !chains::is_template(template) {
        return Err(Failure::new(&codes::BAD_TEMPLATE, template.name.clone()));
    }
    // A chain that has a list of templates is a system chain.
    let list: Option<NameList> = call.record(&chains::templates(), "templates")?;
    if list.is_none() {
        return Err(Failure::new(&codes::BAD_TEMPLATE, "this is no system chain"));
    }
    let names = names_with(call, &chains::templates(), &template.name)?;
    if names.names.len() > chains::TEMPLATES_MAX {
        return Err(Failure::new(&codes::BAD_TEMPLATE, "too many templates"));
    }
    let mut effect = Effect::default();
    effect.record(chains::templates(), &names);
    effect.record(chains::template(&template.name), template);
    Ok(effect)
}
