//! The supervisor: takes a sandbox's directory, runs its command once and writes the exit record.

use std::{
    fs::{self, File},
    io::{self, Write},
};

use camino::Utf8Path;
use jiff::Timestamp;
use nix::{
    sys::{prctl, signal::Signal, signalfd::SignalFd},
    unistd::{Pid, dup2_stdout, setsid},
};
use ports::SandboxEnd;

use super::{
    oom,
    record::{self, Outcome},
    signals,
    start_init::start_init,
    watch::Watch,
};
use crate::{
    files, lock,
    order::{Order, Running},
    procfs,
    protocol::PROTOCOL,
};

/// What the supervisor says on its standard output once it has the sandbox.
pub(crate) const TAKEN: &str = "taken";
/// What it says where the sandbox belongs to another one or has had its run.
pub(crate) const NOT_NEEDED: &str = "not needed";

/// Runs the supervisor for the sandbox in `dir`.
pub(super) fn run(dir: &Utf8Path) -> i32 {
    // No terminal, no signals from its keys. Fails only where we lead a group already, and then we have none.
    let _ = setsid();
    close_leaked_files();
    let outcome = take(dir).and_then(|taken| match taken {
        Some(taken) => taken.supervise(),
        None => answer(NOT_NEEDED),
    });
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            drop(answer(&format!("failed: {error}")));
            drop(writeln!(io::stderr(), "the shim of {dir} failed: {error}"));
            1
        }
    }
}

/// Whatever the orchestrator forgot to keep to itself must not reach an agent, nor stay open for as long as we live.
fn close_leaked_files() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return };
    let numbers: Vec<i32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The one of the listing itself is closed by now.
        let _ = nix::unistd::close(number);
    }
}

/// Tells the orchestrator, if it is still there, and lets go of it.
fn answer(text: &str) -> io::Result<()> {
    drop(writeln!(io::stdout(), "{text}").and_then(|()| io::stdout().flush()));
    let nowhere = File::options().write(true).open("/dev/null")?;
    dup2_stdout(&nowhere)?;
    Ok(())
}

/// A sandbox that is ours to run, from the moment when its start is on disk.
pub(super) struct Taken<'a> {
    pub(super) dir: &'a Utf8Path,
    pub(super) order: Order,
    /// Held until the record is written; the init has its share of it.
    lock: File,
    pub(super) started_at: Timestamp,
    pub(super) running: Running,
    pub(super) signals: SignalFd,
}

/// Takes the sandbox, unless it is or was somebody's.
fn take(dir: &Utf8Path) -> io::Result<Option<Taken<'_>>> {
    let Some(lock) = lock::take(dir)? else { return Ok(None) };
    if dir.join(files::STARTED).exists() || dir.join(files::EXIT).exists() {
        return Ok(None);
    }
    let order: Order = files::find(dir, files::ORDER)?
        .ok_or_else(|| io::Error::other("the sandbox has no order"))?;
    if order.version != 1 {
        return Err(io::Error::other(format!(
            "the order has the unknown version {}",
            order.version
        )));
    }
    prctl::set_child_subreaper(true)?;
    let signals = signals::watch(&[Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT])?;
    let me = procfs::find(Pid::this().as_raw())
        .ok_or_else(|| io::Error::other("/proc does not show this process"))?
        .id;
    let running = Running { boot: procfs::boot_id(), shim: me, others: Vec::new(), session: None };
    files::write_atomically(dir, files::RUNNING, &running)?;
    files::write_atomically(dir, files::STARTED, &PROTOCOL)?;
    Ok(Some(Taken { dir, order, lock, started_at: Timestamp::now(), running, signals }))
}

impl Taken<'_> {
    /// Runs the command to its end and writes the record.
    fn supervise(self) -> io::Result<()> {
        answer(TAKEN)?;
        let oom_before = oom::kills();
        let (started_at, dir) = (self.started_at, self.dir);
        let outcome = match start_init(dir, &self.order, &self.lock) {
            Ok(init) => Watch::new(&self, init)?.run_to_end()?.into_outcome(oom_before),
            Err(message) => {
                let end = SandboxEnd::LaunchFailed { message };
                Some(Outcome { started_at, end, leftovers_killed: 0, log_cut: false })
            }
        };
        match outcome {
            Some(outcome) => record::write(dir, outcome),
            None => Ok(()),
        }
    }
}
