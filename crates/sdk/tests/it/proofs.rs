//! What nodes answer is checked, and lies are caught.

use crate::world::{Server, account, chain, digest, node, serve};
use yulian_api::views::{StateView, TransactionProofView};
use yulian_sdk::{BlockRef, Chain, ProofFailure, Proofs, SignedTransaction};
use yulian_types::StateKey;

struct Proven {
    _server: Server,
    chain: Chain,
    proofs: Proofs,
    deposit: SignedTransaction,
}

async fn proven() -> Proven {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let deposit = account()
        .deposit(chain.terms(), &digest(1), "目录", "数据局")
        .expect("signature");
    chain.submit_and_wait(&deposit).await.expect("final");
    let proofs = chain.proofs().await.expect("proofs");
    Proven {
        _server: server,
        chain,
        proofs,
        deposit,
    }
}

#[tokio::test]
async fn transaction_state_and_block_are_proven() {
    let proven = proven().await;
    let Proven {
        chain, proofs, deposit, ..
    } = &proven;
    let view = chain.transaction_proof(&deposit.id).await.expect("view");
    let found = proofs.transaction(&view).expect("proof");
    assert_eq!(found.transaction.bytes, deposit.bytes);
    assert_eq!(found.receipt.expect("receipt").metering, 1_200);
    assert_eq!(found.header.height(), 1);

    let present = StateKey::evidence(&digest(1), "zzdata");
    let view = chain.state(&present, None).await.expect("view");
    assert!(proofs.state(&present, &view).expect("proof").is_some());
    let absent = StateKey::evidence(&digest(2), "zzdata");
    let view = chain.state(&absent, None).await.expect("view");
    assert_eq!(proofs.state(&absent, &view).expect("proof"), None);

    let keys = [absent, present];
    let asked = keys.iter().map(|key| key.key.clone());
    let view = chain.states(keys[0].module_id, asked, None).await.expect("view");
    let values = proofs.states(&keys, &view).expect("proof");
    assert!(values[0].is_none() && values[1].is_some());
    // Items that were exchanged, or belong to another key, prove nothing.
    let mut lie = view.clone();
    lie.items.reverse();
    assert!(proofs.states(&keys, &lie).is_err());
    assert!(proofs.states(&keys[..1], &view).is_err());

    let bytes = chain.block_bytes(BlockRef::Height(1)).await.expect("bytes");
    let view = chain.finality(BlockRef::Height(1)).await.expect("view");
    assert_eq!(proofs.block(bytes, &view).expect("proof").transactions.len(), 1);
}

#[tokio::test]
async fn lies_about_a_transaction_are_caught() {
    let proven = proven().await;
    let Proven {
        chain, proofs, deposit, ..
    } = &proven;
    let view = chain.transaction_proof(&deposit.id).await.expect("view");
    let lies: [fn(&mut TransactionProofView); 6] = [
        |view| view.id = digest(5).into(),
        |view| view.inclusion.index = 1,
        |view| view.finality.height = 2,
        |view| view.finality.headers.truncate(1),
        |view| view.finality.proof.bytes = flipped(&view.finality.proof.bytes.0).into(),
        |view| {
            let receipt = view.receipt.as_mut().expect("receipt");
            receipt.bytes = flipped(&receipt.bytes.0).into();
        },
    ];
    for (index, lie) in lies.into_iter().enumerate() {
        let mut view = view.clone();
        lie(&mut view);
        assert!(proofs.transaction(&view).is_err(), "{index}");
    }
}

#[tokio::test]
async fn lies_about_the_state_are_caught() {
    let proven = proven().await;
    let Proven { chain, proofs, .. } = &proven;
    let key = StateKey::evidence(&digest(1), "zzdata");
    let view = chain.state(&key, None).await.expect("view");
    let lies: [fn(&mut StateView); 4] = [
        |view| view.value = None,
        |view| view.value = Some(flipped(&view.value.clone().expect("value").0).into()),
        |view| view.height -= 1,
        |view| view.proof = vec![0].into(),
    ];
    for (index, lie) in lies.into_iter().enumerate() {
        let mut view = view.clone();
        lie(&mut view);
        assert!(proofs.state(&key, &view).is_err(), "{index}");
    }
    // A value that the node has lost is told by its hash, which must hold.
    let mut gone = view.clone();
    gone.value = None;
    assert!(matches!(proofs.state(&key, &gone), Err(ProofFailure::ValueGone(_))));
    gone.value_hash = Some(digest(5).into());
    assert!(matches!(proofs.state(&key, &gone), Err(ProofFailure::Inclusion(_))));
    let other = StateKey::evidence(&digest(2), "zzdata");
    assert!(matches!(
        proofs.state(&other, &view),
        Err(ProofFailure::OtherSubject("key"))
    ));
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes
}

#[tokio::test]
async fn another_genesis_proves_nothing() {
    let proven = proven().await;
    let Proven { chain, deposit, .. } = &proven;
    let view = chain.transaction_proof(&deposit.id).await.expect("view");
    let other = yulian_light::testing::genesis("another", 4, 1_000);
    assert!(matches!(
        Proofs::new(&other).transaction(&view),
        Err(ProofFailure::Headers(_))
    ));
}

#[test]
fn changes_of_the_validators_are_followed_and_checked() {
    use yulian_api::{Hex, views::*};
    let mut made = yulian_light::testing::TestChain::new("changing", 4, 4);
    made.push_with(vec![], vec![], Some(vec![0, 1, 2, 7]));
    (0..8).for_each(|_| {
        made.push(vec![]);
    });
    let set = made.set_at(4).0;
    let old = made.set_at(3).0;
    let proof = yulian_types::FinalityProof::decode(&made.finality(3), old.len()).expect("proof");
    let change = ValidatorChangeView {
        first_epoch: 1,
        first_height: 4,
        set: (&*set).into(),
        finality: Some(FinalityView {
            height: 3,
            headers: vec![Hex(made.header(3))],
            proof: FinalityProofView::new(&proof, &old),
        }),
    };
    let mut proofs = Proofs::new(&made.genesis);
    let mut lie = change.clone();
    lie.set = (&made.genesis.validators).into();
    assert!(matches!(
        proofs.extend(&[lie]),
        Err(ProofFailure::History { index: 0, .. })
    ));
    proofs
        .extend(&[change.clone(), change])
        .expect("proven once, known the second time");
    assert_eq!(proofs.history().ranges().len(), 2);
}
