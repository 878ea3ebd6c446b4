//! Rust client: build, sign, submit, follow, verify.
//!
//! A [`Client`] talks to one or more nodes, a [`Chain`] is one chain at them, an [`Account`] signs. Submission is honest:
//! [`Chain::submit_and_wait`] ends with the final result, with a refusal that had no effect, or says that the outcome
//! is not known. What nodes answer is checked with [`Proofs`], evidence packs with [`verify_pack`]; both
//! begin at a genesis digest and believe nothing else.

mod account;
mod client;
mod error;
mod fork;
mod http;
pub mod limits;
mod link;
mod links;
mod pack;
mod proof;
mod relay;
mod table;
mod url;

pub use crate::{
    account::{
        Account, Action, Candidate, SignedTransaction, Terms, acceptance, candidate_proof, key_possession,
        node_registration,
    },
    client::{Chain, Client, Follow, Options, Page, Patience, succeeded},
    error::{SdkError, SubmitError},
    http::HttpError,
    links::{Books, Holding, Journey, OpenPackets, PacketName, deciding_route},
    pack::{PackFailure, row_pack, verify_pack},
    proof::{ProofFailure, Proofs, ProvenTransaction},
    relay::Word,
    table::{Row, RowBatch, Table, TableError},
    url::{NodeUrl, UrlError},
};

pub use yulian_api::{AccountRef, BlockRef, EvidenceFilter, views};
pub use yulian_light::{Outcome, PackError, Report, Subject, Trust, row_digest};
