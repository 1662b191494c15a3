//! What a sandbox's exit record means, whichever agent was in it.
//!
//! The record names the kind of a limit, not its value: whoever set the limit adds that.

use domain::{
    failure::{Failure, FailureClass, MORE_MEMORY},
    run::RunOutcome,
};
use ports::{ExitRecord, SandboxEnd, StopReason};

use crate::words;

/// The exit code of a program that ended by itself, or what else happened to it.
pub(crate) fn exit_code(exit: &ExitRecord) -> Result<i32, Failure> {
    match &exit.end {
        SandboxEnd::Exited { code } => Ok(*code),
        SandboxEnd::Signaled { out_of_memory: true, .. } => Err(Failure::new(
            FailureClass::Resource,
            format!("ran out of memory and was ended by the kernel; {MORE_MEMORY}"),
        )),
        SandboxEnd::Signaled { signal, out_of_memory: false } => Err(signaled(*signal)),
        SandboxEnd::Stopped { reason } => Err(match reason {
            StopReason::Asked => Failure::new(FailureClass::Lost, "was stopped"),
            StopReason::TimeLimit => Failure::new(
                FailureClass::Resource,
                "ran longer than its time limit; raise `time_limit` of the stage or role",
            ),
            StopReason::Silence => Failure::new(
                FailureClass::Resource,
                "said nothing for longer than its stall limit; raise `stall_limit` of the stage",
            ),
        }),
        SandboxEnd::LaunchFailed { message } => Err(Failure::new(
            FailureClass::Permanent,
            format!("could not be started: {}", words::summary(message)),
        )),
    }
}

/// A signal that we did not send. A crash is the program's own doing and would come again; anything else came from
/// outside, like a reboot, and is nobody's fault.
fn signaled(signal: i32) -> Failure {
    let (class, name) = match signal {
        4 => (FailureClass::Permanent, "SIGILL"),
        5 => (FailureClass::Permanent, "SIGTRAP"),
        6 => (FailureClass::Permanent, "SIGABRT"),
        7 => (FailureClass::Permanent, "SIGBUS"),
        8 => (FailureClass::Permanent, "SIGFPE"),
        11 => (FailureClass::Permanent, "SIGSEGV"),
        13 => (FailureClass::Permanent, "SIGPIPE"),
        31 => (FailureClass::Permanent, "SIGSYS"),
        24 => (FailureClass::Resource, "SIGXCPU"),
        25 => (FailureClass::Resource, "SIGXFSZ"),
        1 => (FailureClass::Lost, "SIGHUP"),
        2 => (FailureClass::Lost, "SIGINT"),
        9 => (FailureClass::Lost, "SIGKILL"),
        15 => (FailureClass::Lost, "SIGTERM"),
        _ => (FailureClass::Lost, "a signal"),
    };
    let guess = match signal {
        9 => "; somebody killed it, or the machine went down: the kernel names no want of memory",
        24 | 25 => "; it is a limit of whoever started us: look at `ulimit -a`",
        _ => "",
    };
    Failure::new(class, format!("was ended by {name} ({signal}), which was not sent by us{guess}"))
}

/// Whether a limit of ours ended it, as against a person or a crash.
pub(crate) const fn reached_a_limit(exit: &ExitRecord) -> bool {
    matches!(exit.end, SandboxEnd::Stopped { reason: StopReason::TimeLimit | StopReason::Silence })
}

/// A failure as an outcome.
pub(crate) const fn failed(failure: Failure) -> RunOutcome {
    RunOutcome::Failed { failure }
}

/// An exit code other than 0, with the last thing that was said.
pub(crate) fn exited(code: i32, said: Option<&str>) -> Failure {
    let message = match said.map(words::summary) {
        Some(said) if !said.is_empty() => format!("exited with code {code}: {said}"),
        _ => format!("exited with code {code} without a word"),
    };
    Failure::new(FailureClass::Permanent, message)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn failure(end: SandboxEnd) -> Failure {
        let now = Timestamp::UNIX_EPOCH;
        let exit = ExitRecord {
            version: 1,
            started_at: now,
            ended_at: now,
            end,
            leftovers_killed: 0,
            log_cut: false,
        };
        exit_code(&exit).expect_err("a failure")
    }

    fn class(end: SandboxEnd) -> FailureClass {
        failure(end).class
    }

    /// What is known is said, with what to change; what is not known is not made up.
    #[test]
    fn a_signal_says_who_may_have_sent_it() {
        let cases = [
            (9, true, "ran out of memory and was ended by the kernel; lower max_concurrency"),
            (9, false, "was ended by SIGKILL (9), which was not sent by us; somebody killed it"),
            (24, false, "which was not sent by us; it is a limit of whoever started us"),
            (11, false, "was ended by SIGSEGV (11), which was not sent by us"),
        ];
        for (signal, out_of_memory, words) in cases {
            let message = failure(SandboxEnd::Signaled { signal, out_of_memory }).message;
            assert!(message.contains(words), "{signal}: {message}");
        }
    }

    #[test]
    fn a_limit_is_a_resource_and_being_stopped_is_nobodys_fault() {
        assert_eq!(
            class(SandboxEnd::Stopped { reason: StopReason::TimeLimit }),
            FailureClass::Resource
        );
        assert_eq!(
            class(SandboxEnd::Stopped { reason: StopReason::Silence }),
            FailureClass::Resource
        );
        assert_eq!(
            class(SandboxEnd::Signaled { signal: 9, out_of_memory: true }),
            FailureClass::Resource
        );
        assert_eq!(class(SandboxEnd::Stopped { reason: StopReason::Asked }), FailureClass::Lost);
    }

    #[test]
    fn a_crash_is_permanent_and_a_kill_from_outside_is_lost() {
        assert_eq!(
            class(SandboxEnd::Signaled { signal: 11, out_of_memory: false }),
            FailureClass::Permanent
        );
        assert_eq!(
            class(SandboxEnd::Signaled { signal: 15, out_of_memory: false }),
            FailureClass::Lost
        );
        assert_eq!(
            class(SandboxEnd::LaunchFailed { message: "ENOENT".to_owned() }),
            FailureClass::Permanent
        );
    }
}
