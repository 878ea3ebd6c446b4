//! `cargo run -p xtask -- proto` writes `crates/types/src/generated.rs` from `crates/types/proto`;
//! `cargo run -p xtask -- proto --check` fails when the committed file differs.
//! `cargo run -p xtask -- openapi` writes `openapi/*.json` from the `api` crate; a test there fails when they differ.
//! `cargo run -p xtask -- tidy` shows what breaks the rules of the workspace.

use anyhow::{Result, bail};
use xtask::{
    generate,
    tidy::{RULES, Workspace},
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["proto"] => generate::write_proto(),
        ["proto", "--check"] => generate::check_proto(),
        ["openapi"] => generate::write_openapi(),
        ["tidy"] => tidy(),
        _ => bail!("usage: xtask proto [--check] | openapi | tidy"),
    }
}

#[allow(clippy::print_stdout, reason = "it is what the task is for")]
fn tidy() -> Result<()> {
    let workspace = Workspace::load()?;
    let mut found = 0;
    for (name, rule) in RULES {
        for finding in rule(&workspace)? {
            println!("{name}: {finding}");
            found += 1;
        }
    }
    if found > 0 {
        bail!("{found} findings");
    }
    Ok(())
}
