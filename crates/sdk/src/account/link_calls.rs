//! Calls of the modules `link`, `verification` and `notice`: what chains say to each other.

use super::{Account, SignedTransaction, Terms};
use yulian_crypto::{Digest, sm2::SignError};
use yulian_types::{
    proto,
    state_keys::{LINK_MODULE, NOTICE_MODULE, VERIFICATION_MODULE},
};

/// All fail only if the key cannot sign. What carriers bring (`carry`, `introduce`, `report_conflict`) is made with [`Account::call`].
impl Account {
    /// Opens the light client of a chain that was agreed upon by vote.
    pub fn open_link(&self, terms: &Terms, open: &proto::OpenLink) -> Result<SignedTransaction, SignError> {
        self.call(terms, LINK_MODULE, "open", open)
    }

    /// Asks an idle or paused chain for a block that shows its time.
    pub fn tick(&self, terms: &Terms) -> Result<SignedTransaction, SignError> {
        self.call(terms, LINK_MODULE, "tick", &())
    }

    /// Stops packets from a chain to a chain on their way through this relay chain, at once; [`Digest::ZERO`] stands for any chain. The
    /// sender has the role `regulator`; a vote on [`super::Action::LiftFreeze`] ends it.
    pub fn freeze_way(
        &self,
        terms: &Terms,
        source: &Digest,
        destination: &Digest,
        reason: &str,
    ) -> Result<SignedTransaction, SignError> {
        let freeze = proto::Freeze {
            source: source.to_vec().into(),
            destination: destination.to_vec().into(),
            reason: reason.into(),
        };
        self.call(terms, LINK_MODULE, "freeze", &freeze)
    }

    /// Asks another chain for a record or a value of its state; the answer is a [`proto::PacketRef`].
    pub fn ask(&self, terms: &Terms, ask: &proto::Ask) -> Result<SignedTransaction, SignError> {
        self.call(terms, VERIFICATION_MODULE, "ask", ask)
    }

    /// Tells another chain something; the answer is a [`proto::PacketRef`].
    pub fn tell(&self, terms: &Terms, notice: &proto::Notice) -> Result<SignedTransaction, SignError> {
        self.call(terms, NOTICE_MODULE, "tell", notice)
    }
}
