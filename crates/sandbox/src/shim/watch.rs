//! Watches a running command: its output, its limits, its end.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::AsFd,
    time::Instant,
};

use camino::Utf8Path;
use jiff::Timestamp;
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ports::{OutputStream, SandboxEnd};

use super::{
    control::{CommandEnd, Report, Reports, Request},
    course::{Course, Step},
    family, oom,
    pump::{CHUNK_BYTES, Flow, Pump},
    record::{self, Outcome},
    start_init::{StartedInit, between},
    supervisor::Taken,
};
use crate::{
    files,
    order::{Running, Wall},
};

/// How much of what the wall's program said goes into the message of a failed launch.
const COMPLAINT_BYTES_MAX: u64 = 2048;

/// What the init has said about the command.
#[derive(Debug)]
enum Said {
    Nothing,
    Started,
    Failed(String),
    Ended { end: CommandEnd, leftovers_killed: u32 },
}

/// A running sandbox.
pub(super) struct Watch<'a> {
    taken: &'a Taken<'a>,
    running: Running,
    course: Course,
    out: Pump,
    err: Pump,
    reports: Reports,
    init: Pid,
    init_end: Option<CommandEnd>,
    said: Said,
    /// Somebody else than an orchestrator wants an end: the machine is shut down.
    abandoned: bool,
    /// The command's number, where it is known outside.
    command: Option<Pid>,
    chunk: Vec<u8>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(taken: &'a Taken<'a>, init: StartedInit) -> io::Result<Self> {
        let limits = &taken.order.spec.limits;
        let pump = |source, stream| {
            Pump::new(source, files::create(&taken.dir.join(files::log(stream)))?, limits.log_bytes)
        };
        Ok(Self {
            course: Course::new(limits.clone(), Instant::now()),
            out: pump(init.out, OutputStream::Out)?,
            err: pump(init.err, OutputStream::Err)?,
            reports: Reports::new(init.socket)?,
            init: Pid::from_raw(init.pid),
            init_end: None,
            said: Said::Nothing,
            abandoned: false,
            command: None,
            chunk: vec![0; CHUNK_BYTES],
            taken,
            running: taken.running.clone(),
        })
    }

    /// Waits for the end of the init, and so of everything, and enforces the limits meanwhile.
    pub(super) fn run_to_end(mut self) -> io::Result<Watched> {
        // A stop that was asked for before we could take signals.
        if self.is_stop_asked_for()
            && let Some(step) = self.course.ask(Instant::now())
        {
            self.act(step);
        }
        while self.init_end.is_none() {
            self.turn()?;
        }
        Ok(self.finish())
    }

    /// Waits for the next thing that happens and answers it.
    fn turn(&mut self) -> io::Result<()> {
        self.wait()?;
        self.listen();
        self.carry();
        let mut asked = false;
        while let Ok(Some(signal)) = self.taken.signals.read_signal() {
            asked |= signal.ssi_signo != Signal::SIGCHLD as u32;
        }
        self.reap();
        if self.init_end.is_some() {
            return Ok(());
        }
        let now = Instant::now();
        let asked = if asked { self.course.ask(now) } else { None };
        self.abandoned |= asked.is_some() && !self.is_stop_asked_for();
        if let Some(step) = asked.or_else(|| self.course.due(now)) {
            self.act(step);
        }
        Ok(())
    }

    /// Whether an orchestrator wants the end: it leaves a mark before it signals.
    fn is_stop_asked_for(&self) -> bool {
        self.taken.dir.join(files::STOP).exists()
    }

    /// The outputs that are carried now: none before the command is known to run, so that whoever sees its first output
    /// also finds on disk who it is. Until then there is only what the wall's program has to complain about.
    fn pumps(&self) -> Option<[&Pump; 2]> {
        (!matches!(self.said, Said::Nothing)).then_some([&self.out, &self.err])
    }

    fn carry(&mut self) {
        if self.pumps().is_none() {
            return;
        }
        let flows = [self.out.carry(&mut self.chunk), self.err.carry(&mut self.chunk)];
        if flows.contains(&Flow::Some) {
            self.course.heard(Instant::now());
        }
    }

    fn wait(&self) -> io::Result<()> {
        let mut waiting = vec![PollFd::new(self.taken.signals.as_fd(), PollFlags::POLLIN)];
        if !self.reports.closed {
            waiting.push(PollFd::new(self.reports.socket().as_fd(), PollFlags::POLLIN));
        }
        for source in self.pumps().into_iter().flatten().filter_map(Pump::source) {
            waiting.push(PollFd::new(source.as_fd(), PollFlags::POLLIN));
        }
        let timeout = match self.course.next_at() {
            None => PollTimeout::NONE,
            // Rounded up, or the last millisecond would be spent spinning. A wait that is too long for the kernel is cut.
            Some(at) => {
                let left =
                    at.saturating_duration_since(Instant::now()).as_millis().saturating_add(1);
                PollTimeout::try_from(left.min(i32::MAX as u128)).unwrap_or(PollTimeout::MAX)
            }
        };
        match poll(&mut waiting, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn reap(&mut self) {
        let init = self.init;
        let mut init_end = None;
        family::reap(|status| {
            if status.pid() == Some(init) {
                init_end = CommandEnd::from_status(status);
            }
        });
        self.init_end = self.init_end.or(init_end);
    }

    fn listen(&mut self) {
        for report in self.reports.take() {
            self.said = match report {
                Report::Started { pid } => {
                    self.note_started(pid);
                    Said::Started
                }
                Report::Failed { message } => Said::Failed(message),
                Report::Ended { end, leftovers_killed } => Said::Ended { end, leftovers_killed },
            };
        }
    }

    /// Leaves on disk who runs, for whoever has to clean up after us. Not having it costs only that.
    fn note_started(&mut self, pid: i32) {
        let running = &mut self.running;
        running.others = between(self.init.as_raw());
        if self.taken.order.wall == Wall::None {
            running.session = Some(pid);
            self.command = Some(Pid::from_raw(pid));
        }
        if let Err(error) = files::write_atomically(self.taken.dir, files::RUNNING, running) {
            drop(writeln!(io::stderr(), "could not note the processes: {error}"));
        }
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Terminate => self.reports.ask(Request::Terminate),
            Step::Kill => self.reports.ask(Request::Kill),
            Step::Force => drop(kill(self.init, Signal::SIGKILL)),
        }
    }

    /// Ends what the init left, takes the last output, and lets go.
    fn finish(mut self) -> Watched {
        self.listen();
        let known: Vec<Pid> = self
            .command
            .into_iter()
            .chain(self.running.others.iter().map(|it| Pid::from_raw(it.pid)))
            .collect();
        let swept = family::end_all(&known);
        for pump in [&mut self.out, &mut self.err] {
            while pump.carry(&mut self.chunk) == Flow::Some {}
            if let Err(error) = pump.sync() {
                drop(writeln!(io::stderr(), "could not sync a log: {error}"));
            }
        }
        Watched {
            started_at: self.taken.started_at,
            log_cut: self.out.is_cut() || self.err.is_cut(),
            swept: swept.killed,
            complaint: complaint(self.taken.dir),
            course: self.course,
            said: self.said,
            abandoned: self.abandoned,
            init_end: self.init_end,
        }
    }
}

