//! Following blocks over broken connections.

use crate::world::{Cable, account, chain, digest, node, serve};
use futures::{FutureExt, StreamExt};
use yulian_sdk::{SdkError, views::StreamDetail};

#[tokio::test]
async fn blocks_come_in_order_and_wait_at_the_tip() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    (0..3).for_each(|_| server.node.chain.tick());
    let mut follow = chain.follow(1, StreamDetail::Header);
    for height in 1..=3 {
        assert_eq!(follow.next().await.expect("open").expect("block").header.height, height);
    }
    assert!(
        follow.next().now_or_never().is_none(),
        "nothing new, and the wait was given up"
    );
    server.node.chain.tick();
    assert_eq!(follow.next().await.expect("open").expect("block").header.height, 4);
    assert_eq!(follow.height(), 5);
}

#[tokio::test]
async fn details_are_those_asked_for() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let deposit = account()
        .deposit(chain.terms(), &digest(1), "a", "b")
        .expect("signature");
    chain.submit_and_wait(&deposit).await.expect("final");
    let blocks: Vec<_> = chain.follow(0, StreamDetail::Raw).into_stream().take(3).collect().await;
    let block = blocks[1].as_ref().expect("block");
    assert_eq!(block.transactions.as_ref().expect("transactions")[0].id.0, deposit.id);
    let expected = server.node.chain.with(|chain| chain.block(1).sealed.bytes.clone());
    assert_eq!(block.bytes.as_ref().expect("bytes").0, expected);
}

#[tokio::test]
async fn a_cut_connection_loses_and_repeats_nothing() {
    let first = serve(node()).await;
    let second = serve(first.node.twin()).await;
    let cable = Cable::to(&first).await;
    let chain = chain(&[&cable.url, &second.url]).await;
    (0..2).for_each(|_| first.node.chain.tick());
    let mut follow = chain.follow(0, StreamDetail::Header);
    for height in 0..=2 {
        assert_eq!(follow.next().await.expect("open").expect("block").header.height, height);
    }
    drop(cable);
    (0..2).for_each(|_| first.node.chain.tick());
    for height in 3..=4 {
        assert_eq!(follow.next().await.expect("open").expect("block").header.height, height);
    }
}

#[tokio::test]
async fn a_node_that_cannot_go_on_says_why() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    server.node.chain.break_streams_at(Some(0));
    let mut follow = chain.follow(0, StreamDetail::Header);
    let error = follow.next().await.expect("open").expect_err("pruned");
    assert!(matches!(&error, SdkError::Refused { status: 410, .. }), "{error}");
    assert!(follow.next().await.is_none());
}
