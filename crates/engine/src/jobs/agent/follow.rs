//! Follows an agent's stream from its beginning to its end.

use camino::Utf8Path;
use domain::{
    failure::{Failure, FailureClass, speaks_of_a_full_disk},
    limits::{AGENT_TOOL_LIMIT, STREAM_LINE_BYTES_MAX},
    run::{AgentEvent, Run, RunOutcome},
    supervision::{Alarm, Supervisor},
};
use jiff::Timestamp;
use ports::{ExitRecord, OutputStream, SandboxEnd, SandboxStatus, StopReason, StreamParser};
use tokio::sync::watch;

use super::{Assignment, leaves_agents};
use crate::{
    Engine, Progress,
    jobs::{JobError, secrets},
    worker::{Interrupt, interrupted},
};

/// Bytes that are read of a log at once.
const CHUNK: usize = 256 * 1024;
/// Bytes of standard error that may help to classify a failure.
const STDERR_TAIL: usize = 16 * 1024;

/// A run that has ended, or was left to the next engine.
pub(super) struct Followed {
    pub(super) run: Run,
    pub(super) outcome: RunOutcome,
    pub(super) interrupt: Option<Interrupt>,
    /// It was not followed to its end.
    pub(super) is_left: bool,
}

/// The stream, cut into lines.
struct Lines {
    buffer: Vec<u8>,
    /// The line under way is longer than anybody parses.
    skipping: bool,
}

impl Lines {
    /// Adds bytes and returns the lines that are complete now.
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            if self.buffer.len() + text.len() > STREAM_LINE_BYTES_MAX {
                self.skipping = true;
                self.buffer.clear();
            }
            if !self.skipping {
                self.buffer.extend_from_slice(text);
            }
            if ends {
                if !self.skipping {
                    lines.push(String::from_utf8_lossy(&self.buffer).into_owned());
                }
                self.buffer.clear();
                self.skipping = false;
            }
        }
        lines
    }

    /// What is left when the stream has ended without a newline.
    fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.buffer);
        (!rest.is_empty() && !self.skipping).then(|| String::from_utf8_lossy(&rest).into_owned())
    }
}

impl Engine {
    /// Reads the stream, also what was written while nobody looked, until the sandbox has ended.
    pub(super) async fn follow(
        &self,
        assignment: &Assignment<'_>,
        mut run: Run,
        signal: &mut watch::Receiver<Option<Interrupt>>,
    ) -> Result<Followed, JobError> {
        let dir = self.layout.agent_sandbox(run.id);
        let mut parser = assignment.agent.kind.parser();
        let mut lines = Lines { buffer: Vec::new(), skipping: false };
        let mut offset = 0;
        let mut interrupt = None;
        let mut alarm = None;
        let mut stopped = false;
        let mut supervisor = assignment.supervisor(self.ports.clock.now());
        loop {
            // The status first: what was written before the end is there when the end is seen.
            let status = self.ports.sandbox.status(&dir).await?;
            let bytes = self.ports.sandbox.read_log(&dir, OutputStream::Out, offset, CHUNK).await?;
            offset += bytes.len() as u64;
            for line in lines.push(&bytes) {
                let heard =
                    self.heard(assignment, &mut run, parser.as_mut(), &line, &mut supervisor);
                alarm = alarm.or(heard.await?);
            }
            let is_running = status == SandboxStatus::Running;
            if alarm.is_some() && !stopped && is_running {
                stopped = true;
                self.ports.sandbox.stop(&dir).await?;
            }
            if !is_running && bytes.is_empty() {
                if let Some(line) = lines.rest() {
                    self.heard(assignment, &mut run, parser.as_mut(), &line, &mut supervisor)
                        .await?;
                }
                run.usage = parser.usage();
                let record = match status {
                    SandboxStatus::Ended(record) => Some(record),
                    SandboxStatus::Running | SandboxStatus::Absent | SandboxStatus::Vanished => {
                        None
                    }
                };
                let outcome =
                    self.outcome(assignment, &dir, parser.as_mut(), record, alarm).await?;
                return Ok(Followed { run, outcome, interrupt, is_left: false });
            }
            let reason = if bytes.is_empty() {
                tokio::select! {
                    biased;
                    reason = interrupted(signal), if interrupt.is_none() => Some(reason),
                    waited = self.ports.sandbox.wait_output(&dir, offset) => {
                        waited?;
                        None
                    }
                    () = self.ports.clock.sleep_until(supervisor.deadline()), if !stopped => {
                        alarm = alarm.or_else(|| supervisor.silent(self.ports.clock.now()));
                        stopped = alarm.is_some();
                        if stopped {
                            self.ports.sandbox.stop(&dir).await?;
                        }
                        None
                    }
                }
            } else {
                // An agent that talks without end can be interrupted all the same.
                signal.borrow().filter(|_| interrupt.is_none())
            };
            if let Some(reason) = reason {
                interrupt = Some(reason);
                // One that has ended by itself was not stopped: what it said is read by whoever has its job next.
                if leaves_agents(reason) || (!is_running && is_stopping(reason)) {
                    let outcome = RunOutcome::Failed {
                        failure: Failure::new(FailureClass::Lost, "left to the next orchestrator"),
                    };
                    return Ok(Followed { run, outcome, interrupt, is_left: true });
                }
                self.ports.sandbox.stop(&dir).await?;
            }
        }
    }

