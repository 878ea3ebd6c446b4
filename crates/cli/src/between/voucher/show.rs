//! `yulian voucher show`: the books of a series, on one chain or on all.

use super::{
    Named,
    books::{self, Whole},
    called, find,
};
use crate::{
    between::{names::Places, say, wait::digest},
    clock,
    connect::Connect,
    out,
    problem::{Exit, Result},
    refusal::sdk,
    text::{problem, say as texts},
};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
use yulian_sdk::{Books, Chain};
use yulian_types::Digest;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    series: String,
    #[arg(long)]
    everywhere: bool,
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connect: Connect,
}

/// The books, as a program reads them. What only a home knows is left out elsewhere.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    named: Named,
    chain: String,
    home: String,
    home_id: String,
    terms: String,
    expires_ms: u64,
    held: u64,
    moving: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_home: Option<AtHome>,
    /// The block after which this stands.
    height: u64,
    agree: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    everywhere: Option<Whole>,
}

#[derive(Debug, Serialize)]
struct AtHome {
    issued: u64,
    redeemed: u64,
    outside: u64,
    unclaimed: u64,
    /// By chain.
    outside_by_chain: Vec<Outside>,
}

#[derive(Debug, Serialize)]
struct Outside {
    chain: String,
    id: String,
    amount: u64,
}

pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let chain = arguments.connect.chain().await?;
    let (id, _) = find(&chain, &arguments.series, None).await?;
    let (mut places, records) = Places::of_platform(&arguments.connect).await?;
    let clients = chain.link_clients().await.map_err(sdk)?;
    places.add(&chain, &clients);
    let (books, whole) = match arguments.everywhere {
        true => {
            let home = home(&chain, &places, &id).await?;
            let linked = records.iter().filter(|record| crate::agent::is_linked(record));
            let mut others: BTreeSet<Digest> = linked.map(|record| record.id.0).collect();
            others.extend(clients.iter().filter_map(|client| Digest::from_slice(&client.chain_id)));
            let (books, whole) = books::everywhere(&places, &home, &id, &others).await?;
            (books, Some(whole))
        }
        false => {
            let books = chain.voucher_books(&id).await.map_err(sdk)?;
            (books.ok_or_else(|| books::unknown(&id, &chain))?, None)
        }
    };
    let shown = shown(&chain, &places, &books, whole)?;
    match arguments.json {
        true => out::json(&shown),
        false => print(&books, &shown),
    }
    Ok(match shown.agree {
        true => Exit::Done,
        false => Exit::No,
    })
}

/// The home of a series that a chain knows.
async fn home(chain: &Chain, places: &Places, id: &Digest) -> Result<Chain> {
    let series = chain.voucher_series(id).await.map_err(sdk)?;
    let home = digest(&series.ok_or_else(|| books::unknown(id, chain))?.home)?;
    let found = places.chain(&home).await?;
    found.ok_or_else(|| problem::chain_not_hosted(places.name(&home)))
}

fn shown(chain: &Chain, places: &Places, books: &Books, whole: Option<Whole>) -> Result<Shown> {
    let series = &books.series;
    let home = digest(&series.home)?;
    // With --everywhere the books are those of the home, whichever chain was named.
    let is_home = whole.is_some() || home == chain.id();
    let outside = |(id, amount): &(Digest, u64)| Outside {
        chain: places.name(id),
        id: id.to_string(),
        amount: *amount,
    };
    let at_home = is_home.then(|| AtHome {
        issued: series.issued,
        redeemed: series.redeemed,
        outside: series.outside,
        unclaimed: series.unclaimed,
        outside_by_chain: books.outside.iter().map(outside).collect(),
    });
    Ok(Shown {
        named: Named::new(series),
        chain: match is_home {
            true => places.name(&home),
            false => out::one_line(chain.name()),
        },
        home: places.name(&home),
        home_id: home.to_string(),
        terms: hex::encode(&series.terms),
        expires_ms: series.expires_ms,
        held: series.held,
        moving: series.moving,
        at_home,
        height: books.height,
        agree: books.agree() && whole.as_ref().is_none_or(|whole| whole.agree),
        everywhere: whole,
    })
}

fn print(books: &Books, shown: &Shown) {
    out::line(say::series_of(called(&books.series), &shown.chain, shown.height));
    out::fields(&[
        (texts::head_id(), shown.named.id.clone()),
        (texts::head_title(), out::one_line(&shown.named.title)),
        (say::head_home(), shown.home.clone()),
        (say::label_terms(), shown.terms.clone()),
        (texts::label_valid_until(), clock::beijing(shown.expires_ms)),
    ]);
    match &shown.at_home {
        Some(home) => {
            out::line(say::books_at_home(
                home.issued,
                home.redeemed,
                shown.held,
                shown.moving,
                home.outside,
                home.unclaimed,
            ));
            if shown.everywhere.is_none() {
                home.outside_by_chain
                    .iter()
                    .for_each(|outside| out::line(say::books_outside(&outside.chain, outside.amount)));
            }
        }
        None => out::line(say::books_elsewhere(shown.held, shown.moving, &shown.home)),
    }
    if let Some(whole) = &shown.everywhere {
        print_whole(shown, whole);
    }
    out::line(match shown.agree {
        true => say::books_agree(),
        false => say::books_do_not_agree(),
    });
}

fn print_whole(shown: &Shown, whole: &Whole) {
    let verdict = |agree: bool| if agree { say::yes() } else { say::no() };
    let mut rows = vec![vec![
        say::home_marked(&shown.home),
        shown.held.to_string(),
        shown.moving.to_string(),
        String::new(),
        String::new(),
    ]];
    rows.extend(whole.chains.iter().map(|chain| {
        vec![
            chain.chain.clone(),
            chain.held.to_string(),
            chain.moving.to_string(),
            chain.outside.to_string(),
            verdict(chain.agree),
        ]
    }));
    let head = [
        texts::label_chain(),
        say::head_held(),
        say::head_moving(),
        say::head_by_home(),
        say::head_agree(),
    ];
    out::table(&head, &rows);
    let (redeemed, unclaimed, issued) = shown
        .at_home
        .as_ref()
        .map_or((0, 0, 0), |home| (home.redeemed, home.unclaimed, home.issued));
    out::line(say::books_whole(
        issued,
        redeemed,
        whole.held,
        whole.on_the_way,
        unclaimed,
    ));
}
