//! How a process that holds a data directory calls itself, and what others make of that.

use std::fs;

use api::{ProcessState, ProcessView};
use jiff::Timestamp;

use crate::words::one_line;

/// A command that holds a data directory while it is there, as people type it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantArray,
)]
pub(crate) enum HoldingCommand {
    #[strum(serialize = "run")]
    Run,
    #[strum(serialize = "run --resume")]
    Resume,
    #[strum(serialize = "demo")]
    Demo,
    #[strum(serialize = "pipeline start")]
    PipelineStart,
    #[strum(serialize = "pipeline pause")]
    PipelinePause,
    #[strum(serialize = "pipeline resume")]
    PipelineResume,
    #[strum(serialize = "pipeline cancel")]
    PipelineCancel,
    #[strum(serialize = "pipeline retry")]
    PipelineRetry,
    #[strum(serialize = "pipeline restart-stage")]
    PipelineRestartStage,
    #[strum(serialize = "decisions resolve")]
    DecisionsResolve,
    #[strum(serialize = "approve")]
    Approve,
    #[strum(serialize = "reject")]
    Reject,
    #[strum(serialize = "outbox deliver")]
    OutboxDeliver,
    #[strum(serialize = "outbox retry")]
    OutboxRetry,
    #[strum(serialize = "outbox drop")]
    OutboxDrop,
    #[strum(serialize = "agents resume")]
    AgentsResume,
    #[strum(serialize = "gate run")]
    GateRun,
    #[strum(serialize = "restore")]
    Restore,
}

impl HoldingCommand {
    /// Whether it does what is due. All others bring something and end.
    const fn works(self) -> bool {
        match self {
            Self::Run | Self::Resume | Self::Demo => true,
            Self::PipelineStart
            | Self::PipelinePause
            | Self::PipelineResume
            | Self::PipelineCancel
            | Self::PipelineRetry
            | Self::PipelineRestartStage
            | Self::DecisionsResolve
            | Self::Approve
            | Self::Reject
            | Self::OutboxDeliver
            | Self::OutboxRetry
            | Self::OutboxDrop
            | Self::AgentsResume
            | Self::GateRun
            | Self::Restore => false,
        }
    }
}

/// Which process this is, what it does, since when.
pub(crate) fn of(command: HoldingCommand) -> String {
    format!("pid {}, `gatewright {command}`, since {:.0}", std::process::id(), Timestamp::now())
}

/// The process that holds a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    /// As it calls itself.
    name: String,
    state: Option<State>,
}

/// Whether a process does anything, where that can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    /// It hears no signal but one.
    Stopped,
    /// By a process, where that can be seen. No signal lets it go on.
    Traced(Option<u32>),
}

impl Holder {
    /// Looks at the process that calls itself so.
    pub(crate) fn look(name: String) -> Self {
        let state = pid(&name).and_then(state_of);
        Self { name, state }
    }

    /// As it calls itself, on one line.
    pub(crate) fn name(&self) -> String {
        one_line(&self.name)
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        pid(&self.name)
    }

    /// Whether it does what is due. Of one that calls itself otherwise than we do, nobody knows better.
    pub(crate) fn works(&self) -> bool {
        let command = self.command().and_then(|it| it.strip_prefix("gatewright ")?.parse().ok());
        command.is_none_or(HoldingCommand::works)
    }

    /// Whether it does what is due now.
    pub(crate) fn is_at_work(&self) -> bool {
        self.works() && self.obstacle().is_none()
    }

    /// Why it does nothing at all, and what lets it go on.
    pub(crate) fn obstacle(&self) -> Option<String> {
        match (self.state?, self.pid()?) {
            (State::Running, _) => None,
            (State::Stopped, pid) => Some(format!("is stopped: `kill -CONT {pid}` lets it go on")),
            (State::Traced(Some(by)), _) => {
                Some(format!("is traced: pid {by} has stopped it and lets it go on"))
            }
            (State::Traced(None), _) => {
                Some("is traced: whoever does has stopped it and lets it go on".to_owned())
            }
        }
    }

    /// When others can change something, as the end of a sentence.
    pub(crate) fn once_ended(&self) -> String {
        let once = format!("once {} has ended", self.name());
        match self.obstacle() {
            Some(obstacle) => format!("{once}; it {obstacle}"),
            None if self.works() => format!("{once}: Ctrl-C there keeps everything"),
            None => format!("{once}, which it does by itself"),
        }
    }

    pub(crate) fn view(&self) -> ProcessView {
        ProcessView {
            pid: self.pid(),
            command: self.command().map(one_line),
            since: self.name.rsplit_once(", since ").and_then(|(_, at)| at.trim().parse().ok()),
            state: self.state.map(|state| match state {
                State::Running => ProcessState::Running,
                State::Stopped => ProcessState::Stopped,
                State::Traced(_) => ProcessState::Traced,
            }),
        }
    }

