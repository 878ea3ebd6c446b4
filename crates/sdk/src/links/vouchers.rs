//! Vouchers: series, holdings, and the books of a series.

use crate::{
    client::Chain,
    error::SdkError,
    limits::{BOOKS_READ_MAX, READS_AT_ONCE, SERIES_LISTED_MAX},
};
use futures::{StreamExt, TryStreamExt, stream};
use prost::Message;
use yulian_types::{
    Digest, StateKey,
    proto::{Counter, LinkList, VoucherAmount, VoucherId, VoucherSeries},
};

/// What an account has of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Holding {
    /// The series, as this chain knows it.
    pub series: VoucherSeries,
    /// How much.
    pub amount: u64,
}

/// The books of a series on one chain, all after the same block.
#[derive(Debug, Clone, PartialEq)]
pub struct Books {
    /// The series.
    pub series: VoucherSeries,
    /// At home: how much is held on other chains, where that is anything.
    pub outside: Vec<(Digest, u64)>,
    /// The block after which this stands.
    pub height: u64,
}

/// A record of a former state.
enum Former<T> {
    Known(Option<T>),
    Unknown,
}

impl Books {
    /// Whether the sums agree. At home: issued = redeemed + held + moving + outside + unclaimed, and outside is the sum over all other
    /// chains. Elsewhere a chain claims nothing but what it holds.
    pub fn agree(&self) -> bool {
        let series = &self.series;
        let parts = [
            series.redeemed,
            series.held,
            series.moving,
            series.outside,
            series.unclaimed,
        ];
        let sum = |parts: &[u64]| parts.iter().try_fold(0u64, |sum, part| sum.checked_add(*part));
        let outside: Vec<u64> = self.outside.iter().map(|(_, amount)| *amount).collect();
        // Only home knows what was issued.
        match series.issued {
            0 => [series.redeemed, series.outside, series.unclaimed] == [0; 3] && outside.is_empty(),
            issued => sum(&parts) == Some(issued) && sum(&outside) == Some(series.outside),
        }
    }
}

/// All fail as every request does.
impl Chain {
    /// A series of vouchers that this chain knows.
    pub async fn voucher_series(&self, id: &Digest) -> Result<Option<VoucherSeries>, SdkError> {
        self.record(&StateKey::voucher_series(id)).await
    }

