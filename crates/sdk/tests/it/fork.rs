//! Two nodes that call different blocks of one chain final.

use crate::world::{chain, serve};
use std::sync::Arc;
use yulian_api::testing::FakeNode;
use yulian_crypto::{sm2::FastVerifier, sm3};
use yulian_light::{FinalHeader, ValidatorHistory, testing::TestChain, verify_headers};
use yulian_types::{block_digest, proto::LinkUpdate};

fn over(chain: TestChain) -> FakeNode {
    FakeNode::over(chain, Arc::new(|duration| Box::pin(tokio::time::sleep(duration))))
}

/// Blocks 1 and 2 are everybody's; what comes then is deposited under a name of the history's own.
fn history(own: &str) -> TestChain {
    let mut chain = TestChain::new("郑州", 4, 100);
    chain.push(vec![]);
    chain.push(vec![]);
    let deposit = chain.deposit(5, &sm3::hash(&[own.as_bytes()]), own);
    chain.push(vec![deposit]);
    chain.push(vec![]);
    chain
}

/// What a light client makes of an update, by the chain's genesis alone.
fn header(of: &TestChain, update: &LinkUpdate) -> FinalHeader {
    let history = ValidatorHistory::new(&of.genesis);
    let headers = verify_headers(&history, &update.headers, &update.finality, &*FastVerifier::shared());
    headers.expect("final").first().clone()
}

#[tokio::test]
async fn two_histories_of_one_chain_are_shown_by_their_own_proofs() {
    let honest = history("规划");
    let known = honest.link_records(1).0;
    let (one, two) = (serve(over(history("规划"))).await, serve(over(history("另一份"))).await);
    let twin = serve(over(history("规划"))).await;
    let (first, second) = (chain(&[&one.url]).await, chain(&[&two.url]).await);
    assert_eq!(first.id(), second.id());

    let same = first.conflict_with(&chain(&[&twin.url]).await, &known, 3).await;
    assert_eq!(same.expect("an answer"), None);
    // Up to here they agree, also where the blocks behind differ.
    assert_eq!(first.conflict_with(&second, &known, 2).await.expect("an answer"), None);

    let conflict = first.conflict_with(&second, &known, 3).await;
    let conflict = conflict.expect("an answer").expect("a conflict");
    assert_eq!(conflict.chain_id[..], first.id().0);
    let [shown, other] = [conflict.first, conflict.second].map(|update| header(&honest, &update.expect("an update")));
    assert_eq!((shown.height(), other.height()), (3, 3));
    assert_ne!(shown.digest(), other.digest());
    assert_eq!(shown.digest(), block_digest(&honest.header(3)));
}
