//! The tables of the affine maps, against both S-boxes computed from their definitions.

use super::{FROM_AES, INTO_AES};

/// x^8 + x^4 + x^3 + x + 1 (FIPS 197).
const AES_FIELD: u16 = 0x11b;
/// x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1.
const SM4_FIELD: u16 = 0x1f5;

fn product(a: u8, b: u8, modulus: u16) -> u8 {
    let mut sum = 0;
    for bit in (0..8).rev() {
        sum <<= 1;
        if sum & 0x100 != 0 {
            sum ^= modulus;
        }
        if b >> bit & 1 == 1 {
            sum ^= u16::from(a);
        }
    }
    sum as u8
}

/// The 254th power: the inverse, and 0 of 0.
fn inverse(a: u8, modulus: u16) -> u8 {
    (0..254).fold(1, |power, _| product(power, a, modulus))
}

fn aes_s_box(a: u8) -> u8 {
    let b = inverse(a, AES_FIELD);
    b ^ b.rotate_left(1) ^ b.rotate_left(2) ^ b.rotate_left(3) ^ b.rotate_left(4) ^ 0x63
}

fn sm4_s_box(a: u8) -> u8 {
    // Bit i of the product with the circulant matrix is the parity of what row i has in common with the vector.
    let affine = |a: u8| {
        let bit = |i| ((a & 0xa7u8.rotate_left(i)).count_ones() & 1) << i;
        (0..8).map(bit).sum::<u32>() as u8 ^ 0xd3
    };
    affine(inverse(affine(a), SM4_FIELD))
}

fn look_up(table: &[[u8; 16]; 2], a: u8) -> u8 {
    table[0][usize::from(a & 15)] ^ table[1][usize::from(a >> 4)]
}

#[test]
fn the_s_box_of_one_is_that_of_the_other_between_affine_maps() {
    // The ends of the table in GB/T 32907-2016, 6.2, and of that in FIPS 197, 5.1.1.
    assert_eq!((sm4_s_box(0), sm4_s_box(255)), (0xd6, 0x48));
    assert_eq!((aes_s_box(0), aes_s_box(255)), (0x63, 0x16));
    for a in 0..=255 {
        assert_eq!(
            look_up(&FROM_AES, aes_s_box(look_up(&INTO_AES, a))),
            sm4_s_box(a),
            "{a}"
        );
    }
}
