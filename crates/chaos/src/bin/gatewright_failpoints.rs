//! The product, with failpoints and a clock that can be moved.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(chaos::seam)
}
