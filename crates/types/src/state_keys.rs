//! Names of calls and state keys that a light verifier must know; the modules that write them use the same constants.
//!
//! A key of the state is a module id and bytes; the first byte names a table of the module. Only what proofs outside
//! the chain rely on is listed here: these layouts never change, a module may add tables of its own.

use bytes::Bytes;
use yulian_crypto::{Digest, sm2::PublicKey};

/// Module id of `governance`.
pub const GOVERNANCE_ID: u32 = 1;
/// Module id of `account`.
pub const ACCOUNT_ID: u32 = 2;
/// Module id of `evidence`.
pub const EVIDENCE_ID: u32 = 3;
/// Module id of `chain`.
pub const CHAIN_ID: u32 = 4;

/// Modules that every chain has, whatever its genesis lists.
pub const MODULES_ALWAYS: [&str; 2] = ["account", "governance"];
/// Modules that a chain has beside those whose genesis lists none.
pub const MODULES_UNLISTED: [&str; 1] = [EVIDENCE_MODULE];

/// Name of the module that makes a chain a system chain.
pub const CHAIN_MODULE: &str = "chain";
/// Name of the governance module in a transaction.
pub const GOVERNANCE_MODULE: &str = "governance";
/// Name of the module that carries messages between chains.
pub const LINK_MODULE: &str = "link";

/// Module id of `link`.
pub const LINK_ID: u32 = 5;
/// Module id of `voucher`.
pub const VOUCHER_ID: u32 = 6;
/// Module id of `notice`.
pub const NOTICE_ID: u32 = 8;
/// Name of the module of vouchers.
pub const VOUCHER_MODULE: &str = "voucher";
/// Name of the module of verification across chains.
pub const VERIFICATION_MODULE: &str = "verification";
/// Name of the module of notices.
pub const NOTICE_MODULE: &str = "notice";
/// Modules that send packets, by name.
pub const PACKET_MODULES: [&str; 3] = [NOTICE_MODULE, VERIFICATION_MODULE, VOUCHER_MODULE];

/// Name of the evidence module in a transaction.
pub const EVIDENCE_MODULE: &str = "evidence";
/// Deposits one digest; argument [`crate::proto::Deposit`].
pub const METHOD_DEPOSIT: &str = "deposit";
/// Deposits a Merkle root over digests; argument [`crate::proto::DepositBatch`].
pub const METHOD_DEPOSIT_BATCH: &str = "deposit_batch";

/// Parameter: a validator whose clock is behind a block's time by more than this waits, ms.
pub const PARAMETER_CLOCK_DRIFT_MS: &str = "clock_drift_ms";

/// Table of `governance`: chain parameters by name.
pub const TABLE_PARAMETER: u8 = 1;
/// Table of `account`: accounts by account id.
pub const TABLE_ACCOUNT: u8 = 1;
/// Table of `account`: the account that a public key belongs or belonged to, by key.
pub const TABLE_KEY_OWNER: u8 = 2;
/// Table of `account`: organisations by id.
pub const TABLE_ORGANISATION: u8 = 3;
/// Table of `evidence`: records by digest ‖ organisation id.
pub const TABLE_RECORD: u8 = 1;
/// Table of `link`: packets that have not ended, by destination ‖ module ‖ sequence.
pub const TABLE_PACKET_SENT: u8 = 1;
/// Table of `link`: how packets ended, by destination ‖ module ‖ sequence.
pub const TABLE_PACKET_ENDED: u8 = 2;
/// Table of `link`: how packets of others ended here, by source ‖ module ‖ sequence.
pub const TABLE_PACKET_RESULT: u8 = 3;
/// Table of `link`: packets that this chain relays, by source ‖ destination ‖ module ‖ sequence.
pub const TABLE_PACKET_RELAYED: u8 = 4;
/// Table of `link`: how relayed packets ended, by source ‖ destination ‖ module ‖ sequence.
pub const TABLE_PACKET_CONFIRMED: u8 = 5;
/// Table of `link`: light clients by chain id.
pub const TABLE_LINK_CLIENT: u8 = 6;
/// Table of `link`: what was sent, by destination ‖ module.
pub const TABLE_OUT_CURSOR: u8 = 7;
/// Table of `link`: what kept headers say, by chain id ‖ height.
pub const TABLE_LINK_HEADER: u8 = 8;
/// Table of `link`: the next packet of an ordered sequence, by source ‖ module.
pub const TABLE_IN_CURSOR: u8 = 11;
/// Table of `link`: what was agreed upon and not opened, by chain id.
pub const TABLE_LINK_AGREEMENT: u8 = 10;
/// Table of `link`: routes by source ‖ destination ‖ module.
pub const TABLE_ROUTE: u8 = 12;
/// Table of `link`: the chains whose light clients are kept, one record.
pub const TABLE_LINK_LIST: u8 = 13;
/// Table of `link`: genesis digest of this chain's relay, one record.
pub const TABLE_RELAY: u8 = 14;
/// Table of `link`: the patterns of all routes, one record.
pub const TABLE_ROUTES: u8 = 15;
/// Table of `link`: what is frozen, one record.
pub const TABLE_FREEZES: u8 = 16;

