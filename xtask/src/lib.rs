//! Development tasks: generated code, and the checks that need the whole workspace.
//!
//! [`generate`] writes files that are committed, [`tidy`] holds the rules of `docs/architecture.md` that can be checked
//! by a program. The tests of this package apply them, so that `make test` and `make lint` do.

pub mod generate;
pub mod tidy;

use std::path::PathBuf;

/// The folder of the workspace. Cargo names it when it runs the program; what was known when it was built may be another
/// clone that shares the folder of build results.
fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(manifest).join("..")
}
