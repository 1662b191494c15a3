//! Says what jobs wait for: once where it is new, and once a minute where only its figures change.

use std::io;

use domain::limits::{PREFLIGHT_TIME_LIMIT, PREFLIGHT_TOLD_EVERY};
use jiff::{SignedDuration, Timestamp};

use super::{
    answers::{Look, Preflight, Subject, is_younger},
    lack::Lack,
};
use crate::{Engine, Progress};

/// What the file says that other processes read.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// `None` while nobody knows: before this process has written it, and where a write did not come to its end.
    lines: Option<Vec<String>>,
    /// Whether the last write failed, which is said once.
    has_failed: bool,
}

impl Engine {
    /// Remembers what a look found, and says what is new.
    pub(super) async fn note(&self, subject: Subject, problem: Option<String>) {
        let look = Look { at: self.ports.clock.now(), problem };
        let to_say = {
            let mut preflight = self.preflight.lock().expect("no holder panics");
            let to_say = preflight.say(&subject, &look);
            preflight.looks.insert(subject, look);
            to_say
        };
        if let Some(problem) = to_say {
            tracing::warn!("jobs wait: {problem}");
            self.say(Progress::HeldBack { problem });
        }
        self.write_down().await;
    }

    /// Whether others can read what is known.
    pub(crate) fn has_told(&self) -> bool {
        self.told.try_lock().is_ok_and(|told| told.lines.as_ref() == Some(&self.lines()))
    }

    /// Writes down what jobs wait for, unless the file says so. A disk that hangs keeps nobody for longer than a look.
    async fn write_down(&self) {
        let limit = SignedDuration::try_from(PREFLIGHT_TIME_LIMIT).unwrap_or(SignedDuration::MAX);
        let limit = self.ports.clock.now().saturating_add(limit).unwrap_or(Timestamp::MAX);
        tokio::select! {
            biased;
            () = self.write_in_turn() => {}
            () = self.ports.clock.sleep_until(limit) => tracing::warn!(
                "could not write down what jobs wait for within {} s",
                PREFLIGHT_TIME_LIMIT.as_secs()
            ),
        }
    }

    async fn write_in_turn(&self) {
        let mut told = self.told.lock().await;
        let lines = self.lines();
        if told.lines.as_ref() == Some(&lines) {
            return;
        }
        told.lines = None;
        let text = lines.join("\n");
        match self.ports.files.write(&self.layout.held(), text.as_bytes()).await {
            Ok(()) => *told = Told { lines: Some(lines), has_failed: false },
            Err(error) => told.say_failure(&error),
        }
    }

    fn lines(&self) -> Vec<String> {
        let preflight = self.preflight.lock().expect("no holder panics");
        preflight.lacks().iter().map(Lack::line).collect()
    }
}

impl Told {
    /// On a disk that is full this very file may not be written, look after look; watchers and the log were told.
    fn say_failure(&mut self, error: &io::Error) {
        if !self.has_failed {
            tracing::warn!("could not write down what jobs wait for: {error}");
        }
        self.has_failed = true;
    }
}

impl Preflight {
    /// What is to be said of a look. A disk that fills up has another figure with each: that is no news.
    fn say(&mut self, subject: &Subject, look: &Look) -> Option<String> {
        let Some(problem) = &look.problem else {
            self.said.remove(subject);
            return None;
        };
        let is_known = self.said.get(subject).is_some_and(|said| {
            said.problem == look.problem
                || (said.problem.as_deref().map(without_figures) == Some(without_figures(problem))
                    && is_younger(said.at, PREFLIGHT_TOLD_EVERY, look.at))
        });
        if is_known {
            return None;
        }
        self.said.insert(subject.clone(), look.clone());
        Some(problem.clone())
    }
}

fn without_figures(text: &str) -> String {
    text.chars().filter(|it| !it.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn look(seconds: u64, problem: Option<&str>) -> Look {
        let at = Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        Look { at, problem: problem.map(str::to_owned) }
    }

    #[test]
    fn other_figures_are_told_once_a_minute_and_another_problem_at_once() {
        let mut preflight = Preflight::default();
        let mut says = |seconds, problem| {
            preflight.say(&Subject::Processes, &look(seconds, problem)).is_some()
        };
        let cases = [
            (0, Some("9 MiB of disk free"), true),
            (10, Some("9 MiB of disk free"), false),
            (20, Some("8 MiB of disk free"), false),
            (30, Some("8 MiB of memory free"), true),
            (90, Some("7 MiB of memory free"), true),
            (600, Some("7 MiB of memory free"), false),
            (610, None, false),
            (620, Some("7 MiB of memory free"), true),
        ];
        for (seconds, problem, is_said) in cases {
            assert_eq!(says(seconds, problem), is_said, "{seconds}: {problem:?}");
        }
    }
}