    /// Every series that this chain knows, in the order in which it came to know them; at most [`SERIES_LISTED_MAX`].
    pub async fn voucher_list(&self) -> Result<Vec<VoucherSeries>, SdkError> {
        let count: Counter = self.record(&StateKey::voucher_count()).await?.unwrap_or_default();
        let found: Vec<_> = stream::iter(0..count.value.min(SERIES_LISTED_MAX))
            .map(|number| self.voucher_at(number))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn voucher_at(&self, number: u64) -> Result<Option<VoucherSeries>, SdkError> {
        let id: Option<VoucherId> = self.record(&StateKey::voucher_at(number)).await?;
        match id.and_then(|id| Digest::from_slice(&id.series)) {
            Some(id) => self.voucher_series(&id).await,
            None => Ok(None),
        }
    }

    /// How much of a series an account of this chain has.
    pub async fn voucher_balance(&self, series: &Digest, holder: &Digest) -> Result<u64, SdkError> {
        self.voucher_amount(&StateKey::voucher_balance(series, &holder.0)).await
    }

    /// How much of a series waits at home, on this chain, for an account of another chain.
    pub async fn voucher_unclaimed(&self, series: &Digest, chain: &Digest, holder: &Digest) -> Result<u64, SdkError> {
        self.voucher_amount(&StateKey::voucher_unclaimed(series, chain, &holder.0))
            .await
    }

    async fn voucher_amount(&self, key: &StateKey) -> Result<u64, SdkError> {
        let record: Option<VoucherAmount> = self.record(key).await?;
        Ok(record.map_or(0, |record| record.amount))
    }

    /// A record after the block of a height. A node keeps the hashes of former values alone: then this is [`Former::Unknown`].
    async fn record_at<T: Message + Default>(&self, key: &StateKey, height: u64) -> Result<Former<T>, SdkError> {
        let view = self.state(key, Some(height)).await?;
        match (&view.value, view.value_hash) {
            (None, Some(_)) => Ok(Former::Unknown),
            _ => Ok(Former::Known(self.decoded(key, view.value)?)),
        }
    }

    /// What an account of this chain has, of every series.
    pub async fn voucher_holdings(&self, holder: &Digest) -> Result<Vec<Holding>, SdkError> {
        let list = self.voucher_list().await?;
        let found: Vec<Holding> = stream::iter(list)
            .map(|series| async move {
                let amount = match Digest::from_slice(&series.id) {
                    Some(id) => self.voucher_balance(&id, holder).await?,
                    None => 0,
                };
                Ok::<_, SdkError>(Holding { series, amount })
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(found.into_iter().filter(|holding| holding.amount > 0).collect())
    }

    /// The books of a series, or `None` if this chain does not know it. At home what is held outside is read for every chain that this
    /// one has a light client of.
    ///
    /// # Errors
    /// As for every request; [`SdkError::Moving`] where the books change faster than they can be read.
    pub async fn voucher_books(&self, id: &Digest) -> Result<Option<Books>, SdkError> {
        let key = StateKey::voucher_series(id);
        for _ in 0..BOOKS_READ_MAX {
            let view = self.state(&key, None).await?;
            let Some(series) = self.decoded::<VoucherSeries>(&key, view.value)? else {
                return Ok(None);
            };
            let height = view.height;
            let outside = match series.home[..] == self.id().0 {
                true => self.held_outside(id, height).await?,
                false => Some(Vec::new()),
            };
            if let Some(outside) = outside {
                return Ok(Some(Books {
                    series,
                    outside,
                    height,
                }));
            }
        }
        Err(SdkError::Moving)
    }

    /// What is held on other chains after a block, or `None` where the node does not know it any more.
    async fn held_outside(&self, id: &Digest, height: u64) -> Result<Option<Vec<(Digest, u64)>>, SdkError> {
        let Former::Known(list) = self.record_at::<LinkList>(&StateKey::link_list(), height).await? else {
            return Ok(None);
        };
        let chains = list.unwrap_or_default().chains;
        let mut amounts = stream::iter(chains.iter().filter_map(|chain| Digest::from_slice(chain)))
            .map(|chain| async move {
                let key = StateKey::voucher_outside(id, &chain);
                Ok::<_, SdkError>((chain, self.record_at::<VoucherAmount>(&key, height).await?))
            })
            .buffered(READS_AT_ONCE);
        let mut outside = Vec::new();
        while let Some((chain, amount)) = amounts.try_next().await? {
            match amount {
                Former::Known(Some(record)) if record.amount > 0 => outside.push((chain, record.amount)),
                Former::Known(_) => {}
                Former::Unknown => return Ok(None),
            }
        }
        Ok(Some(outside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books(parts: [u64; 6], outside: &[u64]) -> Books {
        let [issued, redeemed, held, moving, out, unclaimed] = parts;
        Books {
            series: VoucherSeries {
                issued,
                redeemed,
                held,
                moving,
                outside: out,
                unclaimed,
                ..Default::default()
            },
            outside: outside.iter().map(|amount| (Digest::ZERO, *amount)).collect(),
            height: 1,
        }
    }

    #[test]
    fn books_agree_if_all_sums_do() {
        assert!(books([100, 5, 40, 10, 42, 3], &[40, 2]).agree());
        assert!(!books([100, 5, 40, 10, 42, 2], &[40, 2]).agree());
        assert!(!books([100, 5, 40, 10, 42, 3], &[40, 1]).agree());
        assert!(!books([100, u64::MAX, 40, 10, 42, 3], &[40, 2]).agree());
        // Elsewhere than at home.
        assert!(books([0, 0, 7, 2, 0, 0], &[]).agree());
        assert!(!books([0, 1, 7, 2, 0, 0], &[]).agree());
    }
}
