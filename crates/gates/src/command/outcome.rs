//! From the end of a command to a ruling.

use domain::{
    failure::MORE_MEMORY,
    verdict::{Finding, Severity, VerdictOutcome},
};
use jiff::SignedDuration;
use ports::{ExitRecord, SandboxEnd, StopReason};

use super::{
    Task,
    log::Log,
    missing::{self, Missing},
    tail,
};
use crate::{
    findings,
    limits::{FINDINGS_BYTES_MAX, LOG_BYTES_MAX, TEST_FINDINGS_BYTES_MAX},
    obstacle::Obstacle,
    ruling::Ruling,
    text,
};

/// What is known of the disk that the command wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    /// The command said nothing of it.
    NotSpokenOf,
    /// The command speaks of a full disk, and the machine says that it has room.
    OnlySpokenOf,
    /// The command speaks of a full disk, and the machine could not be asked.
    NotKnown,
    /// Both say that it is full.
    Full,
}

/// Rules on the end of the command.
pub(crate) fn rule(
    task: &Task<'_>,
    record: &ExitRecord,
    log: Log,
    disk: Disk,
) -> Result<Ruling, Obstacle> {
    let command = shown(task.run);
    let failed = VerdictOutcome::Fail;
    let (outcome, what) = match &record.end {
        SandboxEnd::Exited { code: 0 } => {
            let findings = advice(record);
            return Ok(Ruling { findings, ..Ruling::pass(format!("`{command}` exited with 0")) });
        }
        SandboxEnd::Exited { code } => match missing::find(*code, log.err.backwards()) {
            Some(Missing::OnMachine(program)) => (
                VerdictOutcome::Error,
                format!(
                    "`{command}` could not run: `{program}` was not found or cannot be run on this machine"
                ),
            ),
            Some(Missing::InCommit(file)) => (
                failed,
                format!(
                    "`{command}` could not run: `{file}` is not in this commit, or is not executable"
                ),
            ),
            None => match disk {
                // A person frees some space and has the gate asked again: the commit is not to blame.
                Disk::Full => (
                    VerdictOutcome::Error,
                    format!("`{command}` met a full disk: free some space, then try again"),
                ),
                Disk::OnlySpokenOf => (
                    failed,
                    format!(
                        "`{command}` exited with {code}; it speaks of a full disk, and the disk that it ran on has room"
                    ),
                ),
                Disk::NotKnown => (
                    failed,
                    format!(
                        "`{command}` exited with {code}; it speaks of a full disk, and whether the disk that it ran on has room could not be asked"
                    ),
                ),
                Disk::NotSpokenOf => {
                    (failed, format!("`{command}` exited with {code}{}", killed_inside(*code)))
                }
            },
        },
        SandboxEnd::Signaled { out_of_memory: true, .. } => (
            failed,
            format!(
                "`{command}` ran out of memory and was ended by the kernel: make it need less, or {MORE_MEMORY}"
            ),
        ),
        SandboxEnd::Signaled { signal, out_of_memory: false } => {
            let guess = if *signal == 9 { " (the kernel names no want of memory)" } else { "" };
            (failed, format!("`{command}` was ended by signal {signal}{guess}"))
        }
        SandboxEnd::Stopped { reason: StopReason::TimeLimit } => {
            let limit = SignedDuration::try_from(task.time_limit).unwrap_or(SignedDuration::MAX);
            (
                failed,
                format!(
                    "`{command}` did not end within {limit:#}: raise time_limit or make it faster"
                ),
            )
        }
        SandboxEnd::Stopped { reason: StopReason::Asked | StopReason::Silence } => {
            return Err(Obstacle::Stopped { command });
        }
        SandboxEnd::LaunchFailed { message } => {
            return Err(Obstacle::NotStarted { command, message: message.clone() });
        }
    };
    Ok(unsuccessful(outcome, &what, record, log))
}

/// A ruling with the failed tests, then the end of the output.
fn unsuccessful(outcome: VerdictOutcome, what: &str, record: &ExitRecord, log: Log) -> Ruling {
    let Log { out, err, failures } = log;
    let summary = match failures.count() {
        0 => what.to_owned(),
        1 => format!("{what}: 1 test failed"),
        many => format!("{what}: {many} tests failed"),
    };
    let mut found = findings::fit(failures.into_findings(), TEST_FINDINGS_BYTES_MAX, "the log");
    let used: usize = found.iter().map(|finding| finding.message.len()).sum();
    let output = tail::join(out, err, FINDINGS_BYTES_MAX.saturating_sub(used + what.len() + 100));
    let message = if output.is_empty() {
        format!("{what}. It printed nothing.")
    } else {
        format!("{what}. Its output ends so:\n\n{output}")
    };
    found.push(Finding::blocking(message));
    found.extend(advice(record));
    Ruling { outcome, findings: found, summary, evidence: None }
}

/// What is worth knowing about a run, however it ended.
fn advice(record: &ExitRecord) -> Vec<Finding> {
    let mut messages = Vec::new();
    if record.log_cut {
        messages.push(format!(
            "it printed more than {} MiB; the log ends there",
            LOG_BYTES_MAX / (1024 * 1024)
        ));
    }
    if record.leftovers_killed > 0 {
        messages.push(format!(
            "it left {} processes running, which were ended",
            record.leftovers_killed
        ));
    }
    let advise = |message| Finding { severity: Severity::Advisory, ..Finding::blocking(message) };
    messages.into_iter().map(advise).collect()
}

/// What a shell means by an exit code above 128: a process inside was ended by a signal.
fn killed_inside(code: i32) -> String {
    match code {
        137 => " (a process in it was killed by signal 9: often for want of memory)".to_owned(),
        129..=192 => format!(" (a process in it was ended by signal {})", code - 128),
        _ => String::new(),
    }
}

/// The command as a person knows it: its first line.
fn shown(run: &str) -> String {
    const CHARS_MAX: usize = 80;
    let run = run.trim();
    let line = run.lines().next().unwrap_or_default();
    let is_whole = line.len() == run.len() && line.chars().count() <= CHARS_MAX;
    let kept: String = text::visible(line).chars().take(CHARS_MAX).collect();
    if is_whole { kept } else { format!("{kept} …") }
}
