//! The compression function of SM3 (GB/T 32905-2016, 5.3), written once for vectors of any width.
//!
//! A macro, not a generic function: every function of a kernel must carry the `#[target_feature]` of its instruction
//! set, or the intrinsics are calls instead of instructions.

/// The initial value of the state.
pub(crate) const START: [u32; 8] = [
    0x7380_166f,
    0x4914_b2b9,
    0x1724_42d7,
    0xda8a_0600,
    0xa96f_30bc,
    0x1631_38aa,
    0xe38d_ee4d,
    0xb0fb_0e4e,
];

/// The constant of each round, T_j rotated left by j.
pub(crate) const ROUND: [u32; 64] = {
    let mut out = [0; 64];
    let mut j = 0;
    while j < 64 {
        let constant: u32 = if j < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
        out[j] = constant.rotate_left(j as u32 % 32);
        j += 1;
    }
    out
};

/// Defines `compress(state, message)` out of the caller's table of vector operations, which has `splat`, `add`, `xor`,
/// `xor3`, `majority`, `choose`, `rotate_8` and `rotate::<LEFT, RIGHT>` with LEFT + RIGHT = 32.
///
/// A rotation by 17 is one by 9 and one by 8, and one by 23 is one by 15 and one by 8: where there is no instruction
/// for rotations, bytes can still be moved by one.
macro_rules! compression {
    ($(#[$attribute:meta])* $vector:ty) => {
        $(#[$attribute])*
        #[inline]
        fn compress(state: &mut [$vector; 8], message: &[$vector; 16]) {
            use $crate::sm3::lanes::compress::ROUND;

            let mut w = [message[0]; 68];
            w[..16].copy_from_slice(message);
            let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
            // Variables keep their places and the round's names move on by one, so that nothing is copied.
            macro_rules! round {
                ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $ff:ident $gg:ident $j:expr) => {
                    let a_12 = rotate::<12, 20>($a);
                    let ss1 = rotate::<7, 25>(add(add($e, splat(ROUND[$j])), a_12));
                    let ss2 = xor(ss1, a_12);
                    let tt1 = add(add(add($ff($a, $b, $c), $d), xor(w[$j], w[$j + 4])), ss2);
                    let tt2 = add(add(add($gg($e, $f, $g), $h), w[$j]), ss1);
                    let tt2_9 = rotate::<9, 23>(tt2);
                    $b = rotate::<9, 23>($b);
                    $d = tt1;
                    $f = rotate::<19, 13>($f);
                    $h = xor3(tt2, tt2_9, rotate_8(tt2_9));
                };
            }
            macro_rules! four_rounds {
                ($ff:ident $gg:ident $j:expr) => {
                    round!(a b c d e f g h, $ff $gg $j);
                    round!(d a b c h e f g, $ff $gg $j + 1);
                    round!(c d a b g h e f, $ff $gg $j + 2);
                    round!(b c d a f g h e, $ff $gg $j + 3);
                };
            }
            // Message words are made right before the rounds that need them first: one waits while the other works.
            macro_rules! four_words {
                ($from:expr) => {
                    for j in $from..$from + 4 {
                        let x = xor3(w[j - 16], w[j - 9], rotate::<15, 17>(w[j - 3]));
                        let x_15 = rotate::<15, 17>(x);
                        w[j] = xor3(xor3(x, x_15, rotate_8(x_15)), rotate::<7, 25>(w[j - 13]), w[j - 6]);
                    }
                };
            }
            for j in (0..12).step_by(4) {
                four_rounds!(xor3 xor3 j);
            }
            four_words!(16);
            four_rounds!(xor3 xor3 12);
            for j in (16..64).step_by(4) {
                four_words!(j + 4);
                four_rounds!(majority choose j);
            }
            for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
                *old = xor(*old, new);
            }
        }
    };
}

pub(crate) use compression;
