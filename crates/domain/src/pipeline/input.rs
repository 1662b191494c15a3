//! Everything that can happen to a pipeline.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Candidate, TimerKey};
use crate::{
    decision::Choice,
    failure::Failure,
    id::{DecisionId, JobId, LetterId, RunId},
    job::Slot,
    name::{DestinationName, StageName},
    outbox::LetterNews,
    revision::CommitSha,
    usage::Usage,
    verdict::{Finding, Verdict},
};

/// Who or what produced an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Actor {
    /// A person, by name.
    Person {
        /// The name.
        name: String,
    },
    /// A worker, for a job.
    Job {
        /// The job.
        job: JobId,
    },
    /// A timer.
    Timer,
    /// The engine itself: start, recovery, `--yes`.
    Engine,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { name } => f.write_str(name),
            Self::Job { job } => write!(f, "{job}"),
            Self::Timer => f.write_str("timer"),
            Self::Engine => f.write_str("engine"),
        }
    }
}

/// Everything that can happen to a pipeline.
#[derive(Clone, Debug, PartialEq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(InputTag),
    derive(strum::Display, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum Input {
    /// Begin.
    Start,
    /// A job has its result.
    JobDone {
        /// Which job.
        slot: Slot,
        /// The result.
        report: Report,
    },
    /// A job failed and will be tried again: nothing moves, but it is told.
    JobRetried {
        /// Which job.
        slot: Slot,
        /// Why.
        failure: Failure,
        /// What the failed try used.
        usage: Usage,
    },
    /// A job failed and its budgets are spent.
    JobFailed {
        /// Which job.
        slot: Slot,
        /// Why.
        failure: Failure,
        /// What the failed try used.
        usage: Usage,
    },
    /// A person answered.
    Resolve {
        /// Which question.
        decision: DecisionId,
        /// What they chose.
        choice: Choice,
        /// In their words.
        comment: String,
    },
    /// A timer is due.
    TimerFired {
        /// Which.
        timer: TimerKey,
    },
    /// Nothing was found that would move the pipeline: a fault of ours, or a damaged store.
    Stranded {
        /// The version that it was found at: it may have moved since.
        version: u64,
    },
    /// Wait.
    Pause,
    /// Go on.
    Resume,
    /// Give up.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Try again what blocked or failed.
    Retry {
        /// Words for the agent; may be empty.
        comment: String,
    },
    /// Leave everything under way behind and begin a stage anew.
    RestartStage {
        /// Which.
        stage: StageName,
    },
    /// Something happened to a letter about it: nothing moves, but it is told.
    Letter {
        /// The letter.
        letter: LetterId,
        /// Where it goes.
        destination: DestinationName,
        /// The number of the event that it tells of.
        about: u64,
        /// What happened.
        news: LetterNews,
    },
}

impl Input {
    /// What a person says with it, where it is a person's.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Resolve { comment, .. } | Self::Retry { comment } => Some(comment),
            Self::Cancel { reason } => Some(reason),
            // Whoever drops a letter has been heard by the letter.
            Self::Letter { .. }
            | Self::Start
            | Self::JobDone { .. }
            | Self::JobRetried { .. }
            | Self::JobFailed { .. }
            | Self::TimerFired { .. }
            | Self::Stranded { .. }
            | Self::Pause
            | Self::Resume
            | Self::RestartStage { .. } => None,
        }
    }
}

/// What a job brings.
#[derive(Clone, Debug, PartialEq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(ReportTag),
    derive(strum::Display, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum Report {
    /// The repository is there.
    Opened {
        /// The target's head.
        base: CommitSha,
    },
    /// The item's words are committed.
    IntakeAccepted {
        /// The commit.
        head: CommitSha,
    },
    /// The item's words do not do.
    IntakeRefused {
        /// Why.
        findings: Vec<Finding>,
    },
    /// An agent has ended.
    Agent {
        /// Its run.
        run: RunId,
        /// What the run used.
        usage: Usage,
        /// What it left.
        report: AgentReport,
    },
    /// The work of a wave is one.
    Joined {
        /// The commit that holds it.
        head: CommitSha,
    },
    /// The work of a wave contradicts itself.
    JoinConflict {
        /// Where.
        findings: Vec<Finding>,
    },
    /// A gate has answered.
    Gate {
        /// What it said.
        verdict: Verdict,
    },
    /// A gate needs a person's answer.
    GateAsks {
        /// The questions, word for word.
        questions: String,
    },
    /// The branch was brought onto its target, or not.
    Merge(MergeReport),
    /// The branch is in the people's repository.
    Published {
        /// Its head.
        head: CommitSha,
    },
    /// The people's repository does not take the branch as it is.
    PublishRefused {
        /// Why, and what a person can do.
        reason: String,
    },
    /// What is no longer needed is gone.
    CleanedUp,
}

/// What an agent left in git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentReport {
    /// Commits that keep to the rules.
    HandedIn {
        /// The last of them.
        head: CommitSha,
        /// How many paths differ.
        changed_paths: u32,
    },
    /// Nothing, and maybe something elsewhere.
    Nothing {
        /// What it did instead.
        findings: Vec<Finding>,
    },
    /// Commits that do not keep to the rules.
    Refused {
        /// Which.
        findings: Vec<Finding>,
    },
}

/// How far a merge got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeReport {
    /// There is something to judge.
    Integrated {
        /// What.
        candidate: Candidate,
    },
    /// The target holds the branch already.
    AlreadyMerged {
        /// Where the target is.
        target: CommitSha,
    },
    /// The target holds merges of this very pipeline that nothing here tells of.
    MergedBefore {
        /// The merge commits, the newest first.
        commits: Vec<CommitSha>,
    },
    /// Branch and target contradict each other.
    Conflict {
        /// The branch with the target merged in, conflict markers and all: where the mending starts.
        head: CommitSha,
        /// Where.
        findings: Vec<Finding>,
    },
    /// The target is at the candidate.
    Landed,
    /// Somebody else moved the target.
    TargetMoved,
    /// The people's repository is in no state for it.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}
