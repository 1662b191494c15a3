//! What is written down of a history: its calls, what it reached, and the first thing that must not be.

use std::{
    collections::{BTreeSet, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, MutexGuard},
};

use jiff::Timestamp;

use super::coverage::Coverage;
use crate::world::Side;

/// Lines of a trace that are kept for whoever looks for the reason of a violation.
const LINES_KEPT: usize = 400;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What was broken.
    pub invariant: &'static str,
    /// How.
    pub what: String,
}

/// What happened, in order: a running hash of all of it, and its last lines.
#[derive(Debug, Default)]
struct Trace {
    hasher: DefaultHasher,
    lines: VecDeque<Line>,
}

#[derive(Debug)]
enum Line {
    Call { at: Timestamp, who: String, call: &'static str, side: Side },
    Word { at: Timestamp, who: String, word: String },
}

#[derive(Debug, Default)]
struct State {
    trace: Trace,
    coverage: Coverage,
    violation: Option<Violation>,
    alive: BTreeSet<String>,
}

/// The record of a history, shared by everything in it.
#[derive(Debug, Default)]
pub(super) struct Record {
    state: Mutex<State>,
}

/// What is left of a record.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) violation: Option<Violation>,
    pub(super) trace: Vec<String>,
    pub(super) trace_hash: u64,
    pub(super) coverage: Coverage,
}

impl Record {
    /// A call passes.
    pub(super) fn passed(&self, at: Timestamp, who: &str, call: &'static str, side: Side) {
        let mut state = self.state();
        state.coverage.calls.insert(call);
        state.trace.add(Line::Call { at, who: who.to_owned(), call, side });
    }

    /// A process died at this call.
    pub(super) fn crashed(&self, at: Timestamp, who: &str, call: &'static str, side: Side) {
        let mut state = self.state();
        *state.coverage.crashes.entry((call, side)).or_default() += 1;
        state.alive.remove(who);
        state.trace.add(Line::Word {
            at,
            who: who.to_owned(),
            word: format!("dies {} {call}", in_words(side)),
        });
    }

    /// Something happens that is no call.
    pub(super) fn say(&self, at: Timestamp, who: &str, word: impl Into<String>) {
        self.state().trace.add(Line::Word { at, who: who.to_owned(), word: word.into() });
    }

    /// A pipeline moved.
    pub(super) fn moved(&self, from: &'static str, input: &'static str) {
        *self.state().coverage.moves.entry((from, input)).or_default() += 1;
    }

    /// A process is there from now on, or not any more.
    pub(super) fn set_alive(&self, who: &str, alive: bool) {
        let mut state = self.state();
        if alive {
            state.alive.insert(who.to_owned());
        } else {
            state.alive.remove(who);
        }
    }

    pub(super) fn is_alive(&self, who: &str) -> bool {
        self.state().alive.contains(who)
    }

    /// Something is that must not be. Only the first counts: the others may follow from it.
    pub(super) fn violate(&self, invariant: &'static str, what: impl Into<String>) {
        let what = what.into();
        self.state().violation.get_or_insert(Violation { invariant, what });
    }

    pub(super) fn is_violated(&self) -> bool {
        self.state().violation.is_some()
    }

    /// Takes everything out.
    pub(super) fn take(&self) -> Written {
        let State { trace, coverage, violation, .. } = std::mem::take(&mut *self.state());
        Written {
            violation,
            trace: trace.lines.iter().map(Line::text).collect(),
            trace_hash: trace.hasher.finish(),
            coverage,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

impl Trace {
    fn add(&mut self, line: Line) {
        match &line {
            Line::Call { at, who, call, side } => {
                (at.as_microsecond(), who, call, side).hash(&mut self.hasher);
            }
            Line::Word { at, who, word } => (at.as_microsecond(), who, word).hash(&mut self.hasher),
        }
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

impl Line {
    fn text(&self) -> String {
        match self {
            Self::Call { at, who, call, side: Side::Before } => format!("{at} {who}: {call}"),
            Self::Call { at, who, call, side: Side::After } => format!("{at} {who}: {call} done"),
            Self::Word { at, who, word } => format!("{at} {who}: {word}"),
        }
    }
}

pub(super) const fn in_words(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
    }
}
