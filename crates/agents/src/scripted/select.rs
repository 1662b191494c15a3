//! Which run of a scenario is played.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{
    catalog,
    scenario::{Scenario, ScenarioError, ScenarioRun},
};

/// The scenario of a name or a file.
pub(super) fn load(scenario: &str) -> Result<Scenario, ScenarioError> {
    if let Some(text) = catalog::find(scenario) {
        return Scenario::parse(scenario, text);
    }
    if !Utf8Path::new(scenario).is_absolute() {
        let known =
            catalog::scenarios().into_iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
        return Err(ScenarioError::Unknown { name: scenario.to_owned(), known });
    }
    let read = std::fs::read_to_string(scenario);
    let text =
        read.map_err(|source| ScenarioError::Unreadable { path: scenario.to_owned(), source })?;
    Scenario::parse(scenario, &text)
}

/// The first run whose conditions hold. Nothing set means the first attempt, in no role.
pub(super) fn run<'a>(
    name: &str,
    scenario: &'a Scenario,
    vars: &BTreeMap<String, String>,
) -> Result<&'a ScenarioRun, ScenarioError> {
    let var = |name: &str| vars.get(name).map(String::as_str).unwrap_or_default();
    let (role, stage) = (var("GATEWRIGHT_ROLE"), var("GATEWRIGHT_STAGE"));
    let attempt = var("GATEWRIGHT_ATTEMPT").parse().unwrap_or(1);
    let holds = |run: &&ScenarioRun| {
        run.role.as_deref().is_none_or(|it| it == role)
            && run.stage.as_deref().is_none_or(|it| it == stage)
            && run.attempt.is_none_or(|it| it == attempt)
    };
    let none = || ScenarioError::NoRun {
        name: name.to_owned(),
        role: role.to_owned(),
        stage: stage.to_owned(),
        attempt,
    };
    scenario.runs.iter().find(holds).ok_or_else(none)
}
