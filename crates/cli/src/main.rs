//! The binary `yulian`.

use std::process::ExitCode;

fn main() -> ExitCode {
    yulian_cli::main()
}
