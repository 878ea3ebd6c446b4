//! Makes a fusion network of the chains: agreements, light clients, routes, series of vouchers.

use super::{
    keys::{CAPTURED, CITIES, HUB, ORGANISATION, carrier_key, holder_id, holder_key},
    net::Net,
    proof::Session,
    vote::carry_on,
};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, join_all};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use yulian_crypto::sm3;
use yulian_modules::governance::{KIND_AGREE_LINK, KIND_SET_ROUTE};
use yulian_types::{
    Digest, StateKey, encode,
    proto::{AgreeLink, Carry, IntroduceLink, IssueVoucher, OpenLink, SetRoute, VoucherId, VoucherSeries},
    tags,
};

/// How long each step is waited for, ms.
const PATIENCE_MS: u64 = 20_000;
/// What each city issues, to its first holder.
pub(crate) const ISSUED: u64 = 1_000;
/// The account that opens light clients.
const OPENER: usize = 0;

type Step<'a> = BoxFuture<'a, Result<(), String>>;

/// The series of vouchers of each city, at its place less one.
pub(crate) async fn build(net: &Net, seed: u64) -> Result<Vec<Digest>, String> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut fork = || StdRng::seed_from_u64(random.random());
    let mut steps: Vec<Step<'_>> = vec![routes(net, fork()).boxed()];
    for other in 1..=CAPTURED {
        steps.push(link(net, fork(), HUB, other).boxed());
        if other != CAPTURED {
            steps.push(link(net, fork(), other, HUB).boxed());
        }
    }
    join_all(steps).await.into_iter().collect::<Result<(), _>>()?;
    let cities = (1..=CITIES)
        .map(|city| introduce(net, fork(), city))
        .collect::<Vec<_>>();
    join_all(cities).await.into_iter().collect::<Result<(), _>>()?;
    let series = (1..=CITIES).map(|city| issue(net, fork(), city)).collect::<Vec<_>>();
    join_all(series).await.into_iter().collect()
}

pub(crate) fn route(net: &Net, from: Option<usize>, to: Option<usize>, closed: bool) -> SetRoute {
    let id = |chain: Option<usize>| chain.map_or(Bytes::from(Digest::ZERO.to_vec()), |chain| net.id_bytes(chain));
    SetRoute {
        source: id(from),
        destination: id(to),
        closed,
        ..Default::default()
    }
}

async fn routes(net: &Net, mut random: StdRng) -> Result<(), String> {
    let any = route(net, None, None, false);
    let carried = carry_on(net, &mut random, HUB, KIND_SET_ROUTE, &any).await;
    carried.then_some(()).ok_or_else(|| "SETUP: the route".into())
}

/// A chain agrees on another and opens its light client at genesis.
async fn link(net: &Net, mut random: StdRng, at: usize, other: usize) -> Result<(), String> {
    let agreed = AgreeLink {
        chain_id: net.id_bytes(other),
        name: format!("链 {other}"),
        relay: other == HUB,
        direct: at == HUB,
        ..Default::default()
    };
    if !carry_on(net, &mut random, at, KIND_AGREE_LINK, &agreed).await {
        return Err(format!("SETUP: chain {at} does not agree on {other}"));
    }
    let open = OpenLink {
        genesis: net.genesis(other).bytes.clone(),
        ..Default::default()
    };
    done(net, &mut random, at, "link.open", encode(&open)).await
}

async fn done(net: &Net, random: &mut StdRng, at: usize, call: &str, arguments: Bytes) -> Result<(), String> {
    let key = carrier_key(OPENER);
    let receipt = net.call(random, (at, &key), call, arguments, PATIENCE_MS).await;
    match receipt {
        Some(receipt) if receipt.status == 0 => Ok(()),
        other => Err(format!("SETUP: {call} at {at}: {other:?}")),
    }
}

/// The relay chain's word opens the light clients of all others.
async fn introduce(net: &Net, mut random: StdRng, city: usize) -> Result<(), String> {
    let mut session = Session::new(net, city);
    let (mut introductions, mut updates) = (Vec::new(), Vec::new());
    for other in (1..=CAPTURED).filter(|other| *other != city) {
        let key = StateKey::link_client(&net.id(other));
        let proven = loop {
            match session.prove(&mut random, HUB, &key, 0).await {
                Some(proven) if proven.value.is_some() => break proven,
                // The next header proves it; what was proven under this one still needs it.
                _ => updates.extend(std::mem::replace(&mut session, Session::new(net, city)).into_updates()),
            }
            net.pause(200).await;
        };
        introductions.push(IntroduceLink {
            height: proven.proof.height,
            client: proven.value.unwrap_or_default(),
            proof: proven.proof.proof,
            genesis: net.genesis(other).bytes.clone(),
            ..Default::default()
        });
    }
    updates.extend(session.into_updates());
    let carry = Carry { updates, items: vec![] };
    if !carry.updates.is_empty() {
        done(net, &mut random, city, "link.carry", encode(&carry)).await?;
    }
    let opened = introductions.into_iter().map(|introduction| {
        let mut random = StdRng::seed_from_u64(random.random());
        async move { done(net, &mut random, city, "link.introduce", encode(&introduction)).await }
    });
    join_all(opened).await.into_iter().collect()
}

/// The series that a chain issues, as others are told of it.
pub(crate) fn series(net: &Net, home: usize) -> VoucherSeries {
    let name = "平价粮";
    let chain = net.id(home);
    VoucherSeries {
        home: chain.to_vec().into(),
        id: series_id(&chain, name).to_vec().into(),
        organisation: ORGANISATION.into(),
        series: name.into(),
        title: "平价粮兑换券".into(),
        terms: vec![7; 32].into(),
        expires_ms: u64::MAX,
        ..Default::default()
    }
}

/// docs/cross-chain.md, section 8.
fn series_id(home: &Digest, name: &str) -> Digest {
    let length = [ORGANISATION.len() as u8];
    let parts: [&[u8]; 4] = [&home.0, &length, ORGANISATION.as_bytes(), name.as_bytes()];
    sm3::tagged(&tags::VOUCHER_SERIES, &parts)
}

async fn issue(net: &Net, mut random: StdRng, city: usize) -> Result<Digest, String> {
    let described = series(net, city);
    let issue = IssueVoucher {
        series: described.series,
        title: described.title,
        terms: described.terms,
        expires_ms: described.expires_ms,
        amount: ISSUED,
        holder: holder_id(city, 0).into(),
    };
    let key = holder_key(city, 0);
    let receipt = net
        .call(&mut random, (city, &key), "voucher.issue", encode(&issue), PATIENCE_MS)
        .await;
    let receipt = receipt.filter(|receipt| receipt.status == 0);
    let issued = receipt.and_then(|receipt| prost::Message::decode(receipt.output).ok());
    let issued: VoucherId = issued.ok_or_else(|| format!("SETUP: {ORGANISATION} cannot issue at {city}"))?;
    Digest::from_slice(&issued.series).ok_or_else(|| "SETUP: the series has no id".into())
}
