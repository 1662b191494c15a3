//! What a storm does, and how often it did.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    processes,
    site::{Chance, Site},
};

/// Where an orchestrator may be told to die: the calls of the crash-point matrix.
const POINTS: [&str; 9] = [
    "store.claim",
    "store.apply",
    "store.save_run",
    "agent.launch",
    "sandbox.launch",
    "git.collect",
    "git.integrate",
    "git.land",
    "git.open_workspace",
];
/// Longer than a lease.
const STANDSTILL_SECONDS: u64 = 40;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    KillOrchestrator,
    DrainOrchestrator,
    DieAtPoint,
    StandStill,
    KillSupervisor,
    KillInit,
    KillAgent,
}

impl Fault {
    /// The next one. What is inside of sandboxes is meant often, as it is not always there.
    pub(super) fn choose(chance: &mut Chance) -> Self {
        match chance.below(100) {
            0..20 => Self::KillOrchestrator,
            20..28 => Self::DrainOrchestrator,
            28..43 => Self::DieAtPoint,
            43..48 => Self::StandStill,
            48..68 => Self::KillSupervisor,
            68..84 => Self::KillInit,
            _ => Self::KillAgent,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::KillOrchestrator => "orchestrator killed",
            Self::DrainOrchestrator => "orchestrator drained (SIGTERM)",
            Self::DieAtPoint => "orchestrator killed, the next one armed",
            Self::StandStill => "orchestrator stopped for longer than a lease",
            Self::KillSupervisor => "supervisor of a sandbox killed",
            Self::KillInit => "init of a sandbox, or its wall, killed",
            Self::KillAgent => "agent killed",
        }
    }

    /// Does it. Says whether there was anything to do it to.
    pub(super) fn strike(self, site: &mut Site) -> bool {
        match self {
            Self::KillOrchestrator => site.kill_orchestrator(),
            Self::DrainOrchestrator => site.orchestrator().is_some_and(|it| it.try_signal("TERM")),
            Self::DieAtPoint => {
                let Some(point) = site.chance.one_of(&POINTS) else { return false };
                let moment = if site.chance.below(2) == 0 { "before" } else { "after" };
                let nth = 1 + site.chance.below(3);
                site.failpoint = Some(format!("{point}.{moment}#{nth}=abort"));
                // It is armed with the next start.
                Self::KillOrchestrator.strike(site)
            }
            Self::StandStill => {
                if !site.orchestrator().is_some_and(|it| it.try_signal("STOP")) {
                    return false;
                }
                site.advance(STANDSTILL_SECONDS);
                thread::sleep(Duration::from_millis(100));
                site.orchestrator().is_some_and(|it| it.try_signal("CONT"))
            }
            Self::KillSupervisor | Self::KillInit | Self::KillAgent => self.kill_one(site),
        }
    }

    fn kill_one(self, site: &mut Site) -> bool {
        let data_dir = site.gatewright.data_dir();
        let mut meant = processes::list(&data_dir);
        meant.retain(|it| match self {
            Self::KillSupervisor => it.is_supervisor(&data_dir),
            Self::KillInit => it.is_init(),
            _ => it.is_agent(),
        });
        let Some(victim) = site.chance.one_of(&meant) else { return false };
        // It may have ended meanwhile.
        let mut kill = Command::new("kill");
        let kill = kill.args(["-s", "KILL", &victim.pid.to_string()]).stderr(Stdio::null());
        kill.status().is_ok_and(|status| status.success())
    }
}

/// How often each fault struck.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<Fault, u32>);

impl Tally {
    pub(super) fn count(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }

    pub(super) fn total(&self) -> u32 {
        self.0.values().sum()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static str, u32)> + '_ {
        self.0.iter().map(|(fault, count)| (fault.name(), *count))
    }
}
