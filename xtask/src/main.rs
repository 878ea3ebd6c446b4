//! Development tasks: generated code, checks that need the whole workspace.
//!
//! `cargo run -p xtask -- proto` writes `crates/types/src/generated.rs` from `crates/types/proto`;
//! `cargo run -p xtask -- proto --check` fails when the committed file differs.
//! `cargo run -p xtask -- openapi` writes `openapi/*.json` from the `api` crate; a test there fails when they differ.

use anyhow::{Context, Result, bail};
use std::{fs, path::PathBuf};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["proto"] => write_proto(),
        ["proto", "--check"] => check_proto(),
        ["openapi"] => write_openapi(),
        _ => bail!("usage: xtask proto [--check] | openapi"),
    }
}

fn types_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/types")
}

/// Protobuf compiled by a pure Rust compiler, so that no builder needs `protoc`.
fn generate() -> Result<String> {
    let root = types_dir().join("proto");
    let files = ["yulian/v1/ledger.proto", "yulian/v1/modules.proto"];
    let descriptors = protox::compile(files, [&root]).context("compile .proto files")?;
    let out = std::env::temp_dir().join(format!("yulian-proto-{}", std::process::id()));
    fs::create_dir_all(&out)?;
    prost_build::Config::new()
        .bytes(["."])
        .out_dir(&out)
        .compile_fds(descriptors)
        .context("generate Rust")?;
    let text = fs::read_to_string(out.join("yulian.v1.rs"))?;
    fs::remove_dir_all(&out)?;
    Ok(text)
}

fn write_proto() -> Result<()> {
    fs::write(types_dir().join("src/generated.rs"), generate()?)?;
    Ok(())
}

fn check_proto() -> Result<()> {
    let committed = fs::read_to_string(types_dir().join("src/generated.rs"))?;
    if committed != generate()? {
        bail!("crates/types/src/generated.rs is not what the .proto files say: run `cargo run -p xtask -- proto`");
    }
    Ok(())
}

fn write_openapi() -> Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../openapi");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("node.json"), yulian_api::document_json())?;
    Ok(())
}
