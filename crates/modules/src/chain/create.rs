//! Asking for a new chain.

use super::{
    ACCOUNTS_MAX, OBSERVERS_MAX, ORGANISATIONS_MAX, STATE_ASKED, STATE_STARTING, birth, codes, names_with, offers,
};
use crate::{
    effect::Effect,
    risk::{self, Source},
};
use bytes::Bytes;
use yulian_exec::{Call, Failure, chains, limits::VALIDATORS_MIN, rules};
use yulian_types::{
    SealedGenesis, StateKey, encode,
    limits::VALIDATORS_MAX,
    proto::{
        ChainCreated, ChainNode, ChainRecord, ChainTemplate, Counter, CreateChain, NameList, NodeRecord, Organisation,
        RiskRecord,
    },
};

/// A call or a vote that asks for a chain, with what the state says about it.
pub(crate) struct Request {
    pub(super) arguments: CreateChain,
    pub(super) template: ChainTemplate,
    pub(super) creator: Organisation,
    pub(super) validators: Vec<NodeRecord>,
    pub(super) observers: Vec<NodeRecord>,
    /// The proposal that creates it, as far as one does.
    source: Option<(u64, String)>,
}

pub(super) fn by_role(call: &mut Call<'_>, arguments: &Bytes) -> Result<Bytes, Failure> {
    let arguments: CreateChain = call.decode(arguments)?;
    if !arguments.creator.is_empty() {
        return Err(Failure::new(&codes::NOT_ALLOWED, "only a vote names another creator"));
    }
    if arguments.accept_risk.is_some() {
        return Err(Failure::new(&codes::NOT_ALLOWED, "only a vote accepts a risk"));
    }
    let creator = call.organisation().clone();
    let request = Request::load(call, arguments, creator)?;
    let role = &request.template.role;
    if role.is_empty() || !call.sender().roles.contains(role) {
        return Err(Failure::new(&codes::NOT_ALLOWED, request.template.name));
    }
    let (effect, created) = request.effect(call)?;
    effect.write(call)?;
    call.emit("created", created.chain_id.clone())?;
    Ok(encode(&created))
}

impl Request {
    /// A request that a vote carries.
    pub(crate) fn by_vote(call: &mut Call<'_>, arguments: CreateChain, source: Source<'_>) -> Result<Self, Failure> {
        let id = arguments.creator.clone();
        let bad = || Failure::new(&codes::BAD_ACCOUNTS, format!("creator {id}"));
        if !rules::is_organisation_id(&id) {
            return Err(bad());
        }
        let creator: Option<Organisation> = call.record(&StateKey::organisation(&id), "organisation")?;
        let creator = creator.filter(|organisation| organisation.member).ok_or_else(bad)?;
        let request = Self::load(call, arguments, creator)?;
        Ok(Self {
            source: Some((source.proposal, source.organisation.into())),
            ..request
        })
    }

