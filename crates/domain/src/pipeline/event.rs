//! What happened: the log that people read, that views are made of, and that nothing is ever removed from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Actor, Delivered};
use crate::{
    breaker::{BreakerKey, HoldReason},
    decision::{Choice, DecisionKind},
    failure::Failure,
    id::{DecisionId, LetterId, PipelineId, RunId},
    job::Work,
    name::{DestinationName, GateName, RoleName, StageName},
    revision::CommitSha,
    usage::Usage,
    verdict::{Finding, VerdictOutcome},
};

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counts over all pipelines, in the order of commits.
    pub seq: u64,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// Counts in the pipeline, from 1, without a gap.
    pub number: u64,
    /// The pipeline's version after the step that it belongs to.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Who or what brought it about.
    pub actor: Actor,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[serde(tag = "event", rename_all = "snake_case")]
#[strum_discriminants(
    name(EventKindTag),
    derive(Hash, strum::Display, strum::EnumString, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum EventKind {
    /// The pipeline was started.
    Started,
    /// The repository was found.
    Opened {
        /// The commit that the work starts from.
        base: CommitSha,
    },
    /// An attempt of a stage began.
    StageEntered {
        /// The stage.
        stage: StageName,
        /// Which try.
        attempt: u32,
    },
    /// A wave of agents was asked for.
    AgentsRequested {
        /// The stage.
        stage: StageName,
        /// Which try.
        attempt: u32,
        /// The roles.
        roles: Vec<RoleName>,
    },
    /// An agent has ended and what it left was looked at.
    AgentFinished {
        /// The stage.
        stage: StageName,
        /// The role.
        role: RoleName,
        /// Its run.
        run: RunId,
        /// What it handed in, if anything that keeps to the rules.
        head: Option<CommitSha>,
        /// How many paths differ.
        changed_paths: u32,
        /// What the run used.
        usage: Usage,
    },
    /// Work side by side became one commit.
    Joined {
        /// The stage.
        stage: StageName,
        /// The commit.
        head: CommitSha,
    },
    /// A job failed and is tried again.
    JobRetried {
        /// The stage.
        stage: StageName,
        /// The work.
        work: Work,
        /// Why.
        failure: Failure,
    },
    /// Agents of a kind are not started for a while: this pipeline's run was the one that showed why.
    BreakerOpened {
        /// The kind and its provider.
        breaker: BreakerKey,
        /// Why.
        reason: HoldReason,
        /// Until when; `None` waits for a person.
        until: Option<Timestamp>,
        /// What the run said.
        message: String,
    },
    /// A job failed for good.
    JobFailed {
        /// The stage.
        stage: StageName,
        /// The work.
        work: Work,
        /// Why.
        failure: Failure,
    },
    /// A gate answered.
    GateJudged {
        /// The stage.
        stage: StageName,
        /// The gate.
        gate: GateName,
        /// The commit.
        commit: CommitSha,
        /// The answer.
        outcome: VerdictOutcome,
        /// One sentence.
        summary: String,
    },
    /// The work goes elsewhere to be mended.
    SentBack {
        /// The stage that it left.
        from: StageName,
        /// The stage that mends it.
        to: StageName,
        /// The gate or check that sent it.
        by: String,
        /// How often this route was taken, this time included.
        count: u32,
        /// How often it may be; `None` where people send back.
        max: Option<u32>,
        /// What to mend.
        findings: Vec<Finding>,
    },
    /// A stage was left through all of its gates.
    StagePassed {
        /// The stage.
        stage: StageName,
        /// Which try.
        attempt: u32,
        /// The commit that it was left with.
        commit: CommitSha,
    },
    /// A person is asked.
    DecisionOpened {
        /// The question's id.
        decision: DecisionId,
        /// What it is about.
        kind: DecisionKind,
        /// The question.
        question: String,
    },
    /// A person answered.
    DecisionResolved {
        /// The question's id.
        decision: DecisionId,
        /// What was chosen.
        choice: Choice,
        /// In their words.
        comment: String,
    },
    /// Nobody needs the answer any more.
    DecisionWithdrawn {
        /// The question's id.
        decision: DecisionId,
    },
    /// The branch was brought onto the target, for judging.
    Integrated {
        /// The merge commit.
        candidate: CommitSha,
        /// Where the target was.
        target: CommitSha,
    },
    /// Somebody else moved the target; the merge starts again.
    TargetMoved {
        /// Which try this was, from 1.
        round: u32,
    },
    /// The target holds merges of this very pipeline that nothing here tells of: they were made before a backup was brought
    /// back. Whoever is asked knows of them from now on.
    MergedBefore {
        /// The merge commits, the newest first.
        commits: Vec<CommitSha>,
    },
    /// Only a person can settle it.
    Blocked {
        /// The stage.
        stage: StageName,
        /// Why, one sentence.
        reason: String,
    },
    /// Nothing was left that would have moved it; a person is asked.
    Stranded {
        /// The stage.
        stage: StageName,
    },
    /// A person had it wait.
    Paused,
    /// A person had it go on.
    Resumed,
    /// A stage was begun anew by a person.
    Restarted {
        /// The stage.
        stage: StageName,
    },
    /// The work is where it was to go.
    Succeeded {
        /// Where.
        delivered: Delivered,
    },
    /// The definition gave up.
    Failed {
        /// The stage.
        stage: StageName,
        /// Why, one sentence.
        reason: String,
    },
    /// A person gave up.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// What it used on disk is gone.
    CleanedUp,
    /// A letter could not be delivered, and is not tried any more.
    LetterDied {
        /// The letter.
        letter: LetterId,
        /// Where it was to go.
        destination: DestinationName,
        /// The number of the event that it tells of.
        about: u64,
        /// Why.
        why: String,
    },
    /// A person has a letter tried again.
    LetterRetried {
        /// The letter.
        letter: LetterId,
        /// Where it goes.
        destination: DestinationName,
        /// The number of the event that it tells of.
        about: u64,
    },
    /// A person decided that a letter is not to be delivered.
    LetterDropped {
        /// The letter.
        letter: LetterId,
        /// Where it was to go.
        destination: DestinationName,
        /// The number of the event that it tells of.
        about: u64,
        /// Why.
        reason: String,
    },
}