    fn command(&self) -> Option<&str> {
        self.name.split('`').nth(1)
    }
}

/// The process that calls itself so: `pid 7, …`.
fn pid(name: &str) -> Option<u32> {
    name.strip_prefix("pid ")?.split(',').next()?.trim().parse().ok()
}

fn state_of(pid: u32) -> Option<State> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = || fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    state(&stat, status)
}

/// The state in a line of `/proc/PID/stat`. The name of a program may hold anything, but nothing behind it holds a
/// parenthesis. Who traces it stands in `/proc/PID/status`.
fn state(stat: &str, status: impl Fn() -> String) -> Option<State> {
    let letter = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next())?;
    Some(match letter {
        'T' => State::Stopped,
        't' => State::Traced(tracer(&status())),
        _ => State::Running,
    })
}

fn tracer(status: &str) -> Option<u32> {
    let pid = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
    pid.trim().parse().ok().filter(|pid| *pid != 0)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use strum::VariantArray as _;

    use super::*;
    use crate::args::Cli;

    const NAME: &str = "pid 71, `gatewright pipeline cancel`, since 2026-01-01T00:00:00Z";

    fn holder(name: &str, state: State) -> Holder {
        Holder { name: name.to_owned(), state: Some(state) }
    }

    #[test]
    fn a_holder_is_known_by_its_process() {
        let this = Holder::look(of(HoldingCommand::Run));
        assert_eq!(this.pid(), Some(std::process::id()));
        assert_eq!(this.state, Some(State::Running));
        assert_eq!(this.obstacle(), None, "this one is at work");
        let view = holder(NAME, State::Stopped).view();
        assert_eq!((view.pid, view.state), (Some(71), Some(ProcessState::Stopped)));
        assert_eq!(view.command.as_deref(), Some("gatewright pipeline cancel"));
        assert_eq!(view.since, "2026-01-01T00:00:00Z".parse().ok());
        let other = Holder::look("another process".to_owned()).view();
        let nothing = ProcessView { pid: None, command: None, since: None, state: None };
        assert_eq!(other, nothing);
    }

    #[test]
    fn who_only_brings_something_does_not_work() {
        assert!(!holder(NAME, State::Running).is_at_work());
        assert!(!holder(NAME, State::Running).works());
        assert!(Holder::look(of(HoldingCommand::Run)).is_at_work());
        let stopped = holder(&of(HoldingCommand::Run), State::Stopped);
        assert!(stopped.works() && !stopped.is_at_work());
        for name in ["another process", "pid 71, `gatewright of tomorrow`, since then"] {
            assert!(holder(name, State::Running).works(), "nobody knows better: {name}");
        }
    }

    #[test]
    fn every_command_that_holds_is_one_that_people_can_type_and_is_read_back() {
        for command in HoldingCommand::VARIANTS {
            let read = Holder::look(of(*command)).command().map(str::to_owned);
            assert_eq!(read, Some(format!("gatewright {command}")));
            assert_eq!(command.to_string().parse(), Ok(*command));
            let mut typed = Cli::command();
            for word in command.to_string().split(' ') {
                if let Some(long) = word.strip_prefix("--") {
                    let mut arguments = typed.get_arguments();
                    assert!(arguments.any(|it| it.get_long() == Some(long)), "{command}");
                } else {
                    let found = typed.find_subcommand(word);
                    typed = found.unwrap_or_else(|| panic!("{command}: no {word}")).clone();
                }
            }
        }
    }

    #[test]
    fn what_is_said_of_a_holder_can_be_done() {
        let once = |state| holder(NAME, state).once_ended();
        assert!(once(State::Running).ends_with(" has ended, which it does by itself"));
        assert!(once(State::Stopped).ends_with("it is stopped: `kill -CONT 71` lets it go on"));
        assert!(once(State::Traced(Some(9))).contains("it is traced: pid 9 "));
        let run = holder("pid 71, `gatewright run`, since then", State::Running);
        assert!(run.once_ended().ends_with(" has ended: Ctrl-C there keeps everything"));
    }

    #[test]
    fn a_process_that_is_stopped_shows_it_behind_whatever_it_is_called() {
        let state = |stat: &str| state(stat, || "Name:\ta\nTracerPid:\t9\n".to_owned());
        assert_eq!(state("71 (gatewright) T 1 71 71 0"), Some(State::Stopped));
        assert_eq!(state("71 (a) R (b)) t 1"), Some(State::Traced(Some(9))));
        assert_eq!(state("71 (T) T) S 1"), Some(State::Running));
        assert_eq!(state(""), None);
        assert_eq!(tracer("TracerPid:\t0\n"), None);
    }
}
