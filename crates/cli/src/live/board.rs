//! One line a pipeline: stage, time, what its agent does, tokens. Events scroll by above.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::{
    breaker::{BreakerKey, Hold},
    decision::DecisionKind,
    id::PipelineId,
    job::Work,
    pipeline::EventKind,
    run::AgentEvent,
};
use engine::{Parked, Progress, RunFound};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::pipeline_of;
use crate::{called::gatewright, output, words};

/// Characters of an agent's action that fit on the line.
const ACTION_CHARS: usize = 60;

pub(super) struct Board {
    lines: BTreeMap<PipelineId, Line>,
    bars: Option<MultiProgress>,
    quiet: bool,
    many: bool,
    /// What breakers were said to be open, and until when.
    parked: BTreeMap<BreakerKey, Option<Timestamp>>,
}

struct Line {
    item: String,
    bar: Option<ProgressBar>,
    place: String,
    action: String,
    since: Instant,
    tokens: u64,
    before: u64,
}

impl Board {
    pub(super) fn new(items: BTreeMap<PipelineId, String>, live: bool, quiet: bool) -> Self {
        let bars = (live && !quiet)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8)));
        let many = items.len() > 1;
        let new_line = |item: String| {
            let bar = bars.as_ref().map(|bars| {
                let bar = bars.add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                    bar.set_style(style);
                }
                bar
            });
            Line {
                item,
                bar,
                place: "starting".to_owned(),
                action: String::new(),
                since: Instant::now(),
                tokens: 0,
                before: 0,
            }
        };
        let lines = items.into_iter().map(|(id, item)| (id, new_line(item))).collect();
        Self { lines, bars, quiet, many, parked: BTreeMap::new() }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        let many = self.many;
        if let Progress::HeldBack { problem } = &progress {
            self.print(&format!("jobs wait: {}", words::one_line(problem)));
            self.print(&go_on_by_themselves("once that is over"));
            return;
        }
        // What is said with the event is not said again.
        if let Progress::Happened {
            event: EventKind::BreakerOpened { breaker, until, .. }, ..
        } = &progress
        {
            self.parked.insert(breaker.clone(), *until);
        }
        let line = pipeline_of(&progress).and_then(|pipeline| self.lines.get_mut(&pipeline));
        let Some(line) = line else { return };
        let words = match progress {
            // What blocked it has just been said; the summary names the command that answers.
            Progress::Happened {
                event:
                    EventKind::DecisionOpened {
                        kind: DecisionKind::Escalation | DecisionKind::Limit,
                        ..
                    },
                ..
            }
            | Progress::HeldBack { .. } => None,
            Progress::Happened { event, .. } => words::event_line(&event),
            Progress::JobStarted { slot, .. } => {
                line.begin(format!("{}#{}", slot.stage, slot.attempt), describe(&slot.work));
                None
            }
            Progress::RunStarted { role, agent, found, .. } => {
                line.before += line.tokens;
                line.tokens = 0;
                line.action = format!("{role} ({agent})");
                match found {
                    RunFound::New => None,
                    RunFound::AtWork => {
                        Some(format!("the agent of {role} is still at work: taken up again"))
                    }
                    RunFound::Ended => Some(format!(
                        "the agent of {role} has ended meanwhile: what it left is taken over"
                    )),
                }
            }
            Progress::Agent { role, event, .. } => {
                line.heard(&role, event);
                None
            }
        };
        if let Some(words) = words {
            let words = if many { format!("{}  {words}", line.item) } else { words };
            self.print(&words);
        }
    }

    /// Says what jobs wait behind breakers, once for each of these and the time that it is open until.
    pub(super) fn show_parked(&mut self, parked: &[Parked], now: Timestamp) {
        self.parked.retain(|key, _| parked.iter().any(|it| it.breaker == *key));
        for Parked { breaker, hold: Hold { until, reason, message, .. }, pipelines } in parked {
            let until_when = match until {
                Some(until) => format!("until {until:.0} ({})", words::ago(*until, now)),
                None => "for a person".to_owned(),
            };
            let ours = pipelines.iter().filter(|id| self.lines.contains_key(id)).copied();
            let ours: Vec<PipelineId> = ours.collect();
            for id in &ours {
                if let Some(line) = self.lines.get_mut(id) {
                    line.action = format!("waits {until_when}");
                }
            }
            if ours.is_empty() || self.parked.insert(breaker.clone(), *until) == Some(*until) {
                continue;
            }
            let items = ours.iter().filter_map(|id| self.lines.get(id)).map(|it| it.item.as_str());
            let items: Vec<&str> = items.collect();
            let (verb, why) =
                (if items.len() == 1 { "waits" } else { "wait" }, words::held_for(*reason));
            let items = items.join(", ");
            let message = words::one_line(message);
            self.print(&format!(
                "{items} {verb} {until_when}: agents of {breaker} are not started, {why}: {message}"
            ));
            if until.is_some() {
                self.print(&go_on_by_themselves("then"));
            }
        }
    }

    fn print(&self, line: &str) {
        match &self.bars {
            // Not shown is not lost: it is in the log of events.
            Some(bars) => drop(bars.println(line)),
            None if !self.quiet => output::say(line),
            None => {}
        }
    }

    pub(super) fn tick(&self) {
        for line in self.lines.values() {
            if let Some(bar) = &line.bar {
                bar.set_message(line.text());
                bar.tick();
            }
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bars) = &self.bars {
            // A terminal that has gone away needs no clearing.
            let _gone = bars.clear();
        }
    }
}

