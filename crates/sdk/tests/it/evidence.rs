//! A table on the chain: each row provable offline.

use crate::world::{account, chain, node, serve};
use yulian_sdk::{Outcome, PackFailure, RowBatch, Subject, Table, Trust, row_pack, verify_pack};

const TABLE: &str = "code,name,level,parent\n41,河南省,province,\n4101,郑州市,city,41\n4102,开封市,city,41\n";

#[tokio::test]
async fn a_row_of_a_batch_is_proven_without_a_node() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let table = Table::parse(TABLE.as_bytes().to_vec(), "code").expect("table");
    let batch = RowBatch::new(&table.digests());
    let deposit = account()
        .deposit_batch(
            chain.terms(),
            &batch.root(),
            batch.count(),
            "河南省统计用区划代码",
            "henan-divisions.csv",
        )
        .expect("signature");
    chain.submit_and_wait(&deposit).await.expect("final");
    let of_batch = chain.pack(&batch.root(), None).await.expect("pack");

    let index = table.find("4101").expect("row");
    let row = &table.rows()[index];
    let pack = row_pack(&of_batch, &table.digest(row), &batch, index as u64).expect("pack of the row");
    drop(server);
    let trust = Trust::chains([chain.id()]);
    let subject = Subject::row("4101,郑州市,city,41".as_bytes());
    let outcome = verify_pack(&pack, Some(&subject), &trust).expect("holds");
    assert!(outcome.is_yes());

    let changed = Subject::row("4101,郑州,city,41".as_bytes());
    assert!(verify_pack(&pack, Some(&changed), &trust).is_err());
    let nobody = verify_pack(&pack, Some(&subject), &Trust::nobody()).expect("consistent");
    assert!(matches!(nobody, Outcome::UnknownChain(_)));
    let other = table.digest(&table.rows()[0]);
    assert!(matches!(
        row_pack(&of_batch, &other, &batch, index as u64),
        Err(PackFailure::Pack(_))
    ));
    assert!(matches!(
        row_pack(&of_batch, &other, &batch, 99),
        Err(PackFailure::NoRow(99))
    ));
}

#[tokio::test]
async fn a_file_is_proven_without_a_node() {
    let server = serve(node()).await;
    let chain = chain(&[&server.url]).await;
    let file = "郑州市区块链总体规划".as_bytes();
    let subject = Subject::file(file);
    let deposit = account()
        .deposit(chain.terms(), &subject.digest(), "规划", "plan.txt")
        .expect("signature");
    chain.submit_and_wait(&deposit).await.expect("final");
    let pack = chain.pack(&subject.digest(), Some("zzdata")).await.expect("pack");
    assert!(
        verify_pack(&pack, Some(&subject), &Trust::chains([chain.id()]))
            .expect("holds")
            .is_yes()
    );
}
