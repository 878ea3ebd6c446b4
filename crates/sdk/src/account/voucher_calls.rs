//! Calls of the module `voucher`.

use super::{Account, SignedTransaction, Terms};
use yulian_crypto::{Digest, sm2::SignError};
use yulian_types::{proto, state_keys::VOUCHER_MODULE};

/// All fail only if the key cannot sign. Time-outs are ms from now by the other chain's block time, 0 for the chain's default.
impl Account {
    /// Issues vouchers of a series of the sender's organisation; the answer is a [`proto::VoucherId`].
    pub fn issue_vouchers(&self, terms: &Terms, issue: &proto::IssueVoucher) -> Result<SignedTransaction, SignError> {
        self.call(terms, VOUCHER_MODULE, "issue", issue)
    }

    /// Gives vouchers to another account of the chain.
    pub fn transfer_vouchers(
        &self,
        terms: &Terms,
        series: &Digest,
        holder: &Digest,
        amount: u64,
    ) -> Result<SignedTransaction, SignError> {
        let transfer = proto::TransferVoucher {
            series: series.to_vec().into(),
            holder: holder.to_vec().into(),
            amount,
        };
        self.call(terms, VOUCHER_MODULE, "transfer", &transfer)
    }

    /// Sends vouchers to an account of another chain; the answer is a [`proto::PacketRef`].
    pub fn send_vouchers(&self, terms: &Terms, send: &proto::SendVoucher) -> Result<SignedTransaction, SignError> {
        self.call(terms, VOUCHER_MODULE, "send", send)
    }

    /// Uses vouchers up. The answer is empty at the series' home, elsewhere a [`proto::PacketRef`].
    pub fn redeem_vouchers(
        &self,
        terms: &Terms,
        series: &Digest,
        amount: u64,
        timeout_ms: u64,
    ) -> Result<SignedTransaction, SignError> {
        let redeem = proto::RedeemVoucher {
            series: series.to_vec().into(),
            amount,
            timeout_ms,
        };
        self.call(terms, VOUCHER_MODULE, "redeem", &redeem)
    }

    /// Asks a series' home for what came back to it without a holder; the answer is a [`proto::PacketRef`].
    pub fn reclaim_vouchers(
        &self,
        terms: &Terms,
        series: &Digest,
        timeout_ms: u64,
    ) -> Result<SignedTransaction, SignError> {
        let reclaim = proto::ReclaimVoucher {
            series: series.to_vec().into(),
            timeout_ms,
        };
        self.call(terms, VOUCHER_MODULE, "reclaim", &reclaim)
    }
}
