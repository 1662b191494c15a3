//! What the end of a command says about the letter.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

use ports::Delivery;

/// Codes of `sysexits.h` with which a program says that trying again is of no use: usage, data, user, host, permission,
/// configuration.
const NEVER: &[i32] = &[64, 65, 67, 68, 77, 78];

/// What the end of a command says about the letter. Anything but a plain no is tried again: most programs exit with 1
/// whatever happened, and a letter that is tried too often is told to people anyway.
pub(super) fn verdict(status: ExitStatus, stdout: &str, stderr: &str) -> Delivery {
    let said = last_line(stderr).or_else(|| last_line(stdout));
    let why = |how: String| match &said {
        Some(said) => format!("the command {how}: {said}"),
        None => format!("the command {how}"),
    };
    match status.code() {
        Some(0) => Delivery::Delivered { remote: first_line(stdout) },
        Some(code) if NEVER.contains(&code) => {
            Delivery::Refused { why: why(format!("exited with {code}")) }
        }
        Some(code) => Delivery::Retry { why: why(format!("exited with {code}")), after: None },
        None => {
            let signal = status.signal().unwrap_or_default();
            Delivery::Retry { why: why(format!("was killed by signal {signal}")), after: None }
        }
    }
}

fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

fn last_line(text: &str) -> Option<String> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}
