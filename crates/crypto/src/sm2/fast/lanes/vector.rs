//! What a vector of eight 64-bit lanes can do.

use super::field;

/// Lanes of a vector.
pub(crate) const LANES: usize = 8;
/// A value for each lane.
pub(crate) type Row = [u64; LANES];

/// Eight 64-bit numbers. All arithmetic is modulo 2⁶⁴ and within lanes; bit i of a mask is lane i.
pub(crate) trait Lanes: Copy {
    /// The same number in each lane.
    fn splat(number: u64) -> Self;
    /// Lane i from place i.
    fn load(from: &Row) -> Self;
    /// Lane i to place i.
    fn store(self, to: &mut Row);
    /// self + bits 0..52 of the product of the lowest 52 bits of `a` and `b`.
    fn madd_low(self, a: Self, b: Self) -> Self;
    /// self + bits 52..104 of that product.
    fn madd_high(self, a: Self, b: Self) -> Self;
    /// self + other.
    fn add(self, other: Self) -> Self;
    /// self − other.
    fn sub(self, other: Self) -> Self;
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// Bitwise or.
    fn or(self, other: Self) -> Self;
    /// Shifted left.
    fn shl<const BITS: u32>(self) -> Self;
    /// Shifted right, filled with zeros.
    fn shr<const BITS: u32>(self) -> Self;
    /// Shifted right, filled with the sign.
    fn sar<const BITS: u32>(self) -> Self;
    /// The lanes that are not below other's, as unsigned numbers.
    fn not_below(self, other: Self) -> u8;
    /// Lanes of `set` where the mask's bit is set, of `clear` where it is not.
    fn select(mask: u8, set: Self, clear: Self) -> Self;

    /// The product of field elements. A method only for [`Portable`] not to inline it.
    #[inline(always)]
    fn product(a: &[Self; 5], b: &[Self; 5]) -> [Self; 5] {
        field::product(a, b)
    }

    /// The square of a field element; a method for the same reason.
    #[inline(always)]
    fn square(a: &[Self; 5]) -> [Self; 5] {
        field::square(a)
    }

    /// See [`field::carried`]; a method for the same reason.
    #[inline(always)]
    fn carried(limbs: [Self; 5]) -> [Self; 5] {
        field::carried(limbs)
    }
}

/// The meaning of each operation, on any processor.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Portable(pub(crate) Row);

#[cfg(test)]
impl Portable {
    fn zip(self, other: Self, each: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|lane| each(self.0[lane], other.0[lane])))
    }

    fn map(self, each: impl Fn(u64) -> u64) -> Self {
        Self(self.0.map(each))
    }

    fn bits(self, other: Self, shift: u32) -> Self {
        const LOW: u128 = (1 << 52) - 1;
        self.zip(other, |a, b| {
            let product = (u128::from(a) & LOW) * (u128::from(b) & LOW);
            (product >> shift & LOW) as u64
        })
    }
}

/// Elements' operations are not inlined: eight times all that a kernel is made of takes minutes to compile.
#[cfg(test)]
impl Lanes for Portable {
    fn splat(number: u64) -> Self {
        Self([number; LANES])
    }

    fn load(from: &Row) -> Self {
        Self(*from)
    }

    fn store(self, to: &mut Row) {
        *to = self.0;
    }

    fn madd_low(self, a: Self, b: Self) -> Self {
        self.add(a.bits(b, 0))
    }

    fn madd_high(self, a: Self, b: Self) -> Self {
        self.add(a.bits(b, 52))
    }

    fn add(self, other: Self) -> Self {
        self.zip(other, u64::wrapping_add)
    }

    fn sub(self, other: Self) -> Self {
        self.zip(other, u64::wrapping_sub)
    }

    fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    fn shl<const BITS: u32>(self) -> Self {
        self.map(|a| a << BITS)
    }

    fn shr<const BITS: u32>(self) -> Self {
        self.map(|a| a >> BITS)
    }

    fn sar<const BITS: u32>(self) -> Self {
        self.map(|a| (a as i64 >> BITS) as u64)
    }

    fn not_below(self, other: Self) -> u8 {
        (0..LANES).fold(0, |mask, lane| mask | u8::from(self.0[lane] >= other.0[lane]) << lane)
    }

    fn select(mask: u8, set: Self, clear: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            if mask >> lane & 1 == 1 {
                set.0[lane]
            } else {
                clear.0[lane]
            }
        }))
    }

    #[inline(never)]
    fn product(a: &[Self; 5], b: &[Self; 5]) -> [Self; 5] {
        field::product(a, b)
    }

    #[inline(never)]
    fn square(a: &[Self; 5]) -> [Self; 5] {
        field::square(a)
    }

    #[inline(never)]
    fn carried(limbs: [Self; 5]) -> [Self; 5] {
        field::carried(limbs)
    }
}

/// Each operation's outcome for three rows, to compare one form with another.
#[cfg(test)]
#[inline(always)]
pub(crate) fn outcomes<V: Lanes>(rows: &[Row; 3]) -> Vec<Row> {
    let [a, b, c] = [V::load(&rows[0]), V::load(&rows[1]), V::load(&rows[2])];
    let mask = rows[0][3] as u8;
    let vectors = [
        V::splat(rows[0][5]),
        a.madd_low(b, c),
        a.madd_high(b, c),
        a.add(b),
        a.sub(b),
        a.and(b),
        a.or(b),
        a.shl::<1>(),
        a.shl::<44>(),
        a.shr::<1>(),
        a.shr::<51>(),
        a.sar::<48>(),
        a.sar::<52>(),
        V::select(mask, a, b),
    ];
    let mut out = vec![[0; LANES]; vectors.len() + 2];
    for (row, vector) in out.iter_mut().zip(vectors) {
        vector.store(row);
    }
    out[vectors.len()][0] = a.not_below(b).into();
    out[vectors.len() + 1][0] = a.not_below(a).into();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers that tell the operations' borders apart.
    #[test]
    fn meaning_of_the_operations() {
        let [a, b] = [Portable::splat(u64::MAX), Portable::splat(3)];
        // Only 52 bits of a factor count: (2⁵² − 1)·3 = 2·2⁵² + (2⁵² − 3).
        assert_eq!(Portable::splat(10).madd_low(a, b), Portable::splat(10 + (1 << 52) - 3));
        assert_eq!(Portable::splat(10).madd_high(a, b), Portable::splat(10 + 2));
        assert_eq!(a.madd_low(Portable::splat(1 << 52), b), a);
        assert_eq!((a.sar::<52>(), a.shr::<52>()), (a, Portable::splat(0xfff)));
        assert_eq!((a.add(b), b.sub(a)), (Portable::splat(2), Portable::splat(4)));
        let rising = Portable([0, 1, 2, 3, 4, 5, u64::MAX, 1 << 63]);
        assert_eq!(rising.not_below(b), 0b1111_1000);
        assert_eq!(Portable::select(0b11, a, rising).0[..3], [u64::MAX, u64::MAX, 2]);
    }
}
