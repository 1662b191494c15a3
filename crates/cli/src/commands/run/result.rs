//! What came of a run, for people and for machines.

use api::{DamageView, StageView};
use domain::{
    breaker::{Breaker, BreakerKey},
    id::PipelineId,
    pipeline::{Delivered, PipelineState, PipelineStateTag},
};
use ports::Store;
use serde::Serialize;

use crate::{
    commands::{damage, data},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output, words,
};

/// What came of a pipeline.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunResult {
    /// `succeeded`, `failed`, `cancelled`, `awaiting_human`, `blocked`, `paused`, `running`, `queued`.
    pub(crate) status: PipelineStateTag,
    pub(crate) pipeline: String,
    pub(crate) item: String,
    pub(crate) title: String,
    pub(crate) repo: String,
    pub(crate) branch: String,
    pub(crate) target: String,
    pub(crate) head: Option<String>,
    pub(crate) merged_commit: Option<String>,
    /// One sentence: why it is where it is.
    pub(crate) reason: Option<String>,
    /// The question that waits for an answer.
    pub(crate) decision: Option<String>,
    /// The kind of agent and provider that a person has to see to.
    pub(crate) waits_for: Option<BreakerKey>,
    /// What of it is damaged, so that it is parked: nothing moves it until that is mended.
    pub(crate) damaged: Option<String>,
    /// How often a gate or a person sent the work back.
    pub(crate) sent_back: u32,
    pub(crate) stages: Vec<StageView>,
    pub(crate) tokens: u64,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) duration_ms: u64,
}

impl RunResult {
    /// Says that its agent waits for a person, if it does.
    pub(crate) fn wait_for(&mut self, breaker: Option<Breaker>) {
        let Some(breaker) = breaker else { return };
        if let Some(hold) = breaker.state.hold() {
            self.reason =
                Some(format!("agents of {} wait for a person: {}", breaker.key, hold.message));
        }
        self.waits_for = Some(breaker.key);
    }

    /// Says that it is parked, if a row of it is damaged.
    pub(crate) fn park(&mut self, damaged: &[DamageView]) {
        let row = damaged.iter().find(|row| row.pipeline == self.pipeline);
        self.damaged = row.map(damage::words);
    }

    pub(crate) const fn exit_status(&self) -> ExitStatus {
        match self.status {
            PipelineStateTag::Succeeded => ExitStatus::Success,
            PipelineStateTag::Failed | PipelineStateTag::Cancelled => ExitStatus::Failure,
            PipelineStateTag::AwaitingHuman
            | PipelineStateTag::Blocked
            | PipelineStateTag::Paused
            | PipelineStateTag::Queued
            | PipelineStateTag::Running => ExitStatus::WaitsForPerson,
        }
    }
}

/// Reads what came of a pipeline.
pub(crate) async fn load(store: &dyn Store, id: PipelineId) -> Result<RunResult, CliError> {
    let pipeline = store
        .find_pipeline(id)
        .await?
        .ok_or_else(|| CliError::new(format!("there is no pipeline `{id}`")))?;
    let events = data::all_events(store, id).await?;
    let project = store.find_project(&pipeline.project).await?;
    let merged_commit = match &pipeline.state {
        PipelineState::Succeeded { delivered: Delivered::Merged { commit } } => {
            Some(commit.to_string())
        }
        _ => None,
    };
    let ended_at = events.last().map_or(pipeline.created_at, |event| event.at);
    Ok(RunResult {
        status: (&pipeline.state).into(),
        pipeline: id.to_string(),
        item: pipeline.item.key.to_string(),
        title: pipeline.item.title.clone(),
        repo: project.map(|it| it.repository).unwrap_or_default(),
        branch: pipeline.branch.to_string(),
        target: pipeline.target.to_string(),
        head: pipeline.head.as_ref().map(ToString::to_string),
        merged_commit,
        reason: api::reason(&pipeline, &events),
        waits_for: None,
        damaged: None,
        decision: pipeline.state.decision().map(|id| id.to_string()),
        sent_back: api::sent_back(&events),
        stages: api::timeline(&events),
        tokens: pipeline.usage.tokens(),
        cost_usd: pipeline.usage.cost_usd,
        duration_ms: u64::try_from(ended_at.duration_since(pipeline.created_at).as_millis())
            .unwrap_or(0),
    })
}

