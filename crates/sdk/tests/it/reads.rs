//! Every operation that reads, typed.

use crate::world::{account, chain, digest, nobody, node, serve};
use yulian_api::Code;
use yulian_sdk::{AccountRef, BlockRef, Client, EvidenceFilter, Options, Page, SdkError, views::*};
use yulian_types::StateKey;

#[tokio::test]
async fn every_operation_answers() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let me = account();
    let deposit = me
        .deposit(chain.terms(), &digest(1), "目录", "数据局")
        .expect("signature");
    let done = chain.submit_and_wait(&deposit).await.expect("final");

    let client = chain.client();
    assert_eq!(client.status().await.expect("status").chains[0].id.0, chain.id());
    assert!(client.metrics().await.expect("metrics").contains("yulian_height 2"));
    assert!(client.health().await.expect("health").healthy);
    assert!(client.readiness().await.expect("readiness").ready);

    assert_eq!(chain.name(), "henan-test");
    assert_eq!(chain.info().await.expect("info").id.0, chain.id());
    assert_eq!(chain.genesis().await.expect("genesis").chain_id, chain.id());
    let view = chain.transaction(&deposit.id).await.expect("transaction");
    assert_eq!(view.bytes.0, deposit.bytes);
    assert_eq!(view.block, Some(done.block));
    assert_eq!(chain.receipt(&deposit.id).await.expect("receipt").result, done.result);
    assert_eq!(
        chain.transaction_proof(&deposit.id).await.expect("proof").id.0,
        deposit.id
    );
    let block = chain.block(BlockRef::Height(1)).await.expect("block");
    assert_eq!(block.transactions[0].id.0, deposit.id);
    let raw = chain
        .block_bytes(BlockRef::Digest(block.header.digest.0))
        .await
        .expect("bytes");
    assert_eq!(raw.len() as u64, block.size_bytes);
    assert_eq!(chain.finality(BlockRef::Height(1)).await.expect("proof").height, 1);
    assert_eq!(chain.header(BlockRef::Latest).await.expect("header").height, 2);
    let headers = chain.headers(1, 1).await.expect("headers");
    assert_eq!((headers.items[0].height, headers.next), (1, Some(2)));
    let key = StateKey::evidence(&digest(1), "zzdata");
    assert!(chain.state(&key, None).await.expect("state").value.is_some());
    assert!(chain.state(&key, Some(0)).await.expect("state").value.is_none());

    let page = Page::default().limit(1);
    for filter in [
        EvidenceFilter::Digest(digest(1)),
        EvidenceFilter::Depositor(me.id()),
        EvidenceFilter::Time {
            from_ms: 0,
            to_ms: u64::MAX,
        },
    ] {
        let found = chain.evidence(filter, &page).await.expect("evidence");
        assert_eq!(found.items[0].status, EvidenceStatus::Active, "{filter:?}");
    }
    assert!(
        !chain
            .evidence_pack(&digest(1), Some("zzdata"))
            .await
            .expect("pack")
            .is_empty()
    );
    assert_eq!(
        chain.validators().await.expect("validators").current.validators.len(),
        4
    );
    assert_eq!(chain.validator_history(&page).await.expect("history").items.len(), 1);
    let first = chain.organisations(&page).await.expect("organisations");
    let after = Page::after(first.next.expect("more")).limit(200);
    assert_eq!(chain.organisations(&after).await.expect("organisations").items.len(), 4);
    let found = chain.account(me.id()).await.expect("account");
    assert_eq!(found.organisation, "zzdata");
    let listed = chain.accounts("zzdata", &Page::default()).await.expect("accounts");
    assert!(listed.items.contains(&found));
    let by_key = chain
        .account(AccountRef::Key(me.signer().public_key()))
        .await
        .expect("account");
    assert_eq!(by_key, found);
    assert_eq!(chain.nodes(&Page::default()).await.expect("nodes").items.len(), 4);
    assert_eq!(
        chain.proposals(&Page::default()).await.expect("proposals").items.len(),
        10
    );
    let proposal = chain.proposal(4).await.expect("proposal");
    assert!(matches!(proposal.action, ActionView::SetParameter { .. }));
    assert_eq!(chain.candidate_proof().await.expect("candidate").height, 2);
}

#[tokio::test]
async fn refusals_come_with_their_texts() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let error = chain.transaction(&digest(9)).await.expect_err("unknown");
    assert!(error.is_not_found());
    assert_eq!(error.code(), Some(Code::UnknownTransaction.entry().code));
    let SdkError::Refused { error, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(error.message, Code::UnknownTransaction.entry().message);
    assert!(error.request_id.starts_with("fake-"));
}

#[tokio::test]
async fn a_node_that_is_not_ready_is_an_answer_to_those_who_ask() {
    let server = serve(node()).await;
    server.node.set_ready(false);
    let client = Client::new([&server.url], Options::default()).expect("client");
    assert!(!client.health().await.expect("health").healthy);
    assert!(!client.readiness().await.expect("readiness").ready);
}

#[tokio::test]
async fn a_digest_binds_to_the_chain() {
    let server = serve(node()).await;
    let client = Client::new([&server.url], Options::default()).expect("client");
    let id = server.node.chain.id();
    assert_eq!(client.chain(&id.to_string()).await.expect("chain").id(), id);
    let error = client.chain(&digest(1).to_string()).await.expect_err("other chain");
    assert_eq!(error.code(), Some("unknown_chain"));
    assert!(
        client
            .chain("no such/chain?")
            .await
            .expect_err("no such chain")
            .is_not_found()
    );
}

#[tokio::test]
async fn reads_go_on_to_the_next_node() {
    let server = serve(node()).await;
    let (down, away) = (nobody().await, nobody().await);
    let chain = chain(&[&down, &away, &server.url]).await;
    assert_eq!(chain.header(BlockRef::Latest).await.expect("header").height, 0);
    let lonely = Client::new([&down, &away], Options::default()).expect("client");
    assert!(matches!(lonely.status().await, Err(SdkError::Node { .. })));
}

#[tokio::test]
async fn clients_may_begin_with_different_nodes() {
    let (first, second) = (serve(node()).await, serve(node()).await);
    let client = Client::new([&first.url, &second.url], Options::default()).expect("client");
    client.beginning_with(1).status().await.expect("status");
    assert_eq!((first.node.requests(), second.node.requests()), (0, 1));
    client.only(0).status().await.expect("status");
    assert_eq!((first.node.requests(), second.node.requests()), (1, 1));
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = serve(node()).await;
    let cable = crate::world::Cable::to(&server).await;
    let client = Client::new([&cable.url], Options::default()).expect("client");
    for _ in 0..10 {
        client.status().await.expect("status");
    }
    assert_eq!(cable.connections(), 1);
}

#[test]
fn without_nodes_there_is_no_client() {
    let none: [&str; 0] = [];
    assert!(matches!(Client::new(none, Options::default()), Err(SdkError::Nodes(0))));
    assert!(matches!(
        Client::new(["ftp://a"], Options::default()),
        Err(SdkError::Url(_))
    ));
}