    async fn heard(
        &self,
        assignment: &Assignment<'_>,
        run: &mut Run,
        parser: &mut dyn StreamParser,
        line: &str,
        supervisor: &mut Supervisor,
    ) -> Result<Option<Alarm>, JobError> {
        let mut alarm = None;
        for event in parser.line(line) {
            let heard = supervisor.heard(self.ports.clock.now(), &event);
            alarm = alarm.or(heard);
            if let AgentEvent::Started { session: Some(session) } = &event
                && run.session.as_ref() != Some(session)
            {
                run.session = Some(session.clone());
                // Where the job was taken away, whoever has it reads the same stream.
                self.ports.store.save_run(run, assignment.job.claims).await?;
            }
            self.say(Progress::Agent {
                pipeline: run.pipeline,
                stage: run.stage.clone(),
                role: assignment.role.clone(),
                run: run.id,
                event,
            });
        }
        Ok(alarm)
    }

    /// How the run ended, with the limits that only we know named.
    async fn outcome(
        &self,
        assignment: &Assignment<'_>,
        dir: &Utf8Path,
        parser: &mut dyn StreamParser,
        record: Option<ExitRecord>,
        alarm: Option<Alarm>,
    ) -> Result<RunOutcome, JobError> {
        let failed =
            |class, message: String| RunOutcome::Failed { failure: Failure::new(class, message) };
        let (agent, role) = (&assignment.agent.profile.name, assignment.role);
        let Some(record) = record else {
            return Ok(failed(
                FailureClass::Lost,
                format!("the sandbox of agent `{agent}` vanished"),
            ));
        };
        let given = secrets::given([&self.options.env, &assignment.agent.profile.env]);
        // The shim's own watch, which sees bytes only, in case that ours was not there.
        let silence = record.end == SandboxEnd::Stopped { reason: StopReason::Silence };
        let alarm =
            alarm.or_else(|| silence.then(|| Alarm::Silence { limit: assignment.stall_limit() }));
        // Whoever came to a good end in spite of it is judged by the work.
        if let Some(alarm) = alarm.filter(|_| record.end != (SandboxEnd::Exited { code: 0 })) {
            let failure = refused(parser, &record).unwrap_or_else(|| alarm.failure(agent));
            let outcome = RunOutcome::Failed { failure };
            return Ok(secrets::hide_in_outcome(&given, outcome));
        }
        if record.end == (SandboxEnd::Stopped { reason: StopReason::TimeLimit }) {
            let limit = in_words(assignment.time_limit());
            let message = format!(
                "agent `{agent}` was stopped at its time limit of {limit}; raise time_limit of role `{role}` or its stage"
            );
            return Ok(failed(FailureClass::Resource, message));
        }
        let tail = self.tail(dir, OutputStream::Err).await?;
        Ok(secrets::hide_in_outcome(&given, with_advice(parser.end(&record, &tail))))
    }

