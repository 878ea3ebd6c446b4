//! Routes and freezes of a relay chain.

use crate::{client::Chain, error::SdkError, limits::READS_AT_ONCE};
use futures::{StreamExt, TryStreamExt, stream};
use yulian_types::{
    Digest, StateKey,
    proto::{FreezeList, FreezeRecord, RouteList, SetRoute},
};

/// The one of a relay chain's routes that decides about packets of a module from a chain to a chain: that of the pair, then of the
/// source, then of the destination, then of any; each first for the module, then for all. `None`: nothing passes.
pub fn deciding_route<'a>(
    routes: &'a [SetRoute],
    source: &Digest,
    destination: &Digest,
    module: &str,
) -> Option<&'a SetRoute> {
    let any = Digest::ZERO;
    let patterns = [(source, destination), (source, &any), (&any, destination), (&any, &any)];
    let mut exact_first = patterns
        .iter()
        .flat_map(|(source, destination)| [(source, destination, module), (source, destination, "")]);
    exact_first.find_map(|(source, destination, module)| {
        routes.iter().find(|route| {
            route.source[..] == source.0 && route.destination[..] == destination.0 && route.module == module
        })
    })
}

/// All fail as every request does.
impl Chain {
    /// The routes of this relay chain with their organisations, in the order in which they were set.
    pub async fn routes(&self) -> Result<Vec<SetRoute>, SdkError> {
        let list: RouteList = self.record(&StateKey::routes()).await?.unwrap_or_default();
        let keys = list
            .routes
            .iter()
            .map(|route| StateKey::route(&route.source, &route.destination, &route.module));
        let found: Vec<Option<SetRoute>> = stream::iter(keys)
            .map(|key| async move { self.record(&key).await })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What is frozen on this relay chain.
    pub async fn freezes(&self) -> Result<Vec<FreezeRecord>, SdkError> {
        let list: FreezeList = self.record(&StateKey::freezes()).await?.unwrap_or_default();
        Ok(list.freezes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Digest = Digest([1; 32]);
    const B: Digest = Digest([2; 32]);

    fn route(source: Digest, destination: Digest, module: &str) -> SetRoute {
        SetRoute {
            source: source.0.to_vec().into(),
            destination: destination.0.to_vec().into(),
            module: module.into(),
            ..Default::default()
        }
    }

    #[test]
    fn the_most_exact_route_decides() {
        // From the most exact one on, as the standard lists them.
        let ordered = [
            route(A, B, "voucher"),
            route(A, B, ""),
            route(A, Digest::ZERO, "voucher"),
            route(A, Digest::ZERO, ""),
            route(Digest::ZERO, B, "voucher"),
            route(Digest::ZERO, B, ""),
            route(Digest::ZERO, Digest::ZERO, "voucher"),
            route(Digest::ZERO, Digest::ZERO, ""),
        ];
        for from in 0..ordered.len() {
            // In any order of the list.
            let mut some = ordered[from..].to_vec();
            some.reverse();
            assert_eq!(deciding_route(&some, &A, &B, "voucher"), Some(&ordered[from]));
        }
        assert_eq!(deciding_route(&ordered, &B, &A, "notice"), Some(&ordered[7]));
        assert_eq!(deciding_route(&ordered[..7], &B, &A, "notice"), None);
    }
}
