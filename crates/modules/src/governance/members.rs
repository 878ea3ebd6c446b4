//! Who may vote, and whether quorums stay within reach.

use super::codes;
use yulian_exec::{Call, Failure, rules, tables};
use yulian_types::{
    StateKey,
    proto::{self, Charter},
};

/// The member organisations of a state.
pub(super) struct Members {
    /// Ids, sorted.
    pub(super) ids: Vec<String>,
    /// Of each, whether it is frozen.
    frozen: Vec<bool>,
}

impl Members {
    pub(super) fn load(call: &mut Call<'_>) -> Result<Self, Failure> {
        let list: proto::OrganisationList = call.record(&tables::members(), "members")?.unwrap_or_default();
        let mut frozen = Vec::with_capacity(list.ids.len());
        for id in &list.ids {
            let record: Option<proto::Organisation> = call.record(&StateKey::organisation(id), "organisation")?;
            frozen.push(record.is_none_or(|organisation| organisation.frozen));
        }
        Ok(Self { ids: list.ids, frozen })
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.index(id).is_some()
    }

    /// A member that is not frozen.
    pub(super) fn is_active(&self, id: &str) -> bool {
        self.index(id).is_some_and(|at| !self.frozen[at])
    }

    fn index(&self, id: &str) -> Option<usize> {
        self.ids.binary_search_by(|own| own.as_str().cmp(id)).ok()
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Members that are not frozen.
    pub(super) fn active(&self) -> usize {
        self.frozen.iter().filter(|frozen| !**frozen).count()
    }
}

pub(super) fn charter(call: &mut Call<'_>) -> Result<Charter, Failure> {
    let charter = call.record(&tables::charter(), "charter")?;
    charter.ok_or_else(|| call.broken("charter", "missing"))
}

/// Refuses a change after which `active` of `members` members could not carry every kind of proposal.
pub(super) fn check_reach(charter: &Charter, members: usize, active: usize) -> Result<(), Failure> {
    let needed = rules::votes_needed_at_most(charter, members);
    if members > 0 && active >= needed {
        return Ok(());
    }
    let detail = format!("{active} of {members} members could vote, {needed} would be needed");
    Err(Failure::new(&codes::QUORUM_OUT_OF_REACH, detail))
}
