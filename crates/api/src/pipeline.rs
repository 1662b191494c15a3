//! Pipelines.

use domain::{
    breaker::BreakerKey,
    definition::DefinitionHash,
    id::{DecisionId, PipelineId},
    item::Item,
    name::{DefinitionName, ProjectKey, StageName},
    pipeline::{
        Actor, Delivered, Event, EventKind, Pipeline, PipelineState, PipelineStateTag, Step,
    },
    revision::{BranchName, CommitSha},
};
use jiff::Timestamp;
use serde::Serialize;

use crate::{DamageView, DecisionView, RunView, StageView, UsageView, VerdictView, reason};

/// One item's way through a definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PipelineView {
    /// Its id.
    pub id: PipelineId,
    /// The project.
    pub project: ProjectKey,
    /// The item's key: `ET-001`.
    pub item: String,
    /// The item's title.
    pub title: String,
    /// Where it is.
    pub status: PipelineStateTag,
    /// Whether a process works on it. Only where it is running and somebody has looked: one that nobody works on goes
    /// on with `run --resume`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_work: Option<bool>,
    /// Whether an agent that was launched for it lives, where somebody has looked: it outlives its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_lives: Option<bool>,
    /// The breaker that all of its jobs wait behind, where somebody has looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<BreakerKey>,
    /// When that lets one of them go on; absent where a person has to come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_on_at: Option<Timestamp>,
    /// Who paused it, where it is paused and its log was at hand: `engine`, where its process was interrupted, or a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// Why it is there, one sentence, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The stage under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
    /// Which try of it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// How far that is: `working`, `gating`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<&'static str>,
    /// The question that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionId>,
    /// The definition's name.
    pub definition: DefinitionName,
    /// The definition's hash, which is pinned.
    pub definition_hash: DefinitionHash,
    /// The branch that its agents work on.
    pub branch: BranchName,
    /// The branch that the work is for.
    pub target: BranchName,
    /// The commit that it started from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitSha>,
    /// The last commit that was handed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitSha>,
    /// The merge commit, once the target holds the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_commit: Option<CommitSha>,
    /// The branch that may hold a merge of it all the same, where it was just cancelled and nobody knows what became of
    /// its landing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_be_merged_into: Option<BranchName>,
    /// Rises by one with every step.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// What its runs used.
    pub usage: UsageView,
}

impl PipelineView {
    /// The view of a pipeline whose log is at hand: its reason says more.
    #[must_use]
    pub fn with_events(pipeline: &Pipeline, events: &[Event]) -> Self {
        let attempt = pipeline.state.attempt();
        let merged_commit = match &pipeline.state {
            PipelineState::Succeeded { delivered: Delivered::Merged { commit } } => {
                Some(commit.clone())
            }
            _ => None,
        };
        let Item { key, title, description: _ } = &pipeline.item;
        Self {
            id: pipeline.id,
            project: pipeline.project.clone(),
            item: key.to_string(),
            title: title.clone(),
            status: PipelineStateTag::from(&pipeline.state),
            at_work: None,
            agent_lives: None,
            waits_for: None,
            goes_on_at: None,
            paused_by: paused_by(pipeline, events).map(ToString::to_string),
            reason: reason(pipeline, events),
            stage: pipeline.stage().cloned(),
            attempt: attempt.map(|attempt| attempt.number).filter(|&number| number > 0),
            step: attempt.map(|attempt| step(&attempt.step)),
            decision: pipeline.state.decision(),
            definition: pipeline.definition_name.clone(),
            definition_hash: pipeline.definition.clone(),
            branch: pipeline.branch.clone(),
            target: pipeline.target.clone(),
            base: pipeline.base.clone(),
            head: pipeline.head.clone(),
            merged_commit,
            may_be_merged_into: None,
            version: pipeline.version,
            created_at: pipeline.created_at,
            usage: UsageView::from(&pipeline.usage),
        }
    }
}

impl PipelineView {
    /// The same, with what was seen of the process that works on it.
    #[must_use]
    pub fn attended(self, at_work: Option<bool>) -> Self {
        Self { at_work, ..self }
    }

    /// The same of one whose landing was given up: its target may hold it, whatever its state says.
    #[must_use]
    pub fn in_doubt(self) -> Self {
        Self { may_be_merged_into: Some(self.target.clone()), ..self }
    }
}

impl From<&Pipeline> for PipelineView {
    fn from(pipeline: &Pipeline) -> Self {
        Self::with_events(pipeline, &[])
    }
}

/// Who paused a pipeline that is paused.
fn paused_by<'a>(pipeline: &Pipeline, events: &'a [Event]) -> Option<&'a Actor> {
    let PipelineState::Paused { .. } = pipeline.state else { return None };
    let is_turn = |event: &&Event| matches!(event.kind, EventKind::Paused | EventKind::Resumed);
    let paused = events.iter().rfind(is_turn).filter(|event| event.kind == EventKind::Paused);
    paused.map(|event| &event.actor)
}

const fn step(step: &Step) -> &'static str {
    match step {
        Step::Opening => "opening",
        Step::Working { .. } => "working",
        Step::Joining { .. } => "joining",
        Step::Acting => "acting",
        Step::Integrating { .. } => "integrating",
        Step::Gating { .. } => "gating",
        Step::Landing { .. } => "landing",
    }
}

/// A pipeline with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PipelineDetailView {
    /// The pipeline.
    pub pipeline: PipelineView,
    /// The item's text.
    pub description: String,
    /// The attempts of its stages, in order.
    pub timeline: Vec<StageView>,
    /// The runs of agents, oldest first.
    pub runs: Vec<RunView>,
    /// The verdicts, oldest first.
    pub verdicts: Vec<VerdictView>,
    /// The questions to people, oldest first.
    pub decisions: Vec<DecisionView>,
    /// What of it cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<DamageView>,
}
