//! `gatewright pipeline show`

use std::time::Duration;

use api::{DecisionView, PipelineDetailView, PipelineView, RunView, VerdictView};
use clap::Args;
use comfy_table::Cell;
use domain::decision::{Decision, DecisionState};
use jiff::Timestamp;
use owo_colors::Stream;
use ports::Store as _;

use super::{resolve, seen::Seen, why};
use crate::{
    called::gatewright,
    commands::{
        damage,
        data::{Opened, all_events},
        decisions,
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output, wiring,
    words::{self, Tone, one_line, paint, safe, tone_of_status, tone_of_verdict},
};

/// Findings of one verdict that are shown.
const FINDINGS_MAX: usize = 10;

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The pipeline
    id: String,
    /// Only why it is where it is, and what will move it; with -v all the way back to its beginning
    #[arg(long)]
    why: bool,
}

impl Show {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        if self.why {
            return why::explain(context, &self.id).await;
        }
        let data = Opened::read(context)?;
        let store = &*data.store;
        let pipeline = resolve(store, &self.id).await?;
        let events = all_events(store, pipeline.id).await?;
        let view = PipelineView::with_events(&pipeline, &events);
        let seen = Seen::look(&data, Some(pipeline.id)).await?;
        let view = seen.add_to(view, &pipeline).await?;
        let decisions = store.list_decisions(Some(pipeline.id), false).await?;
        let damaged = store.find_damage(Some(pipeline.id), Timestamp::now()).await?;
        let detail = PipelineDetailView {
            pipeline: view,
            description: pipeline.item.description.clone(),
            timeline: api::timeline(&events),
            runs: store.list_runs(pipeline.id).await?.iter().map(RunView::from).collect(),
            verdicts: store
                .list_verdicts(pipeline.id)
                .await?
                .iter()
                .map(VerdictView::from)
                .collect(),
            decisions: decisions
                .iter()
                .map(|it| DecisionView::new(it, Some(&pipeline.item.key)))
                .collect(),
            damaged: damaged.into_iter().map(damage::view).collect(),
        };
        damage::warn(&detail.damaged);
        if context.global.json {
            output::json(&detail);
            return Ok(ExitStatus::Success);
        }
        head(&detail);
        course(&detail);
        let open = decisions.iter().filter(|it| it.state == DecisionState::Open);
        open.for_each(question);
        if let Some(commit) = &detail.pipeline.head {
            let mirror = wiring::mirror(&data.data_dir, &pipeline.project);
            output::data("");
            output::data("get the work");
            output::data(format_args!("  git fetch {mirror} {commit}"));
        }
        if !pipeline.state.is_terminal() {
            output::data("");
            output::data(format_args!("go on: {} run --resume {}", gatewright(), pipeline.id));
        }
        Ok(ExitStatus::Success)
    }
}

fn head(detail: &PipelineDetailView) {
    let view = &detail.pipeline;
    output::data(format_args!("{}  {}", view.item, one_line(&view.title)));
    for line in safe(detail.description.trim()).lines() {
        output::data(format!("  {line}").trim_end());
    }
    let status = paint(Stream::Stdout, tone_of_status(view.status), &words::status(view));
    field("status", &status);
    if let Some(reason) = &view.reason {
        field("why", &one_line(reason));
    }
    if let Some(stage) = &view.stage {
        let step = view.step.map(|step| format!(", {step}")).unwrap_or_default();
        field("stage", &format!("{stage}, attempt {}{step}", view.attempt.unwrap_or(0)));
    }
    field("pipeline", &view.id.to_string());
    let hash: String = view.definition_hash.0.chars().take(12).collect();
    field("definition", &format!("{} ({hash})", view.definition));
    field("branch", &format!("{} for {}", view.branch, view.target));
    if let Some(base) = &view.base {
        field("from", base.as_str());
    }
    if let Some(head) = &view.head {
        field("head", head.as_str());
    }
    if let Some(merged) = &view.merged_commit {
        field("merged as", merged.as_str());
    }
    field("made", &words::ago(view.created_at, Timestamp::now()));
    let cost = view.usage.cost_usd.map(|usd| format!(", {}", words::money(usd)));
    field(
        "used",
        &format!("{} tokens{}", words::tokens(view.usage.tokens), cost.unwrap_or_default()),
    );
}

fn field(name: &str, value: &str) {
    output::data(format_args!(
        "  {} {value}",
        paint(Stream::Stdout, Tone::Quiet, &format!("{name:<10}"))
    ));
}

/// What happened on the way: attempts, runs, verdicts.
fn course(detail: &PipelineDetailView) {
    if !detail.timeline.is_empty() {
        output::data("");
        output::data("stages");
        output::data(words::timeline(&detail.timeline));
    }
    if !detail.runs.is_empty() {
        output::data("");
        output::data("runs");
        output::data(runs(&detail.runs));
    }
    if !detail.verdicts.is_empty() {
        output::data("");
        output::data("verdicts");
        detail.verdicts.iter().for_each(verdict);
    }
}

fn runs(runs: &[RunView]) -> String {
    let mut table =
        words::table(&["stage", "role", "agent", "state", "took", "tokens", "summary", "run"]);
    for run in runs {
        let (state, tone) = match run.state {
            api::RunState::Running => ("running", Tone::Plain),
            api::RunState::Ended => ("ended", Tone::Good),
            api::RunState::Failed => ("failed", Tone::Bad),
            api::RunState::Abandoned => ("abandoned", Tone::Quiet),
        };
        let took = run.duration_ms.map(|it| words::duration(Duration::from_millis(it)));
        let summary: String =
            one_line(run.summary.as_deref().unwrap_or("")).chars().take(60).collect();
        table.add_row(vec![
            Cell::new(format!("{} #{}", run.stage, run.attempt)),
            Cell::new(&run.role),
            Cell::new(&run.agent),
            tone.cell(state),
            Cell::new(took.unwrap_or_default()),
            Cell::new(words::tokens(run.usage.tokens)),
            Cell::new(summary),
            Cell::new(run.id),
        ]);
    }
    table.trim_fmt()
}

fn verdict(verdict: &VerdictView) {
    let outcome = paint(
        Stream::Stdout,
        tone_of_verdict(verdict.outcome),
        &format!("{:<6}", verdict.outcome.to_string()),
    );
    let summary = one_line(&verdict.summary);
    output::data(format_args!(
        "  {outcome} {} at {}: {summary}",
        verdict.gate,
        verdict.commit.short()
    ));
    for line in words::findings_in_short(&verdict.findings, FINDINGS_MAX) {
        output::data(format_args!("         {line}"));
    }
}

fn question(decision: &Decision) {
    output::data("");
    output::data(paint(Stream::Stdout, Tone::Attention, "a person is asked"));
    for line in
        decisions::question_lines(decision).into_iter().chain(decisions::answer_lines(decision))
    {
        output::data(format_args!("  {line}"));
    }
}
