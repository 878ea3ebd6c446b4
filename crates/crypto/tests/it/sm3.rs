//! SM3 against the examples of GB/T 32905-2016, Annex A.

use yulian_crypto::Digest;
use yulian_crypto::sm3::{Hasher, NotADigest, hash, tagged};

const ABC: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
const LONG: &str = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";

#[test]
fn gb_t_32905_annex_a() {
    assert_eq!(hash(&[b"abc"]).to_string(), ABC);
    assert_eq!(hash(&[&b"abcd".repeat(16)]).to_string(), LONG);
}

#[test]
fn parts_are_concatenated() {
    assert_eq!(hash(&[b"a", b"", b"bc"]).to_string(), ABC);
    assert_eq!(
        tagged(b"abcdabcd", &[&b"abcd".repeat(7), &b"abcd".repeat(7)]).to_string(),
        LONG
    );
    let mut hasher = Hasher::default();
    for _ in 0..16 {
        hasher.update(b"abcd");
    }
    assert_eq!(hasher.finish().to_string(), LONG);
}

#[test]
fn digests_as_text() {
    assert_eq!(ABC.parse(), Ok(hash(&[b"abc"])));
    for bad in ["", "66", &ABC[1..], &format!("{ABC}00"), &ABC.replace('6', "g")] {
        assert_eq!(bad.parse::<Digest>(), Err(NotADigest));
    }
    assert_eq!(Digest::from_slice(&[0; 31]), None);
    assert_eq!(Digest::from_slice(&[0; 32]), Some(Digest::ZERO));
}
