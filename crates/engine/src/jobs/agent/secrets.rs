//! Keeps keys out of what is remembered of a run: agents print what they were given, and quote it when they fail.

use std::collections::BTreeMap;

use domain::run::RunOutcome;

/// Values below this are settings and not secrets: `1`, `true`, a locale.
const SECRET_BYTES_MIN: usize = 8;

/// The outcome with `$NAME` in place of every value that the environment gave to the agent alone.
pub(super) fn hide(outcome: RunOutcome, environment: &BTreeMap<String, String>) -> RunOutcome {
    match outcome {
        RunOutcome::Ended { summary } => {
            RunOutcome::Ended { summary: without_values(summary, environment) }
        }
        RunOutcome::Failed { mut failure } => {
            failure.message = without_values(failure.message, environment);
            RunOutcome::Failed { failure }
        }
    }
}

fn without_values(text: String, environment: &BTreeMap<String, String>) -> String {
    let mut secrets: Vec<_> =
        environment.iter().filter(|(_, value)| value.len() >= SECRET_BYTES_MIN).collect();
    // One value may be the beginning of another.
    secrets.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    secrets.into_iter().fold(text, |text, (name, value)| text.replace(value, &format!("${name}")))
}

#[cfg(test)]
mod tests {
    use domain::failure::{Failure, FailureClass};

    use super::*;

    #[test]
    fn values_of_the_environment_are_named_and_not_told() {
        let environment = [("KEY", "sk-12345678"), ("LONGER", "sk-1234567890"), ("DEBUG", "1")];
        let environment =
            environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let failure = Failure::new(
            FailureClass::Permanent,
            "exited with code 1: sk-1234567890 is not sk-12345678",
        );
        let RunOutcome::Failed { failure } = hide(RunOutcome::Failed { failure }, &environment)
        else {
            panic!("a failure stays one");
        };
        assert_eq!(failure.message, "exited with code 1: $LONGER is not $KEY");
    }
}
