//! What the crate promises, checked from outside against published vectors and other code.

mod merkle;
mod sm2_random;
mod sm2_vectors;
