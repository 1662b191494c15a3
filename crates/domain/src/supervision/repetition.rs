//! Finds an agent that goes round in circles: the same few calls with the same answers.
//!
//! Measured by novelty, not by counting equal calls: whoever polls gets a new answer now and then, whoever mends and
//! tests writes something new in between, whoever reads a repository asks for another file each time.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;

use super::{Alarm, novelty::Novelty};
use crate::run::AgentEvent;

/// Of so many calls one may be new and it is still a loop.
const CALLS_FOR_ONE_NEW: usize = 20;

/// The last tool calls.
#[derive(Clone, Debug)]
pub(super) struct Repetition {
    /// How many are looked at; 0 looks at none.
    limit: usize,
    window: VecDeque<Call>,
}

#[derive(Clone, Debug)]
struct Call {
    at: Timestamp,
    words: String,
    novelty: Novelty,
}

impl Repetition {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), window: VecDeque::new() }
    }

    pub(super) fn heard(
        &mut self,
        now: Timestamp,
        event: &AgentEvent,
        novelty: Option<Novelty>,
    ) -> Option<Alarm> {
        if self.limit == 0 {
            return None;
        }
        match (event, novelty) {
            (AgentEvent::ToolCall { name, input, .. }, Some(novelty)) => {
                // Only now is it known what the call before has brought.
                let alarm = self.alarm();
                self.window.push_back(Call { at: now, words: format!("{name} {input}"), novelty });
                if self.window.len() > self.limit {
                    self.window.pop_front();
                }
                return alarm;
            }
            // Answers of calls side by side come in any order: one of the calls has brought something new.
            (AgentEvent::ToolResult { .. }, Some(Novelty::New)) => {
                let seen = |call: &&mut Call| call.novelty == Novelty::Seen;
                if let Some(call) = self.window.iter_mut().rev().find(seen) {
                    call.novelty = Novelty::New;
                }
            }
            _ => {}
        }
        None
    }

    fn alarm(&self) -> Option<Alarm> {
        let new = self.window.iter().filter(|call| call.novelty == Novelty::New).count();
        if self.window.len() < self.limit || new > self.limit / CALLS_FOR_ONE_NEW {
            return None;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for call in &self.window {
            *counts.entry(&call.words).or_default() += 1;
        }
        let (most, times) = counts.into_iter().max_by_key(|(_, times)| *times)?;
        let within = self.window.back()?.at.duration_since(self.window.front()?.at);
        Some(Alarm::Repetition {
            calls: self.window.len(),
            new,
            most: most.trim_end().to_owned(),
            times,
            within: Duration::try_from(within).unwrap_or_default(),
        })
    }
}
