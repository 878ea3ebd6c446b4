//! The books of a series over all chains: what each holds, what its home says of it, and whether the sum is what was issued.

use crate::{
    between::names::Places,
    problem::{Problem, Result},
    refusal::sdk,
    text::problem,
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use std::collections::BTreeSet;
use yulian_sdk::{Books, Chain};
use yulian_types::{Digest, proto::VoucherSeries};

/// Chains that are asked at a time.
const AT_ONCE: usize = 6;
/// How often all chains are asked anew because the home's books changed meanwhile.
const READ_MAX: usize = 8;

/// What stands on one chain other than the home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Elsewhere {
    pub(super) chain: String,
    pub(super) id: String,
    pub(super) held: u64,
    pub(super) moving: u64,
    /// What the home says is held there.
    pub(super) outside: u64,
    /// Held and moving agree with that, but for what is on its way.
    pub(super) agree: bool,
}

/// The whole sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Whole {
    pub(super) chains: Vec<Elsewhere>,
    /// Held on all chains, the home included.
    pub(super) held: u64,
    /// Sent and not received yet: what was issued and is not redeemed, held or unclaimed.
    pub(super) on_the_way: u64,
    /// Every chain agrees, and no more is on its way than was sent and not acknowledged.
    pub(super) agree: bool,
}

impl Whole {
    /// What the home's record and those of the other chains come to.
    fn new(home: &VoucherSeries, chains: Vec<Elsewhere>) -> Self {
        let held = chains
            .iter()
            .try_fold(home.held, |sum, chain| sum.checked_add(chain.held));
        let moving = chains
            .iter()
            .try_fold(home.moving, |sum, chain| sum.checked_add(chain.moving));
        let gone = home.redeemed.checked_add(home.unclaimed);
        let accounted = held.zip(gone).and_then(|(held, gone)| held.checked_add(gone));
        let on_the_way = accounted.and_then(|accounted| home.issued.checked_sub(accounted));
        let bounded = on_the_way.zip(moving).is_some_and(|(way, moving)| way <= moving);
        Self {
            agree: bounded && chains.iter().all(|chain| chain.agree),
            held: held.unwrap_or(u64::MAX),
            on_the_way: on_the_way.unwrap_or_default(),
            chains,
        }
    }
}

/// Whether what a chain has agrees with what the home says of it. What the chain has received and the home has not heard of yet is in
/// the home's `moving`; what the chain sent back and the home took already is in the chain's own `moving`.
fn agrees(home_moving: u64, there: &VoucherSeries, outside: u64) -> bool {
    let there_at_most = outside.checked_add(home_moving);
    let total = there.held.checked_add(there.moving);
    there_at_most.is_some_and(|most| there.held <= most) && total.is_some_and(|total| total >= outside)
}

/// Asks every chain. The home is asked before and after: all that moves passes through it, so what did not change there meanwhile fits
/// together.
pub(super) async fn everywhere(
    places: &Places,
    home: &Chain,
    series: &Digest,
    others: &BTreeSet<Digest>,
) -> Result<(Books, Whole)> {
    for _ in 0..READ_MAX {
        let books = of_home(home, series).await?;
        let asked: BTreeSet<Digest> = others
            .iter()
            .copied()
            .chain(books.outside.iter().map(|(chain, _)| *chain))
            .filter(|id| *id != home.id())
            .collect();
        let found: Vec<Option<Elsewhere>> = stream::iter(&asked)
            .map(|id| elsewhere(places, &books, series, id))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let after = of_home(home, series).await?;
        if after.series == books.series {
            let whole = Whole::new(&books.series, found.into_iter().flatten().collect());
            return Ok((books, whole));
        }
    }
    Err(problem::books_moving())
}

async fn of_home(home: &Chain, series: &Digest) -> Result<Books> {
    let books = home.voucher_books(series).await.map_err(sdk)?;
    books.ok_or_else(|| unknown(series, home))
}

pub(super) fn unknown(series: &Digest, chain: &Chain) -> Problem {
    problem::unknown_series(series, crate::out::one_line(chain.name()))
}

