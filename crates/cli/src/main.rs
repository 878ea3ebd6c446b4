//! The binary `yulian`.

use std::process::ExitCode;

/// Nodes spend a seventh of their time in the allocator: this one takes half as long as the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    yulian_cli::main()
}
