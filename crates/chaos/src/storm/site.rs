//! The place of a storm: a repository, the binary, and the orchestrator that is started again whenever it is gone.

use std::{collections::BTreeMap, fs, mem, os::unix::process::ExitStatusExt as _};

use camino::Utf8PathBuf;
use ports::Entropy as _;
use testkit::{
    gatewright::{Finished, Gatewright, Rings, Running},
    repository::Repository,
    world::SeededEntropy,
};

use super::Storm;
use crate::{CLOCK, FAILPOINT};

/// How often people may be needed before that is a violation of its own: a pipeline whose agent is killed over and over.
const RETRIES_MAX: u32 = 50;
/// The signal by which a process ends itself at a failpoint.
const ABORTED: i32 = 6;

/// Seeded chance.
pub(super) struct Chance(SeededEntropy);

impl Chance {
    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let bytes = self.0.bytes();
        let word = bytes[4..12].iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
        word % limit.max(1)
    }

    /// One of several.
    pub(super) fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        let index = self.below(all.len() as u64);
        all.get(usize::try_from(index).ok()?).cloned()
    }
}

/// Where it happens.
pub(super) struct Site {
    pub(super) gatewright: Gatewright,
    pub(super) repository: Repository,
    pub(super) chance: Chance,
    /// What agents and gates did, one line each.
    pub(super) effects: Rings,
    /// The failpoint of the next start.
    pub(super) failpoint: Option<String>,
    pub(super) violations: Vec<String>,
    pub(super) starts: u32,
    /// What a person was asked about and had tried again, by why.
    pub(super) retries: BTreeMap<String, u32>,
    /// Orchestrators that came to their failpoint.
    pub(super) died_at_points: u32,
    pub(super) pipelines: u32,
    script: String,
    check: String,
    clock: Utf8PathBuf,
    ahead_seconds: u64,
    orchestrator: Option<Running>,
}

impl Site {
    pub(super) fn new(storm: &Storm) -> Self {
        let gatewright = Gatewright::new(&storm.program);
        let effects = gatewright.bell("effects");
        let bell = effects.path();
        // Long enough to be met at work, short enough for many.
        let script = format!(
            "echo start $GATEWRIGHT_ITEM $GATEWRIGHT_RUN > {bell}
             for number in 1 2 3 4 5 6 7 8; do echo line $number; sleep 0.3; done
             echo $GATEWRIGHT_RUN >> $GATEWRIGHT_ITEM.txt; git add .; git commit -qm work
             echo done $GATEWRIGHT_ITEM $GATEWRIGHT_RUN > {bell}"
        );
        let check = format!("echo gate > {bell}; tests/run.sh");
        let clock = gatewright.home().join("clock");
        fs::write(&clock, "0").expect("a home can be written to");
        Self {
            gatewright,
            repository: Repository::greet(),
            chance: Chance(SeededEntropy::new(storm.seed)),
            effects: effects.listen(),
            failpoint: None,
            violations: Vec::new(),
            starts: 0,
            retries: BTreeMap::new(),
            died_at_points: 0,
            pipelines: 0,
            script,
            check,
            clock,
            ahead_seconds: 0,
            orchestrator: None,
        }
    }

    /// Starts so many more items.
    pub(super) fn begin(&mut self, count: u32) {
        let titles: Vec<String> =
            (1..=count).map(|number| format!("Add file {}", self.pipelines + number)).collect();
        let check = self.check.clone();
        let mut arguments = vec!["run", "--merge", "--json", "--check", &check];
        arguments.extend(titles.iter().map(String::as_str));
        // Which fault meets the making of pipelines is told by no pipeline: that is left in peace.
        self.failpoint = None;
        self.start(&arguments);
        while self.listed("").len() < (self.pipelines + count) as usize && self.poll().is_none() {}
        self.pipelines += count;
    }

