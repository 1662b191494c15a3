//! What happened, in one plain line.

#[cfg(test)]
mod tests;

use domain::{
    decision::{Choice, DecisionKind},
    failure::FailureClass,
    id::DecisionId,
    job::Work,
    pipeline::{Delivered, EventKind},
    revision::CommitSha,
    usage::Usage,
    verdict::{Finding, VerdictOutcome, in_short},
};

use super::{Tone, money, one_line, tokens, tone_of_verdict};
use crate::called::gatewright;

/// What happened, in one plain line; `None` where other events say it better.
pub(crate) fn event_line(event: &EventKind) -> Option<String> {
    let line = match event {
        EventKind::AgentsRequested { .. } | EventKind::CleanedUp => return None,
        EventKind::Started => "started".to_owned(),
        EventKind::Opened { base } => format!("starts from commit {}", base.short()),
        EventKind::StageEntered { stage, attempt: 1 } => format!("stage {stage} began"),
        EventKind::StageEntered { stage, attempt } => {
            format!("stage {stage} began again (attempt {attempt})")
        }
        EventKind::AgentFinished { role, head, changed_paths, usage, .. } => {
            let used = used(usage);
            match head {
                Some(head) => {
                    let files = count(*changed_paths, "file");
                    format!("agent {role} handed in {files} (commit {}){used}", head.short())
                }
                None => format!("agent {role} ended, nothing was taken over{used}"),
            }
        }
        EventKind::Joined { stage, head } => {
            format!("stage {stage}: the work of its roles is one commit, {}", head.short())
        }
        EventKind::JobRetried { stage, work, failure } => {
            format!("stage {stage}: {} {}: {}", job(work), goes_on(failure.class), failure.message)
        }
        EventKind::JobFailed { stage, work, failure } => {
            format!("stage {stage}: {} failed: {}", job(work), failure.message)
        }
        EventKind::BreakerOpened { breaker, reason: _, until: Some(until), message: _ } => {
            format!("agents of {breaker} wait until {until:.0}")
        }
        EventKind::BreakerOpened { breaker, reason: _, until: None, message: _ } => {
            format!("agents of {breaker} wait for a person")
        }
        EventKind::GateJudged { gate, outcome, summary, .. } => {
            format!("gate {gate} {}: {summary}", judged(*outcome))
        }
        EventKind::SentBack { from, to, by, count, max: Some(max), findings } => {
            let why = first(findings).map(|it| format!(": {it}")).unwrap_or_default();
            if from == to {
                format!("stage {from} is done once more because of {by} ({count} of {max}){why}")
            } else {
                format!("{from} sent the work back to {to} ({count} of {max}, by {by}){why}")
            }
        }
        EventKind::SentBack { from, to, by, max: None, findings, .. } => {
            let why = first(findings).map(|it| format!(": {it}")).unwrap_or_default();
            format!("{by} sent the work back from {from} to {to}{why}")
        }
        EventKind::StagePassed { stage, commit, .. } => {
            format!("stage {stage} passed with commit {}", commit.short())
        }
        EventKind::DecisionOpened { decision, kind, question } => asked(*decision, *kind, question),
        EventKind::DecisionResolved { choice, comment, .. } if comment.trim().is_empty() => {
            format!("a person answered: {choice}")
        }
        EventKind::DecisionResolved { choice, comment, .. } => {
            format!("a person answered: {choice}: {comment}")
        }
        EventKind::DecisionWithdrawn { decision } => {
            format!("nobody needs to answer {decision} any more")
        }
        EventKind::Integrated { candidate, target } => format!(
            "brought onto the target at {}: merge commit {}, not public yet",
            target.short(),
            candidate.short()
        ),
        EventKind::TargetMoved { round } => {
            format!("somebody else moved the target: the merge starts again (try {})", round + 1)
        }
        EventKind::MergedBefore { commits } => {
            format!("the target holds a merge of it that was made before: {}", shorts(commits))
        }
        EventKind::Blocked { stage, reason } => format!("stage {stage} is blocked: {reason}"),
        EventKind::Stranded { stage } => {
            format!("nothing was left that would have moved stage {stage} on: please report it")
        }
        EventKind::Paused => "paused".to_owned(),
        EventKind::Resumed => "goes on".to_owned(),
        EventKind::Restarted { stage } => format!("a person had stage {stage} begin anew"),
        EventKind::Succeeded { delivered: Delivered::Branch { head } } => {
            format!("done: the branch is at commit {}", head.short())
        }
        EventKind::Succeeded { delivered: Delivered::Merged { commit } } => {
            format!("done: merged as {}", commit.short())
        }
        EventKind::Failed { stage, reason } => format!("failed in stage {stage}: {reason}"),
        EventKind::Cancelled { reason } if reason.trim().is_empty() => "cancelled".to_owned(),
        EventKind::Cancelled { reason } => format!("cancelled: {reason}"),
        EventKind::LetterDied { .. }
        | EventKind::LetterRetried { .. }
        | EventKind::LetterDropped { .. } => return letter_line(event),
    };
    Some(one_line(&line))
}

