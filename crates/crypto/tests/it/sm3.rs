//! SM3 against the examples of GB/T 32905-2016, Annex A.

use yulian_crypto::Digest;
use yulian_crypto::sm3::{Hasher, NotADigest, hash, hash_equal, hash_many, tagged, tagged_many};

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
fn many_at_once() {
    let mut equal = [[0; 66]; 21];
    for (i, message) in equal.iter_mut().enumerate() {
        *message = [i as u8; 66];
    }
    let expected: Vec<_> = equal.iter().map(|message| hash(&[message])).collect();
    assert_eq!(hash_equal(&equal), expected);

    // Of one to three blocks, so that the order of the answers is not that of the work.
    let messages: Vec<_> = equal
        .iter()
        .enumerate()
        .map(|(i, all)| [b"ab".as_slice(), &all[..i * 97 % 66], all])
        .collect();
    let expected: Vec<_> = messages.iter().map(|parts| hash(parts)).collect();
    assert_eq!(hash_many(&messages), expected);
    let expected: Vec<_> = messages.iter().map(|parts| tagged(b"ylTested", parts)).collect();
    assert_eq!(tagged_many(b"ylTested", &messages), expected);

    assert_eq!(hash_many::<2>(&[]), []);
    assert_eq!(hash_many::<0>(&[[], []]), [hash(&[]); 2]);
    assert_eq!(hash_equal::<7>(&[]), []);
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
