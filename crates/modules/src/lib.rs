//! The native modules: governance, account, evidence, chain, link, verification, notice, voucher.
//!
//! Each module has a folder: its methods, its codes, its limits. The arguments are the messages of
//! `proto/yulian/v1/modules.proto` and `link.proto` of the same names; the tables of the state are in `yulian_types::state_keys` and
//! `yulian_exec::tables`. Nothing here has state of its own, panics on what a sender writes, or writes before everything
//! has been checked.

pub mod account;
pub mod chain;
mod effect;
pub mod evidence;
pub mod governance;
pub mod link;
pub mod notice;
mod risk;
pub mod verification;
pub mod voucher;

use std::sync::Arc;
use yulian_exec::Registry;

/// `link` with every module that sends packets.
fn link() -> link::Link {
    link::Link::new(vec![
        Arc::new(verification::Verification),
        Arc::new(notice::Notices),
        Arc::new(voucher::Voucher),
    ])
}

/// The modules of this program.
pub fn registry() -> Registry {
    Registry::new(vec![
        Arc::new(governance::Governance),
        Arc::new(account::Account),
        Arc::new(evidence::Evidence),
        Arc::new(link()),
        Arc::new(verification::Verification),
        Arc::new(notice::Notices),
        Arc::new(voucher::Voucher),
        Arc::new(chain::Chain),
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use yulian_types::state_keys::PACKET_MODULES;

    #[test]
    fn every_module_that_sends_packets_is_listed_for_those_who_look_for_them() {
        let listed: BTreeSet<&str> = PACKET_MODULES.into();
        assert_eq!(super::link().senders().collect::<BTreeSet<&str>>(), listed);
    }
}
