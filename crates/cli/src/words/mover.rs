//! What moves a pipeline next, in plain lines with the command that does.

use std::time::Duration;

use domain::{
    breaker::{BreakerStateTag, HoldReason},
    decision::DecisionKind,
    explain::{Cap, Mover, Occupant},
    job::{Job, Work},
    pipeline::{Actor, Pipeline},
    run::Run,
};
use engine::Lack;
use jiff::Timestamp;

use super::{ago, duration, job, one_line};
use crate::holder::Holder;

/// What the words depend on besides.
pub(crate) struct MoverWords<'a> {
    /// How we are called.
    pub(crate) gatewright: String,
    /// The pipeline.
    pub(crate) pipeline: &'a Pipeline,
    /// Who holds the data directory.
    pub(crate) holder: Option<&'a Holder>,
    /// What that process found unable to work on this machine.
    pub(crate) lacks: &'a [Lack],
    /// The jobs of the pipeline that are live.
    pub(crate) jobs: &'a [Job],
    /// Its runs.
    pub(crate) runs: &'a [Run],
    /// How long an agent may be silent.
    pub(crate) stall_limit: Duration,
    /// Now.
    pub(crate) now: Timestamp,
}

impl MoverWords<'_> {
    /// What moves it, the first thing first.
    pub(crate) fn lines(&self, movers: &[Mover]) -> Vec<String> {
        let key = &self.pipeline.item.key;
        if movers.is_empty() {
            return vec![
                "nothing: this is a fault of ours, please report it".to_owned(),
                format!(
                    "a watchdog opens a decision about it; until then: {} pipeline restart-stage {key} STAGE",
                    self.gatewright
                ),
            ];
        }
        let mut lines = Vec::new();
        if movers.iter().any(Mover::needs_a_process) {
            lines.extend(self.who_does_not_work());
        }
        lines.extend(movers.iter().flat_map(|mover| self.mover(mover)));
        let asks_a_person = |mover: &Mover| !mover.needs_a_process() && *mover != Mover::Ended;
        if let Some(holder) = self.holder.filter(|_| movers.iter().any(asks_a_person)) {
            lines.push(format!("which can be said {}", holder.once_ended()));
        }
        lines
    }

    /// That no process does what a process has to do, where it is so, and what changes that.
    fn who_does_not_work(&self) -> Option<String> {
        let goes_on =
            format!("{} run --resume {} goes on with it", self.gatewright, self.pipeline.item.key);
        match self.holder {
            None => Some(format!("no process is at work: {goes_on}")),
            Some(it) if !it.works() => {
                Some(format!("no process is at work: {goes_on} {}", it.once_ended()))
            }
            Some(it) => it.obstacle().map(|obstacle| format!("{} {obstacle}", it.name())),
        }
    }

    fn has_worker(&self) -> bool {
        self.holder.is_some_and(Holder::works)
    }

    /// Whether the process that does what is due is kept from everything.
    fn stands_still(&self) -> bool {
        self.holder.is_some_and(|it| it.works() && it.obstacle().is_some())
    }

    fn mover(&self, mover: &Mover) -> Vec<String> {
        let (gatewright, key) = (&self.gatewright, &self.pipeline.item.key);
        match mover {
            Mover::Ended => vec!["nothing: it has ended".to_owned()],
            Mover::Start => vec![format!("you: {gatewright} pipeline start {key}")],
            Mover::Answer { decision, kind: None, .. } => {
                vec![format!("the answer to {decision}, which cannot be found: please report it")]
            }
            Mover::Answer { kind: Some(kind), question, .. } => {
                vec![format!("a person, who {}: {}", asks(*kind), one_line(question))]
            }
            Mover::Resume { by, since } => {
                let by = match by {
                    Some(Actor::Engine) => "interrupted".to_owned(),
                    Some(by) => format!("paused by {}", one_line(&by.to_string())),
                    None => "paused, and it cannot be read who paused it".to_owned(),
                };
                let since = since.map(|it| format!(" {}", ago(it, self.now))).unwrap_or_default();
                vec![format!("you: {gatewright} run --resume {key} ({by}{since})")]
            }
            Mover::Worker { work, owner, until, run, since, last_heard, is_gone, agent_lives } => {
                let (what, owner) = (job(work), one_line(owner));
                let has_ended = *agent_lives == Some(false);
                // Where the process is gone, its lease says nothing any more.
                let mut lines = vec![if *is_gone {
                    self.left_by(work, &owner)
                } else {
                    let until = ago(*until, self.now);
                    let verb = if self.stands_still() { "was begun" } else { "is at work" };
                    format!("{what} {verb} ({owner}, its lease ends {until})")
                }];
                lines.extend(agent_lives.map(|lives| format!("  its agent {}", lives_on(lives))));
                if let (Some(run), Some(since)) = (run, since) {
                    lines.push(format!("  {run}, begun {}", ago(*since, self.now)));
                    // There is something to follow where the agent prints and somebody takes note of its end.
                    let follow = if *is_gone || has_ended { "" } else { " --follow" };
                    lines.push(format!("  {gatewright} logs {key}{follow}"));
                }
                lines.extend(last_heard.filter(|_| !has_ended).map(|heard| {
                    let heard = ago(heard, self.now);
                    if *is_gone || self.stands_still() {
                        format!("  last heard {heard}")
                    } else {
                        self.silence(&heard)
                    }
                }));
                lines
            }
            Mover::Recovery { work, owner, since } => vec![self.recovery(work, owner, *since)],
            Mover::Claim { work, since } => self.claim(work, *since),
            Mover::Backoff { work, until, next_try, tries_max, why } => {
                let why =
                    why.as_deref().map(|it| format!(": {}", one_line(it))).unwrap_or_default();
                let when = ago(*until, self.now);
                vec![format!(
                    "{} is tried again {when} (try {next_try} of {tries_max}){why}",
                    job(work)
                )]
            }
            Mover::Slot { work, cap, occupants } => {
                let cap = match cap {
                    Cap::Total(max) => format!("max_concurrency = {max}"),
                    Cap::Project(max) => format!("per_project = {max}"),
                    Cap::Agent(agent, max) => format!("per_agent = {max} of `{agent}`"),
                };
                let mut lines = vec![format!(
                    "{} waits for a slot ({cap} in [limits]), which these have",
                    job(work)
                )];
                lines.extend(occupants.iter().map(occupant));
                lines
            }
            Mover::Breaker { work, breaker, reason, state, until, message } => {
                let why = held_for(*reason);
                let next = match until {
                    None if *state == BreakerStateTag::HalfOpen => {
                        "one job tries whether it is well again".to_owned()
                    }
                    Some(until) => format!("one of them tries {}", ago(*until, self.now)),
                    None => format!("mend that, then {gatewright} run --resume {key}"),
                };
                vec![
                    format!(
                        "{} waits: agents of {breaker} are not started, {why}; {next}",
                        job(work)
                    ),
                    format!("  {}", one_line(message)),
                ]
            }
            Mover::Merge { work, merging } => {
                vec![format!("{} waits until {merging} has merged", job(work))]
            }
        }
    }

    /// Who takes back what a process was doing that was not heard of.
    fn recovery(&self, work: &Work, owner: &str, since: Timestamp) -> String {
        let owner = one_line(owner);
        if !self.has_worker() {
            return self.left_by(work, &owner);
        }
        let by = if self.stands_still() {
            "that process once it goes on"
        } else {
            "the process at work with its next heartbeat"
        };
        let (work, since) = (job(work), ago(since, self.now));
        format!("{work} is taken back from {owner}, whose lease ended {since}: by {by}")
    }

    /// What becomes of what a process that is gone was doing: a run that has not ended is taken up, and anything else is
    /// done once more.
    fn left_by(&self, work: &Work, owner: &str) -> String {
        let of_work = |run: &&Run| {
            run.ended_at.is_none()
                && self.jobs.iter().any(|it| it.id == run.job && it.slot.work == *work)
        };
        let next = match self.runs.iter().find(of_work) {
            Some(_) => "is taken up again",
            None if matches!(work, Work::Gate { .. }) => "is asked again",
            None => "begins anew",
        };
        format!("{} was begun by {owner}, which is gone, and {next} then", job(work))
    }

    /// What is due is done by whoever is free, unless this machine lacks what it takes to start a process.
    fn claim(&self, work: &Work, since: Timestamp) -> Vec<String> {
        let what = format!("{} is due (since {})", job(work), ago(since, self.now));
        let job = self.jobs.iter().find(|job| job.slot.work == *work);
        let agent = job.and_then(|job| job.agent.as_ref());
        let lacks = self.lacks.iter().filter(|lack| lack.holds(agent));
        let lacks: Vec<_> = lacks.map(|it| format!("  {}", one_line(&it.problem))).collect();
        if lacks.is_empty() || !starts_a_process(work) {
            let by = if self.stands_still() {
                "that process once it goes on"
            } else {
                "the next free worker"
            };
            return vec![format!("{what}: {by}")];
        }
        [format!("{what} and waits for this machine:")].into_iter().chain(lacks).collect()
    }

    fn silence(&self, heard: &str) -> String {
        format!(
            "  last heard {heard}; it is stopped after {} of silence, no tool call being under way",
            duration(self.stall_limit)
        )
    }
}

