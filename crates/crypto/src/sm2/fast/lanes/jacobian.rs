//! Doubling and mixed addition in eight lanes, on the curve itself (a = −3).
//!
//! X and Y are below 1.001p, Z is below 2p. Where points cancel or double in an addition, Z becomes 0 and
//! stays 0: such a lane is found at the end.

use super::field::{Field, ONE, Stored};
use super::sums::Point;
use super::vector::Lanes;

/// (X / Z², Y / Z³) in each lane but those that are infinity because nothing was added to them yet.
#[derive(Clone, Copy)]
pub(super) struct Jacobian<V> {
    x: Field<V>,
    y: Field<V>,
    z: Field<V>,
    infinite: u8,
}

/// An affine point in each lane; coordinates are below 16p.
#[derive(Clone, Copy)]
pub(super) struct Affine<V> {
    x: Field<V>,
    y: Field<V>,
}

impl<V: Lanes> Affine<V> {
    /// The point of the curve itself, from the isomorphic one. `negative` lanes get their negatives.
    #[inline(always)]
    pub(super) fn load(point: &Point, negative: u8) -> Self {
        let y = Field::load(&point.y);
        let negated = Field::splat(&[0; 5]).sub(&y, 2);
        Self {
            x: Field::load(&point.x).times::<2>(),
            y: Field::select(negative, &negated, &y).times::<3>(),
        }
    }
}

impl<V: Lanes> Jacobian<V> {
    #[inline(always)]
    pub(super) fn infinity() -> Self {
        let one = Field::splat(&ONE);
        Self {
            x: one,
            y: one,
            z: one,
            infinite: u8::MAX,
        }
    }

    /// 2·self.
    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        let zz = self.z.sqr();
        let m = self.x.sub(&zz, 2).mul(&self.x.add(&zz));
        let m = m.add(&m.times::<1>());
        let yy2 = self.y.sqr().times::<1>();
        let s = self.x.mul(&yy2).times::<1>();
        let yyyy4 = yy2.sqr();
        let x = m.sqr().sub_folded(&s.times::<1>(), 8);
        let y = m.mul(&s.sub(&x, 2)).sub_folded(&yyyy4.times::<1>(), 4);
        let z = self.y.times::<1>().mul(&self.z);
        Self { x, y, z, ..*self }
    }

    /// self + other in `lanes`, self in the others.
    #[inline(always)]
    pub(super) fn add(&self, other: &Affine<V>, lanes: u8) -> Self {
        let zz = self.z.sqr();
        let h = other.x.mul(&zz).sub(&self.x, 2);
        let r = other.y.mul(&self.z).mul(&zz).sub(&self.y, 2);
        let hh = h.sqr();
        let hhh = hh.mul(&h);
        let v = self.x.mul(&hh);
        let x = r.sqr().sub_both_folded(&hhh, &v.times::<1>(), 4);
        let y = r.mul(&v.sub(&x, 2)).sub_folded(&self.y.mul(&hhh), 2);
        let z = self.z.mul(&h);
        let (first, sum) = (lanes & self.infinite, lanes & !self.infinite);
        let first_z = Field::splat(&ONE);
        Self {
            x: pick(first, &other.x.folded(), sum, &x, &self.x),
            y: pick(first, &other.y.folded(), sum, &y, &self.y),
            z: pick(first, &first_z, sum, &z, &self.z),
            infinite: self.infinite & !lanes,
        }
    }

    /// X and Z of each lane, for the comparison at the end; Z is 0 in lanes that failed.
    #[inline(always)]
    pub(super) fn store_xz(&self) -> [Stored; 2] {
        let z = Field::select(self.infinite, &Field::splat(&[0; 5]), &self.z);
        let mut out = [Stored::ZERO; 2];
        self.x.store(&mut out[0]);
        z.store(&mut out[1]);
        out
    }
}

/// `a` in the lanes of one mask, `b` in those of the other, `c` elsewhere.
#[inline(always)]
fn pick<V: Lanes>(mask_a: u8, a: &Field<V>, mask_b: u8, b: &Field<V>, c: &Field<V>) -> Field<V> {
    Field::select(mask_a, a, &Field::select(mask_b, b, c))
}
