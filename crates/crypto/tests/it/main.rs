//! What the crate promises, checked from outside against published vectors and other code.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read files, settings and other programs' answers"
)]

mod gmssl;
mod key_file;
mod merkle;
mod openssl;
mod signature_file;
mod sm2_random;
mod sm2_vectors;
mod sm3;
mod sm4;
mod tools;
