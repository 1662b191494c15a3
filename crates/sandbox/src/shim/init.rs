//! The init: inside the wall, it starts the command, adopts orphans and ends everything.
//!
//! It ends everything also when the supervisor is gone, and holds the sandbox's lock until that is done: a sandbox whose lock
//! is free has no process left.

use std::{
    io::{self, Read},
    os::{
        fd::AsFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    process::Command,
};

use landlock::{CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::{Signal, killpg},
        signalfd::SignalFd,
    },
    unistd::{Pid, setsid},
};
use ports::SandboxSpec;

use super::{
    control::{self, CommandEnd, Inherited, Report, Request},
    family, signals,
};
use crate::order::{Order, Wall};

/// What one look at the world led to.
enum Turn {
    /// Nothing.
    GoOn,
    /// The command has ended by itself, or after it was asked to.
    CommandEnded(CommandEnd),
    /// Everything is to end: the supervisor wants it, or is gone.
    EndAll,
}

/// Runs the init over the files that the supervisor handed down.
pub(super) fn run(descriptors: &str) -> i32 {
    // First of all: the command has our user, and must not look into us through /proc or a debugger.
    if prctl::set_dumpable(false).is_err() {
        return 2;
    }
    let Ok(Inherited { order, socket, lock }) = control::inherit(descriptors) else { return 2 };
    let report = match prepare(order) {
        Ok((order, deaths)) => serve(&order, &socket, &deaths),
        Err(error) => {
            Report::Failed { message: format!("could not prepare the sandbox's init: {error}") }
        }
    };
    // Without a supervisor nobody listens.
    drop(control::send(&socket, &report));
    drop(lock);
    0
}

fn prepare(order: impl Read) -> io::Result<(Order, SignalFd)> {
    let order: Order = serde_json::from_reader(io::BufReader::new(order))?;
    prctl::set_child_subreaper(true)?;
    // Behind a wall we have a session already.
    let _ = setsid();
    let deaths = signals::watch(&[Signal::SIGCHLD])?;
    Ok((order, deaths))
}

/// Runs the command until it and all that it started have ended.
fn serve(order: &Order, socket: &UnixStream, deaths: &SignalFd) -> Report {
    if let Wall::Bubblewrap { .. } = order.wall
        && let Err(error) = close_abstract_sockets()
    {
        return Report::Failed { message: format!("could not enter the Landlock domain: {error}") };
    }
    let command = match start(&order.spec) {
        Ok(pid) => pid,
        Err(message) => return Report::Failed { message },
    };
    if control::send(socket, &Report::Started { pid: command.as_raw() }).is_err() {
        return end_all(command);
    }
    loop {
        match turn(command, socket, deaths) {
            Turn::GoOn => {}
            Turn::CommandEnded(end) => {
                return Report::Ended { end, leftovers_killed: family::end_all(&[]).killed };
            }
            Turn::EndAll => return end_all(command),
        }
    }
}

/// Waits for something to happen and answers it.
fn turn(command: Pid, mut socket: &UnixStream, deaths: &SignalFd) -> Turn {
    let mut waiting = [
        PollFd::new(deaths.as_fd(), PollFlags::POLLIN),
        PollFd::new(socket.as_fd(), PollFlags::POLLIN),
    ];
    match poll(&mut waiting, PollTimeout::NONE) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Turn::GoOn,
        Err(_) => return Turn::EndAll,
    }
    let asked = waiting[1].any().unwrap_or_default();
    while let Ok(Some(_)) = deaths.read_signal() {}
    let mut end = None;
    family::reap(|status| {
        if status.pid() == Some(command) {
            end = CommandEnd::from_status(status);
        }
    });
    if let Some(end) = end {
        return Turn::CommandEnded(end);
    }
    if !asked {
        return Turn::GoOn;
    }
    let mut byte = [0];
    match socket.read_exact(&mut byte).ok().and_then(|()| Request::from_byte(byte[0])) {
        Some(Request::Terminate) => {
            let _ = killpg(command, Signal::SIGTERM);
            // A stopped command could not hear it.
            let _ = killpg(command, Signal::SIGCONT);
            Turn::GoOn
        }
        Some(Request::Kill) | None => Turn::EndAll,
    }
}

fn end_all(command: Pid) -> Report {
    let swept = family::end_all(&[command]);
    let end = swept.end.unwrap_or(CommandEnd::Signaled(Signal::SIGKILL as i32));
    Report::Ended { end, leftovers_killed: swept.killed }
}

/// Starts the command in a session of its own. The error is for people.
#[expect(unsafe_code, reason = "the limits of a process can only be set between fork and exec")]
fn start(spec: &SandboxSpec) -> Result<Pid, String> {
    let (program, arguments) = spec.argv.split_first().ok_or("argv is empty")?;
    if !spec.cwd.is_dir() {
        return Err(format!("the working directory {} is not there", spec.cwd));
    }
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&spec.env).current_dir(&spec.cwd);
    // SAFETY: this process has one thread, and `become_command` only makes system calls.
    unsafe { command.pre_exec(become_command) };
    let child = command.spawn().map_err(|error| format!("could not start `{program}`: {error}"))?;
    i32::try_from(child.id()).map(Pid::from_raw).map_err(|error| error.to_string())
}

/// Runs in the new process, before it becomes the command.
fn become_command() -> io::Result<()> {
    setsid()?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    // A program that changes its user could not be ended by us.
    prctl::set_no_new_privs()?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    signals::hand_over()?;
    Ok(())
}

/// Keeps the command from sockets without a file, which belong to the network namespace: where that is the host's, services
/// of the host listen on them and trust a user's number. Kernels before 6.12 have no such rule.
fn close_abstract_sockets() -> Result<(), landlock::RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .scope(Scope::AbstractUnixSocket)?
        .create()?
        .restrict_self()?;
    Ok(())
}
