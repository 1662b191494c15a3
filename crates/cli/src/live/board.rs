//! One line a pipeline: stage, time, what its agent does, tokens. Events scroll by above.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::{
    decision::DecisionKind, id::PipelineId, job::Work, pipeline::EventKind, run::AgentEvent,
};
use engine::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pipeline_of;
use crate::{output, words};

/// Characters of an agent's action that fit on the line.
const ACTION_CHARS: usize = 60;

pub(super) struct Board {
    lines: BTreeMap<PipelineId, Line>,
    bars: Option<MultiProgress>,
    quiet: bool,
    many: bool,
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
        Self { lines, bars, quiet, many }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        let many = self.many;
        if let Progress::HeldBack { problem } = &progress {
            self.print(&format!("jobs wait: {}", words::one_line(problem)));
            self.print("  they go on by themselves once that is over; Ctrl-C is safe, and `run --resume` goes on");
            return;
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
            Progress::RunStarted { role, agent, adopted, .. } => {
                line.before += line.tokens;
                line.tokens = 0;
                line.action = format!("{role} ({agent})");
                adopted.then(|| format!("the agent of {role} is still at work: taken up again"))
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
            AgentEvent::Retrying { attempt, .. } => {
                format!("the provider is unwell, try {attempt}")
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
