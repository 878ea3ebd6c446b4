//! Vouchers: rights that an organisation issues, with holder, terms and expiry, and that move between chains.
//!
//! The chain of issue is a series' *home*. It keeps for every other chain how much is held there, and whatever goes from one of them
//! to another passes through it: so nothing is ever released to a chain's claim beyond what that chain holds, even if all its
//! validators lie. At home always: issued = redeemed + held + moving + outside + unclaimed.

mod books;
pub mod codes;
mod holder;
mod travel;

pub use yulian_types::state_keys::{VOUCHER_ID, VOUCHER_MODULE};

use crate::link::{Outcome, Port};
use bytes::Bytes;
use yulian_exec::{
    Call, Code, Failure, Method, Module,
    rules::{ROLE_ADMIN, ROLE_WRITER},
};
use yulian_types::SealedPacket;

/// Most bytes of the name of a series.
pub const SERIES_BYTES_MAX: usize = 64;
/// Most bytes of a title.
pub const TITLE_BYTES_MAX: usize = 256;

/// Method of a packet: an amount moves.
const MOVE: &str = "move";
/// Method of a packet: an amount is redeemed at home.
const REDEEM: &str = "redeem";
/// Method of a packet: what came back without a holder is asked for.
const RECLAIM: &str = "reclaim";

const ISSUERS: &[&str] = &[ROLE_ADMIN, ROLE_WRITER];

/// The module.
#[derive(Debug, Clone, Copy)]
pub struct Voucher;

const METHODS: &[Method] = &[
    Method {
        name: "issue",
        roles: ISSUERS,
        doc: "Issues vouchers of a series of the sender's organisation to a holder. IssueVoucher → VoucherId",
    },
    Method {
        name: "transfer",
        roles: &[],
        doc: "Gives vouchers to another holder of this chain. TransferVoucher",
    },
    Method {
        name: "send",
        roles: &[],
        doc: "Sends vouchers to a holder of another chain. SendVoucher → PacketRef",
    },
    Method {
        name: "redeem",
        roles: &[],
        doc: "Uses vouchers up; from another chain than their home this takes a packet. RedeemVoucher → PacketRef or nothing",
    },
    Method {
        name: "reclaim",
        roles: &[],
        doc: "Asks a series' home for what came back to it without a holder. ReclaimVoucher → PacketRef",
    },
];

impl Module for Voucher {
    fn id(&self) -> u32 {
        VOUCHER_ID
    }

    fn name(&self) -> &'static str {
        VOUCHER_MODULE
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn codes(&self) -> &'static [&'static Code] {
        codes::CODES
    }

    fn call(&self, call: &mut Call<'_>, method: &str, arguments: &Bytes) -> Result<Bytes, Failure> {
        match method {
            "issue" => holder::issue(call, arguments),
            "transfer" => holder::transfer(call, arguments),
            "send" => holder::send(call, arguments),
            "redeem" => holder::redeem(call, arguments),
            "reclaim" => holder::reclaim(call, arguments),
            _ => Err(Failure::new(&yulian_exec::codes::UNKNOWN_METHOD, method)),
        }
    }
}

impl Port for Voucher {
    fn module(&self) -> &'static str {
        VOUCHER_MODULE
    }

    fn end_to_end(&self) -> bool {
        true
    }

    fn receive(&self, call: &mut Call<'_>, packet: &SealedPacket) -> Result<Bytes, Failure> {
        travel::receive(call, packet)
    }

    fn ended(&self, call: &mut Call<'_>, packet: &SealedPacket, outcome: &Outcome) -> Result<(), Failure> {
        travel::ended(call, packet, outcome)
    }
}