    fn load(call: &mut Call<'_>, arguments: CreateChain, creator: Organisation) -> Result<Self, Failure> {
        check_form(&arguments)?;
        let template: Option<ChainTemplate> = match rules::is_organisation_id(&arguments.template) {
            true => call.record(&chains::template(&arguments.template), "template")?,
            false => None,
        };
        let template = template.ok_or_else(|| Failure::new(&codes::TEMPLATE_NOT_FOUND, arguments.template.clone()))?;
        let load = |call: &mut Call<'_>, keys: &[Bytes]| {
            let nodes = keys.iter().map(|key| offers::registered(call, key));
            nodes.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            validators: load(call, &arguments.validators)?,
            observers: load(call, &arguments.observers)?,
            arguments,
            template,
            creator,
            source: None,
        })
    }

    /// The quotas of the new chain.
    fn quotas(&self) -> Result<(u32, u32), Failure> {
        let pick = |asked: u32, most: u32| match asked {
            0 => Ok(most),
            asked if asked <= most => Ok(asked),
            asked => Err(Failure::new(&codes::BAD_QUOTA, format!("{asked} of at most {most}"))),
        };
        Ok((
            pick(
                self.arguments.transactions_per_second,
                self.template.transactions_per_second,
            )?,
            pick(self.arguments.storage_mib, self.template.storage_mib)?,
        ))
    }

    /// What creating the chain changes.
    pub(crate) fn effect(&self, call: &mut Call<'_>) -> Result<(Effect, ChainCreated), Failure> {
        let name = &self.arguments.name;
        let mut effect = self.count(call)?;
        effect.extend(self.list(call)?);
        let (transactions_per_second, storage_mib) = self.quotas()?;
        let (genesis, organisations) = birth::genesis(call, self)?;
        let mut nodes = Vec::with_capacity(self.validators.len() + self.observers.len());
        let validators = self.validators.iter().map(|node| (node, true));
        for (node, validator) in validators.chain(self.observers.iter().map(|node| (node, false))) {
            let (offer, agreed) = offers::reserve(call, node, &self.creator, &self.template.name, storage_mib)?;
            effect.record(chains::offer(&node.public_key), &offer);
            nodes.push(ChainNode {
                public_key: node.public_key.clone(),
                validator,
                agreed,
                organisation: node.organisation.clone(),
                ..Default::default()
            });
        }
        let (height, time_ms) = (call.block().height, call.block().time_ms);
        let record = ChainRecord {
            name: name.clone(),
            title: self.arguments.title.clone(),
            chain_id: Bytes::copy_from_slice(&genesis.chain_id.0),
            template: self.template.name.clone(),
            creator: self.creator.id.clone(),
            organisations,
            state: match nodes.iter().all(|node| node.agreed) {
                true => STATE_STARTING,
                false => STATE_ASKED,
            },
            nodes,
            transactions_per_second,
            storage_mib,
            leader_timeout_ms: self.template.leader_timeout_ms,
            created_height: height,
            created_ms: time_ms,
            state_height: height,
            state_ms: time_ms,
            risk: self.risk(call, &genesis),
            ..Default::default()
        };
        effect.record(StateKey::chain(name), &record);
        effect.put(StateKey::chain_genesis(&genesis.chain_id), genesis.bytes);
        let chain_id = record.chain_id;
        Ok((effect, ChainCreated { chain_id }))
    }

    fn risk(&self, call: &Call<'_>, genesis: &SealedGenesis) -> Option<RiskRecord> {
        let (proposal, organisation) = self.source.as_ref()?;
        let source = Source {
            proposal: *proposal,
            organisation,
        };
        let accepted = self.arguments.accept_risk.as_ref()?;
        Some(risk::record(call, &genesis.validators.digest(), accepted, source))
    }

    fn count(&self, call: &mut Call<'_>) -> Result<Effect, Failure> {
        let key = chains::count(&self.template.name, &self.creator.id);
        let count: Counter = call.record(&key, "number of chains")?.unwrap_or_default();
        if count.value >= u64::from(self.template.per_organisation_max) {
            return Err(Failure::new(
                &codes::LIMIT_REACHED,
                format!("{} of {}", count.value, self.template.per_organisation_max),
            ));
        }
        let mut effect = Effect::default();
        effect.record(key, &Counter { value: count.value + 1 });
        Ok(effect)
    }

    fn list(&self, call: &mut Call<'_>) -> Result<Effect, Failure> {
        let name = &self.arguments.name;
        if call.get(&StateKey::chain(name))?.is_some() {
            return Err(Failure::new(&codes::NAME_USED, name.clone()));
        }
        let names: NameList = names_with(call, &chains::chains(), name)?;
        if names.names.len() > chains::CHAINS_MAX {
            return Err(Failure::from(&codes::TOO_MANY_CHAINS));
        }
        let mut effect = Effect::default();
        effect.record(chains::chains(), &names);
        Ok(effect)
    }
}

fn check_form(arguments: &CreateChain) -> Result<(), Failure> {
    if !chains::is_chain_name(&arguments.name) || !rules::is_label(&arguments.title) {
        return Err(Failure::new(&codes::BAD_NAME, arguments.name.clone()));
    }
    let (validators, observers) = (&arguments.validators, &arguments.observers);
    let sorted = |keys: &[Bytes]| keys.is_sorted_by(|a, b| a < b);
    let counts = (VALIDATORS_MIN..=VALIDATORS_MAX).contains(&validators.len()) && observers.len() <= OBSERVERS_MAX;
    let apart = |key: &Bytes| validators.binary_search(key).is_err();
    if !counts || !sorted(validators) || !sorted(observers) || !observers.iter().all(apart) {
        let detail = format!("{} validators, {} observers", validators.len(), observers.len());
        return Err(Failure::new(&codes::BAD_NODES, detail));
    }
    let accounts = arguments.accounts.len() + arguments.extra.len();
    if accounts > ACCOUNTS_MAX || arguments.organisations.len() > ORGANISATIONS_MAX {
        return Err(Failure::new(&codes::BAD_ACCOUNTS, format!("{accounts} accounts")));
    }
    if arguments.parameters.len() > chains::PARAMETERS_MAX {
        return Err(Failure::new(&codes::BAD_QUOTA, "too many parameters"));
    }
    Ok(())
}
