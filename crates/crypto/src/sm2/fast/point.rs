//! The curve y² = x³ − 3x + b and the sum s·G + t·Q's pieces: doubling and addition.
//!
//! Formulas branch on their input: nothing secret may come here.

use super::field::Fe;
use super::limbs::{N, U256, add, reduce_mod_n};
use std::sync::LazyLock;

/// b of the curve, big-endian (GB/T 32918.5-2017, clause 2).
const B: [u8; 32] = *b"\x28\xe9\xfa\x9e\x9d\x9f\x5e\x34\x4d\x5a\x9e\x4b\xcf\x65\x09\xa7\
\xf3\x97\x89\xf5\x15\xab\x8f\x92\xdd\xbc\xbd\x41\x4d\x94\x0e\x93";
const GX: [u8; 32] = *b"\x32\xc4\xae\x2c\x1f\x19\x81\x19\x5f\x99\x04\x46\x6a\x39\xc9\x94\
\x8f\xe3\x0b\xbf\xf2\x66\x0b\xe1\x71\x5a\x45\x89\x33\x4c\x74\xc7";
const GY: [u8; 32] = *b"\xbc\x37\x36\xa2\xf4\xf6\x77\x9c\x59\xbd\xce\xe3\x6b\x69\x21\x53\
\xd0\xa9\x87\x7c\xc6\x2a\x47\x40\x02\xdf\x32\xe5\x21\x39\xf0\xa0";

static CURVE_B: LazyLock<Fe> = LazyLock::new(|| Fe::from_be(&B).expect("b is below p"));

/// A point other than infinity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(align(64))]
pub(super) struct Affine {
    pub(super) x: Fe,
    pub(super) y: Fe,
}

/// (X / Z², Y / Z³), or infinity when Z is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian {
    pub(super) x: Fe,
    pub(super) y: Fe,
    pub(super) z: Fe,
}

/// x³ − 3x + b.
fn right_side(x: &Fe) -> Fe {
    let three = Fe::ONE.double().add(&Fe::ONE);
    x.sqr().sub(&three).mul(x).add(&CURVE_B)
}

impl Affine {
    /// The base point G.
    pub(super) fn base() -> Self {
        Self::from_be(&GX, &GY).expect("G is on the curve")
    }

    /// The point with these big-endian coordinates; `None` unless both are below p and on the curve.
    pub(super) fn from_be(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let point = Self::unchecked(x, y)?;
        (point.y.sqr() == right_side(&point.x)).then_some(point)
    }

    /// The same for coordinates that were checked before.
    pub(super) fn unchecked(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        Some(Self {
            x: Fe::from_be(x)?,
            y: Fe::from_be(y)?,
        })
    }

    /// The point with this x and a y of this parity; `None` unless x is below p and on the curve.
    /// (y is never 0: the group's order is odd.)
    pub(super) fn from_x(x: &[u8; 32], odd: bool) -> Option<Self> {
        let x = Fe::from_be(x)?;
        let y = right_side(&x).sqrt()?;
        let y = if (y.number()[0] & 1 == 1) == odd { y } else { y.neg() };
        Some(Self { x, y })
    }

    /// This point, or its negative if asked, without a branch.
    #[inline(always)]
    pub(super) fn neg_if(&self, wanted: bool) -> Self {
        Self {
            x: self.x,
            y: self.y.neg().or(&self.y, wanted),
        }
    }

    /// Whether x mod n = c, for c < n. (x may be c + n: n < p < 2n.)
    pub(super) fn has_x_mod_n(&self, c: &U256) -> bool {
        reduce_mod_n(&self.x.number()) == *c
    }
}

impl From<&Affine> for Jacobian {
    fn from(point: &Affine) -> Self {
        Self {
            x: point.x,
            y: point.y,
            z: Fe::ONE,
        }
    }
}

impl Jacobian {
    pub(super) const INFINITY: Self = Self {
        x: Fe::ONE,
        y: Fe::ONE,
        z: Fe::ZERO,
    };

