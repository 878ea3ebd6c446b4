//! A backup of a chain that goes on meanwhile, through a node's API.

use crate::{
    problem::{Cause, Result},
    refusal::sdk,
    text::problem,
};
use bytes::Bytes;
use std::io::Write;
use yulian_node::ledger::{BackupWriter, Transferred};
use yulian_sdk::{BlockRef, Chain, views::FinalityView};
use yulian_types::{Digest, block_digest};

/// Writes the chain up to the highest block that has a finality proof of its own.
pub(super) async fn export(chain: &Chain, out: &mut impl Write, mut progress: impl FnMut(u64)) -> Result<Transferred> {
    let cannot = || problem::cannot_back_up(chain.name());
    let genesis = chain.genesis().await.map_err(sdk)?;
    let epoch_length = genesis.message.epoch_length.max(1);
    let (last, last_proof, digest) = last_proven(chain).await?;
    let mut writer = BackupWriter::new(out, &genesis.bytes).or_problem(cannot)?;
    for height in 1..=last {
        let block = chain.block_bytes(BlockRef::Height(height)).await.map_err(sdk)?;
        writer.block(&block).or_problem(cannot)?;
        // The last header of an epoch carries the next validators: a restored node proves them to others with it.
        let boundary = height % epoch_length == epoch_length - 1;
        match height == last {
            true => writer.proof(&last_proof).or_problem(cannot)?,
            false if boundary => {
                if let Some(proof) = own_proof(chain, height).await? {
                    writer.proof(&proof).or_problem(cannot)?;
                }
            }
            false => {}
        }
        progress(height);
    }
    writer.finish(last, &digest).or_problem(cannot)
}

/// The block that the proof of the tip is of: the tip itself or a descendant that came meanwhile.
async fn last_proven(chain: &Chain) -> Result<(u64, Bytes, Digest)> {
    let tip = chain.info().await.map_err(sdk)?.height;
    if tip == 0 {
        return Err(problem::nothing_to_back_up(chain.name()));
    }
    // The tip may be final by a certificate that this node learned for a lower block only: then that one is the last.
    let mut height = tip;
    loop {
        match chain.finality(BlockRef::Height(height)).await {
            Ok(view) => return Ok((proven_height(&view), view.proof.bytes.0.clone(), view.proof.digest.0)),
            Err(error) if height > 1 && error.code() == Some("not_final") => height -= 1,
            Err(error) => return Err(sdk(error)),
        }
    }
}

fn proven_height(view: &FinalityView) -> u64 {
    view.height + (view.headers.len() as u64).saturating_sub(1)
}

async fn own_proof(chain: &Chain, height: u64) -> Result<Option<Bytes>> {
    let view = chain.finality(BlockRef::Height(height)).await.map_err(sdk)?;
    let own = view
        .headers
        .first()
        .is_some_and(|header| block_digest(&header.0) == view.proof.digest.0);
    Ok(own.then_some(view.proof.bytes.0))
}
