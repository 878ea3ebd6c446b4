//! What waits in the consortium: invitations, notices, votes.

use super::{ChainApi, errors};
use yulian_api::{ApiError, views::*};
use yulian_engine::Runtime;
use yulian_exec::tables;
use yulian_store::Kv;
use yulian_types::proto;

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    /// What expired by the time of the last block is left out: the state drops it when the next of its kind comes.
    pub(super) async fn list_pending(&self) -> Result<PendingView, ApiError> {
        let now = self.node.latest.borrow().tip.time_ms;
        let (height, (invitations, notices, open)) = self
            .read_tip(|state| {
                let invited: Option<proto::OrganisationList> = state.record(&tables::invited(), "invited")?;
                let ids = invited.unwrap_or_default().ids.into_iter();
                let invitations =
                    ids.map(|id| state.record::<proto::Invitation>(&tables::invitation(&id), "invitation"));
                let invitations = invitations.collect::<Result<Vec<_>, _>>()?;
                let leaving: Option<proto::OrganisationList> = state.record(&tables::leaving(), "leaving")?;
                let ids = leaving.unwrap_or_default().ids.into_iter();
                let notices = ids.map(|id| state.record::<proto::LeaveNotice>(&tables::notice(&id), "notice"));
                let notices = notices.collect::<Result<Vec<_>, _>>()?;
                let open: Option<proto::OpenProposals> = state.record(&tables::open_proposals(), "open proposals")?;
                Ok((invitations, notices, open))
            })
            .await?;
        let holds = |invitation: &proto::Invitation| {
            let terms = invitation.terms.as_ref();
            terms.is_some_and(|terms| terms.valid_until_ms >= now)
        };
        let invitations = invitations.into_iter().flatten().filter(holds);
        let invitations = invitations.map(InvitationView::new).collect::<Result<_, _>>();
        let open = open.unwrap_or_default().proposals.into_iter();
        let open = open.filter(|proposal| proposal.deadline_ms >= now);
        Ok(PendingView {
            height,
            invitations: invitations.map_err(|error| errors::record(&error))?,
            leaving: notices.into_iter().flatten().map(LeavingView::from).collect(),
            proposals: open
                .map(|proposal| OpenProposalView {
                    id: proposal.id,
                    proposer: proposal.organisation,
                    deadline_ms: proposal.deadline_ms,
                })
                .collect(),
        })
    }
}
