//! The verifier's parts against num-bigint and RustCrypto, and the cases no random test meets.

use self::batch::Paths;
use super::claim::Claim;
use super::comb;
use super::field::{Fe, P};
use super::limbs::{self, N, U256};
use super::point::{Affine, Jacobian, to_affine};
use super::sum;
use crate::Digest;
use crate::sm2::{KeyError, PublicKey, Signature};
use ::sm2::dsa::VerifyingKey;
use ::sm2::dsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use ::sm2::elliptic_curve::ops::Reduce;
use ::sm2::elliptic_curve::point::AffineCoordinates;
use ::sm2::elliptic_curve::sec1::ToSec1Point;
use ::sm2::elliptic_curve::{Group, PrimeField};
use ::sm2::{FieldBytes, ProjectivePoint, Scalar};
use num_bigint::BigUint;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

mod batch;
mod lanes;

const ID: &str = "1234567812345678";

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

/// Limbs that provoke carries, as often as any others.
fn limb() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        prop::sample::select(vec![0, 1, 2, u64::MAX, u64::MAX - 1, 1 << 63]),
        prop::sample::select(vec![1 << 32, (1 << 32) - 1, u64::MAX << 32, (u64::MAX << 32) - 1]),
    ]
}

fn number() -> impl Strategy<Value = U256> {
    let near = |modulus: U256| {
        (0..4u64, any::<bool>()).prop_map(move |(delta, below)| {
            let delta = [delta, 0, 0, 0];
            if below {
                limbs::sub(&modulus, &delta).0
            } else {
                limbs::add(&modulus, &delta).0
            }
        })
    };
    prop_oneof![4 => prop::array::uniform4(limb()), 1 => near(P), 1 => near(N)]
}

fn big(a: &U256) -> BigUint {
    BigUint::from_bytes_be(&limbs::to_be(a))
}

fn small(number: &BigUint) -> U256 {
    limbs::from_be(&bytes32(number))
}

fn bytes32(number: &BigUint) -> [u8; 32] {
    let digits = number.to_bytes_be();
    let mut out = [0; 32];
    out[32 - digits.len()..].copy_from_slice(&digits);
    out
}

fn in_field() -> impl Strategy<Value = (BigUint, Fe)> {
    number().prop_map(|a| {
        let a = big(&a) % big(&P);
        let element = Fe::new(&small(&a)).unwrap();
        (a, element)
    })
}

