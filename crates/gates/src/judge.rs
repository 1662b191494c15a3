//! Asks the right gate, and binds its answer to the commit.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use camino::Utf8Path;
use domain::{
    definition::{Check, Network},
    verdict::Verdict,
};
use ports::{Clock, GateAnswer, GateError, GateQuestion, Gates, Git, Machine, Mount, Sandbox};

use crate::{
    absent, artifacts,
    command::{self, Places},
    commit::Commit,
    config_changes, findings,
    limits::{FINDINGS_BYTES_MAX, SUMMARY_BYTES_MAX},
    obstacle::Obstacle,
    questions, report,
    ruling::{Answer, Ruling},
    text, verdict,
};

/// What gates need of the world.
pub struct Options {
    /// Reads commits, checks them out.
    pub git: Arc<dyn Git>,
    /// Runs the commands.
    pub sandbox: Arc<dyn Sandbox>,
    /// Dates the verdicts.
    pub clock: Arc<dyn Clock>,
    /// Says whether a disk is as full as a command says.
    pub machine: Arc<dyn Machine>,
    /// Where commands look programs up.
    pub path: String,
    /// Environment of commands on top of `PATH` and `HOME`; never a secret.
    pub env: BTreeMap<String, String>,
    /// Places that commands see beyond the system and their own, read-only.
    pub mounts: Vec<Mount>,
    /// What commands can reach.
    pub network: Network,
}

/// Answers gate questions.
pub struct Judge {
    options: Options,
}

impl Judge {
    /// A judge with these means.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options }
    }

    async fn answer(&self, question: &GateQuestion) -> Result<GateAnswer, Obstacle> {
        let Options { git, clock, .. } = &self.options;
        let started_at = clock.now();
        let commit =
            Commit { git: git.as_ref(), project: &question.project, sha: &question.commit };
        let tree = git.load_tree(commit.project, commit.sha).await?;
        let changes = git.list_changes(commit.project, &question.base, commit.sha).await?;
        let fill = |text: &String| text.replace("{item}", &question.item);
        let fill_all = |texts: &[String]| texts.iter().map(fill).collect::<Vec<_>>();
        let ruling = match &question.gate.check {
            Check::Artifacts { all_of, any_of } => {
                artifacts::judge(&commit, &fill_all(all_of), &fill_all(any_of)).await?
            }
            Check::Absent { path } => absent::judge(&commit, &fill(path)).await?,
            Check::Questions { path } => match questions::judge(&commit, &fill(path)).await? {
                Answer::Ruling(ruling) => ruling,
                Answer::Ask { questions } => return Ok(GateAnswer::Ask { questions }),
            },
            Check::Command { run, time_limit, keep } => {
                let task = command::Task {
                    options: &self.options,
                    question,
                    run,
                    time_limit: *time_limit,
                };
                command::judge(&task, &changes, &fill_all(keep)).await?
            }
            Check::Verdict { path } => verdict::judge(&commit, &fill(path)).await?,
            Check::Report { path } => report::judge(&commit, &fill(path)).await?,
            Check::Approval { .. } => return Err(Obstacle::AsksAPerson),
        };
        let flagged =
            findings::fit(config_changes::flag(&changes), FINDINGS_BYTES_MAX, "this commit");
        let Ruling { outcome, mut findings, mut summary, evidence } = ruling;
        findings.extend(flagged);
        let build_files = config_changes::build_files(&changes);
        if matches!(question.gate.check, Check::Command { .. }) && !build_files.is_empty() {
            summary = format!(
                "{summary}; this branch changes {}, which may say what it runs",
                build_files.join(", ")
            );
        }
        Ok(GateAnswer::Verdict(Verdict {
            gate: question.gate.name.clone(),
            commit: question.commit.clone(),
            tree,
            outcome,
            findings,
            summary: one_line(&summary),
            started_at,
            finished_at: clock.now(),
            evidence: evidence.map(Into::into),
        }))
    }
}

#[async_trait]
impl Gates for Judge {
    async fn judge(&self, question: &GateQuestion) -> Result<GateAnswer, GateError> {
        let gate = &question.gate.name;
        self.answer(question).await.map_err(|obstacle| obstacle.of_gate(gate.to_string()))
    }

    async fn abandon(&self, scratch: &Utf8Path) -> Result<(), GateError> {
        let abandoned = Places::new(scratch).abandon(&self.options).await;
        abandoned.map_err(|obstacle| {
            obstacle.of_gate(scratch.file_name().unwrap_or_default().to_owned())
        })
    }
}

/// A summary names paths and words that an agent chose.
fn one_line(summary: &str) -> String {
    let summary = text::visible(summary).split_whitespace().collect::<Vec<_>>().join(" ");
    text::head(&summary, SUMMARY_BYTES_MAX).replace('\n', " ")
}
