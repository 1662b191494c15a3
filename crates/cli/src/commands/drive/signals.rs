//! Ctrl-C, SIGTERM and a terminal that goes away: who stops, and how long that may take.

use std::{
    io,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use engine::StopMode;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
};

use super::AtWork;
use crate::{
    called::gatewright,
    exit::ExitStatus,
    output,
    system::{SystemClock, is_ignored},
};

/// How long work under way may take to be reported, once agents are left behind. A call of git or of the store that takes
/// longer is dropped: whatever it did is found again.
const DRAIN_WITHIN: Duration = Duration::from_secs(3);
/// How long after the signal this process is gone, whatever hangs: service managers kill what stays, and people reboot.
const GONE_WITHIN: Duration = Duration::from_millis(4300);
/// How long of that the last words may take.
const SAID_WITHIN: Duration = Duration::from_millis(200);

/// Who hears signals, and who is told of them.
pub(super) struct Listener {
    pub(super) stop: watch::Sender<Option<StopMode>>,
    pub(super) told: watch::Sender<bool>,
    pub(super) at_work: Arc<Mutex<AtWork>>,
    pub(super) overdue: Arc<Notify>,
    pub(super) quiet: bool,
}

impl Listener {
    /// Waits for signals, and does what they mean for what is at work. Ends once nothing is left to be told.
    pub(super) async fn listen(&self, mut signals: Signals) {
        let mode = signals.next().await;
        let met = self.stop_what_is_at_work(mode);
        if (met, mode) != (AtWork::Agents, StopMode::StopAgents) {
            end_soon();
        }
        self.say(first_words(met, mode));
        if (met, mode) != (AtWork::Agents, StopMode::LeaveAgents) {
            signals.next().await;
        }
        self.stop.send_replace(Some(StopMode::LeaveAgents));
        if (met, mode) == (AtWork::Agents, StopMode::StopAgents) {
            end_soon();
            self.say(format!(
                "stopping: agents were told to end, and may be ending; whatever they left is taken up by `{} run --resume all`",
                gatewright()
            ));
        }
        SystemClock::default().pause(DRAIN_WITHIN).await;
        self.overdue.notify_one();
    }

    /// Tells what is at work, and returns what that is. Nothing begins meanwhile, nor afterwards.
    fn stop_what_is_at_work(&self, mode: StopMode) -> AtWork {
        let met = self.at_work.lock().expect("no holder panics");
        let mode = match *met {
            AtWork::Agents | AtWork::Nothing => mode,
            // The first signal, of whatever kind, gives them the time that they have, a further one no more.
            AtWork::Chores => StopMode::StopAgents,
        };
        self.stop.send_replace(Some(mode));
        *met
    }

    /// Says it beside the listener, who must hear the next signal although nobody reads this.
    fn say(&self, words: String) {
        let (told, quiet) = (self.told.clone(), self.quiet);
        tokio::task::spawn_blocking(move || {
            if !quiet {
                output::say(words);
            }
            told.send_replace(true);
        });
    }
}

/// What is said of the first signal. Ctrl-C stops in good order, with the agents; SIGTERM and SIGHUP without them.
fn first_words(met: AtWork, mode: StopMode) -> String {
    match (met, mode) {
        (AtWork::Agents, StopMode::StopAgents) => {
            "stopping: agents are asked to end and what they left is kept (again: leave them behind)".to_owned()
        }
        (AtWork::Agents, StopMode::LeaveAgents) => format!(
            "stopping: agents are left at work by themselves, until `{} run --resume all` takes them up",
            gatewright()
        ),
        (AtWork::Chores, _) => {
            "stopping: what is under way has 4 s, the rest waits for the next time".to_owned()
        }
        (AtWork::Nothing, _) => "stopping: nothing more is begun".to_owned(),
    }
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
        // Beside the end: what hangs may be whoever is to read it.
        let _spawned = thread::Builder::new().spawn(|| {
            output::warn(
                "the end takes too long: whatever hangs is left as it is, and found again on resume",
            );
        });
        thread::sleep(SAID_WITHIN);
        std::process::exit(ExitStatus::Interrupted.code().into());
    });
}

/// The signals that stop.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Absent where whoever started us wants us to survive the terminal: `nohup`.
    hangup: Option<Signal>,
}

impl Signals {
    /// Has them told from now on, all or none: what is heard only in part is for a process that begins nothing. To be
    /// called in the runtime.
    pub(super) fn install() -> io::Result<Self> {
        let hangup = (!is_ignored(SignalKind::hangup()))
            .then(|| signal(SignalKind::hangup()))
            .transpose()?;
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
