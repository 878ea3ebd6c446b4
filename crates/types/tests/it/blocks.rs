//! What is a block and what is not.

use crate::wire::{data, digest, genesis, number, transaction};
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use yulian_types::{
    BlockError, BlockLimits, CodecError, Digest, KnownTransactions, SealedBlock, SealedTransaction, decode_canonical,
    decode_header, encode, limits::*, proto,
};

fn sealed(nonce: u8) -> Arc<SealedTransaction> {
    Arc::new(SealedTransaction::decode(transaction(nonce)).expect("transaction"))
}

fn block(transactions: Vec<Arc<SealedTransaction>>) -> SealedBlock {
    let mut header = genesis().block().header;
    header.height = 1;
    header.parent = genesis().block().digest.to_vec().into();
    SealedBlock::build(header, transactions)
}

fn edited(edit: impl FnOnce(&mut proto::Block)) -> Result<SealedBlock, BlockError> {
    let bytes = block(vec![sealed(1), sealed(2)]).bytes;
    let mut message: proto::Block = decode_canonical(&bytes, BLOCK_BYTES_MAX).expect("block");
    edit(&mut message);
    SealedBlock::decode(encode(&message), &BlockLimits::default())
}

fn header(edit: impl FnOnce(&mut proto::BlockHeader)) -> Result<proto::BlockHeader, BlockError> {
    let mut header = block(vec![]).header;
    edit(&mut header);
    decode_header(&encode(&header))
}

#[test]
fn what_is_built_is_taken() {
    let built = block(vec![sealed(1), sealed(2)]);
    let read = SealedBlock::decode(built.bytes.clone(), &BlockLimits::default()).expect("block");
    assert_eq!(
        (read.digest, read.parent, read.height()),
        (built.digest, built.parent, 1)
    );
    let ids = |block: &SealedBlock| block.transactions.iter().map(|t| t.id).collect::<Vec<_>>();
    assert_eq!(ids(&read), ids(&built));
    assert_eq!(decode_header(&built.header_bytes).expect("header"), built.header);
}

/// Knows some transactions, and was asked for so many.
#[derive(Debug)]
struct Held(Vec<Arc<SealedTransaction>>, Mutex<usize>);

impl KnownTransactions for Held {
    fn find(&self, list: &[Bytes]) -> Vec<Option<Arc<SealedTransaction>>> {
        *self.1.lock().unwrap() += list.len();
        let known = |bytes: &Bytes| self.0.iter().find(|held| held.bytes == *bytes).cloned();
        list.iter().map(known).collect()
    }
}

#[test]
fn what_is_known_is_not_decoded_again_and_makes_no_difference() {
    let all: Vec<_> = (1..=5).map(sealed).collect();
    let built = block(all.clone());
    let held = Held(vec![all[1].clone(), all[4].clone()], Mutex::new(0));
    let limits = BlockLimits::default();
    let read = SealedBlock::decode_with(built.bytes.clone(), &limits, &held).expect("block");
    assert_eq!(*held.1.lock().unwrap(), 5);
    let shared = |at: usize| Arc::ptr_eq(&read.transactions[at], &all[at]);
    assert_eq!([0, 1, 2, 3, 4].map(shared), [false, true, false, false, true]);
    let plain = SealedBlock::decode(built.bytes.clone(), &limits).expect("block");
    for (read, plain) in read.transactions.iter().zip(&plain.transactions) {
        assert_eq!(
            (&read.bytes, read.id, read.leaf, &read.payload, &read.signers),
            (&plain.bytes, plain.id, plain.leaf, &plain.payload, &plain.signers)
        );
    }
    // A transaction that is wrong is named by its place in the block, whatever is known before it.
    let mut message: proto::Block = decode_canonical(&built.bytes, BLOCK_BYTES_MAX).expect("block");
    message.transactions[3] = Bytes::from_static(b"no transaction");
    let wrong = SealedBlock::decode_with(encode(&message), &limits, &held).expect_err("refused");
    assert!(matches!(wrong, BlockError::Transaction { index: 3, .. }), "{wrong}");
    // The root is checked also when everything is known.
    message.transactions.truncate(2);
    message.transactions.remove(0);
    let wrong = SealedBlock::decode_with(encode(&message), &limits, &held).expect_err("refused");
    assert_eq!(wrong, BlockError::TransactionRoot);
}

#[test]
fn the_genesis_block_follows_from_genesis() {
    let genesis = genesis();
    let block = genesis.block();
    assert_eq!((block.height(), block.parent), (0, Digest::ZERO));
    assert_eq!(block.header.chain_id[..], genesis.chain_id.0);
    assert_eq!(block.header.validators, block.header.next_validators);
    assert_eq!(block.header.validators[..], genesis.validators.digest().0);
    SealedBlock::decode(block.bytes, &BlockLimits::default()).expect("block");
}

