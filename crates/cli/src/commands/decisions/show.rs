//! `gatewright decisions show`

use api::{DecisionView, FindingView};
use camino::Utf8Path;
use clap::Args;
use domain::{
    decision::{Choice, Decision, DecisionState},
    pipeline::Pipeline,
};
use ports::{Git as _, ProjectRef, Store as _};

use crate::{
    called::gatewright,
    commands::{data::Opened, pipeline::resolve_decision},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output, wiring, words,
};

/// Bytes of a file that are shown; the rest is in the repository.
const FILE_BYTES_MAX: usize = 64 * 1024;

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The question
    id: String,
}

impl Show {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let data = Opened::read(context)?;
        let decision = resolve_decision(&*data.store, &self.id).await?;
        let pipeline = data.store.find_pipeline(decision.pipeline).await?;
        if context.global.json {
            let item = pipeline.as_ref().map(|it| &it.item.key);
            output::json(&DecisionView::new(&decision, item));
            return Ok(ExitStatus::Success);
        }
        if let Some(pipeline) = pipeline {
            let (key, title) = (&pipeline.item.key, words::one_line(&pipeline.item.title));
            output::data(format_args!("{key}  {title}"));
            question_lines(&decision).iter().for_each(output::data);
            let record = data.store.find_project(&pipeline.project).await?;
            let repository = record.map(|it| it.repository).unwrap_or_default();
            show_files(context, &data.data_dir, &pipeline, &repository, &decision).await?;
        } else {
            question_lines(&decision).iter().for_each(output::data);
        }
        answer_lines(&decision).iter().for_each(output::data);
        Ok(ExitStatus::Success)
    }
}

/// The files that help to decide, as they are in the commit that the question is about.
async fn show_files(
    context: &Context,
    data_dir: &Utf8Path,
    pipeline: &Pipeline,
    repository: &str,
    decision: &Decision,
) -> Result<(), CliError> {
    let Some(commit) = decision.commit.as_ref().filter(|_| !decision.show.is_empty()) else {
        return Ok(());
    };
    let project = ProjectRef { key: pipeline.project.clone(), repository: repository.to_owned() };
    let git = wiring::git(context, data_dir).await?;
    for pattern in &decision.show {
        output::data(format_args!("--- {} at {}", words::one_line(pattern), commit.short()));
        match git.read_file(&project, commit, pattern, FILE_BYTES_MAX).await? {
            Some(bytes) => {
                output::data(words::safe(String::from_utf8_lossy(&bytes).trim_end()));
                if bytes.len() >= FILE_BYTES_MAX {
                    output::data("(cut: the whole file is in the commit)");
                }
            }
            None => output::data("(there is no such file)"),
        }
        output::data("---");
    }
    Ok(())
}

/// The question and what led to it.
pub(crate) fn question_lines(decision: &Decision) -> Vec<String> {
    let mut lines: Vec<String> =
        words::safe(&decision.question).lines().map(str::to_owned).collect();
    let findings: Vec<FindingView> = decision.findings.iter().map(FindingView::from).collect();
    lines.extend(words::findings_in_full(&findings).iter().map(|it| format!("  {it}")));
    if let Some(commit) = &decision.commit {
        lines.push(format!("about commit {commit}"));
    }
    lines
}

/// The commands that answer it, or the answer that it has.
pub(crate) fn answer_lines(decision: &Decision) -> Vec<String> {
    match &decision.state {
        DecisionState::Open => {
            let gatewright = gatewright();
            decision.options.iter().map(|choice| answer(&gatewright, decision, *choice)).collect()
        }
        DecisionState::Resolved { choice, comment, by, at: _ } if comment.trim().is_empty() => {
            vec![format!("{} answered: {choice}", words::one_line(by))]
        }
        DecisionState::Resolved { choice, comment, by, at: _ } => {
            let (by, comment) = (words::one_line(by), words::safe(comment));
            vec![format!("{by} answered: {choice}: {comment}")]
        }
        DecisionState::Withdrawn { .. } => vec!["nobody needs the answer any more".to_owned()],
    }
}

fn answer(gatewright: &str, decision: &Decision, choice: Choice) -> String {
    let id = decision.id;
    let command = match choice {
        Choice::Approve => format!("{gatewright} approve {id}"),
        Choice::Reject => format!("{gatewright} reject {id} --reason \"…\""),
        other => {
            let comment = if other.needs_comment() { " --comment \"…\"" } else { "" };
            format!("{gatewright} decisions resolve {id} --choice {other}{comment}")
        }
    };
    format!("{:<9} {command}", format!("{choice}:"))
}
