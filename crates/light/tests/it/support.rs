//! Chains and packs that several tests use.

use yulian_crypto::{Digest, sm2::FastVerifier, sm3};
use yulian_light::{Code, EvidencePack, Outcome, PackError, PackParts, Subject, Trust, assemble, testing::TestChain};
use yulian_types::SealedTransaction;

pub(crate) const ROW: &[u8] = "410102,中原区,county,4101".as_bytes();

pub(crate) fn digest(text: &str) -> Digest {
    sm3::hash(&[text.as_bytes()])
}

/// A chain with the deposit of `ROW` in block 1, then two empty blocks.
pub(crate) fn chain() -> TestChain {
    let mut chain = TestChain::new("豫链测试", 4, 1_000);
    let row = Subject::row(ROW).digest();
    let transaction = chain.deposit(5, &row, "河南省统计用区划代码 410102");
    chain.push(vec![transaction]);
    chain.push(vec![]);
    chain.push(vec![]);
    chain
}

pub(crate) fn pack_of(parts: PackParts) -> Vec<u8> {
    assemble(parts, &FastVerifier::default()).expect("a pack that verifies")
}

pub(crate) fn pack() -> (TestChain, Vec<u8>) {
    let chain = chain();
    let json = pack_of(chain.parts(1, 0, 2, None));
    (chain, json)
}

pub(crate) fn trust(chain: &TestChain) -> Trust {
    Trust::chains([chain.genesis.chain_id])
}

pub(crate) fn verify(chain: &TestChain, json: &[u8], subject: Option<&Subject>) -> Result<Outcome, PackError> {
    yulian_light::verify_pack(json, subject, &trust(chain), &FastVerifier::default())
}

/// The pack with one thing changed, canonical again.
pub(crate) fn changed(json: &[u8], change: impl FnOnce(&mut EvidencePack)) -> Vec<u8> {
    let mut pack = EvidencePack::decode(json).expect("pack");
    change(&mut pack);
    pack.encode()
}

#[track_caller]
pub(crate) fn refused(chain: &TestChain, json: &[u8], code: Code) {
    match verify(chain, json, None) {
        Ok(_) => panic!("verified, {code:?} expected"),
        Err(error) => assert_eq!(error.code(), code, "{error}"),
    }
}

/// Makes parts without asking whether they verify.
#[track_caller]
pub(crate) fn assemble_fails(parts: PackParts, code: Code) {
    let error = assemble(parts, &FastVerifier::default()).expect_err("refused");
    assert_eq!(error.code(), code, "{error}");
}

pub(crate) fn sealed(bytes: &bytes::Bytes) -> SealedTransaction {
    SealedTransaction::decode(bytes.clone()).expect("transaction")
}