impl Line {
    fn begin(&mut self, place: String, action: String) {
        if self.place != place {
            self.place = place;
            self.since = Instant::now();
        }
        self.action = action;
    }

    fn heard(&mut self, role: &domain::name::RoleName, event: AgentEvent) {
        let action = match event {
            AgentEvent::ToolCall { name, input, .. } => format!("{name} {input}"),
            AgentEvent::Text { text } => text,
            AgentEvent::Thinking => "thinking".to_owned(),
            AgentEvent::Retrying { attempt, status, .. } => {
                format!("{}, try {attempt}", words::refused(status))
            }
            AgentEvent::RateLimited { .. } => "the quota is spent".to_owned(),
            AgentEvent::Error { message } => message,
            AgentEvent::Usage { total } => {
                self.tokens = total.tokens();
                return;
            }
            AgentEvent::Started { .. } | AgentEvent::ToolResult { .. } | AgentEvent::Finished => {
                return;
            }
        };
        let one_line = action.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = words::safe(&one_line).chars().take(ACTION_CHARS).collect();
        self.action = format!("{role}: {short}");
    }

    fn text(&self) -> String {
        let elapsed = words::duration(Duration::from_secs(self.since.elapsed().as_secs()));
        let tokens = self.before + self.tokens;
        let tokens =
            if tokens > 0 { format!("  {} tokens", words::tokens(tokens)) } else { String::new() };
        format!("{} {}  {elapsed}{tokens}  {}", self.item, self.place, self.action)
    }
}

fn go_on_by_themselves(when: &str) -> String {
    format!(
        "  they go on by themselves {when}; Ctrl-C is safe, and `{} run --resume all` goes on",
        gatewright()
    )
}

fn describe(work: &Work) -> String {
    match work {
        Work::Open => "looking at the repository".to_owned(),
        Work::Intake => "taking in the request".to_owned(),
        Work::Agent { role } => format!("preparing {role}"),
        Work::Join => "joining what the roles handed in".to_owned(),
        Work::Gate { gate } => format!("asking gate {gate}"),
        Work::Integrate => "bringing the branch onto its target".to_owned(),
        Work::Land => "moving the target".to_owned(),
        Work::Publish => "leaving the branch in the repository".to_owned(),
        Work::Cleanup => "cleaning up".to_owned(),
    }
}
