//! Keeps keys out of what is remembered of a run: agents print what they were given, and quote it when they fail.

use std::collections::BTreeMap;

use domain::{run::RunOutcome, secrets::Secrets};

/// The outcome with `$NAME` in place of every value that the environment gave to the agent.
pub(super) fn hide(outcome: RunOutcome, environment: &[&BTreeMap<String, String>]) -> RunOutcome {
    let values = environment.iter().copied().flatten();
    let secrets = Secrets::new(values.map(|(name, value)| (value.as_str(), format!("${name}"))));
    match outcome {
        RunOutcome::Ended { summary } => RunOutcome::Ended { summary: secrets.hide(&summary) },
        RunOutcome::Failed { mut failure } => {
            failure.message = secrets.hide(&failure.message);
            RunOutcome::Failed { failure }
        }
    }
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
        let shared = [("PROXY_PASSWORD".to_owned(), "hunter2".to_owned())].into();
        let failure = Failure::new(
            FailureClass::Permanent,
            "exited with code 1: sk-1234567890 is not sk-12345678 of hunter2",
        );
        let RunOutcome::Failed { failure } =
            hide(RunOutcome::Failed { failure }, &[&environment, &shared])
        else {
            panic!("a failure stays one");
        };
        assert_eq!(failure.message, "exited with code 1: $LONGER is not $KEY of $PROXY_PASSWORD");
    }
}
