//! Writes the vectors of the ledger's formats: `cargo run --release -p yulian-light --example vectors`.
//!
//! Keys are fixed and signatures deterministic, so that a run changes nothing unless a format changed. The files are
//! checked by `docs/examples/check_vectors.py`, which shares no code with the crates.

#![allow(clippy::disallowed_methods, reason = "it writes files")]

mod cases;

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors");
    for (name, text) in cases::all() {
        let path = dir.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}
