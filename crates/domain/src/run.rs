//! One invocation of an agent: what it said, what it used, how it ended.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    fingerprint::Fingerprint,
    id::{JobId, PipelineId, RunId},
    name::{AgentName, RoleName, StageName},
    revision::CommitSha,
    usage::Usage,
};

/// What agents say while they work, whichever agent it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentEvent {
    /// The agent is up; with `session` it can be continued.
    Started {
        /// The agent's own name for the conversation.
        session: Option<String>,
    },
    /// Something said.
    Text {
        /// The words.
        text: String,
    },
    /// Something thought; the words stay in the log.
    Thinking,
    /// A tool call begins.
    ToolCall {
        /// The tool.
        name: String,
        /// Its arguments, shortened to one line for people.
        input: String,
        /// Of the whole call; `None` where the stream leaves out what calls differ in. Never told: it is made of what
        /// was read.
        #[serde(skip)]
        fingerprint: Option<Fingerprint>,
        /// The tool cannot change anything.
        #[serde(skip)]
        only_reads: bool,
    },
    /// A tool call has ended.
    ToolResult {
        /// Whether the tool says that it worked.
        ok: bool,
        /// Bytes of its output.
        size: u64,
        /// Of the whole output, as far as the stream tells it.
        #[serde(skip)]
        fingerprint: Option<Fingerprint>,
    },
    /// Tokens and money of the run so far: a total, not a difference.
    Usage {
        /// The total.
        total: Usage,
    },
    /// The agent's own client tries again.
    Retrying {
        /// The HTTP status that made it, where there was one.
        status: Option<u16>,
        /// Its wait before the next try.
        after: Option<Duration>,
        /// Counts from 1.
        attempt: u32,
    },
    /// A quota window is spent.
    RateLimited {
        /// When it opens again, where the provider says so.
        until: Option<Timestamp>,
    },
    /// The agent reports an error; it may go on.
    Error {
        /// Its words.
        message: String,
    },
    /// The agent says that it has ended. Not proof of anything.
    Finished,
}

/// How a run ended, by structure: events and exit, never the agent's opinion of its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunOutcome {
    /// It ended by itself, without an error. What it left in git decides the rest.
    Ended {
        /// Its last words, shortened.
        summary: String,
    },
    /// It did not.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// A run as it is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id, which is also the name of its sandbox.
    pub id: RunId,
    /// The job that asked for it.
    pub job: JobId,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The stage.
    pub stage: StageName,
    /// The attempt of that stage, from 1.
    pub attempt: u32,
    /// The role.
    pub role: RoleName,
    /// The agent that plays it.
    pub agent: AgentName,
    /// When its launch was recorded: before the launch itself.
    pub launched_at: Timestamp,
    /// When its end was recorded.
    pub ended_at: Option<Timestamp>,
    /// The agent's own name for the conversation.
    pub session: Option<String>,
    /// What it used.
    pub usage: Usage,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// The last commit that it left, where that keeps to the rules: the job's next run goes on from there.
    pub left: Option<CommitSha>,
    /// Times in a row that keeping what it left, for nobody, was begun and not ended: the process had ended before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub salvages: u32,
    /// What became of it was counted against its job when that was taken back, so that whoever finds it gone afterwards
    /// does not count the same blow again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loss_counted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}
