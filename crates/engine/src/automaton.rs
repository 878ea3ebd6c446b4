//! Our [`Application`] in the shape the consensus library asks for.

use crate::{
    api::{Ancestors, Application, Round, Timing},
    block::EngineBlock,
    keys::{EngineDigest, EngineKey},
    provider::Schemes,
    runtime::Env,
    scheme::Sm2Scheme,
};
use commonware_actor::Feedback;
use commonware_consensus::{
    Application as LibraryApplication, Epochable, Reporter, Viewable,
    marshal::{Update, ancestry::Ancestry},
    simplex::types::{Activity, Context},
    types::{Epoch, Epocher, FixedEpocher},
};
use commonware_cryptography::Digested;
use commonware_utils::{acknowledgement::Exact, channel::mpsc};
use futures::StreamExt;
use std::sync::{Arc, Mutex};
use yulian_types::SealedBlock;

/// What the reporters learn, read by the chain's task and by status.
#[derive(Default, Debug)]
pub(crate) struct Observed {
    pub(crate) view: u64,
    pub(crate) nullified: u64,
    pub(crate) network_height: u64,
}

pub(crate) type Delivered = (Digested<EngineBlock>, Exact);

/// Proposes and verifies through the node, and hands final blocks to the chain's task.
#[derive(Clone)]
pub(crate) struct Automaton<A> {
    pub(crate) application: A,
    pub(crate) schemes: Schemes,
    pub(crate) epocher: FixedEpocher,
    pub(crate) timing: Timing,
    pub(crate) deliver: mpsc::UnboundedSender<Delivered>,
    pub(crate) observed: Arc<Mutex<Observed>>,
}

impl<A: Application> Automaton<A> {
    fn round(&self, context: &Context<EngineDigest, EngineKey>) -> Option<Round> {
        let epoch = context.epoch().get();
        let range = self.schemes.range(epoch)?;
        Some(Round {
            epoch,
            view: context.view().get(),
            last_height: self.epocher.last(Epoch::new(epoch))?.get(),
            validators: range.validators,
            validators_since: range.first_height,
            leader_timeout: self.timing.leader,
        })
    }
}

fn ancestors(ancestry: impl Ancestry<EngineBlock>) -> Ancestors {
    ancestry.map(|block| sealed(&block)).boxed()
}

fn sealed(block: &Digested<EngineBlock>) -> Arc<SealedBlock> {
    block.inner().0.clone()
}

impl<E: Env, A: Application> LibraryApplication<E> for Automaton<A> {
    type SigningScheme = Sm2Scheme;
    type Context = Context<EngineDigest, EngineKey>;
    type Block = EngineBlock;
    type Input = ();

    async fn propose(
        &mut self,
        (_, context): (E, Self::Context),
        ancestry: impl Ancestry<EngineBlock>,
        _: (),
    ) -> Option<Digested<EngineBlock>> {
        let round = self.round(&context)?;
        let block = self.application.propose(round, ancestors(ancestry)).await?;
        Some(EngineBlock::digested(Arc::new(block)))
    }

    async fn verify(&mut self, (_, context): (E, Self::Context), mut ancestry: impl Ancestry<EngineBlock>) -> bool {
        let Some(round) = self.round(&context) else {
            return false;
        };
        let Some(block) = ancestry.next().await else {
            return false;
        };
        self.application
            .verify(round, sealed(&block), ancestors(ancestry))
            .await
    }
}

impl<A: Application> Reporter for Automaton<A> {
    type Activity = Update<EngineBlock>;

    fn report(&mut self, update: Self::Activity) -> Feedback {
        match update {
            Update::Tip(_, height, _) => {
                let mut observed = self.observed.lock().expect("observed");
                observed.network_height = observed.network_height.max(height.get());
            }
            Update::Block(block, acknowledgement) => {
                // The chain's task owns the receiver; without it the chain has stopped and nothing is acknowledged.
                let _ = self.deliver.send((block, acknowledgement));
            }
        }
        Feedback::Ok
    }
}

/// Counts views and reports verified faults of validators.
#[derive(Clone)]
pub(crate) struct Watch<A> {
    pub(crate) application: A,
    pub(crate) observed: Arc<Mutex<Observed>>,
    pub(crate) validators: Arc<yulian_types::ValidatorSet>,
}

impl<A: Application> Watch<A> {
    fn fault(&self, signer: u32, kind: &'static str) {
        if let Some(key) = self.validators.keys().get(signer as usize) {
            self.application.fault(*key, kind);
        }
    }
}

impl<A: Application> Reporter for Watch<A> {
    type Activity = Activity<Sm2Scheme, EngineDigest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        use commonware_consensus::simplex::types::Attributable;
        match &activity {
            Activity::Nullification(nullification) => {
                let mut observed = self.observed.lock().expect("observed");
                observed.nullified += 1;
                observed.view = nullification.view().get();
            }
            Activity::Notarization(notarization) => {
                self.observed.lock().expect("observed").view = notarization.view().get();
            }
            Activity::ConflictingNotarize(evidence) => {
                self.fault(evidence.signer().get(), "two proposals signed in one view")
            }
            Activity::ConflictingFinalize(evidence) => {
                self.fault(evidence.signer().get(), "two finalisations signed in one view")
            }
            Activity::NullifyFinalize(evidence) => {
                self.fault(evidence.signer().get(), "a view both given up and finalised")
            }
            _ => {}
        }
        Feedback::Ok
    }
}
