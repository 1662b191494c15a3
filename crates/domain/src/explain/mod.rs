//! Why a pipeline is where it is, and what will move it.
//!
//! Pure: what is remembered and who is at work goes in, an [`Explanation`] comes out. It decides nothing and trusts
//! nothing: where nothing would move a pipeline, it says so.

mod because;
mod mover;
mod overdue;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
pub use mover::{Cap, Mover};
pub use overdue::{find_overdue, is_overdue};

use crate::{
    breaker::Breaker,
    decision::Decision,
    id::{PipelineId, RunId},
    job::{Job, Lease},
    name::AgentName,
    pipeline::{Event, Pipeline, PipelineState},
    run::Run,
};

/// How many agents and gates may run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// In all.
    pub total: u32,
    /// In one project.
    pub per_project: Option<u32>,
    /// Of one agent.
    pub per_agent: Option<u32>,
}

/// Everything that is known when the question is asked.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The pipeline in question.
    pub pipeline: &'a Pipeline,
    /// Its log, oldest first.
    pub events: &'a [Event],
    /// The question that it waits for, as it is remembered.
    pub decision: Option<&'a Decision>,
    /// Its runs, oldest first.
    pub runs: &'a [Run],
    /// The queued and running jobs of all pipelines: slots are shared.
    pub jobs: &'a [Job],
    /// The pipeline that holds the merge lease of the project: merges wait for each other.
    pub merging: Option<PipelineId>,
    /// Who holds the data directory, in its own words; `None` where no process is alive that could do anything.
    pub holder: Option<&'a str>,
    /// Workers that are gone although their leases have not run out: they do not hold the data directory.
    pub gone: &'a BTreeSet<String>,
    /// Runs whose agent was looked for: whether it lives.
    pub agents: &'a BTreeMap<RunId, bool>,
    /// How much may run at once.
    pub slots: Slots,
    /// The breakers that keep agents from being started, by agent.
    pub held: &'a BTreeMap<AgentName, Breaker>,
    /// When the agent at work last said anything, as far as anybody knows.
    pub last_heard: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}

/// Why a pipeline is where it is, and what will move it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Whether a process works on it. `None` where no process needs to: a person has to act, or nobody.
    pub at_work: Option<bool>,
    /// What moves it next, the first of them first. Empty is a fault of ours, and a watchdog opens a decision.
    pub movers: Vec<Mover>,
    /// Runs whose agents live although no worker is at them: whoever takes the job up finds them.
    pub left: Vec<RunId>,
    /// What led to it, newest first: each line follows from the one below it.
    pub because: Vec<Event>,
}

/// How much of the chain is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Back to where things last went as they should.
    Recent,
    /// Back to the beginning.
    Whole,
}

/// Explains.
#[must_use]
pub fn explain(situation: &Situation<'_>, depth: Depth) -> Explanation {
    let movers = mover::movers(situation);
    Explanation {
        at_work: at_work(situation),
        left: left(situation, &movers),
        because: because::chain(situation.events, depth),
        movers,
    }
}

fn at_work(situation: &Situation<'_>) -> Option<bool> {
    let Situation { pipeline, jobs, holder, gone, now, .. } = situation;
    is_at_work(pipeline, jobs, *holder, gone, *now)
}

/// The agents that live, but for those of whom a mover tells.
fn left(situation: &Situation<'_>, movers: &[Mover]) -> Vec<RunId> {
    let is_told = |id: &RunId| {
        movers.iter().any(|it| matches!(it, Mover::Worker { run, .. } if *run == Some(*id)))
    };
    let alive = situation
        .runs
        .iter()
        .map(|run| run.id)
        .filter(|id| situation.agents.get(id) == Some(&true));
    alive.filter(|id| !is_told(id)).collect()
}

/// Whether a process works on a pipeline: one is alive, and no lease on its jobs has run out, as it does when that
/// process stands still, or is that of a worker that is gone. `None` for pipelines that no process needs to work on.
#[must_use]
pub fn is_at_work(
    pipeline: &Pipeline,
    jobs: &[Job],
    holder: Option<&str>,
    gone: &BTreeSet<String>,
    now: Timestamp,
) -> Option<bool> {
    let PipelineState::Running { .. } = pipeline.state else { return None };
    let mut leases = jobs.iter().filter(|job| job.pipeline == pipeline.id).filter_map(Job::lease);
    let holds = |lease: &Lease| lease.expires_at > now && !gone.contains(&lease.owner);
    Some(holder.is_some() && leases.all(holds))
}

/// What a worker of another pipeline has: for whoever waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The agent, where it is one that is at work.
    pub agent: Option<AgentName>,
}
