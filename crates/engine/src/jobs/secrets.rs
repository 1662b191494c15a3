//! Keeps keys out of what is remembered: agents print what they were given, quote it when they fail, and write it into
//! files that gates quote.

use std::collections::BTreeMap;

use domain::{
    run::RunOutcome,
    secrets::Secrets,
    verdict::{Finding, Verdict},
};
use ports::{GateAnswer, GateError};

use crate::Engine;

/// Every value of these environments, with `$NAME` in its place.
pub(super) fn given<'a>(
    environments: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> Secrets {
    let values = environments.into_iter().flatten();
    Secrets::new(values.map(|(name, value)| (value.as_str(), format!("${name}"))))
}

/// The outcome of a run without what its agent was given.
pub(super) fn hide_in_outcome(given: &Secrets, outcome: RunOutcome) -> RunOutcome {
    match outcome {
        RunOutcome::Ended { summary } => RunOutcome::Ended { summary: given.hide(&summary) },
        RunOutcome::Failed { mut failure } => {
            failure.message = given.hide(&failure.message);
            RunOutcome::Failed { failure }
        }
    }
}

/// What a gate said without secrets.
pub(super) fn hide_in_answer(
    secrets: &Secrets,
    answer: Result<GateAnswer, GateError>,
) -> Result<GateAnswer, GateError> {
    match answer {
        Ok(GateAnswer::Verdict(verdict)) => Ok(GateAnswer::Verdict(Verdict {
            findings: hide_in_findings(secrets, verdict.findings),
            summary: secrets.hide(&verdict.summary),
            ..verdict
        })),
        Ok(GateAnswer::Ask { questions }) => {
            Ok(GateAnswer::Ask { questions: secrets.hide(&questions) })
        }
        Err(error) => Err(GateError { reason: secrets.hide(&error.reason), ..error }),
    }
}

/// Findings without secrets, also where a file was named after one.
pub(super) fn hide_in_findings(secrets: &Secrets, findings: Vec<Finding>) -> Vec<Finding> {
    let hide = |text: String| secrets.hide(&text);
    let hide_in = |it: Finding| Finding {
        path: it.path.map(hide),
        message: hide(it.message),
        rule: it.rule.map(hide),
        ..it
    };
    findings.into_iter().map(hide_in).collect()
}

impl Engine {
    /// The secrets of all agents: whoever wrote what a gate reads, it repeats none. Settings are not among them, which are
    /// words that anybody may use.
    pub(super) fn secrets(&self) -> Secrets {
        let profiles = self.options.agents.values().map(|it| &it.profile);
        let secrets = profiles
            .flat_map(|it| it.env.iter().filter(|(name, _)| it.secrets.contains(name.as_str())));
        Secrets::new(secrets.map(|(name, value)| (value.as_str(), format!("${name}"))))
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
            hide_in_outcome(&given([&environment, &shared]), RunOutcome::Failed { failure })
        else {
            panic!("a failure stays one");
        };
        assert_eq!(failure.message, "exited with code 1: $LONGER is not $KEY of $PROXY_PASSWORD");
    }
}