    #[inline(always)]
    pub(super) fn neg(&self) -> Self {
        Self {
            y: self.y.neg(),
            ..*self
        }
    }

    /// 2·self, for a = −3. Infinity stays infinity: the new Z is a multiple of the old.
    pub(super) fn double(&self) -> Self {
        let zz = self.z.sqr();
        let y2 = self.y.double();
        let z = y2.mul(&self.z);
        let yy4 = y2.sqr();
        let s = yy4.mul(&self.x);
        let m = self.x.sub(&zz).mul(&self.x.add(&zz));
        let m = m.double().add(&m);
        let x = m.sqr().sub(&s.double());
        let y = m.mul(&s.sub(&x)).sub(&yy4.sqr().half());
        Self { x, y, z }
    }

    /// self + other.
    pub(super) fn add_affine(&self, other: &Affine) -> Self {
        if self.z.is_zero() {
            return other.into();
        }
        let zz = self.z.sqr();
        let h = other.x.mul(&zz).sub(&self.x);
        let r = other.y.mul(&self.z).mul(&zz).sub(&self.y);
        if h.is_zero() {
            return self.add_same_x(&r);
        }
        self.finish_add(&self.x, &self.y, &h, &r, self.z.mul(&h))
    }

    /// self + other.
    pub(super) fn add(&self, other: &Self) -> Self {
        if self.z.is_zero() {
            return *other;
        }
        if other.z.is_zero() {
            return *self;
        }
        let (zz1, zz2) = (self.z.sqr(), other.z.sqr());
        let u1 = self.x.mul(&zz2);
        let s1 = self.y.mul(&other.z).mul(&zz2);
        let h = other.x.mul(&zz1).sub(&u1);
        let r = other.y.mul(&self.z).mul(&zz1).sub(&s1);
        if h.is_zero() {
            return self.add_same_x(&r);
        }
        self.finish_add(&u1, &s1, &h, &r, self.z.mul(&other.z).mul(&h))
    }

    /// The sum of two points with one x: either they are equal or each other's negative.
    #[cold]
    fn add_same_x(&self, y_difference: &Fe) -> Self {
        if y_difference.is_zero() {
            self.double()
        } else {
            Self::INFINITY
        }
    }

    #[inline(always)]
    fn finish_add(&self, u1: &Fe, s1: &Fe, h: &Fe, r: &Fe, z: Fe) -> Self {
        let hh = h.sqr();
        let hhh = hh.mul(h);
        let v = u1.mul(&hh);
        let x = r.sqr().sub(&hhh).sub(&v.double());
        let y = r.mul(&v.sub(&x)).sub(&s1.mul(&hhh));
        Self { x, y, z }
    }

    /// Whether this point has an x with x mod n = c, for c < n. No inversion: X = x·Z².
    ///
    /// n < p, so x may also be c + n. That happens once in 2¹²⁸ signatures: only made-up ones show it.
    pub(super) fn has_x_mod_n(&self, c: &U256) -> bool {
        if self.z.is_zero() {
            return false;
        }
        let zz = self.z.sqr();
        let is = |x: &U256| Fe::new(x).is_some_and(|x| x.mul(&zz) == self.x);
        let (wrapped, carry) = add(c, &N);
        is(c) || (!carry && is(&wrapped))
    }
}

/// The affine forms of points none of which is infinity, with one inversion for all.
pub(super) fn to_affine(points: &[Jacobian]) -> Vec<Affine> {
    let mut products = Vec::with_capacity(points.len());
    let mut product = Fe::ONE;
    for point in points {
        products.push(product);
        product = product.mul(&point.z);
    }
    let mut inverse = product.invert();
    let mut out = Vec::with_capacity(points.len());
    for (point, before) in points.iter().zip(products).rev() {
        let z_inverse = inverse.mul(&before);
        inverse = inverse.mul(&point.z);
        let zz = z_inverse.sqr();
        out.push(Affine {
            x: point.x.mul(&zz),
            y: point.y.mul(&zz).mul(&z_inverse),
        });
    }
    out.reverse();
    out
}
