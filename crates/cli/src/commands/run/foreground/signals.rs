//! Ctrl-C, SIGTERM and a terminal that goes away: who stops, and how long that may take.

use std::{fs, sync::Arc, thread, time::Duration};

use engine::StopMode;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
};

use crate::{called::gatewright, exit::ExitStatus, output, system::SystemClock};

/// How long work under way may take to be reported, once agents are left behind. A call of git or of the store that takes
/// longer is dropped: whatever it did is found again.
const DRAIN_WITHIN: Duration = Duration::from_secs(3);
/// How long after the signal this process is gone, whatever hangs: service managers kill what stays, and people reboot.
const GONE_WITHIN: Duration = Duration::from_millis(4500);

/// The first signal stops in good order: Ctrl-C with the agents, SIGTERM and SIGHUP without them. After Ctrl-C, any
/// further signal leaves behind what is still there. `overdue` tells when nothing is waited for any more.
pub(in crate::commands::run) async fn listen(
    stop: watch::Sender<Option<StopMode>>,
    overdue: Arc<Notify>,
    quiet: bool,
) {
    let Ok(mut signals) = Signals::install() else {
        // The sender has to live on: its end would stop the engine.
        return std::future::pending().await;
    };
    let mode = signals.next().await;
    if !quiet {
        output::say(match mode {
            StopMode::StopAgents => {
                "stopping: agents are asked to end and what they left is kept (again: leave them behind)"
                    .to_owned()
            }
            StopMode::LeaveAgents => left_behind(),
        });
    }
    stop.send_replace(Some(mode));
    if mode == StopMode::StopAgents {
        signals.next().await;
        if !quiet {
            output::say(format_args!(
                "stopping: agents were told to end, and may be ending; whatever they left is taken up by `{} run --resume all`",
                gatewright()
            ));
        }
        stop.send_replace(Some(StopMode::LeaveAgents));
    }
    end_soon();
    SystemClock::default().pause(DRAIN_WITHIN).await;
    overdue.notify_one();
}

fn left_behind() -> String {
    format!(
        "stopping: agents are left at work by themselves, until `{} run --resume all` takes them up",
        gatewright()
    )
}

/// The same for a command that has letters under way and no agents: the first signal, of whatever kind, gives them the time
/// that they have, a further one no more.
pub(crate) async fn listen_for_letters(
    stop: watch::Sender<Option<StopMode>>,
    overdue: Arc<Notify>,
    quiet: bool,
) {
    let Ok(mut signals) = Signals::install() else {
        return std::future::pending().await;
    };
    signals.next().await;
    if !quiet {
        output::say("stopping: what is being delivered has 4 s, the rest waits for the next time");
    }
    stop.send_replace(Some(StopMode::StopAgents));
    end_soon();
    signals.next().await;
    stop.send_replace(Some(StopMode::LeaveAgents));
    SystemClock::default().pause(DRAIN_WITHIN).await;
    overdue.notify_one();
}

/// Ends the process when its time is up. On a thread of its own: what hangs may be the runtime.
#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "whatever has destructors is what hangs"
)]
fn end_soon() {
    let watchdog = thread::Builder::new().name("watchdog".to_owned());
    // Without the thread the end takes as long as it takes.
    let _spawned = watchdog.spawn(|| {
        thread::sleep(GONE_WITHIN);
        output::warn(
            "the end takes too long: whatever hangs is left as it is, and found again on resume",
        );
        std::process::exit(ExitStatus::Interrupted.code().into());
    });
}

/// The signals that stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Absent where whoever started us wants us to survive the terminal: `nohup`.
    hangup: Option<Signal>,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        let hangup = (!is_hangup_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    /// Waits for the next one, and says what it means.
    async fn next(&mut self) -> StopMode {
        let Self { interrupt, terminate, hangup } = self;
        let hung_up = async {
            match hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => StopMode::StopAgents,
            _ = terminate.recv() => StopMode::LeaveAgents,
            () = hung_up => StopMode::LeaveAgents,
        }
    }
}

/// Whether the process was started with SIGHUP ignored.
fn is_hangup_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores_hangup(&status)
}

fn ignores_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first bit is the first signal.
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_counts_as_ignored_only_where_the_kernel_says_so() {
        assert!(ignores_hangup("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hangup("Name:\tx\nSigIgn:\t0000000000001000\nSigCgt:\t1\n"));
        assert!(!ignores_hangup(""));
    }
}
