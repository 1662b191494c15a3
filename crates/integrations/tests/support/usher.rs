//! The usher as a program of its own, for the tests of this crate.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    integrations::usher(env::args_os().skip(1))
}
