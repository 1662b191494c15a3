//! What the end of a command says about the letter.

use ports::Delivery;

use super::report::End;

/// Codes of `sysexits.h` with which a program says that trying again is of no use: usage, data, user, host, permission,
/// configuration.
const NEVER: &[i32] = &[64, 65, 67, 68, 77, 78];

/// What the end of `program` says about the letter. Anything but a plain no is tried again: most programs exit with 1
/// whatever happened, and a letter that is tried too often is told to people anyway.
pub(super) fn verdict(program: &str, end: End, stdout: &str, stderr: &str) -> Delivery {
    let said = last_line(stderr).or_else(|| last_line(stdout));
    let why = |how: String| match &said {
        Some(said) => format!("the command {how}: {said}"),
        None => format!("the command {how}"),
    };
    let retry = |why: String| Delivery::Retry { why, after: None };
    match end {
        End::Exited { code: 0 } => Delivery::Delivered { remote: first_line(stdout) },
        End::Exited { code } if NEVER.contains(&code) => {
            Delivery::Refused { why: why(format!("exited with {code}")) }
        }
        End::Exited { code } => retry(why(format!("exited with {code}"))),
        End::Signaled { signal } => retry(why(format!("was killed by signal {signal}"))),
        End::TimeLimit => retry(why("did not end within its time".to_owned())),
        End::NotStarted { why } => retry(format!("could not start `{program}`: {why}")),
        End::Lost { why } => retry(format!("nobody knows how `{program}` ended: {why}")),
    }
}

fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

fn last_line(text: &str) -> Option<String> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}
