//! Files that are generated and committed.

use crate::root;
use anyhow::{Context, Result, bail};
use std::{fs, path::PathBuf};

fn types_dir() -> PathBuf {
    root().join("crates/types")
}

/// Protobuf compiled by a pure Rust compiler, so that no builder needs `protoc`.
fn proto() -> Result<String> {
    let proto_root = types_dir().join("proto");
    let files = [
        "yulian/v1/ledger.proto",
        "yulian/v1/modules.proto",
        "yulian/v1/chain.proto",
        "yulian/v1/link.proto",
        "yulian/v1/federation.proto",
    ];
    let descriptors = protox::compile(files, [&proto_root]).context("compile .proto files")?;
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

/// Writes `crates/types/src/generated.rs`.
pub fn write_proto() -> Result<()> {
    fs::write(types_dir().join("src/generated.rs"), proto()?)?;
    Ok(())
}

/// Fails when the committed file is not what [`write_proto`] would write.
pub fn check_proto() -> Result<()> {
    let committed = fs::read_to_string(types_dir().join("src/generated.rs"))?;
    if committed != proto()? {
        bail!("crates/types/src/generated.rs is not what the .proto files say: run `cargo run -p xtask -- proto`");
    }
    Ok(())
}

/// Writes `openapi/node.json`.
pub fn write_openapi() -> Result<()> {
    let folder = root().join("openapi");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("node.json"), yulian_api::document_json())?;
    Ok(())
}
