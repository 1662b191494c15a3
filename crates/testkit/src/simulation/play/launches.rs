//! What an agent is launched for, with, and on.

use domain::{
    failure::FailureClass,
    id::RunId,
    limits::PREFLIGHT_TTL,
    run::{Run, RunOutcome},
};
use jiff::Timestamp;
use ports::Room;

use super::Play;
use crate::{simulation::plan::Lack, store_model::Model};

/// A machine on which there is room for everything.
const PLENTY: Room = Room { disk_bytes: u64::MAX, memory_bytes: None };
/// Why an agent or a sandbox does not answer.
const GONE: &str = "it is not installed";

impl Play<'_> {
    /// Something is missing from now on, or nothing any more.
    pub(super) fn set_machine(&mut self, lacks: Lack) {
        let (sandbox, machine) = (&self.world.sandbox, &self.world.machine);
        sandbox.set_unusable(None);
        machine.mend_agents();
        machine.set_room(PLENTY);
        match lacks {
            Lack::Nothing => {}
            Lack::Agent => machine.break_agent("fake", GONE),
            Lack::Sandbox => sandbox.set_unusable(Some(GONE)),
            Lack::Disk => machine.set_room(Room { disk_bytes: 1, ..PLENTY }),
            Lack::Memory => machine.set_room(Room { memory_bytes: Some(1), ..PLENTY }),
        }
        self.lacks_since = (lacks != Lack::Nothing).then(|| self.now());
    }

    /// Looks at what was launched since the last look.
    pub(super) fn look_at_launches(&mut self) {
        let launched = self.world.sandbox.launched();
        for (number, dir) in launched.iter().enumerate().skip(self.launches) {
            let run = self.store.pair.model.look(|model| {
                model.runs.values().find(|run| dir.as_str().contains(&run.id.to_string())).cloned()
            });
            let Some(run) = run else {
                self.record.violate("a run is recorded before it is launched", dir.to_string());
                continue;
            };
            self.look_at_launch(number, &run);
        }
        self.launches = launched.len();
    }

    fn look_at_launch(&self, number: usize, run: &Run) {
        let session = self.store.pair.model.look(|model| session_to_go_on_with(model, run));
        let argv = self.world.sandbox.launched_with(number);
        if let (Some(session), Some(argv)) = (session, argv)
            && !argv.contains(&session)
        {
            let what = format!("{} after {session}: {argv:?}", run.id);
            self.record.violate("a spent window goes on in the same session", what);
        }
        // Where calls take their time, a look counts for longer than it should.
        let Some(since) = self.lacks_since.filter(|_| !self.is_slow) else { return };
        if since.saturating_add(PREFLIGHT_TTL).unwrap_or(Timestamp::MAX) < run.launched_at {
            let what = format!("{} at {}, lacking since {since}", run.id, run.launched_at);
            self.record.violate("nothing is launched where it cannot run", what);
        }
    }
}

/// The conversation that an earlier run of the same job was in when its window was spent.
fn session_to_go_on_with(model: &Model, run: &Run) -> Option<String> {
    let before = |(id, other): &(&RunId, &Run)| **id < run.id && other.job == run.job;
    let (_, earlier) = model.runs.iter().rfind(before)?;
    match &earlier.outcome {
        Some(RunOutcome::Failed { failure }) if failure.class == FailureClass::Quota => {
            earlier.session.clone()
        }
        _ => None,
    }
}