#[test]
fn the_body_is_the_one_the_header_commits_to() {
    for edit in [
        (|block: &mut proto::Block| block.transactions.swap(0, 1)) as fn(&mut proto::Block),
        |block| drop(block.transactions.pop()),
        |block| block.transactions.push(transaction(3)),
        |block| block.transactions.push(block.transactions[1].clone()),
        |block| block.transactions[0] = transaction(3),
        |block| block.transactions.clear(),
    ] {
        assert_eq!(edited(edit).expect_err("refused"), BlockError::TransactionRoot);
    }
    let broken = edited(|block| block.transactions[1] = Bytes::from_static(b"x"));
    assert!(matches!(broken, Err(BlockError::Transaction { index: 1, .. })));
    let empty = edited(|block| block.transactions.push(Bytes::new()));
    assert!(matches!(empty, Err(BlockError::Transaction { index: 2, .. })));
}

#[test]
fn headers_are_checked_by_themselves() {
    for version in [0, 2] {
        assert_eq!(header(|h| h.version = version), Err(BlockError::Version(version)));
    }
    type Field = (&'static str, fn(&mut proto::BlockHeader) -> &mut Bytes);
    let fields: [Field; 9] = [
        ("chain_id", |h| &mut h.chain_id),
        ("parent", |h| &mut h.parent),
        ("transaction_root", |h| &mut h.transaction_root),
        ("parent_state_root", |h| &mut h.parent_state_root),
        ("parent_receipt_root", |h| &mut h.parent_receipt_root),
        ("parent_write_set_root", |h| &mut h.parent_write_set_root),
        ("parent_message_root", |h| &mut h.parent_message_root),
        ("validators", |h| &mut h.validators),
        ("next_validators", |h| &mut h.next_validators),
    ];
    for (name, field) in fields {
        for length in [0, 31, 33] {
            let result = header(|h| *field(h) = vec![1; length].into());
            assert_eq!(result, Err(BlockError::Digest(name)), "{length}");
        }
    }
    let good = block(vec![]).header_bytes;
    for tail in [data(16, b"x"), number(15, 0), vec![0]] {
        let result = decode_header(&[&good[..], &tail].concat().into());
        assert!(matches!(result, Err(BlockError::Header(_))), "{result:?}");
    }
    let long = decode_header(&vec![0; HEADER_BYTES_MAX + 1].into());
    assert!(matches!(long, Err(BlockError::Header(CodecError::TooLong { .. }))));
}

#[test]
fn the_largest_header_fits_its_limit() {
    let mut header = block(vec![]).header;
    header.transaction_root = digest("root").to_vec().into();
    for number in [
        &mut header.epoch,
        &mut header.height,
        &mut header.time_ms,
        &mut header.validators_since,
    ] {
        *number = u64::MAX;
    }
    header.protocol_version = u32::MAX;
    assert!(encode(&header).len() <= HEADER_BYTES_MAX);
    decode_header(&encode(&header)).expect("header");
}

#[test]
fn blocks_beyond_their_limits_are_refused() {
    let bytes = block((0..5).map(sealed).collect()).bytes;
    let limits = |body_bytes_max, transactions_max| BlockLimits {
        body_bytes_max,
        transactions_max,
    };
    let body: usize = (0..5).map(|n| SealedBlock::body_cost(&sealed(n))).sum();
    SealedBlock::decode(bytes.clone(), &limits(body, 5)).expect("within both");
    let many = SealedBlock::decode(bytes.clone(), &limits(body, 4)).expect_err("refused");
    assert_eq!(many, BlockError::TooMany { found: 5, limit: 4 });
    let long = SealedBlock::decode(bytes, &limits(100, 5)).expect_err("refused");
    assert!(matches!(long, BlockError::Codec(CodecError::TooLong { .. })), "{long}");
    // A million empty transactions in two million bytes are refused before they are made.
    let header = data(1, &block(vec![]).header_bytes);
    let bomb = [header, [0x12, 0].repeat(1_000_000)].concat();
    let bomb = SealedBlock::decode(bomb.into(), &BlockLimits::default()).expect_err("refused");
    assert!(matches!(bomb, BlockError::Codec(CodecError::TooMany { .. })), "{bomb}");
    let two_headers = [data(1, &[0; HEADER_BYTES_MAX + 1]), data(1, b"x")].concat();
    let long = SealedBlock::decode(two_headers.into(), &BlockLimits::default()).expect_err("refused");
    assert!(matches!(long, BlockError::Codec(CodecError::TooLong { .. })), "{long}");
}

#[test]
fn blocks_cut_or_grown_are_refused() {
    let bytes = block(vec![sealed(1)]).bytes;
    for length in 0..bytes.len() {
        assert!(
            SealedBlock::decode(bytes.slice(..length), &BlockLimits::default()).is_err(),
            "{length}"
        );
    }
    for tail in [data(3, b"x"), data(1, b""), vec![0]] {
        let result = SealedBlock::decode([&bytes[..], &tail].concat().into(), &BlockLimits::default());
        assert!(matches!(result, Err(BlockError::Codec(_))), "{result:?}");
    }
}