/// Table of `voucher`: series by id.
pub const TABLE_SERIES: u8 = 1;
/// Table of `voucher`: what a holder of this chain has, by series ‖ account.
pub const TABLE_BALANCE: u8 = 2;
/// Table of `voucher`, at home: what is held on another chain, by series ‖ chain.
pub const TABLE_OUTSIDE: u8 = 3;
/// Table of `voucher`, at home: what came back and could not be given back, by series ‖ chain ‖ account.
pub const TABLE_UNCLAIMED: u8 = 4;
/// Table of `voucher`: how many series this chain knows, one record.
pub const TABLE_SERIES_COUNT: u8 = 5;
/// Table of `voucher`: ids of series by number (8), from 0 in the order in which the chain came to know them.
pub const TABLE_SERIES_AT: u8 = 6;

/// Table of `notice`: the last notice, by source ‖ kind.
pub const TABLE_NOTICE: u8 = 1;

/// Status of a packet's result and of its end: the destination did what it asks for.
pub const PACKET_DONE: u32 = 1;
/// Status of a packet's result and of its end: the destination could not do it; the code says why.
pub const PACKET_FAILED: u32 = 2;
/// Status of a packet's result and of its end: it did not come in time.
pub const PACKET_TIMED_OUT: u32 = 3;
/// Status of a packet's end: its source decided that the destination is gone.
pub const PACKET_GIVEN_UP: u32 = 4;

/// Status of a light client: headers and proofs count.
pub const LINK_ACTIVE: u32 = 1;
/// Status of a light client: two final headers of one height were shown; nothing counts until a vote names a new start.
pub const LINK_FROZEN: u32 = 2;
/// Status of a light client: ended by vote.
pub const LINK_ENDED: u32 = 3;

/// Table of `chain`: records of the platform's chains by name.
pub const TABLE_CHAIN: u8 = 1;
/// Table of `chain`: genesis bytes by chain id.
pub const TABLE_CHAIN_GENESIS: u8 = 2;

/// Status of an evidence record: it holds.
pub const STATUS_ACTIVE: u32 = 1;
/// Status of an evidence record: another record of the same organisation has taken its place.
pub const STATUS_SUPERSEDED: u32 = 2;
/// Status of an evidence record: its organisation has withdrawn it.
pub const STATUS_REVOKED: u32 = 3;
/// Kind of an evidence record: one digest.
pub const KIND_SINGLE: u32 = 1;
/// Kind of an evidence record: a Merkle root over digests.
pub const KIND_BATCH: u32 = 2;

/// A key of the state: a module and the key within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateKey {
    /// Module whose key it is.
    pub module_id: u32,
    /// Table byte ‖ key of the table.
    pub key: Bytes,
}

impl StateKey {
    /// Key `key` of table `table` of a module.
    pub fn new(module_id: u32, table: u8, key: &[&[u8]]) -> Self {
        let mut bytes = vec![table];
        key.iter().for_each(|part| bytes.extend_from_slice(part));
        Self {
            module_id,
            key: bytes.into(),
        }
    }

