//! The binary `yulian`.

use std::process::ExitCode;

/// Under load a node spends a tenth of its time in the allocator. Against two others this one gave the least processor time per
/// transaction and the least memory (`docs/benchmarks.md`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    yulian_cli::main()
}
