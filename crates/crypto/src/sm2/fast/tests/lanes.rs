//! The field in eight lanes against num-bigint, by the meaning of the lanes' operations.

use super::*;
use crate::sm2::fast::lanes::{Field, LANES, Portable, Stored};

type Lane = Field<Portable>;

/// A number in each lane.
fn loaded(numbers: &[BigUint; LANES]) -> Lane {
    let mut stored = Stored::ZERO;
    for (lane, number) in numbers.iter().enumerate() {
        for limb in 0..5usize {
            let digits = (number >> (52 * limb)) & BigUint::from((1u64 << 52) - 1);
            stored.0[limb][lane] = digits.try_into().unwrap();
        }
    }
    Field::load(&stored)
}

/// The numbers in the lanes, all of whose limbs must have 52 bits.
fn numbers(field: &Lane) -> [BigUint; LANES] {
    let mut stored = Stored::ZERO;
    field.store(&mut stored);
    std::array::from_fn(|lane| {
        (0..5).rev().fold(BigUint::ZERO, |sum, limb| {
            assert!(stored.0[limb][lane] >> 52 == 0, "{stored:x?}");
            (sum << 52) + stored.0[limb][lane]
        })
    })
}

/// Numbers below `bound`·p: any, near multiples of p, and the largest.
fn below(bound: u32) -> impl Strategy<Value = [BigUint; LANES]> {
    let end = big(&P) * bound;
    let last = end.clone();
    let any = (number(), 0..bound).prop_map(move |(low, high)| (big(&low) + big(&P) * high) % &end);
    let near = (0..=bound, 0..3u32).prop_map(move |(multiple, delta)| {
        let number = big(&P) * multiple + delta;
        if number < last { number } else { &last - 1u32 - delta }
    });
    prop::array::uniform8(prop_oneof![2 => any, 1 => near])
}

/// Each lane is `expected` modulo p and below bound·p / 1000.
fn check(field: &Lane, bound: u32, expected: impl Fn(usize) -> BigUint) -> Result<(), TestCaseError> {
    for (lane, number) in numbers(field).iter().enumerate() {
        prop_assert_eq!(number % big(&P), expected(lane) % big(&P));
        prop_assert!(number * 1000u32 < big(&P) * bound, "{:x}", number);
    }
    Ok(())
}

fn r_inverse() -> BigUint {
    (BigUint::from(1u32) << 260u32).modinv(&big(&P)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..config() })]

    #[test]
    fn products(a in below(16), b in below(4), c in below(9)) {
        let (fa, fb, fc) = (loaded(&a), loaded(&b), loaded(&c));
        check(&fa.mul(&fb), 5_001, |i| &a[i] * &b[i] * r_inverse())?;
        check(&fb.mul(&fa), 5_001, |i| &a[i] * &b[i] * r_inverse())?;
        check(&fc.sqr(), 6_100, |i| &c[i] * &c[i] * r_inverse())?;
        check(&fc.mul(&fc), 6_100, |i| &c[i] * &c[i] * r_inverse())?;
    }

    #[test]
    fn sums_and_differences(a in below(8), b in below(4), c in below(4)) {
        let (fa, fb, fc) = (loaded(&a), loaded(&b), loaded(&c));
        let p = big(&P) * 8u32;
        check(&fa.sub(&fb, 4), 12_000, |i| &p + &a[i] - &b[i])?;
        check(&fa.sub_folded(&fb, 8), 1_001, |i| &p + &a[i] - &b[i])?;
        check(&fa.sub_both_folded(&fb, &fc, 8), 1_001, |i| &p + &a[i] - &b[i] - &c[i])?;
        check(&fa.add(&fb), 12_000, |i| &a[i] + &b[i])?;
        check(&fb.times::<2>(), 16_001, |i| &b[i] << 2u32)?;
        let double: [_; LANES] = std::array::from_fn(|i| &a[i] << 1u32);
        check(&loaded(&double).folded(), 1_001, |i| double[i].clone())?;
    }

    #[test]
    fn zeros_are_found(a in below(8)) {
        let mask = loaded(&a).maybe_zero();
        for (lane, a) in a.iter().enumerate() {
            let zero = *a > BigUint::ZERO && (a % big(&P)) == BigUint::ZERO;
            prop_assert!(!zero || mask >> lane & 1 == 1);
            // Near a multiple of p only what ends like one may be taken for it.
            let ends = (a & BigUint::from((1u64 << 52) - 1)) >= BigUint::from((1u64 << 52) - 8);
            prop_assert_eq!(mask >> lane & 1 == 1, ends);
        }
    }

    #[test]
    fn words_to_lanes_and_back(a in prop::array::uniform8(in_field()), b in below(16)) {
        let words: [[u64; LANES]; 4] = std::array::from_fn(|word| std::array::from_fn(|lane| a[lane].1.form()[word]));
        let form = |i: usize| big(&a[i].1.form());
        check(&Lane::twice(&words), 2_000, |i| form(i) * 2u32)?;
        check(&Lane::four_times(&words), 4_000, |i| form(i) * 4u32)?;
        let mut stored = Stored::ZERO;
        for (lane, (_, element)) in a.iter().enumerate() {
            stored.set(lane, element);
            prop_assert_eq!(stored.element(lane), *element);
        }
        check(&Lane::load(&stored), 1_000, form)?;
        loaded(&b).store(&mut stored);
        for (lane, b) in b.iter().enumerate() {
            prop_assert_eq!(big(&stored.element(lane).form()), b % big(&P));
        }
    }
}
