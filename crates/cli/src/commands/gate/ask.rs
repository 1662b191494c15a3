//! `gatewright gate run`

use std::sync::Arc;

use api::VerdictView;
use domain::{
    definition::{Check, Definition, Gate},
    id::JobId,
    revision::{BranchName, CommitSha},
    verdict::VerdictOutcome,
};
use engine::Layout;
use owo_colors::Stream;
use ports::{Entropy as _, GateAnswer, GateQuestion, Gates as _, Git as _};
use serde_json::json;

use super::{Run, definition};
use crate::{
    called::gatewright,
    commands::here::{Ground, Here},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output,
    system::SystemEntropy,
    wiring::{self, Setup},
    words::{self, paint, tone_of_verdict},
};

impl Run {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let here = Here::find(context).await?;
        let definition = definition(&here, self.pipeline.as_ref())?;
        let gate = self.gate(&here.resolve(&definition).map_err(|error| {
            CliError::usage(error.to_string())
                .help(format!("set it in gatewright.toml; `{} init` writes one", gatewright()))
        })?)?;
        let Here { loaded, settings, roles, ground, .. } = here;
        let ground = ground.ok_or_else(|| {
            CliError::usage(format!("{} is not in a git repository", context.cwd))
                .help("run it in the repository to be judged")
        })?;
        let commit = match &self.commit {
            Some(text) => commit(&ground, text).await?,
            None => ground.repository.head.clone(),
        };
        let base = match &self.base {
            Some(text) => self::commit(&ground, text).await?,
            None => commit.clone(),
        };
        if self.commit.is_none() && ground.repository.uncommitted > 0 && !context.global.quiet {
            output::warn(
                "there are uncommitted changes: a gate judges the commit, not the work tree",
            );
        }
        let place = context.data_dir(&loaded).join("evidence").join("here");
        let name = format!("{}-{:032x}.log", gate.name, u128::from_le_bytes(SystemEntropy.bytes()));
        let question = GateQuestion {
            project: ground.project.clone(),
            item: self.item(&ground, &gate)?,
            gate,
            commit,
            base,
            scratch: Layout::new(ground.scratch.clone()).gate(JobId::from_u128(1)),
            evidence: place.join(name),
        };
        let store =
            crate::context::open_for_writing(context, &ground.scratch, HoldingCommand::GateRun)
                .await?;
        let git = Arc::clone(&ground.git);
        let setup = Setup {
            context,
            loaded: &loaded,
            data_dir: &ground.scratch,
            store,
            git,
            project: &settings,
            roles,
            agent: None,
        };
        let bench = wiring::workbench(setup, &[]).await?;
        if let (Some(warning), false) = (&bench.selection.warning, context.global.quiet) {
            output::warn(warning);
        }
        let answer =
            bench.gates.judge(&question).await.map_err(|error| CliError::new(error.to_string()))?;
        Ok(tell(context, &answer))
    }

    fn gate(&self, definition: &Definition) -> Result<Gate, CliError> {
        let stages = definition
            .stages
            .iter()
            .filter(|stage| self.stage.as_ref().is_none_or(|it| *it == stage.name));
        let gates: Vec<&Gate> = stages.flat_map(|stage| &stage.gates).collect();
        let Some(gate) = gates.iter().find(|gate| gate.name == self.name) else {
            let names: Vec<&str> = gates.iter().map(|gate| gate.name.as_str()).collect();
            return Err(CliError::usage(format!(
                "the definition {} has no gate `{}`",
                definition.name, self.name
            ))
            .help(format!("its gates are {}", names.join(", "))));
        };
        if gate.check.asks_a_person() {
            return Err(CliError::usage(format!(
                "gate `{}` asks a person: there is nothing to run",
                gate.name
            )));
        }
        Ok((*gate).clone())
    }

    /// The item's key: as it was given, else as the branches of pipelines carry it.
    fn item(&self, ground: &Ground, gate: &Gate) -> Result<String, CliError> {
        let of_branch = || {
            let slug =
                ground.repository.branch.as_ref()?.as_str().strip_prefix("feature/")?.to_owned();
            let (project, rest) = slug.split_once('-')?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            (!digits.is_empty()).then(|| format!("{project}-{digits}"))
        };
        match self.item.clone().or_else(of_branch) {
            Some(item) if is_key(&item) => Ok(item),
            Some(item) => Err(CliError::usage(format!(
                "`{}` is not an item's key such as ET-001",
                words::one_line(&item)
            ))),
            None if names_item(&gate.check) => {
                Err(CliError::usage(format!("gate `{}` looks at files of an item", gate.name))
                    .help("name the item with --item ET-001"))
            }
            None => Ok("ITEM".to_owned()),
        }
    }
}

/// Whether a text can stand in a path.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn names_item(check: &Check) -> bool {
    let paths: Vec<&String> = match check {
        Check::Absent { path } | Check::Questions { path } => vec![path],
        Check::Command { keep, .. } => keep.iter().collect(),
        other => other.artifacts().collect(),
    };
    paths.iter().any(|path| path.contains("{item}"))
}

/// A commit by its full id, or a branch of the repository.
async fn commit(ground: &Ground, text: &str) -> Result<CommitSha, CliError> {
    if let Ok(commit) = CommitSha::new(text) {
        return Ok(commit);
    }
    let branch = BranchName::new(text).map_err(|error| CliError::usage(error.to_string()))?;
    ground.git.find_target(&ground.project, &branch).await?.ok_or_else(|| {
        CliError::usage(format!(
            "`{text}` is neither a branch of {} nor a full commit id",
            ground.project.repository
        ))
        .help(format!("`git rev-parse {text}` gives the full id"))
    })
}

fn tell(context: &Context, answer: &GateAnswer) -> ExitStatus {
    match answer {
        GateAnswer::Verdict(verdict) => {
            let view = VerdictView::from(verdict);
            if context.global.json {
                output::json(&view);
            } else {
                let outcome =
                    paint(Stream::Stdout, tone_of_verdict(view.outcome), &view.outcome.to_string());
                let summary = words::one_line(&view.summary);
                output::data(format_args!(
                    "{outcome}  {} at {}: {summary}",
                    view.gate,
                    view.commit.short()
                ));
                for line in words::findings_in_full(&view.findings) {
                    output::data(format_args!("  {line}"));
                }
                if let Some(evidence) = &view.evidence {
                    output::say(format_args!("the whole output: {evidence}"));
                }
            }
            match view.outcome {
                VerdictOutcome::Pass | VerdictOutcome::Waived => ExitStatus::Success,
                VerdictOutcome::Fail | VerdictOutcome::Error => ExitStatus::Failure,
            }
        }
        GateAnswer::Ask { questions } => {
            if context.global.json {
                output::json(&json!({ "questions": questions }));
            } else {
                output::data("an agent has questions to a person:");
                output::data(words::safe(questions));
            }
            ExitStatus::WaitsForPerson
        }
    }
}