    /// Module id as 4 bytes big-endian ‖ key, as in `declared_keys` of a transaction.
    pub fn declared(&self) -> Bytes {
        [&self.module_id.to_be_bytes(), &self.key[..]].concat().into()
    }

    /// [`crate::proto::Parameter`] of a name.
    pub fn parameter(name: &str) -> Self {
        Self::new(GOVERNANCE_ID, TABLE_PARAMETER, &[name.as_bytes()])
    }

    /// [`crate::proto::Account`] of an account id.
    pub fn account(id: &Digest) -> Self {
        Self::new(ACCOUNT_ID, TABLE_ACCOUNT, &[&id.0])
    }

    /// [`crate::proto::KeyOwner`] of a public key.
    pub fn key_owner(key: &PublicKey) -> Self {
        Self::new(ACCOUNT_ID, TABLE_KEY_OWNER, &[key.as_bytes()])
    }

    /// [`crate::proto::Organisation`] of an organisation id.
    pub fn organisation(id: &str) -> Self {
        Self::new(ACCOUNT_ID, TABLE_ORGANISATION, &[id.as_bytes()])
    }

    /// [`crate::proto::ChainRecord`] of a name, on the system chain.
    pub fn chain(name: &str) -> Self {
        Self::new(CHAIN_ID, TABLE_CHAIN, &[name.as_bytes()])
    }

    /// Genesis bytes of a chain id, on the system chain.
    pub fn chain_genesis(chain_id: &Digest) -> Self {
        Self::new(CHAIN_ID, TABLE_CHAIN_GENESIS, &[&chain_id.0])
    }

    /// [`crate::proto::EvidenceRecord`] of a digest that an organisation deposited.
    pub fn evidence(digest: &Digest, organisation: &str) -> Self {
        Self::new(EVIDENCE_ID, TABLE_RECORD, &[&digest.0, organisation.as_bytes()])
    }

    /// A [`crate::proto::Packet`] that has not ended, in its source's state.
    pub fn packet_sent(destination: &Digest, module: &str, sequence: u64) -> Self {
        Self::of_packet(TABLE_PACKET_SENT, &[&destination.0], module, sequence)
    }

    /// [`crate::proto::PacketEnd`] in the state of a packet's source.
    pub fn packet_ended(destination: &Digest, module: &str, sequence: u64) -> Self {
        Self::of_packet(TABLE_PACKET_ENDED, &[&destination.0], module, sequence)
    }

    /// [`crate::proto::PacketResult`] in the state of a packet's destination.
    pub fn packet_result(source: &Digest, module: &str, sequence: u64) -> Self {
        Self::of_packet(TABLE_PACKET_RESULT, &[&source.0], module, sequence)
    }

    /// [`crate::proto::RelayRecord`] in the state of a relay chain.
    pub fn packet_relayed(source: &Digest, destination: &Digest, module: &str, sequence: u64) -> Self {
        Self::of_packet(TABLE_PACKET_RELAYED, &[&source.0, &destination.0], module, sequence)
    }

    /// [`crate::proto::PacketResult`] in the state of a relay chain.
    pub fn packet_confirmed(source: &Digest, destination: &Digest, module: &str, sequence: u64) -> Self {
        Self::of_packet(TABLE_PACKET_CONFIRMED, &[&source.0, &destination.0], module, sequence)
    }

    /// [`crate::proto::LinkClient`] of another chain.
    pub fn link_client(chain: &Digest) -> Self {
        Self::new(LINK_ID, TABLE_LINK_CLIENT, &[&chain.0])
    }

    /// [`crate::proto::LinkHeader`] of another chain's header, while the light client keeps it.
    pub fn link_header(chain: &Digest, height: u64) -> Self {
        Self::new(LINK_ID, TABLE_LINK_HEADER, &[&chain.0, &height.to_be_bytes()])
    }

