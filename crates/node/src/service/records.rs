//! Rules, members, nodes, proposals: records of the state that people look up.

use super::{
    ChainApi, errors,
    page::{cursor, cut},
};
use bytes::Bytes;
use prost::Message;
use yulian_api::{AccountRef, ApiError, Code, DigestText, Hex, PageRequest, views::*};
use yulian_crypto::sm2::PublicKey;
use yulian_engine::Runtime;
use yulian_exec::{epoch, parameters::DEFINITIONS, tables};
use yulian_store::Kv;
use yulian_types::{Digest, FinalityProof, StateKey, ValidatorSet, proto};

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    pub(super) async fn chain_info(&self) -> Result<ChainInfo, ApiError> {
        let mut names: Vec<&str> = DEFINITIONS.iter().map(|definition| definition.name).collect();
        names.sort_unstable();
        let (height, (parameters, charter, schedule)) = self
            .read_tip(|state| {
                let parameter = |name: &&str| state.record::<proto::Parameter>(&StateKey::parameter(name), "parameter");
                let parameters = names.iter().map(parameter).collect::<Result<Vec<_>, _>>()?;
                let charter: Option<proto::Charter> = state.record(&tables::charter(), "charter")?;
                let schedule: Option<proto::ProtocolSchedule> = state.record(&tables::protocol(), "protocol")?;
                Ok((parameters, charter, schedule))
            })
            .await?;
        let genesis = self.node.ledger().genesis();
        let protocol = |entry: &proto::ActivateProtocol| ProtocolView {
            version: entry.version,
            height: entry.height,
        };
        Ok(ChainInfo {
            id: DigestText(genesis.chain_id),
            name: genesis.message.name.clone(),
            genesis_time_ms: genesis.message.time_ms,
            epoch_length: genesis.message.epoch_length,
            height,
            parameters: parameters.iter().flatten().map(ParameterView::from).collect(),
            charter: (&charter.unwrap_or_default()).into(),
            protocols: schedule.unwrap_or_default().entries.iter().map(protocol).collect(),
        })
    }

    pub(super) fn current_validators(&self) -> Result<ValidatorsView, ApiError> {
        let next_height = self.node.ledger().tip().height + 1;
        let length = self.node.ledger().epoch_length();
        let mark = self.node.ledger().set_at(next_height);
        let missing = || ApiError::detailed(Code::Storage, "a validator set is missing");
        let current = self.node.set(&mark.digest)?.ok_or_else(missing)?;
        let decided = self.node.latest.borrow().executed.decided.clone();
        let epoch = epoch::epoch_of(next_height, length);
        Ok(ValidatorsView {
            epoch,
            epoch_last_height: (epoch + 1) * length - 1,
            since_height: mark.first_height,
            next: match decided.digest() != mark.digest {
                true => Some(self.set_view(&decided)?),
                false => None,
            },
            current: self.set_view(&current)?,
        })
    }

    fn set_view(&self, set: &ValidatorSet) -> Result<ValidatorSetView, ApiError> {
        Ok(ValidatorSetView::new(set, self.risk(set)?))
    }

    pub(super) fn history(&self, page: PageRequest) -> Result<ValidatorHistory, ApiError> {
        let after: Option<u64> = cursor(&page)?;
        let marks = self.node.ledger().sets();
        let marks = marks
            .into_iter()
            .filter(|mark| after.is_none_or(|after| mark.first_epoch > after));
        let (marks, next) = cut(marks.take(page.limit + 1).collect(), page.limit, |mark| {
            mark.first_epoch.to_string()
        });
        let items = marks.into_iter().map(|mark| {
            let set = self.node.set(&mark.digest)?.ok_or(Code::Internal)?;
            Ok(ValidatorChangeView {
                first_epoch: mark.first_epoch,
                first_height: mark.first_height,
                set: self.set_view(&set)?,
                finality: match mark.first_height.checked_sub(1) {
                    Some(boundary) => Some(self.boundary(boundary)?),
                    None => None,
                },
            })
        });
        let items = items.collect::<Result<_, ApiError>>()?;
        Ok(ValidatorHistory { items, next })
    }

    /// That the last header of an epoch is final by a proof of its own: its descendants are signed by the next set.
    fn boundary(&self, height: u64) -> Result<FinalityView, ApiError> {
        let set = self.set_at(height)?;
        let proof = FinalityProof::decode(&self.own_proof(height)?, set.len());
        let proof = proof.map_err(|error| ApiError::detailed(Code::Storage, error))?;
        Ok(FinalityView {
            height,
            headers: vec![Hex(self.header_bytes(height)?)],
            proof: FinalityProofView::new(&proof, &set),
        })
    }

    pub(super) async fn list_organisations(&self, page: PageRequest) -> Result<OrganisationPage, ApiError> {
        let after: Option<String> = cursor(&page)?;
        let names = self.node.ledger().organisations();
        let names = names
            .into_iter()
            .filter(|name| after.as_ref().is_none_or(|after| name > after));
        let (names, next) = cut(names.take(page.limit + 1).collect(), page.limit, String::clone);
        let keys: Vec<StateKey> = names.iter().map(|name| StateKey::organisation(name)).collect();
        let (_, values) = self.values(&keys).await?;
        let items = values
            .iter()
            .flatten()
            .map(OrganisationView::decode)
            .collect::<Result<_, _>>();
        let items = items.map_err(|error| errors::record(&error))?;
        Ok(OrganisationPage { items, next })
    }

    pub(super) async fn list_accounts(&self, organisation: &str, page: PageRequest) -> Result<AccountPage, ApiError> {
        let known = self
            .read_tip(|state| state.get(&StateKey::organisation(organisation)))
            .await?;
        known.1.ok_or(Code::OrganisationNotFound)?;
        let after: Option<Digest> = cursor(&page)?;
        let ids = self
            .node
            .ledger()
            .accounts_of(organisation, after.as_ref(), page.limit + 1)?;
        let (ids, next) = cut(ids, page.limit, Digest::to_string);
        let keys: Vec<StateKey> = ids.iter().map(StateKey::account).collect();
        let (_, values) = self.values(&keys).await?;
        let items = values
            .iter()
            .flatten()
            .map(AccountView::decode)
            .collect::<Result<_, _>>();
        let items = items.map_err(|error| errors::record(&error))?;
        Ok(AccountPage { items, next })
    }

    pub(super) async fn find_account(&self, account: AccountRef) -> Result<AccountView, ApiError> {
        let read = self
            .read_tip(|state| {
                let id = match &account {
                    AccountRef::Id(id) => Some(*id),
                    AccountRef::Key(key) => {
                        let owner: Option<proto::KeyOwner> = state.record(&StateKey::key_owner(key), "key owner")?;
                        owner.and_then(|owner| Digest::from_slice(&owner.account))
                    }
                };
                id.map_or(Ok(None), |id| state.get(&StateKey::account(&id)))
            })
            .await?;
        let bytes = read.1.ok_or(Code::AccountNotFound)?;
        AccountView::decode(&bytes).map_err(|error| errors::record(&error))
    }

    pub(super) async fn list_nodes(&self, page: PageRequest) -> Result<NodePage, ApiError> {
        let after: Option<PublicKey> = cursor(&page)?;
        let after = after.map(|key| Bytes::copy_from_slice(key.as_bytes()));
        let (_, records) = self
            .read_tip(|state| {
                let list: Option<proto::NodeList> = state.record(&tables::nodes(), "nodes")?;
                let keys = list.unwrap_or_default().public_keys.into_iter();
                let keys = keys.filter(|key| after.as_ref().is_none_or(|after| key > after));
                let records = keys
                    .take(page.limit + 1)
                    .map(|key| state.record::<proto::NodeRecord>(&tables::node(&key), "node"));
                records.collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let set = self.set_at(self.node.ledger().tip().height + 1)?;
        let view = |record: &proto::NodeRecord| {
            let validating = PublicKey::from_bytes(&record.public_key).is_ok_and(|key| set.contains(&key));
            let role = if validating {
                NodeRole::Validator
            } else {
                NodeRole::Observer
            };
            NodeView::new(record, role)
        };
        let views = records.iter().flatten().map(view).collect::<Result<Vec<_>, _>>();
        let views = views.map_err(|error| errors::record(&error))?;
        let (items, next) = cut(views, page.limit, |view| view.public_key.to_string());
        Ok(NodePage { items, next })
    }

    pub(super) async fn list_proposals(&self, page: PageRequest) -> Result<ProposalPage, ApiError> {
        let before: Option<u64> = cursor(&page)?;
        let (_, values) = self
            .read_tip(|state| {
                let counter: Option<proto::Counter> = state.record(&tables::last_proposal(), "last proposal")?;
                let last = counter.map_or(0, |counter| counter.value);
                let newest = before.map_or(last, |before| last.min(before.saturating_sub(1)));
                let ids = (1..=newest).rev().take(page.limit + 1);
                ids.map(|id| state.get(&tables::proposal(id)))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let views = values
            .iter()
            .flatten()
            .map(ProposalView::decode)
            .collect::<Result<Vec<_>, _>>();
        let views = views.map_err(|error| errors::record(&error))?;
        let (items, next) = cut(views, page.limit, |view| view.id.to_string());
        Ok(ProposalPage { items, next })
    }

    pub(super) async fn find_proposal(&self, id: u64) -> Result<ProposalView, ApiError> {
        let (_, mut values) = self.values(&[tables::proposal(id)]).await?;
        let bytes = values.pop().flatten().ok_or(Code::UnknownProposal)?;
        ProposalView::decode(&bytes).map_err(|error| errors::record(&error))
    }

    /// The protocol version in force at the next height.
    pub(super) fn protocol_version(&self) -> u32 {
        let latest = self.node.latest.borrow();
        yulian_exec::version_at(&latest.executed.protocol, latest.tip.height + 1)
    }
}

/// Encodes for a signature or a message.
pub(super) fn hex<M: Message>(message: &M) -> Hex {
    Hex(yulian_types::encode(message))
}