/// What the wall's program, or the command, said last before all else.
fn complaint(dir: &Utf8Path) -> String {
    let mut text = Vec::new();
    if let Ok(log) = File::open(dir.join(files::log(OutputStream::Err))) {
        drop(log.take(COMPLAINT_BYTES_MAX).read_to_end(&mut text));
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}

/// A sandbox in which nothing runs any more.
pub(super) struct Watched {
    started_at: Timestamp,
    course: Course,
    said: Said,
    abandoned: bool,
    init_end: Option<CommandEnd>,
    swept: u32,
    complaint: String,
    log_cut: bool,
}

impl Watched {
    /// What to record. `oom_before` is the kernel's count from before the command. Nothing where the machine's shutdown ended
    /// it: work that was lost is not work that failed.
    pub(super) fn into_outcome(self, oom_before: Option<u64>) -> Option<Outcome> {
        let Self { started_at, course, said, abandoned, init_end, swept, complaint, log_cut } =
            self;
        if abandoned {
            return None;
        }
        let init_end = init_end.unwrap_or(CommandEnd::Signaled(Signal::SIGKILL as i32));
        let oom_kills = (oom_before, oom::kills());
        let (end, leftovers_killed) = match said {
            Said::Failed(message) => (SandboxEnd::LaunchFailed { message }, swept),
            Said::Ended { end, leftovers_killed } => {
                (record::by_itself(end, oom_kills), leftovers_killed.saturating_add(swept))
            }
            // The init was killed: so was the command.
            Said::Started => {
                let killed = CommandEnd::Signaled(Signal::SIGKILL as i32);
                (record::by_itself(killed, oom_kills), swept)
            }
            Said::Nothing => {
                (SandboxEnd::LaunchFailed { message: never_started(init_end, &complaint) }, swept)
            }
        };
        let end = match course.reason() {
            Some(reason) => SandboxEnd::Stopped { reason },
            None => end,
        };
        Some(Outcome { started_at, end, leftovers_killed, log_cut })
    }
}

fn never_started(init_end: CommandEnd, complaint: &str) -> String {
    let how = match init_end {
        CommandEnd::Exited(code) => format!("exit code {code}"),
        CommandEnd::Signaled(signal) => format!("signal {signal}"),
    };
    if complaint.is_empty() {
        format!("the wall ended with {how}")
    } else {
        format!("the wall ended with {how}: {complaint}")
    }
}
