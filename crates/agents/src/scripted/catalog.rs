//! The scenarios that ship with the binary.

use super::scenario::Scenario;

/// A built-in scenario, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioInfo {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it plays, one line.
    pub description: String,
    /// What should come of it, one line.
    pub expect: String,
}

macro_rules! scenarios {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("scenarios/", $name, ".toml")))),+]
    };
}

/// The demo first, then the misbehaving ones.
const SCENARIOS: &[(&str, &str)] = scenarios![
    "demo",
    "silent",
    "endless",
    "flood",
    "split-writes",
    "long-line",
    "nothing-done",
    "breaks-tests",
    "deletes-tests",
    "loosens-tests",
    "edits-gates",
    "writes-outside",
    "other-branch",
    "rate-limited-success",
    "retry-after",
    "credentials",
    "overloaded-once",
    "cut",
    "wrong-exit-code",
    "leaves-daemon",
    "ignores-sigterm",
    "prints-secrets",
    "injects-prompt",
    "repeats-tool",
    "repeats-error",
    "asks-again",
    "answers-for-another",
    "forks",
    "fills-disk",
];

/// The text of a built-in scenario.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Every built-in scenario.
pub fn scenarios() -> Vec<ScenarioInfo> {
    let described = SCENARIOS.iter().map(|&(name, text)| {
        let Scenario { description, expect, runs: _ } = Scenario::parse(name, text)
            .expect("a test parses every scenario that ships with the binary");
        ScenarioInfo { name, description, expect }
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scenario_file_is_listed_parses_and_says_what_should_come_of_it() {
        let listed: BTreeSet<_> = scenarios().into_iter().map(|it| it.name.to_owned()).collect();
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scripted/scenarios");
        let files = std::fs::read_dir(dir)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap());
        assert_eq!(listed, files.map(|file| file.trim_end_matches(".toml").to_owned()).collect());
        for scenario in scenarios() {
            assert!(
                !scenario.expect.is_empty() && !scenario.description.contains('\n'),
                "{}",
                scenario.name
            );
        }
    }
}