    /// Starts the orchestrator, behind this wall or that: it takes up what runs behind the other one all the same.
    fn start(&mut self, arguments: &[&str]) {
        let backend = if self.chance.below(2) == 0 { "bubblewrap" } else { "process" };
        let top = format!("limits.max_concurrency = 4\nsandbox.backend = \"{backend}\"");
        self.gatewright.configure_agent_with(&self.script, "", &top);
        let mut command = self.gatewright.command(self.repository.path(), arguments);
        command.env(CLOCK, &self.clock);
        if let Some(point) = self.failpoint.take() {
            command.env(FAILPOINT, point);
        }
        self.starts += 1;
        self.orchestrator = Some(Running::start(&mut command));
    }

    /// The orchestrator, if it is alive.
    pub(super) fn orchestrator(&mut self) -> Option<&Running> {
        drop(self.poll());
        self.orchestrator.as_ref()
    }

    /// Kills the orchestrator, if it is alive, and waits until it is gone.
    pub(super) fn kill_orchestrator(&mut self) -> bool {
        drop(self.poll());
        let Some(running) = mem::take(&mut self.orchestrator) else { return false };
        running.kill();
        let finished = running.finish();
        self.judge(&finished);
        true
    }

    /// How the orchestrator ended, if it has and nobody has asked yet.
    fn poll(&mut self) -> Option<Finished> {
        let running = mem::take(&mut self.orchestrator)?;
        match running.poll() {
            Ok(finished) => {
                self.judge(&finished);
                Some(finished)
            }
            Err(running) => {
                self.orchestrator = Some(running);
                None
            }
        }
    }

    /// It ends by a signal, by a drain, at its end, or because only people can help. Anything else is a violation.
    fn judge(&mut self, finished: &Finished) {
        self.died_at_points += u32::from(finished.status.signal() == Some(ABORTED));
        if !matches!(finished.code(), None | Some(0 | 3 | 130)) {
            let said: Vec<&str> = finished.stderr.lines().rev().take(3).collect();
            self.accuse(format!("an orchestrator ended with {:?}: {said:?}", finished.code()));
        }
        if finished.stderr.contains("internal error") || finished.stderr.contains("panicked") {
            self.accuse(format!("an orchestrator panicked: {}", finished.stderr));
        }
    }

    /// Starts an orchestrator for everything that is not over, if none is alive. Says whether there is anything left.
    pub(super) fn keep_at_work(&mut self) -> bool {
        if self.orchestrator().is_some() {
            return true;
        }
        for blocked in self.listed("blocked") {
            let reason = blocked["reason"].as_str().unwrap_or("without a reason");
            // Without what is of one run only, so that they can be counted.
            let reason = reason.split(" run_").next().unwrap_or(reason);
            *self.retries.entry(reason.to_owned()).or_default() += 1;
            let pipeline = blocked["id"].as_str().unwrap_or_default();
            let arguments = ["pipeline", "retry", pipeline, "--json"];
            let retried = self.gatewright.run(self.repository.path(), &arguments);
            if retried.code() != Some(0) || self.retries.values().sum::<u32>() > RETRIES_MAX {
                self.accuse(format!("{pipeline} could not be retried: {retried:?}"));
                return false;
            }
        }
        let left =
            ["queued", "running", "paused"].iter().any(|state| !self.listed(state).is_empty());
        if left {
            self.start(&["run", "--resume", "all", "--json"]);
        }
        left
    }

    /// The pipelines in a state, or all, as lists show them.
    pub(super) fn listed(&self, state: &str) -> Vec<serde_json::Value> {
        let listed = self
            .gatewright
            .run(self.repository.path(), &["pipeline", "list", "--limit", "0", "--json"]);
        let all = if listed.code() == Some(0) { listed.json() } else { serde_json::json!([]) };
        let meant = |it: &&serde_json::Value| state.is_empty() || it["status"] == state;
        all.as_array().into_iter().flatten().filter(meant).cloned().collect()
    }

    /// Moves the clock of every orchestrator forward.
    pub(super) fn advance(&mut self, seconds: u64) {
        self.ahead_seconds += seconds;
        fs::write(&self.clock, self.ahead_seconds.to_string()).expect("a home can be written to");
    }

    pub(super) fn accuse(&mut self, what: String) {
        self.violations.push(what);
    }
}
