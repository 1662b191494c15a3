//! Runs of agents.

use domain::{
    failure::FailureClass,
    id::{JobId, PipelineId, RunId},
    name::{AgentName, RoleName, StageName},
    revision::CommitSha,
    run::{Run, RunOutcome},
};
use jiff::Timestamp;
use serde::Serialize;

use crate::{UsageView, millis_between};

/// How a run is, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Its end is not recorded.
    Running,
    /// It ended by itself, without an error.
    Ended,
    /// It did not.
    Failed,
    /// It was left behind: nobody needs its outcome.
    Abandoned,
}

/// One invocation of an agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The job that asked for it.
    pub job: JobId,
    /// The stage.
    pub stage: StageName,
    /// The attempt of that stage, from 1.
    pub attempt: u32,
    /// The role.
    pub role: RoleName,
    /// The agent that plays it.
    pub agent: AgentName,
    /// How it is, or how it ended.
    pub state: RunState,
    /// The agent's last words, or why the run failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What a failure means for its budgets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureClass>,
    /// When it was launched.
    pub launched_at: Timestamp,
    /// When it had ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The agent's own name for the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What it used.
    pub usage: UsageView,
    /// The last commit that it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitSha>,
}

impl From<&Run> for RunView {
    fn from(run: &Run) -> Self {
        let Run {
            id,
            job,
            pipeline,
            stage,
            attempt,
            role,
            agent,
            launched_at,
            ended_at,
            session,
            usage,
            outcome,
            left,
            // Of the recovery alone.
            salvages: _,
            loss_counted: _,
        } = run;
        let (state, summary, failure) = match outcome {
            Some(RunOutcome::Ended { summary }) => (RunState::Ended, Some(summary.clone()), None),
            Some(RunOutcome::Failed { failure }) => {
                (RunState::Failed, Some(failure.message.clone()), Some(failure.class))
            }
            None if ended_at.is_some() => (RunState::Abandoned, None, None),
            None => (RunState::Running, None, None),
        };
        Self {
            id: *id,
            pipeline: *pipeline,
            job: *job,
            stage: stage.clone(),
            attempt: *attempt,
            role: role.clone(),
            agent: agent.clone(),
            state,
            summary,
            failure,
            launched_at: *launched_at,
            ended_at: *ended_at,
            duration_ms: ended_at.map(|ended| millis_between(*launched_at, ended)),
            session: session.clone(),
            usage: UsageView::from(usage),
            head: left.clone(),
        }
    }
}