const fn starts_a_process(work: &Work) -> bool {
    matches!(work, Work::Agent { .. } | Work::Gate { .. })
}

/// Whether an agent lives, of whom its process may be gone.
pub(crate) const fn lives_on(lives: bool) -> &'static str {
    if lives { "is alive" } else { "has ended" }
}

/// Why agents of a kind are not started.
pub(crate) const fn held_for(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::Failures => "the provider is unwell",
        HoldReason::Quota => "the quota is spent",
        HoldReason::Credentials => "the provider does not know us",
    }
}

/// Why a provider is asked again that has answered with this status, if with one.
pub(crate) fn refused(status: Option<u16>) -> &'static str {
    let reason = match status {
        Some(status) if agents::is_refusal(status) => HoldReason::Credentials,
        Some(_) | None => HoldReason::Failures,
    };
    held_for(reason)
}

/// What a person does who answers.
pub(crate) const fn asks(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Approval => "approves or rejects",
        DecisionKind::Question => "answers an agent",
        DecisionKind::Escalation => "settles what went wrong",
        DecisionKind::Limit => "grants a limit anew or gives up",
    }
}

fn occupant(occupant: &Occupant) -> String {
    match &occupant.agent {
        Some(agent) => format!("  {} (agent {agent})", occupant.pipeline),
        None => format!("  {} (a gate)", occupant.pipeline),
    }
}
