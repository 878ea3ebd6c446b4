//! `yulian platform join` and `confirm`: which platform this one joins. `keep` does the rest.

use super::{
    JoinUrl,
    file::{Digest32, Platforms, Upstream},
    own_relay,
    peers::claimed_relay,
};
use crate::{
    connect::Connect,
    out,
    problem::{Exit, Result},
    text::{problem, say},
};
use clap::Args;
use std::path::Path;
use yulian_crypto::Digest;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    url: String,
    #[arg(long)]
    chain_name: String,
    #[arg(long)]
    reached_at: Vec<String>,
    #[command(flatten)]
    connect: Connect,
}

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    digest: String,
    #[command(flatten)]
    connect: Connect,
}

/// `yulian platform join`.
pub(super) async fn run(arguments: &Arguments) -> Result<Exit> {
    let join = JoinUrl::parse(&arguments.url)?;
    let reached: Vec<JoinUrl> = arguments
        .reached_at
        .iter()
        .map(|url| JoinUrl::parse(url))
        .collect::<Result<_>>()?;
    let dir = &arguments.connect.dir;
    joins(dir, &arguments.chain_name, &join)?;
    Platforms::change(dir, |platforms| {
        if let Some(upstream) = &mut platforms.upstream {
            upstream.reached_at = reached.into_iter().map(|reached| reached.url).collect();
            // Whoever says so again wants a link that has ended again.
            upstream.again = true;
        }
    })?;
    match join.relay {
        Some(_) => out::line(say::join_noted(&join.url)),
        None => out::line(to_compare(&join.url, dir).await?),
    }
    Ok(Exit::Done)
}

/// `yulian platform confirm`: the digest was compared with the other platform's operators over another channel.
pub(super) async fn confirm(arguments: &Confirm) -> Result<Exit> {
    let dir = &arguments.connect.dir;
    let digest: Digest = arguments
        .digest
        .trim()
        .parse()
        .map_err(|_| problem::bad_digest(&arguments.digest))?;
    let mut platforms = Platforms::read(dir)?;
    let upstream = platforms.upstream.as_mut().ok_or_else(problem::joins_nobody)?;
    let (_, claimed) = claimed_relay(&upstream.urls).await?;
    if claimed != digest {
        return Err(problem::other_relay(claimed, digest));
    }
    upstream.relay = Some(Digest32(digest));
    platforms.write(dir)?;
    out::line(say::join_confirmed(digest));
    Ok(Exit::Done)
}

/// Notes which platform is joined. What was compared stays compared.
pub(crate) fn joins(dir: &Path, chain: &str, join: &JoinUrl) -> Result<()> {
    let mut platforms = Platforms::read(dir)?;
    match &mut platforms.upstream {
        Some(known) if known.chain == chain => {
            if let (Some(old), Some(new)) = (known.relay, join.relay)
                && old.0 != new
            {
                return Err(problem::other_relay(old.0, new));
            }
            known.relay = known.relay.or(join.relay.map(Digest32));
            if !known.urls.contains(&join.url) {
                known.urls.insert(0, join.url.clone());
            }
        }
        Some(known) => return Err(problem::joins_another(&known.chain)),
        None => platforms.upstream = Some(Upstream::new(join.url.clone(), join.relay, chain)),
    }
    platforms.write(dir)
}

/// What an operator does who has no digest yet.
pub(super) async fn to_compare(url: &str, dir: &Path) -> Result<String> {
    let (name, digest) = claimed_relay(&[url.to_owned()]).await?;
    Ok(say::join_compare(out::one_line(&name), digest, dir.display()))
}

/// The command with which a city joins this platform.
pub(crate) async fn say_how_to_join(connect: &Connect) -> Result<()> {
    let relay = own_relay(connect).await?;
    if let Some(url) = connect.urls()?.first() {
        out::note_line(say::join_how(JoinUrl::text(url, &relay.id())));
    }
    Ok(())
}
