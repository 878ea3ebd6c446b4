//! Clients: they submit, wait for the final result, and submit again elsewhere when no answer comes.

use crate::{
    cluster::Running,
    keys::{admin_key, client_key, node_key, validator},
};
use bytes::Bytes;
use std::collections::BTreeMap;
use yulian_crypto::{
    sm2::{SecretKey, Signer},
    sm3,
};
use yulian_types::{
    Digest, TransactionBuilder, account_id, encode, proto,
    state_keys::{EVIDENCE_MODULE, METHOD_DEPOSIT},
    tags,
};

/// How long a transaction may wait, ms of block time.
const VALID_MS: u64 = 60_000;
/// Metering of a transaction: the chain's default limit.
const METERING: u64 = 10_000_000;
/// Kind of the proposal that replaces a validator.
pub(crate) const REPLACE_VALIDATOR: u32 = 3;

/// The final result that a client received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// Height of the block.
    pub(crate) height: u64,
    /// Its digest.
    pub(crate) digest: Digest,
    /// The receipt.
    pub(crate) receipt: Bytes,
}

/// What a client sent, and what it was told.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The bytes, submitted again and again as they are.
    pub(crate) bytes: Bytes,
    /// After this block time it can no longer enter a block.
    pub(crate) valid_until_ms: u64,
    /// The final result.
    pub(crate) received: Option<Received>,
}

/// Everything that clients sent, by transaction id.
pub(crate) type Book = BTreeMap<Digest, Sent>;

/// Makes the transactions of a simulation; nonces are numbers, so that a run is a function of its seed.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    chain_id: Digest,
    next: u64,
}

impl Maker {
    /// For a chain.
    pub(crate) fn new(chain_id: Digest) -> Self {
        Self { chain_id, next: 0 }
    }

    /// A call, signed with a key.
    pub(crate) fn call(
        &mut self,
        now_ms: u64,
        key: &SecretKey,
        module: &str,
        method: &str,
        arguments: Bytes,
    ) -> (Digest, Sent) {
        self.next += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.next.to_be_bytes());
        let valid_until_ms = now_ms + VALID_MS;
        let sender = account_id(&key.public_key());
        let builder = TransactionBuilder::new(self.chain_id, sender, nonce, valid_until_ms, module, method, arguments)
            .metering_limit(METERING);
        let (bytes, id) = builder.sign(key).expect("a key in memory signs");
        (
            id,
            Sent {
                bytes,
                valid_until_ms,
                received: None,
            },
        )
    }

    /// A deposit of a digest of its own.
    pub(crate) fn deposit(&mut self, now_ms: u64, client: usize) -> (Digest, Sent) {
        let arguments = encode(&proto::Deposit {
            digest: sm3::hash(&[b"simulated", &self.next.to_be_bytes()]).to_vec().into(),
            description: "模拟存证".into(),
            source: "simulation".into(),
        });
        self.call(now_ms, &client_key(client), EVIDENCE_MODULE, METHOD_DEPOSIT, arguments)
    }

    /// The proposal to replace a validator; the candidate signed a recent header.
    pub(crate) fn replace(
        &mut self,
        now_ms: u64,
        by: usize,
        old: usize,
        new: usize,
        recent: (u64, Digest),
    ) -> (Digest, Sent) {
        let (height, digest) = recent;
        let subject = sm3::tagged(&tags::CANDIDATE, &[&self.chain_id.0, &height.to_be_bytes(), &digest.0]);
        let signature = node_key(new).sign(&subject.0).expect("a key in memory signs");
        let action = proto::ReplaceValidator {
            public_key: node_key(old).public_key().as_bytes().to_vec().into(),
            validator: Some(validator(new)),
            proof: Some(proto::CandidateProof {
                height,
                digest: digest.to_vec().into(),
                signature: signature.as_bytes().to_vec().into(),
            }),
            accept_risk: None,
        };
        let propose = proto::Propose {
            kind: REPLACE_VALIDATOR,
            action: encode(&action),
            reason: "simulation".into(),
        };
        self.call(now_ms, &admin_key(by), "governance", "propose", encode(&propose))
    }

    /// An organisation's vote for a proposal.
    pub(crate) fn vote(&mut self, now_ms: u64, by: usize, proposal: u64) -> (Digest, Sent) {
        let vote = proto::Vote {
            proposal,
            approve: true,
        };
        self.call(now_ms, &admin_key(by), "governance", "vote", encode(&vote))
    }
}

/// Submits once to a node and waits until it answers or crashes.
pub(crate) async fn ask(running: Running, bytes: Bytes) -> Option<Received> {
    let Running { node, crashed } = running;
    let answer = async move {
        match node.submit_and_wait(bytes).await {
            Ok(yulian_node::waiters::Outcome::Final {
                height,
                digest,
                receipt,
                ..
            }) => Some(Received {
                height,
                digest,
                receipt,
            }),
            _ => None,
        }
    };
    futures::pin_mut!(answer);
    match futures::future::select(answer, crashed).await {
        futures::future::Either::Left((answer, _)) => answer,
        futures::future::Either::Right(_) => None,
    }
}