/// Tells whoever asked what came of a pipeline. `is_one`: of all that the call is about, so that a program gets one
/// document and not a line for each.
pub(super) fn tell(result: &RunResult, context: &Context, is_one: bool) {
    if !context.global.json {
        print(result);
    } else if is_one {
        output::json(result);
    } else {
        output::json_line(result);
    }
}

/// Tells a person what came of a pipeline, and what they can do now.
pub(crate) fn print(result: &RunResult) {
    let title = words::safe(&result.title);
    output::data(format_args!("{} {}: {}", result.item, title, headline(result)));
    // What keeps it says more than where it stood.
    if let Some(reason) = result.damaged.as_ref().or(result.reason.as_ref()) {
        output::data(format_args!("  {}", words::safe(reason)));
    }
    for line in next_steps(result) {
        output::data(format_args!("  {line}"));
    }
}

fn headline(result: &RunResult) -> String {
    let tokens = if result.tokens > 0 {
        format!(", {} tokens", words::tokens(result.tokens))
    } else {
        String::new()
    };
    let took = words::duration(std::time::Duration::from_millis(result.duration_ms));
    let what = match (result.status, &result.merged_commit) {
        (PipelineStateTag::Succeeded, Some(commit)) => {
            format!("merged into {} as {}", result.target, &commit[..10])
        }
        (PipelineStateTag::Succeeded, None) => format!("done, on branch {}", result.branch),
        _ if result.damaged.is_some() => format!("{}, parked because of damage", result.status),
        (PipelineStateTag::Running, _) if result.waits_for.is_some() => {
            "its agent waits for a person".to_owned()
        }
        (PipelineStateTag::AwaitingHuman, _) => "waits for a person".to_owned(),
        (PipelineStateTag::Blocked, _) => "blocked, waits for a person".to_owned(),
        (status, _) => status.to_string(),
    };
    format!("{what} ({took}{tokens})")
}

fn next_steps(result: &RunResult) -> Vec<String> {
    let gatewright = crate::called::gatewright();
    let RunResult { pipeline, branch, target, .. } = result;
    let go_on = format!("then:    {gatewright} run --resume {pipeline}");
    let look = format!("look:    {gatewright} pipeline show {pipeline}");
    if result.damaged.is_some() {
        return vec![
            format!("save:    {gatewright} export {pipeline}"),
            format!("mend:    {gatewright} doctor"),
        ];
    }
    match result.status {
        PipelineStateTag::Succeeded if result.merged_commit.is_none() => vec![
            format!("look:    git diff {target}...{branch}"),
            format!("merge:   git merge --no-ff {branch}"),
        ],
        PipelineStateTag::AwaitingHuman | PipelineStateTag::Blocked => {
            let id = result.decision.clone().unwrap_or_default();
            vec![look, format!("answer:  {gatewright} decisions show {id}"), go_on]
        }
        PipelineStateTag::Failed => {
            vec![look, format!("again:   {gatewright} pipeline retry {pipeline}"), go_on]
        }
        PipelineStateTag::Running if result.waits_for.is_some() => vec![
            look,
            format!("check:   {gatewright} agents list"),
            "mend:    see to the key, login or account of the agent".to_owned(),
            format!("go on:   {gatewright} run --resume {pipeline}"),
        ],
        PipelineStateTag::Paused | PipelineStateTag::Running | PipelineStateTag::Queued => {
            vec![look, format!("go on:   {gatewright} run --resume {pipeline}")]
        }
        PipelineStateTag::Succeeded | PipelineStateTag::Cancelled => vec![look],
    }
}