/// The same for what became of a letter.
fn letter_line(event: &EventKind) -> Option<String> {
    let line = match event {
        EventKind::LetterDied { letter, destination, why, .. } => format!(
            "{destination} could not be told of an event: {} — {} outbox retry {letter}",
            short(why),
            gatewright()
        ),
        EventKind::LetterRetried { letter, destination, .. } => {
            format!("a person has letter {letter} to {destination} tried again")
        }
        EventKind::LetterDropped { letter, destination, reason, .. } => {
            format!("a person had letter {letter} to {destination} dropped: {reason}")
        }
        _ => return None,
    };
    Some(one_line(&line))
}

fn shorts(commits: &[CommitSha]) -> String {
    commits.iter().map(CommitSha::short).collect::<Vec<_>>().join(", ")
}

/// What an event means to whoever reads its line.
pub(crate) const fn tone_of_event(event: &EventKind) -> Tone {
    match event {
        EventKind::StagePassed { .. } | EventKind::Succeeded { .. } => Tone::Good,
        EventKind::JobFailed { .. }
        | EventKind::Failed { .. }
        | EventKind::Cancelled { .. }
        | EventKind::Stranded { .. }
        | EventKind::LetterDied { .. } => Tone::Bad,
        EventKind::GateJudged { outcome, .. } => tone_of_verdict(*outcome),
        EventKind::SentBack { .. }
        | EventKind::JobRetried { .. }
        | EventKind::BreakerOpened { .. }
        | EventKind::DecisionOpened { .. }
        | EventKind::TargetMoved { .. }
        | EventKind::MergedBefore { .. }
        | EventKind::Blocked { .. }
        | EventKind::Paused => Tone::Attention,
        EventKind::Started
        | EventKind::Opened { .. }
        | EventKind::AgentsRequested { .. }
        | EventKind::DecisionWithdrawn { .. }
        | EventKind::CleanedUp => Tone::Quiet,
        EventKind::StageEntered { .. }
        | EventKind::AgentFinished { .. }
        | EventKind::Joined { .. }
        | EventKind::DecisionResolved { .. }
        | EventKind::Integrated { .. }
        | EventKind::Resumed
        | EventKind::Restarted { .. }
        | EventKind::LetterRetried { .. }
        | EventKind::LetterDropped { .. } => Tone::Plain,
    }
}

/// The question comes last but for the command that answers it, which must not be cut off.
fn asked(decision: DecisionId, kind: DecisionKind, question: &str) -> String {
    let (question, gatewright) = (short(question), gatewright());
    match kind {
        DecisionKind::Approval => {
            format!("waits for a person: {question} — {gatewright} approve {decision}")
        }
        DecisionKind::Question => format!(
            "an agent asks: {question} — {gatewright} decisions resolve {decision} --choice {} --comment \"…\"",
            Choice::Answer
        ),
        DecisionKind::Escalation | DecisionKind::Limit => {
            format!(
                "a person has to settle it: {question} — {gatewright} decisions show {decision}"
            )
        }
    }
}

/// What is left of somebody's words beside a command.
fn short(words: &str) -> String {
    const CHARS_MAX: usize = 300;
    one_line(words).chars().take(CHARS_MAX).collect()
}

/// How work goes on after a failure of that class.
const fn goes_on(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Quota | FailureClass::Credentials => "is held back",
        FailureClass::Lost => "goes back to the queue, no try is spent",
        FailureClass::Transient | FailureClass::Permanent | FailureClass::Resource => {
            "is tried again"
        }
    }
}

const fn judged(outcome: VerdictOutcome) -> &'static str {
    match outcome {
        VerdictOutcome::Pass => "passed",
        VerdictOutcome::Fail => "failed",
        VerdictOutcome::Error => "could not answer",
        VerdictOutcome::Waived => "was waived",
    }
}

/// What a job does.
pub(super) fn job(work: &Work) -> String {
    match work {
        Work::Open => "finding the repository".to_owned(),
        Work::Intake => "taking the item in".to_owned(),
        Work::Agent { role } => format!("agent {role}"),
        Work::Join => "joining the work of the roles".to_owned(),
        Work::Gate { gate } => format!("gate {gate}"),
        Work::Integrate => "bringing the branch onto its target".to_owned(),
        Work::Land => "moving the target".to_owned(),
        Work::Publish => "leaving the branch in the repository".to_owned(),
        Work::Cleanup => "cleaning up".to_owned(),
    }
}

fn first(findings: &[Finding]) -> Option<String> {
    let finding = findings.first()?;
    let words = Some(in_short(&finding.message)).filter(|words| !words.is_empty())?;
    let more = match findings.len() {
        1 => String::new(),
        all => format!(" (and {} more)", all - 1),
    };
    Some(format!("{words}{more}"))
}

fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn used(usage: &Usage) -> String {
    let money = usage.cost_usd.map(|usd| format!(", {}", money(usd))).unwrap_or_default();
    match usage.tokens() {
        0 => money,
        all => format!(", {} tokens{money}", tokens(all)),
    }
}
