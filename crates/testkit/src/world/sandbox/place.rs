//! One sandbox: what it said, and how it ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ports::{ExitRecord, OutputStream, SandboxEnd, SandboxSpec, SandboxStatus, StopReason};

/// A directory in which something was launched.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) spec: SandboxSpec,
    started_at: Timestamp,
    last_output: Timestamp,
    out: Vec<u8>,
    err: Vec<u8>,
    status: SandboxStatus,
    /// It does not end when it is asked to.
    defies: bool,
    asked_to_stop: Option<Timestamp>,
}

impl Place {
    pub(super) const fn new(spec: SandboxSpec, now: Timestamp) -> Self {
        Self {
            spec,
            started_at: now,
            last_output: now,
            out: Vec::new(),
            err: Vec::new(),
            status: SandboxStatus::Running,
            defies: false,
            asked_to_stop: None,
        }
    }

    /// What is known of it now: its shim has kept its limits, whether or not anybody looked.
    pub(super) fn look(&mut self, now: Timestamp) -> SandboxStatus {
        if let Some((at, reason)) = self.next_limit()
            && at <= now
        {
            self.end(SandboxEnd::Stopped { reason }, at);
        }
        self.status.clone()
    }

    pub(super) fn runs(&mut self, now: Timestamp) -> bool {
        self.look(now) == SandboxStatus::Running
    }

    /// When its shim stops it unless something happens, and why.
    pub(super) fn next_limit(&self) -> Option<(Timestamp, StopReason)> {
        if self.status != SandboxStatus::Running {
            return None;
        }
        let limits = &self.spec.limits;
        let after = |from: Timestamp, limit| {
            let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
            from.saturating_add(limit).unwrap_or(Timestamp::MAX)
        };
        let time = (after(self.started_at, limits.time), StopReason::TimeLimit);
        let grace = if self.defies { limits.stop_grace } else { Duration::ZERO };
        let asked = self.asked_to_stop.map(|at| (after(at, grace), StopReason::Asked));
        let silence = limits.silence.map(|it| (after(self.last_output, it), StopReason::Silence));
        silence.into_iter().chain(asked).chain([time]).min_by_key(|(at, _)| *at)
    }

    pub(super) const fn defy(&mut self) {
        self.defies = true;
    }

    /// Asks it to end: at once, or when its grace is over.
    pub(super) fn stop(&mut self, now: Timestamp) {
        self.asked_to_stop.get_or_insert(now);
    }

    pub(super) fn say(&mut self, line: &str, now: Timestamp) {
        self.out.extend(line.bytes().chain([b'\n']));
        self.last_output = now;
    }

    pub(super) fn complain(&mut self, words: &str) {
        self.err.extend(words.bytes().chain([b'\n']));
    }

    pub(super) fn end(&mut self, end: SandboxEnd, now: Timestamp) {
        self.status = SandboxStatus::Ended(ExitRecord {
            version: 1,
            started_at: self.started_at,
            ended_at: now,
            end,
            leftovers_killed: 0,
            log_cut: false,
        });
    }

    pub(super) fn vanish(&mut self) {
        self.status = SandboxStatus::Vanished;
    }

    pub(super) fn log(&self, stream: OutputStream) -> &[u8] {
        match stream {
            OutputStream::Out => &self.out,
            OutputStream::Err => &self.err,
        }
    }
}