fn value(element: &Fe) -> BigUint {
    big(&element.number())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn carries_are_the_same_on_every_processor(a in limb(), b in limb(), carry: bool) {
        prop_assert_eq!(limbs::adc(a, b, carry), limbs::portable::adc(a, b, carry));
        prop_assert_eq!(limbs::sbb(a, b, carry), limbs::portable::sbb(a, b, carry));
        let sum = u128::from(a) + u128::from(b) + u128::from(carry);
        prop_assert_eq!(limbs::adc(a, b, carry), (sum as u64, sum >> 64 == 1));
    }

    #[test]
    fn scalars_modulo_n(a in number(), b in number()) {
        let n = big(&N);
        let (ra, rb) = (limbs::reduce_mod_n(&a), limbs::reduce_mod_n(&b));
        prop_assert_eq!(big(&ra), big(&a) % &n);
        prop_assert_eq!(big(&limbs::add_mod_n(&ra, &rb)), (big(&a) + big(&b)) % &n);
        prop_assert_eq!(big(&limbs::sub_mod_n(&ra, &rb)), (&n + big(&ra) - big(&rb)) % &n);
        prop_assert_eq!(limbs::less(&a, &b), big(&a) < big(&b));
        prop_assert_eq!(limbs::from_be(&limbs::to_be(&a)), a);
    }

    #[test]
    fn numbers_from_p_on_are_no_elements(a in number()) {
        prop_assert_eq!(Fe::new(&a).map(|a| value(&a)), (big(&a) < big(&P)).then(|| big(&a)));
        prop_assert_eq!(Fe::from_be(&limbs::to_be(&a)), Fe::new(&a));
    }

    #[test]
    fn field_ring((a, x) in in_field(), (b, y) in in_field()) {
        let p = big(&P);
        prop_assert_eq!(value(&x.add(&y)), (&a + &b) % &p);
        prop_assert_eq!(value(&x.sub(&y)), (&a + &p - &b) % &p);
        prop_assert_eq!(value(&x.mul(&y)), (&a * &b) % &p);
        prop_assert_eq!(value(&x.sqr()), (&a * &a) % &p);
        prop_assert_eq!(value(&x.neg()), (&p - &a) % &p);
        prop_assert_eq!(value(&x.double()), (&a * 2u32) % &p);
        prop_assert_eq!(value(&x.half().double()), a.clone());
        prop_assert_eq!(value(&x.half()), if a.bit(0) { (&a + &p) >> 1 } else { &a >> 1 });
        prop_assert_eq!(x.is_zero(), a == BigUint::ZERO);
        prop_assert_eq!(x == y, a == b);
        prop_assert_eq!(x.to_be(), bytes32(&a));
    }

    #[test]
    fn digits_add_up(k in number(), window in 2u32..=9) {
        let digits = sum::digits(&k, window);
        let (mut plus, mut minus) = (BigUint::ZERO, BigUint::ZERO);
        for (place, digit) in digits.iter().enumerate() {
            let part = BigUint::from(digit.unsigned_abs()) << place;
            if *digit > 0 { plus += part } else { minus += part }
            prop_assert!(*digit == 0 || (digit & 1 == 1 && digit.unsigned_abs() < 1 << (window - 1)));
        }
        prop_assert_eq!(plus - minus, big(&k));
        for run in digits.windows(window as usize) {
            prop_assert!(run.iter().filter(|digit| **digit != 0).count() <= 1);
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn places_of_a_comb_add_up(k in number(), window in 2u32..=13) {
        let (mut plus, mut minus) = (BigUint::ZERO, BigUint::ZERO);
        for place in 0..comb::places(window) {
            let digit = comb::signed_digit(&k, window, place);
            let part = BigUint::from(digit.unsigned_abs()) << (place * window as usize);
            if digit > 0 { plus += part } else { minus += part }
            prop_assert!(digit.unsigned_abs() <= 1 << (window - 1));
        }
        prop_assert_eq!(plus - minus, big(&k));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..config() })]

    #[test]
    fn field_powers((a, x) in in_field()) {
        let p = big(&P);
        prop_assert_eq!(value(&x.invert()), a.modpow(&(&p - 2u32), &p));
        let is_square = a.modpow(&((&p - 1u32) / 2u32), &p) <= BigUint::from(1u32);
        let root = x.sqrt();
        prop_assert_eq!(root.is_some(), is_square);
        if let Some(root) = root {
            prop_assert_eq!((value(&root) * value(&root)) % &p, a);
        }
    }
}