/// What a chain has, or `None` where it never had any.
async fn elsewhere(places: &Places, books: &Books, series: &Digest, id: &Digest) -> Result<Option<Elsewhere>> {
    let outside = books.outside.iter().find(|(chain, _)| chain == id);
    let outside = outside.map_or(0, |(_, amount)| *amount);
    let Some(chain) = places.chain(id).await? else {
        return match outside {
            0 => Ok(None),
            _ => Err(problem::chain_not_hosted(places.name(id))),
        };
    };
    let there = chain.voucher_series(series).await.map_err(sdk)?;
    if there.is_none() && outside == 0 {
        return Ok(None);
    }
    let there = there.unwrap_or_default();
    Ok(Some(Elsewhere {
        chain: places.name(id),
        id: id.to_string(),
        held: there.held,
        moving: there.moving,
        outside,
        agree: agrees(books.series.moving, &there, outside),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(issued: u64, redeemed: u64, held: u64, moving: u64, unclaimed: u64) -> VoucherSeries {
        VoucherSeries {
            issued,
            redeemed,
            held,
            moving,
            unclaimed,
            ..Default::default()
        }
    }

    fn there(held: u64, moving: u64) -> VoucherSeries {
        VoucherSeries {
            held,
            moving,
            ..Default::default()
        }
    }

    fn chain(home_moving: u64, held: u64, moving: u64, outside: u64) -> Elsewhere {
        Elsewhere {
            chain: String::new(),
            id: String::new(),
            held,
            moving,
            outside,
            agree: agrees(home_moving, &there(held, moving), outside),
        }
    }

    #[test]
    fn at_rest_all_is_held_redeemed_or_unclaimed() {
        let whole = Whole::new(&home(100, 5, 40, 0, 3), vec![chain(0, 50, 0, 50), chain(0, 2, 0, 2)]);
        assert_eq!((whole.agree, whole.held, whole.on_the_way), (true, 92, 0));
        // One is missing, one too many is there.
        assert!(!Whole::new(&home(100, 5, 40, 0, 3), vec![chain(0, 51, 0, 51)]).agree);
        assert!(!Whole::new(&home(100, 5, 40, 0, 3), vec![chain(0, 53, 0, 52)]).agree);
        assert!(!Whole::new(&home(100, 5, 40, 0, 3), vec![chain(0, 51, 0, 52)]).agree);
    }

    #[test]
    fn what_is_on_its_way_was_sent_and_not_acknowledged() {
        // Ten left home and are not received; received, but home has not heard; acknowledged.
        for (home_moving, held, outside, way) in [(10, 0, 0, 10), (10, 10, 0, 0), (0, 10, 10, 0)] {
            let whole = Whole::new(
                &home(50, 0, 40, home_moving, 0),
                vec![chain(home_moving, held, 0, outside)],
            );
            assert_eq!((whole.agree, whole.on_the_way), (true, way));
        }
        // Four go back: not received by home; received, and the chain has not heard.
        let whole = Whole::new(&home(50, 0, 40, 0, 0), vec![chain(0, 6, 4, 10)]);
        assert_eq!((whole.agree, whole.on_the_way), (true, 4));
        let whole = Whole::new(&home(50, 0, 44, 0, 0), vec![chain(0, 6, 4, 6)]);
        assert_eq!((whole.agree, whole.on_the_way), (true, 0));
    }

    #[test]
    fn a_chain_that_makes_some_is_found_out() {
        let whole = Whole::new(&home(50, 0, 40, 0, 0), vec![chain(0, 10, 0, 10), chain(0, 1, 0, 0)]);
        assert!(!whole.agree && !whole.chains[1].agree && whole.chains[0].agree);
        assert!(!Whole::new(&home(50, 0, 40, 0, 0), vec![chain(0, u64::MAX, 0, 10)]).agree);
        // It cannot hide it behind what it says is on its way.
        assert!(!Whole::new(&home(50, 0, 40, 0, 0), vec![chain(0, 11, 9, 10)]).agree);
    }
}