    /// [`crate::proto::OutCursor`] of what a module sends to a chain.
    pub fn out_cursor(destination: &Digest, module: &str) -> Self {
        Self::new(LINK_ID, TABLE_OUT_CURSOR, &[&destination.0, module.as_bytes()])
    }

    /// [`crate::proto::InCursor`] of what a module takes in order from a chain.
    pub fn in_cursor(source: &Digest, module: &str) -> Self {
        Self::new(LINK_ID, TABLE_IN_CURSOR, &[&source.0, module.as_bytes()])
    }

    /// [`crate::proto::LinkAgreement`] about a chain that was not opened yet.
    pub fn link_agreement(chain: &Digest) -> Self {
        Self::new(LINK_ID, TABLE_LINK_AGREEMENT, &[&chain.0])
    }

    /// [`crate::proto::LinkList`]: every chain of which this one keeps a light client.
    pub fn link_list() -> Self {
        Self::new(LINK_ID, TABLE_LINK_LIST, &[])
    }

    /// 32 bytes: genesis digest of this chain's relay.
    pub fn relay_chain() -> Self {
        Self::new(LINK_ID, TABLE_RELAY, &[])
    }

    /// [`crate::proto::SetRoute`] of exactly this pattern. 32 zero bytes stand for any chain, an empty module for any module.
    pub fn route(source: &[u8], destination: &[u8], module: &str) -> Self {
        Self::new(LINK_ID, TABLE_ROUTE, &[source, destination, module.as_bytes()])
    }

    /// [`crate::proto::RouteList`]: patterns of all routes, without their organisations.
    pub fn routes() -> Self {
        Self::new(LINK_ID, TABLE_ROUTES, &[])
    }

    /// [`crate::proto::FreezeList`].
    pub fn freezes() -> Self {
        Self::new(LINK_ID, TABLE_FREEZES, &[])
    }

    /// [`crate::proto::VoucherSeries`] of an id.
    pub fn voucher_series(id: &Digest) -> Self {
        Self::new(VOUCHER_ID, TABLE_SERIES, &[&id.0])
    }

    /// [`crate::proto::VoucherAmount`] that a holder of this chain has.
    pub fn voucher_balance(id: &Digest, holder: &[u8]) -> Self {
        Self::new(VOUCHER_ID, TABLE_BALANCE, &[&id.0, holder])
    }

    /// [`crate::proto::VoucherAmount`] that is held on another chain, as the series' home knows it.
    pub fn voucher_outside(id: &Digest, chain: &Digest) -> Self {
        Self::new(VOUCHER_ID, TABLE_OUTSIDE, &[&id.0, &chain.0])
    }

    /// [`crate::proto::VoucherAmount`] that waits at home for a holder of another chain.
    pub fn voucher_unclaimed(id: &Digest, chain: &Digest, holder: &[u8]) -> Self {
        Self::new(VOUCHER_ID, TABLE_UNCLAIMED, &[&id.0, &chain.0, holder])
    }

    /// [`crate::proto::Counter`]: how many series of vouchers this chain knows.
    pub fn voucher_count() -> Self {
        Self::new(VOUCHER_ID, TABLE_SERIES_COUNT, &[])
    }

    /// [`crate::proto::VoucherId`] of a number below the count.
    pub fn voucher_at(number: u64) -> Self {
        Self::new(VOUCHER_ID, TABLE_SERIES_AT, &[&number.to_be_bytes()])
    }

    /// [`crate::proto::NoticeRecord`] of the last notice of a kind from a chain.
    pub fn notice(source: &Digest, kind: &str) -> Self {
        Self::new(NOTICE_ID, TABLE_NOTICE, &[&source.0, kind.as_bytes()])
    }

    /// Table ‖ chains ‖ length of the module's name (1) ‖ name ‖ sequence (8).
    fn of_packet(table: u8, chains: &[&[u8]], module: &str, sequence: u64) -> Self {
        let length = [module.len() as u8];
        let number = sequence.to_be_bytes();
        let tail: [&[u8]; 3] = [&length, module.as_bytes(), &number];
        Self::new(LINK_ID, table, &[chains, &tail].concat())
    }
}