fn seeded(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn random_scalar(rng: &mut impl Rng) -> Scalar {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    <Scalar as Reduce<FieldBytes>>::reduce(&bytes.into())
}

fn scalar_limbs(scalar: &Scalar) -> U256 {
    limbs::from_be(&scalar.to_repr().into())
}

/// Our form of RustCrypto's point; `None` is infinity.
fn ours(point: &ProjectivePoint) -> Option<Affine> {
    let point = point.to_affine();
    let sec1 = point.to_sec1_point(false);
    let (x, y) = (sec1.x()?, sec1.y()?);
    Affine::from_be(&(*x).into(), &(*y).into())
}

fn affine(point: &Jacobian) -> Option<Affine> {
    (!point.z.is_zero()).then(|| to_affine(&[*point])[0])
}

/// The same point with another Z.
fn scaled(point: &Affine, factor: &Fe) -> Jacobian {
    let square = factor.sqr();
    Jacobian {
        x: point.x.mul(&square),
        y: point.y.mul(&square).mul(factor),
        z: *factor,
    }
}

#[test]
fn additions_of_all_pairs_of_small_multiples() {
    let multiples: Vec<_> = (0..24u64)
        .map(|k| ProjectivePoint::generator() * Scalar::from(k))
        .collect();
    let all: Vec<_> = multiples.iter().flat_map(|point| [*point, -*point]).collect();
    let mut factor = Fe::ONE;
    for a in &all {
        let left = ours(a);
        for b in &all {
            factor = factor.double().add(&Fe::ONE);
            let expected = ours(&(*a + b));
            let lift = |point: &Option<Affine>| point.as_ref().map_or(Jacobian::INFINITY, |p| scaled(p, &factor));
            let right = ours(b);
            let (jacobian, other) = (lift(&left), right.map_or(Jacobian::INFINITY, |p| Jacobian::from(&p)));
            assert_eq!(affine(&jacobian.add(&other)), expected);
            assert_eq!(affine(&jacobian.add(&lift(&right))), expected);
            if let Some(right) = right {
                assert_eq!(affine(&jacobian.add_affine(&right)), expected);
            }
        }
        let doubled = left.map_or(Jacobian::INFINITY, |p| scaled(&p, &factor)).double();
        assert_eq!(affine(&doubled), ours(&a.double()));
    }
}

/// s·G + t·Q by every path against `expected`.
fn check_sum(s: &Scalar, t: &Scalar, key: &Paths, expected: &ProjectivePoint) {
    let (s, t) = (scalar_limbs(s), scalar_limbs(t));
    let expected = ours(expected);
    for sum in key.sums(&s, &t) {
        assert_eq!(affine(&sum), expected, "{s:x?} {t:x?}");
    }
    // A point for its own x and for no other; infinity for none.
    let c = expected.map_or([0; 4], |point| limbs::reduce_mod_n(&point.x.number()));
    let right = Claim { s, t, c };
    let wrong = Claim {
        c: [c[0] ^ 1, c[1], c[2], c[3]],
        ..right
    };
    assert_eq!(key.judged(&right), [expected.is_some(); 3], "{s:x?} {t:x?}");
    for sum in key.sums(&s, &t) {
        assert!(!sum.has_x_mod_n(&wrong.c));
    }
}

#[test]
fn sums_with_keys_that_are_small_multiples_of_the_base() {
    let base = ProjectivePoint::generator();
    for k in 1..=6u64 {
        for key_point in [base * Scalar::from(k), -base * Scalar::from(k)] {
            let key = ours(&key_point).unwrap();
            let key = Paths::new(&key);
            for s in 1..=12u64 {
                for t in [1, 2, 3, 5, 8, 12u64] {
                    // For −k this meets s·G = −t·Q (infinity) and s·G = t·Q (doubling) on the way.
                    let (s, t) = (Scalar::from(s), Scalar::from(t));
                    check_sum(&s, &t, &key, &(base * s + key_point * t));
                    check_sum(&-s, &t, &key, &(key_point * t - base * s));
                }
            }
        }
    }
}

#[test]
fn sums_that_cancel_or_double_at_full_length() {
    let mut rng = seeded(2);
    let base = ProjectivePoint::generator();
    for _ in 0..50 {
        let (s, t) = (random_scalar(&mut rng), random_scalar(&mut rng));
        let quotient = s * t.invert().unwrap();
        for key_point in [base * quotient, -base * quotient, base * random_scalar(&mut rng)] {
            let key = ours(&key_point).unwrap();
            let key = Paths::new(&key);
            for s in [s, s + Scalar::ONE, -s, Scalar::ONE, -Scalar::ONE, Scalar::ZERO] {
                check_sum(&s, &t, &key, &(base * s + key_point * t));
            }
        }
    }
}

/// Whether (r, s) is a signature of e, by all our paths and RustCrypto, which must agree.
fn agreed(key: &ProjectivePoint, e: &[u8; 32], r: &Scalar, s: &Scalar) -> bool {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&r.to_repr());
    bytes[32..].copy_from_slice(&s.to_repr());
    let signature = Signature::from_bytes(&bytes).unwrap();
    let paths = Paths::new(&ours(key).unwrap());
    let claim = Claim::new(&Digest(*e), &signature);
    let alone = claim.map_or([false; 3], |claim| {
        paths.sums(&claim.s, &claim.t).map(|sum| sum.has_x_mod_n(&claim.c))
    });
    let together = claim.map_or([false; 3], |claim| paths.judged(&claim));
    let oracle_key = VerifyingKey::from_affine(ID, key.to_affine()).unwrap();
    let oracle_signature = ::sm2::dsa::Signature::from_slice(&bytes).unwrap();
    let oracle = oracle_key.verify_prehash(e, &oracle_signature).is_ok();
    assert_eq!((alone, together), ([oracle; 3], [oracle; 3]));
    oracle
}

fn to_scalar(number: &BigUint) -> Scalar {
    Option::from(Scalar::from_repr(bytes32(number).into())).unwrap()
}

