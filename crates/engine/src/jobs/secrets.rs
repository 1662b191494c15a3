//! Keeps keys out of what is remembered: agents print what they were given, quote it when they fail, and write it into
//! files that gates quote.

use std::collections::BTreeMap;

use domain::{
    failure::Failure,
    pipeline::{AgentReport, MergeReport, Report},
    run::RunOutcome,
    secrets::Secrets,
    verdict::{Finding, Verdict},
};

use super::{Ending, Performed};
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

/// What came of a job without secrets: whatever quotes the work of agents passes here, on its way to what is remembered.
pub(super) fn hide_in(secrets: &Secrets, performed: Performed) -> Performed {
    let ending = match performed.ending {
        Ending::Report(report) => Ending::Report(hide_in_report(secrets, report)),
        Ending::Failed { failure } => {
            let message = secrets.hide(&failure.message);
            Ending::Failed { failure: Failure { message, ..failure } }
        }
        Ending::Released { reason } => Ending::Released { reason: secrets.hide(&reason) },
        Ending::Abandoned => Ending::Abandoned,
    };
    Performed { ending, ..performed }
}

fn hide_in_report(secrets: &Secrets, report: Report) -> Report {
    let findings = |findings| hide_in_findings(secrets, findings);
    match report {
        Report::IntakeRefused { findings: all } => {
            Report::IntakeRefused { findings: findings(all) }
        }
        Report::Agent { run, usage, report } => {
            let report = match report {
                AgentReport::Nothing { findings: all } => {
                    AgentReport::Nothing { findings: findings(all) }
                }
                AgentReport::Refused { findings: all } => {
                    AgentReport::Refused { findings: findings(all) }
                }
                AgentReport::HandedIn { .. } => report,
            };
            Report::Agent { run, usage, report }
        }
        Report::JoinConflict { findings: all } => Report::JoinConflict { findings: findings(all) },
        Report::Gate { verdict } => Report::Gate {
            verdict: Verdict {
                findings: findings(verdict.findings),
                summary: secrets.hide(&verdict.summary),
                ..verdict
            },
        },
        Report::GateAsks { questions } => Report::GateAsks { questions: secrets.hide(&questions) },
        Report::Merge(report) => Report::Merge(match report {
            MergeReport::Conflict { head, findings: all } => {
                MergeReport::Conflict { head, findings: findings(all) }
            }
            MergeReport::Refused { reason } => {
                MergeReport::Refused { reason: secrets.hide(&reason) }
            }
            MergeReport::Integrated { .. }
            | MergeReport::AlreadyMerged { .. }
            | MergeReport::MergedBefore { .. }
            | MergeReport::Landed
            | MergeReport::TargetMoved => report,
        }),
        Report::PublishRefused { reason } => {
            Report::PublishRefused { reason: secrets.hide(&reason) }
        }
        Report::Opened { .. }
        | Report::IntakeAccepted { .. }
        | Report::Joined { .. }
        | Report::Published { .. }
        | Report::CleanedUp => report,
    }
}

/// Findings without secrets, also where a file was named after one.
fn hide_in_findings(secrets: &Secrets, findings: Vec<Finding>) -> Vec<Finding> {
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
    /// The secrets of all agents: whoever wrote what others read, they repeat none. Settings are not among them, which are
    /// words that anybody may use.
    pub(crate) fn secrets(&self) -> Secrets {
        let profiles = self.options.agents.values().map(|it| &it.profile);
        let secrets = profiles
            .flat_map(|it| it.env.iter().filter(|(name, _)| it.secrets.contains(name.as_str())));
        Secrets::new(secrets.map(|(name, value)| (value.as_str(), format!("${name}"))))
    }
}

#[cfg(test)]
mod tests {
    use domain::failure::FailureClass;

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
