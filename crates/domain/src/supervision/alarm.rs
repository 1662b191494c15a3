//! What was seen, in words that name it and what to change.

use std::time::Duration;

use crate::{
    failure::{Failure, FailureClass},
    name::AgentName,
};

/// Why an agent is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It said nothing, no tool call being under way.
    Silence {
        /// For how long.
        limit: Duration,
    },
    /// A tool call does not end.
    LongCall {
        /// After how long.
        limit: Duration,
        /// The call, as people see it.
        call: String,
    },
    /// It makes the same calls and gets the same answers.
    Repetition {
        /// Its last calls.
        calls: usize,
        /// How many of them asked or brought something new.
        new: usize,
        /// The call that it made most often, as people see it.
        most: String,
        /// How often that was.
        times: usize,
        /// From the first of them to the last.
        within: Duration,
    },
    /// It is busy, and has done nothing new for long.
    NoProgress {
        /// For how long.
        since: Duration,
        /// What it said and called meanwhile.
        turns: u32,
    },
    /// The same thing fails again and again.
    Errors {
        /// How often in a row.
        times: u32,
        /// What, as people see it.
        what: String,
    },
}

impl Alarm {
    /// The failure of the run, with the setting that would let it go on.
    #[must_use]
    pub fn failure(&self, agent: &AgentName) -> Failure {
        let message = match self {
            Self::Silence { limit } => format!(
                "agent `{agent}` said nothing for {} and was stopped; raise stall_limit if it needs longer",
                in_words(*limit)
            ),
            Self::LongCall { limit, call } => format!(
                "a tool call of agent `{agent}` did not end within {} and it was stopped: {call}",
                in_words(*limit)
            ),
            Self::Repetition { calls, new, most, times, within } => format!(
                "agent `{agent}` went round in circles and was stopped: {}it made {calls} tool calls, {new} of which asked or brought anything new, and {times} of which were `{most}`; repeat_limit in [agents.{agent}] sets how many, 0 switches it off",
                // After a restart of ours everything is heard at once.
                if within.as_secs() == 0 {
                    String::new()
                } else {
                    format!("within {} ", in_words(*within))
                }
            ),
            Self::NoProgress { since, turns } => format!(
                "agent `{agent}` got nowhere and was stopped: {turns} turns in {} without a tool call that did anything new; progress_limit in [agents.{agent}] sets how long that may be",
                in_words(*since)
            ),
            Self::Errors { times, what } => format!(
                "agent `{agent}` met the same error {times} times in a row and was stopped: {what}; error_limit in [agents.{agent}] sets how often, 0 switches it off"
            ),
        };
        Failure::new(FailureClass::Resource, message)
    }
}

/// `90 s`, `30 min`.
fn in_words(limit: Duration) -> String {
    let seconds = limit.as_secs();
    if seconds >= 600 || (seconds >= 120 && seconds.is_multiple_of(60)) {
        format!("{} min", seconds / 60)
    } else if seconds >= 10 {
        format!("{seconds} s")
    } else {
        format!("{} s", limit.as_secs_f64())
    }
}