fn scalar_bytes(scalar: &Scalar) -> [u8; 32] {
    scalar.to_repr().into()
}

/// A signature with this r whose point s·G + t·Q is `point`, whose x is given: key, e and s follow.
fn signature_meeting(
    point: &ProjectivePoint,
    x: &BigUint,
    r: &Scalar,
    rng: &mut impl Rng,
) -> (ProjectivePoint, Scalar, Scalar) {
    let s = random_scalar(rng);
    let t = *r + s;
    let key = (*point - ProjectivePoint::generator() * s) * t.invert().unwrap();
    let e = *r - to_scalar(&(x % big(&N)));
    (key, e, s)
}

fn oracle_point(x: &BigUint) -> Option<ProjectivePoint> {
    let sec1 = [&[2][..], &bytes32(x)].concat();
    let point = ::sm2::PublicKey::from_sec1_bytes(&sec1).ok()?;
    Some(point.to_projective())
}

#[test]
fn points_whose_x_is_not_below_n() {
    let mut rng = seeded(3);
    let (n, p) = (big(&N), big(&P));
    // The least x from n on, the greatest below p, and between: x mod n is x − n for all.
    let rising = (0..40u32).map(|i| &n + i);
    let falling = (1..40u32).map(|i| &p - i);
    let found: Vec<_> = rising
        .chain(falling)
        .filter_map(|x| Some((oracle_point(&x)?, x)))
        .collect();
    assert!(found.len() > 20, "{}", found.len());
    for (point, x) in found {
        assert!(x >= n);
        let r = random_scalar(&mut rng);
        let (key, e, s) = signature_meeting(&point, &x, &r, &mut rng);
        assert!(agreed(&key, &scalar_bytes(&e), &r, &s));
        assert!(!agreed(&key, &scalar_bytes(&(e + Scalar::ONE)), &r, &s));
    }
}

#[test]
fn points_whose_x_is_small_or_just_below_n() {
    let mut rng = seeded(4);
    let n = big(&N);
    let small = (0..40u32).map(BigUint::from);
    let near = (1..40u32).map(|i| &n - i);
    let mut met = 0;
    for x in small.chain(near) {
        let Some(point) = oracle_point(&x) else { continue };
        met += 1;
        let r = random_scalar(&mut rng);
        let (key, e, s) = signature_meeting(&point, &x, &r, &mut rng);
        assert!(agreed(&key, &scalar_bytes(&e), &r, &s));
    }
    assert!(met > 20, "{met}");
}

#[test]
fn x_plus_n_is_only_tried_below_p() {
    // c + n overflows 256 bits, or does not but reaches p: neither may match anything by wrapping.
    let point = Jacobian::from(&Affine::base());
    let gap = limbs::sub(&P, &N).0;
    let last = limbs::sub(&N, &[1, 0, 0, 0]).0;
    for c in [gap, limbs::sub(&gap, &[1, 0, 0, 0]).0, last, [0; 4]] {
        assert!(!point.has_x_mod_n(&c));
    }
    let x = point.x.number();
    assert!(point.has_x_mod_n(&x));
    let (wraps_to_x, carry) = limbs::sub(&x, &N);
    assert!(carry && limbs::less(&wraps_to_x, &N) && limbs::add(&wraps_to_x, &N) == (x, true));
    assert!(!point.has_x_mod_n(&wraps_to_x));
    assert!(!Jacobian::INFINITY.has_x_mod_n(&[0; 4]));
    assert!(!Jacobian::INFINITY.has_x_mod_n(&[1, 0, 0, 0]));
}

#[test]
fn digests_not_below_n() {
    let mut rng = seeded(5);
    for e in [
        [0xff; 32],
        bytes32(&big(&N)),
        bytes32(&(big(&N) + 1u32)),
        bytes32(&big(&P)),
        [0; 32],
    ] {
        let secret = random_scalar(&mut rng);
        let signer = ::sm2::dsa::SigningKey::from_slice(ID, &secret.to_repr()).unwrap();
        let signature: ::sm2::dsa::Signature = signer.sign_prehash(&e).unwrap();
        let key = ProjectivePoint::generator() * secret;
        assert!(agreed(&key, &e, &signature.r(), &signature.s()));
        let reduced = bytes32(&(BigUint::from_bytes_be(&e) % big(&N)));
        assert!(agreed(&key, &reduced, &signature.r(), &signature.s()));
    }
}