    /// The end of a log.
    async fn tail(&self, dir: &Utf8Path, stream: OutputStream) -> Result<String, JobError> {
        let mut offset = 0;
        let mut tail = Vec::new();
        loop {
            let bytes = self.ports.sandbox.read_log(dir, stream, offset, CHUNK).await?;
            if bytes.is_empty() {
                return Ok(String::from_utf8_lossy(&tail).into_owned());
            }
            offset += bytes.len() as u64;
            tail.extend_from_slice(&bytes);
            let surplus = tail.len().saturating_sub(STDERR_TAIL);
            tail.drain(..surplus);
        }
    }

    /// The last line that a command of our own said, for an error message.
    pub(super) async fn last_words(&self, dir: &Utf8Path) -> Result<String, JobError> {
        for stream in [OutputStream::Err, OutputStream::Out] {
            let tail = self.tail(dir, stream).await?;
            // Whoever meets a full disk says so, and dies of what follows from it.
            let of_disk = tail.lines().rev().find(|line| speaks_of_a_full_disk(line));
            let last = || tail.lines().rev().find(|line| !line.trim().is_empty());
            if let Some(line) = of_disk.or_else(last) {
                return Ok(line.trim().chars().take(300).collect());
            }
        }
        Ok("it said nothing".to_owned())
    }
}

/// Whether the whole process ends.
const fn is_stopping(interrupt: Interrupt) -> bool {
    matches!(interrupt, Interrupt::Stopping(_))
}

/// The provider's refusal that an agent which was stopped could not get over: not its own doing.
fn refused(parser: &mut dyn StreamParser, record: &ExitRecord) -> Option<Failure> {
    let end = SandboxEnd::Stopped { reason: StopReason::Silence };
    match parser.end(&ExitRecord { end, ..record.clone() }, "") {
        RunOutcome::Failed { failure } => {
            let theirs = [FailureClass::Transient, FailureClass::Credentials];
            theirs.contains(&failure.class).then_some(failure)
        }
        RunOutcome::Ended { .. } => None,
    }
}

/// An agent that met a full disk knows nothing of what to do about it.
fn with_advice(outcome: RunOutcome) -> RunOutcome {
    match outcome {
        RunOutcome::Failed { failure }
            if failure.class == FailureClass::Resource
                && speaks_of_a_full_disk(&failure.message) =>
        {
            RunOutcome::Failed { failure: Failure::full_disk(&failure.message) }
        }
        other => other,
    }
}

impl Assignment<'_> {
    /// Who watches over the run.
    fn supervisor(&self, now: Timestamp) -> Supervisor {
        let stall = self.stall_limit();
        Supervisor::new(now, stall, AGENT_TOOL_LIMIT.max(stall), self.agent.supervision)
    }
}

/// `90 s`, `30 min`.
fn in_words(limit: std::time::Duration) -> String {
    let seconds = limit.as_secs();
    if seconds >= 120 && seconds.is_multiple_of(60) {
        format!("{} min", seconds / 60)
    } else {
        format!("{} s", limit.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        Lines { buffer: Vec::new(), skipping: false }
    }

    #[test]
    fn a_character_cut_in_two_by_a_write_is_whole_again() {
        let mut lines = lines();
        let bytes = "naïve\n".as_bytes();
        assert!(lines.push(&bytes[..3]).is_empty());
        assert_eq!(lines.push(&bytes[3..]), ["naïve"]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_and_the_next_one_is_read() {
        let mut lines = lines();
        let long = vec![b'x'; STREAM_LINE_BYTES_MAX + 1];
        assert!(lines.push(&long).is_empty());
        assert!(lines.buffer.is_empty(), "a line that nobody parses is not kept");
        assert_eq!(lines.push(b"tail of it\nnext\n"), ["next"]);
    }

    #[test]
    fn invalid_utf_8_is_replaced_and_a_missing_newline_forgiven() {
        let mut lines = lines();
        assert_eq!(lines.push(b"a\xffb\nlast"), ["a\u{fffd}b"]);
        assert_eq!(lines.rest().as_deref(), Some("last"));
    }
}
