//! Evidence records by digest, by depositor, by time.

use super::{
    ChainApi,
    page::{Place, cursor, cut},
};
use crate::ledger::Deposit;
use yulian_api::{ApiError, Code, EvidenceFilter, PageRequest, views::*};
use yulian_crypto::Digest;
use yulian_engine::Runtime;
use yulian_store::Kv;
use yulian_types::StateKey;

impl<R: Runtime, K: Kv> ChainApi<R, K> {
    pub(super) async fn find_evidence(
        &self,
        filter: EvidenceFilter,
        page: PageRequest,
    ) -> Result<EvidencePage, ApiError> {
        match filter {
            EvidenceFilter::Digest(digest) => self.evidence_of_digest(digest, &page).await,
            EvidenceFilter::Depositor(account) => {
                let before = cursor::<Place>(&page)?.map(|Place(height, index)| (height, index));
                let list = self.node.ledger().deposits_of(&account, before, page.limit + 1)?;
                let end = list.last().map(|last| Place(last.height, last.index).to_string());
                let mut shown = self.show(list, &page).await?;
                // A list that ends with a snapshot is not at its end: what is older has to be asked for elsewhere.
                if self.node.ledger().floor().is_some() && shown.next.is_none() {
                    shown.next = Some(end.ok_or(Code::Pruned)?);
                }
                Ok(shown)
            }
            EvidenceFilter::Time { from_ms, to_ms } => {
                let ledger = self.node.ledger();
                let first = match cursor::<Place>(&page)? {
                    Some(Place(height, index)) => (height, index.saturating_add(1)),
                    None => (ledger.first_at_or_after(from_ms)?, 0),
                };
                let Some(last) = ledger.first_at_or_after(to_ms)?.checked_sub(1) else {
                    return self.show(Vec::new(), &page).await;
                };
                if ledger.floor().is_some_and(|floor| first.0 < floor && first.0 <= last) {
                    return Err(Code::Pruned.into());
                }
                let list = ledger.deposits_between(first, last, page.limit + 1)?;
                self.show(list, &page).await
            }
        }
    }

    /// Everyone's records of a digest. A record stands under digest and organisation, so those that ever deposited are asked.
    async fn evidence_of_digest(&self, digest: Digest, page: &PageRequest) -> Result<EvidencePage, ApiError> {
        let after = cursor::<String>(page)?;
        let names = self.node.ledger().depositing_organisations();
        let names = names
            .into_iter()
            .filter(|name| after.as_ref().is_none_or(|after| name > after));
        let keys: Vec<StateKey> = names.map(|name| StateKey::evidence(&digest, &name)).collect();
        let (height, values) = self.values(&keys).await?;
        let views = values
            .iter()
            .flatten()
            .take(page.limit + 1)
            .map(view)
            .collect::<Result<Vec<_>, _>>()?;
        let (items, next) = cut(views, page.limit, |view| view.organisation.clone());
        Ok(EvidencePage { height, items, next })
    }

    async fn show(&self, list: Vec<Deposit>, page: &PageRequest) -> Result<EvidencePage, ApiError> {
        let (deposits, next) = cut(list, page.limit, |last| Place(last.height, last.index).to_string());
        let key = |deposit: &Deposit| StateKey::evidence(&deposit.digest, &deposit.organisation);
        let keys: Vec<StateKey> = deposits.iter().map(key).collect();
        let (height, values) = self.values(&keys).await?;
        let items = values.iter().flatten().map(view).collect::<Result<_, _>>()?;
        Ok(EvidencePage { height, items, next })
    }

    /// The one organisation whose record of a digest is meant.
    pub(super) async fn organisation_of(
        &self,
        digest: &Digest,
        organisation: Option<&str>,
    ) -> Result<String, ApiError> {
        let names = match organisation {
            Some(name) => vec![name.to_string()],
            None => self.node.ledger().depositing_organisations(),
        };
        let keys: Vec<StateKey> = names.iter().map(|name| StateKey::evidence(digest, name)).collect();
        let (_, values) = self.values(&keys).await?;
        let mut holders = names
            .into_iter()
            .zip(values)
            .filter_map(|(name, value)| value.map(|_| name));
        let first = holders.next().ok_or(Code::UnknownEvidence)?;
        match holders.next() {
            Some(_) => Err(Code::AmbiguousEvidence.into()),
            None => Ok(first),
        }
    }
}

fn view(bytes: &bytes::Bytes) -> Result<EvidenceView, ApiError> {
    EvidenceView::decode(bytes).map_err(|error| ApiError::detailed(Code::Internal, error))
}
