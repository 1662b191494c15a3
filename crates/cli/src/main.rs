//! The product.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(std::convert::identity)
}
