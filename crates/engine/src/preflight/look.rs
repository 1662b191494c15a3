//! One look: what it asks, and how long it waits for the answer.

use domain::limits::{
    DISK_BYTES_MIN, MEMORY_BYTES_MIN, PREFLIGHT_TIME_LIMIT, PREFLIGHT_TOLD_EVERY,
};
use jiff::{SignedDuration, Timestamp};
use ports::Taken;

use super::answers::{Subject, is_younger};
use crate::{AgentSetup, Engine, chain};

/// How long may be spent on what takes most of a disk.
const MEASURE_LIMIT: SignedDuration = SignedDuration::from_secs(3);

impl Engine {
    /// Looks at something, and remembers what was found.
    pub(super) async fn look(&self, subject: Subject) {
        let problem = match &subject {
            Subject::Processes => {
                let what = format!("the machine, or the disk of {},", self.layout.data_dir());
                self.in_time(&what, self.problem_of_machine()).await
            }
            Subject::Agent(name) => match self.options.agents.get(name) {
                Some(setup) => self.in_time(name.as_str(), self.problem_of_agent(setup)).await,
                None => None,
            },
        };
        self.note(subject, problem).await;
    }

    /// Why an agent cannot be started, where a job of it is about to.
    pub(crate) async fn look_at_agent(&self, setup: &AgentSetup) -> Option<String> {
        let name = &setup.profile.name;
        let subject = Subject::Agent(name.clone());
        let now = self.ports.clock.now();
        let known = self.preflight.lock().expect("no holder panics").looks.get(&subject).cloned();
        if let Some(look) = known.filter(|look| look.is_fresh(now)) {
            return look.problem;
        }
        let problem = self.in_time(name.as_str(), self.problem_of_agent(setup)).await;
        self.note(subject, problem.clone()).await;
        problem
    }

    /// Whatever is asked has so long: a disk that hangs does not answer at all.
    async fn in_time(
        &self,
        what: &str,
        look: impl Future<Output = Option<String>>,
    ) -> Option<String> {
        let limit = SignedDuration::try_from(PREFLIGHT_TIME_LIMIT).unwrap_or(SignedDuration::MAX);
        let limit = self.ports.clock.now().saturating_add(limit).unwrap_or(Timestamp::MAX);
        tokio::select! {
            biased;
            problem = look => problem,
            () = self.ports.clock.sleep_until(limit) => {
                let seconds = PREFLIGHT_TIME_LIMIT.as_secs();
                Some(format!("{what} did not answer within {seconds} s"))
            }
        }
    }

    async fn problem_of_agent(&self, setup: &AgentSetup) -> Option<String> {
        let AgentSetup { profile, kind, .. } = setup;
        let answer = self.ports.machine.check_agent(kind.as_ref(), profile, &self.options.path);
        answer.await.err().map(|error| chain(&error))
    }

    async fn problem_of_machine(&self) -> Option<String> {
        const MIB: u64 = 1024 * 1024;
        let dir = self.layout.data_dir();
        let room = match self.ports.machine.room(dir).await {
            Ok(room) => room,
            Err(error) => {
                return Some(format!("the data directory {dir} cannot be reached: {error}"));
            }
        };
        if room.disk_bytes < DISK_BYTES_MIN {
            let (free, min) = (room.disk_bytes / MIB, DISK_BYTES_MIN / MIB);
            let most = self.what_takes_most().await;
            return Some(format!(
                "the disk of {dir} has {free} MiB free, and {min} MiB are needed to start anything: free some space{most}"
            ));
        }
        if let Some(bytes) = room.memory_bytes.filter(|bytes| *bytes < MEMORY_BYTES_MIN) {
            let (free, min) = (bytes / MIB, MEMORY_BYTES_MIN / MIB);
            return Some(format!(
                "the machine has {free} MiB of memory free, and {min} MiB are needed to start anything: end something else, or lower max_concurrency"
            ));
        }
        let sandbox = self.ports.sandbox.check().await;
        sandbox.err().map(|error| format!("the sandbox does not answer: {}", chain(&error)))
    }

    /// Which of our own places takes most of the disk, in words. Looked at once a minute at most, since that takes its
    /// time, and not for long: a disk that is slow is no answer.
    async fn what_takes_most(&self) -> String {
        const MIB: u64 = 1024 * 1024;
        let now = self.ports.clock.now();
        let known = self.preflight.lock().expect("no holder panics").most.clone();
        if let Some((at, words)) = known
            && is_younger(at, PREFLIGHT_TOLD_EVERY, now)
        {
            return words;
        }
        let places = self.layout.places();
        let limit = now.saturating_add(MEASURE_LIMIT).unwrap_or(Timestamp::MAX);
        let sizes = tokio::select! {
            biased;
            sizes = self.ports.machine.measure(&places) => sizes,
            () = self.ports.clock.sleep_until(limit) => Vec::new(),
        };
        let is_counted = sizes.iter().all(|taken| taken.is_whole);
        let most = sizes.into_iter().filter(|taken| taken.bytes >= MIB).max_by_key(|it| it.bytes);
        let words = most.map_or_else(String::new, |Taken { place, bytes, is_whole }| {
            let most = if is_counted { "most" } else { "most of what could be counted" };
            let at_least = if is_whole { "" } else { "at least " };
            format!(" (of ours, {place} takes {most}: {at_least}{} MiB)", bytes / MIB)
        });
        self.preflight.lock().expect("no holder panics").most = Some((now, words.clone()));
        words
    }
}
