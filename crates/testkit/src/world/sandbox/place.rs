//! One sandbox: what it said, and how it ended.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};
use ports::{ExitRecord, OutputStream, SandboxEnd, SandboxSpec, SandboxStatus, StopReason};

use super::{Act, FakeGit};

/// A directory in which something was launched.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) spec: SandboxSpec,
    started_at: Timestamp,
    last_output: Timestamp,
    out: Vec<u8>,
    err: Vec<u8>,
    status: SandboxStatus,
    /// What it does next, and when.
    script: VecDeque<Act>,
    goes_on_at: Timestamp,
    /// It does not end when it is asked to.
    defies: bool,
    asked_to_stop: Option<Timestamp>,
}

impl Place {
    pub(super) fn new(spec: SandboxSpec, now: Timestamp) -> Self {
        Self {
            spec,
            started_at: now,
            last_output: now,
            out: Vec::new(),
            err: Vec::new(),
            status: SandboxStatus::Running,
            script: VecDeque::new(),
            goes_on_at: now,
            defies: false,
            asked_to_stop: None,
        }
    }

    /// What it does next, after what it was going to do.
    pub(super) fn plays(&mut self, acts: impl IntoIterator<Item = Act>, now: Timestamp) {
        if self.script.is_empty() {
            self.goes_on_at = now;
        }
        self.script.extend(acts);
    }

    /// It has lived until now, whether or not anybody looked: it did what was due, and its shim kept its limits.
    pub(super) fn live(&mut self, git: &FakeGit, now: Timestamp) {
        while let Some(at) = self.next_change().filter(|at| *at <= now) {
            match self.next_limit() {
                Some((limit, reason)) if limit <= at => {
                    self.end(SandboxEnd::Stopped { reason }, limit);
                }
                _ => self.act(git),
            }
        }
    }

    /// When something changes by itself unless something else happens.
    pub(super) fn next_change(&self) -> Option<Timestamp> {
        let (limit, _) = self.next_limit()?;
        let act = (!self.script.is_empty()).then_some(self.goes_on_at);
        Some(act.map_or(limit, |act| act.min(limit)))
    }

    /// Does the next thing of its script.
    fn act(&mut self, git: &FakeGit) {
        let now = self.goes_on_at;
        match self.script.pop_front() {
            None => {}
            Some(Act::Say(line)) => self.say(&line, now),
            Some(Act::Defy) => self.defies = true,
            Some(Act::End(code)) => self.end(SandboxEnd::Exited { code }, now),
            Some(Act::Write(path, content)) => git.write(&self.spec.cwd, &path, &content),
            Some(Act::Vanish) => self.vanish(),
            Some(Act::Rest(time)) => self.goes_on_at = after(now, time),
        }
    }

    pub(super) fn status(&self) -> SandboxStatus {
        self.status.clone()
    }

    pub(super) fn runs(&self) -> bool {
        self.status == SandboxStatus::Running
    }

    /// When its shim stops it unless something happens, and why.
    pub(super) fn next_limit(&self) -> Option<(Timestamp, StopReason)> {
        if self.status != SandboxStatus::Running {
            return None;
        }
        let limits = &self.spec.limits;
        let time = (after(self.started_at, limits.time), StopReason::TimeLimit);
        let grace = if self.defies { limits.stop_grace } else { Duration::ZERO };
        let asked = self.asked_to_stop.map(|at| (after(at, grace), StopReason::Asked));
        let silence = limits.silence.map(|it| (after(self.last_output, it), StopReason::Silence));
        silence.into_iter().chain(asked).chain([time]).min_by_key(|(at, _)| *at)
    }

    /// Asks it to end: at once, or when its grace is over.
    pub(super) fn stop(&mut self, now: Timestamp) {
        self.asked_to_stop.get_or_insert(now);
    }

    fn say(&mut self, line: &str, now: Timestamp) {
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

fn after(from: Timestamp, time: Duration) -> Timestamp {
    let time = SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    from.saturating_add(time).unwrap_or(Timestamp::MAX)
}
