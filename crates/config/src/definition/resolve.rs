//! A definition as a project runs it: with the project's commands, and without approvals where it wants none.

use domain::{
    definition::{Check, Definition, Gate},
    name::{GateName, StageName},
};

use crate::settings::{GateSettings, ProjectSettings};

/// The gate that judges a merge candidate. It runs what the gate `tests` runs unless it is told otherwise.
const MERGEABLE: &str = "mergeable";
const TESTS: &str = "tests";

/// A gate that nobody has given a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "gate `{gate}` of stage `{stage}` has no command: set `[gates] {key} = {{ run = \"…\" }}` in gatewright.toml or pass --check"
)]
pub struct ResolveError {
    /// The gate.
    pub gate: GateName,
    /// Its stage.
    pub stage: StageName,
    /// The key to set.
    pub key: String,
}

/// Fills in what the project says about gates. The project's word wins over the definition's: it is nearer to the code.
pub fn resolve(
    mut definition: Definition,
    project: &ProjectSettings,
) -> Result<Definition, ResolveError> {
    let tests = tests_command(&definition, project);
    for stage in &mut definition.stages {
        for gate in &mut stage.gates {
            let name = gate.name.clone();
            let is_mergeable = name.as_str() == MERGEABLE;
            let given = setting(project, &name);
            let Check::Command { run, time_limit, keep } = &mut gate.check else { continue };
            if let Some(GateSettings { run: own_run, time_limit: own_limit, keep: own_keep }) =
                given
            {
                *run = own_run.clone().unwrap_or_else(|| run.clone());
                *time_limit = own_limit.unwrap_or(*time_limit);
                *keep = own_keep.clone().unwrap_or_else(|| keep.clone());
            }
            if run.is_empty() && is_mergeable {
                *run = tests.clone().unwrap_or_default();
            }
            if run.is_empty() {
                let key = if is_mergeable { TESTS.to_owned() } else { name.to_string() };
                return Err(ResolveError { gate: name, stage: stage.name.clone(), key });
            }
        }
    }
    Ok(definition)
}

fn setting<'a>(project: &'a ProjectSettings, gate: &GateName) -> Option<&'a GateSettings> {
    project.gates.get(gate)
}

/// What the project runs as its tests, else what the definition does.
fn tests_command(definition: &Definition, project: &ProjectSettings) -> Option<String> {
    let by_name = project.gates.iter().find(|(name, _)| name.as_str() == TESTS);
    let ours = by_name.and_then(|(_, gate)| gate.run.clone());
    let theirs = || {
        let mut gates = definition.stages.iter().flat_map(|stage| &stage.gates);
        gates.find_map(|Gate { name, check, .. }| match check {
            Check::Command { run, .. } if name.as_str() == TESTS && !run.is_empty() => {
                Some(run.clone())
            }
            _ => None,
        })
    };
    ours.or_else(theirs)
}