#[test]
fn digests_that_exceed_r_by_more_than_n() {
    // r − e is below −n: taking e modulo n first is what makes it right.
    let mut rng = seeded(9);
    let n = big(&N);
    let mut met = 0;
    for below in 1..40u32 {
        let x = &n - below;
        let Some(point) = oracle_point(&x) else { continue };
        met += 1;
        let e = BigUint::from(1_000u32);
        let r = to_scalar(&(&e + &x - &n));
        let (key, _, s) = signature_meeting(&point, &x, &r, &mut rng);
        assert!(agreed(&key, &bytes32(&e), &r, &s));
        assert!(agreed(&key, &bytes32(&(e + &n)), &r, &s));
    }
    assert!(met > 5, "{met}");
}

#[test]
fn r_plus_s_equal_to_n() {
    let mut rng = seeded(6);
    let key = ProjectivePoint::generator() * random_scalar(&mut rng);
    for _ in 0..20 {
        let s = random_scalar(&mut rng);
        // With t = 0 the point would be s·G: e is made to fit, and yet it is no signature.
        let x = (ProjectivePoint::generator() * s).to_affine().x();
        let e = -s - <Scalar as Reduce<FieldBytes>>::reduce(&x);
        assert!(!agreed(&key, &scalar_bytes(&e), &-s, &s));
    }
}

#[test]
fn sums_that_are_infinity_are_no_signatures() {
    let mut rng = seeded(7);
    for _ in 0..20 {
        let (s, t) = (random_scalar(&mut rng), random_scalar(&mut rng));
        let key = -ProjectivePoint::generator() * (s * t.invert().unwrap());
        let r = t - s;
        // r = e + 0: what a verifier that takes infinity's x for 0 would accept.
        assert!(!agreed(&key, &scalar_bytes(&r), &r, &s));
    }
}

#[test]
fn sums_that_double_are_signatures() {
    let mut rng = seeded(8);
    for _ in 0..20 {
        let (s, t) = (random_scalar(&mut rng), random_scalar(&mut rng));
        let key = ProjectivePoint::generator() * (s * t.invert().unwrap());
        let point = (ProjectivePoint::generator() * (s + s)).to_affine();
        let r = t - s;
        let e = r - <Scalar as Reduce<FieldBytes>>::reduce(&point.x());
        assert!(agreed(&key, &scalar_bytes(&e), &r, &s));
    }
}

#[test]
fn keys_outside_the_curve_or_not_canonical() {
    let p = big(&P);
    let (mut on, mut off) = (0, 0);
    for x in (0..200u32).map(BigUint::from) {
        for first in [2, 3] {
            let sec1 = [&[first][..], &bytes32(&x)].concat();
            let key = PublicKey::from_bytes(&sec1);
            let oracle = ::sm2::PublicKey::from_sec1_bytes(&sec1).ok();
            let expected = oracle.map(|point| point.to_sec1_point(false).as_bytes().to_vec());
            assert_eq!(key.clone().ok().map(|key| key.to_uncompressed().to_vec()), expected);
            let Ok(key) = key else {
                assert_eq!(key, Err(KeyError::NotOnCurve));
                off += 1;
                continue;
            };
            on += 1;
            // The same residue written as x + p, which still fits 32 bytes.
            let wide = [&[first][..], &bytes32(&(&x + &p))].concat();
            assert_eq!(PublicKey::from_bytes(&wide), Err(KeyError::NotOnCurve));
            let mut uncompressed = key.to_uncompressed();
            assert_eq!(PublicKey::from_uncompressed(&uncompressed), Ok(key));
            assert_eq!(PublicKey::from_uncompressed(&uncompressed[1..]), Ok(key));
            uncompressed[1..33].copy_from_slice(&bytes32(&(&x + &p)));
            assert_eq!(PublicKey::from_uncompressed(&uncompressed), Err(KeyError::NotOnCurve));
            uncompressed = key.to_uncompressed();
            uncompressed[64] ^= 1;
            assert_eq!(PublicKey::from_uncompressed(&uncompressed), Err(KeyError::NotOnCurve));
        }
    }
    assert!(on > 100 && off > 100, "{on} {off}");
    let zeros = PublicKey::from_uncompressed(&[0; 64]);
    assert_eq!(zeros, Err(KeyError::NotOnCurve));
}
