//! Signals of the shim and of what it starts.

use nix::sys::{
    signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    signalfd::{SfdFlags, SignalFd},
};

/// Holds every signal back and gives those of `watched` as something to read.
///
/// Whoever started us may have told the kernel to ignore some: they are set back, or the end of a child would go unseen.
pub(super) fn watch(watched: &[Signal]) -> nix::Result<SignalFd> {
    SigSet::all().thread_set_mask()?;
    set_to_default(|signal| signal != Signal::SIGPIPE);
    SignalFd::with_flags(
        &watched.iter().copied().collect(),
        SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC,
    )
}

/// Gives the command the signals that a program expects to find. Safe to call between fork and exec.
pub(super) fn hand_over() -> nix::Result<()> {
    set_to_default(|_| true);
    SigSet::empty().thread_set_mask()
}

#[expect(
    unsafe_code,
    reason = "sigaction can install handlers, which are unsafe in general; the default action is not"
)]
fn set_to_default(wanted: impl Fn(Signal) -> bool) {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    let settable = |signal: &Signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP);
    for signal in Signal::iterator().filter(settable).filter(|signal| wanted(*signal)) {
        // SAFETY: no handler is installed, so no code of ours can run at a bad moment; sigaction is async-signal-safe.
        // The only error is a signal that does not exist here, which then needs no action.
        let _ = unsafe { sigaction(signal, &default) };
    }
}
