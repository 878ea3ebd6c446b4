//! Submission: one effect, and the truth about it.

use crate::world::{Cable, account, chain, chain_with, digest, nobody, node, serve, until};
use std::time::Duration;
use yulian_light::testing::secret;
use yulian_sdk::{Account, Chain, Options, Patience, SignedTransaction, SubmitError, succeeded, views::SubmitAnswer};

fn deposit(chain: &Chain, number: u32) -> SignedTransaction {
    account()
        .deposit(chain.terms(), &digest(number), "目录", "数据局")
        .expect("signature")
}

/// Nodes are asked again after a short wait.
fn hurried() -> Options {
    Options {
        wait: Duration::from_millis(20),
        ..Options::default()
    }
}

#[tokio::test]
async fn queued_is_what_a_node_says_without_a_wait() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let one = deposit(&chain, 1);
    let answer = chain.submit(&one).await.expect("answer");
    assert_eq!(answer, SubmitAnswer::Queued { id: one.id.into() });
    let answers = chain
        .submit_batch(&[deposit(&chain, 2), deposit(&chain, 3)])
        .await
        .expect("answers");
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, SubmitAnswer::Queued { .. }))
    );
    assert!(chain.submit_batch(&[]).await.is_err());
}

#[tokio::test]
async fn the_final_result_comes_back() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let one = deposit(&chain, 1);
    let result = chain.submit_and_wait(&one).await.expect("final");
    assert_eq!((result.id.0, result.block.height, result.index), (one.id, 1, 0));
    assert!(succeeded(result).is_ok());
}

#[tokio::test]
async fn submitting_again_brings_the_same_result() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let one = deposit(&chain, 1);
    let first = chain.submit_and_wait(&one).await.expect("final");
    let again = chain.submit_and_wait(&one).await.expect("final");
    assert_eq!(first, again);
    assert_eq!(server.node.chain.height(), 2, "one block and its closing block");
}

#[tokio::test]
async fn refusals_are_final_and_had_no_effect() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let stranger = Account::of_first_key(secret(99));
    let unknown = stranger
        .deposit(chain.terms(), &digest(1), "a", "b")
        .expect("signature");
    let error = chain.submit_and_wait(&unknown).await.expect_err("refused");
    assert_eq!(error.code(), Some("exec.unknown_sender"));

    let late = chain.terms().clock_offset_ms(-1_000_000_000_000);
    let expired = account().deposit(&late, &digest(1), "a", "b").expect("signature");
    let error = chain
        .submit_and_wait_for(&expired, Patience::For(Duration::from_secs(60)))
        .await
        .expect_err("refused");
    assert_eq!(error.code(), Some("exec.expired"));

    let mut cut = deposit(&chain, 1);
    cut.bytes.truncate(20);
    let error = chain.submit_and_wait(&cut).await.expect_err("refused");
    assert_eq!(error.code(), Some("malformed_transaction"));
    assert_eq!(server.node.chain.height(), 0);
}

#[tokio::test]
async fn a_node_that_is_down_is_passed_over() {
    let server = serve(node()).await;
    let down = nobody().await;
    let chain = chain(&[&down, &server.url]).await;
    let chain = chain.beginning_with(0);
    assert!(chain.submit_and_wait(&deposit(&chain, 1)).await.is_ok());
}

#[tokio::test]
async fn a_node_that_dies_while_it_is_waited_for_costs_nothing() {
    let first = serve(node()).await;
    let second = serve(first.node.twin()).await;
    let cable = Cable::to(&first).await;
    let chain = chain(&[&cable.url, &second.url]).await;
    first.node.chain.hold();
    let one = deposit(&chain, 1);
    let submission = tokio::spawn({
        let (chain, one) = (chain.clone(), one.clone());
        async move { chain.submit_and_wait(&one).await }
    });
    until(|| first.node.chain.pending() == 1).await;
    drop(cable);
    until(|| second.node.requests() > 0).await;
    first.node.chain.release();
    let result = submission.await.expect("task").expect("final");
    assert_eq!(result.id.0, one.id);
    assert_eq!(first.node.chain.height(), 2, "one effect");
}

#[tokio::test]
async fn what_a_node_forgets_is_sent_again() {
    let server = serve(node()).await;
    let chain = chain_with(&[&server.url], hurried()).await;
    server.node.chain.hold();
    let one = deposit(&chain, 1);
    let submission = tokio::spawn({
        let (chain, one) = (chain.clone(), one.clone());
        async move { chain.submit_and_wait(&one).await }
    });
    until(|| server.node.chain.pending() == 1).await;
    server.node.chain.forget();
    until(|| server.node.chain.pending() == 1).await;
    server.node.chain.release();
    assert_eq!(submission.await.expect("task").expect("final").id.0, one.id);
}

#[tokio::test]
async fn when_patience_ends_the_outcome_is_unknown() {
    let server = serve(node()).await;
    let chain = chain_with(&[&server.url], hurried()).await;
    server.node.chain.hold();
    let one = deposit(&chain, 1);
    let patience = Patience::For(Duration::from_millis(60));
    let error = chain.submit_and_wait_for(&one, patience).await.expect_err("unknown");
    assert!(
        matches!(error, SubmitError::Unknown { id, .. } if id == one.id),
        "{error}"
    );
    let down = nobody().await;
    let alone = chain_with(&[&server.url, &down], hurried()).await.only(1);
    let error = alone.submit_and_wait_for(&one, patience).await.expect_err("unknown");
    assert!(matches!(error, SubmitError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn many_go_in_batches_and_each_has_its_result() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let mut all: Vec<_> = (0..20).map(|number| deposit(&chain, number)).collect();
    let stranger = Account::of_first_key(secret(99));
    all[7] = stranger
        .deposit(chain.terms(), &digest(7), "a", "b")
        .expect("signature");
    // One of them is on the chain already.
    chain.submit_and_wait(&all[3]).await.expect("final");
    let results = chain.submit_all_and_wait(&all, Patience::UntilExpiry).await;
    assert_eq!(results.len(), 20);
    for (index, (transaction, result)) in all.iter().zip(&results).enumerate() {
        match result {
            Ok(result) => assert_eq!(result.id.0, transaction.id),
            Err(error) => assert_eq!((index, error.code()), (7, Some("exec.unknown_sender"))),
        }
    }
}

#[tokio::test]
async fn a_mempool_that_is_full_is_waited_for() {
    let server = serve(node()).await;
    let chain = chain_with(&[&server.url], hurried()).await;
    server.node.chain.hold();
    let many: Vec<_> = (0..1_000).map(|number| deposit(&chain, number)).collect();
    chain.submit_batch(&many).await.expect("answers");
    let one = deposit(&chain, 5_000);
    let answer = chain.submit(&one).await.expect("answer");
    assert!(matches!(answer, SubmitAnswer::Refused { error, .. } if error.code == "mempool_full"));
    let submission = tokio::spawn({
        let (chain, one) = (chain.clone(), one.clone());
        async move { chain.submit_and_wait(&one).await }
    });
    server.node.chain.release();
    assert_eq!(submission.await.expect("task").expect("final").id.0, one.id);
}

#[tokio::test]
async fn submissions_may_run_in_tasks_of_their_own() {
    fn sent<T: Send>(future: T) -> T {
        future
    }
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let one = deposit(&chain, 1);
    assert!(sent(chain.submit_and_wait(&one)).await.is_ok());
}
