//! The rules of the workspace that a program can check.
//!
//! Each rule is a function from a [`Workspace`] to what breaks it, one line each; an empty answer is a pass. The parts
//! that judge are pure functions of text and have tests with bad inputs beside them.

mod bans;
mod docs;
mod layers;
mod licences;
mod manifests;
mod source;
mod trees;
mod workspace;

pub use workspace::{File, Package, Workspace};

/// A rule: what it finds, or why it could not look.
pub type Rule = fn(&Workspace) -> anyhow::Result<Vec<String>>;

/// Every rule with its name.
pub const RULES: &[(&str, Rule)] = &[
    ("layers", layers::edges),
    ("engine-library", layers::engine_library),
    ("quiet-trees", trees::quiet),
    ("clippy-bans", bans::clippy_bans),
    ("licences", licences::licences),
    ("sources", licences::sources),
    ("purpose", manifests::purpose),
    ("shared-lints", manifests::shared_lints),
    ("test-layout", manifests::test_layout),
    ("unfinished", source::unfinished),
    ("unsafe", source::unsafe_code),
    ("floats", source::floats),
    ("long-files", source::long_files),
    ("machine-paths", source::machine_paths),
    ("links", docs::links),
    ("code-map", docs::code_map),
    ("readme", docs::readme),
];

/// Name of a crate of ours without the prefix, as it is written in rules: `yulian-state` is `state`.
fn short(name: &str) -> &str {
    name.strip_prefix("yulian-").unwrap_or(name)
}
