//! Which commands of a definition does the project replace with its own?

use domain::definition::{Check, Definition, Gate};

/// A line for each gate whose command the definition gives and the configuration replaces, each gate once.
pub(super) fn replaced(given: &Definition, resolved: &Definition) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let gates = |it: &Definition| -> Vec<Gate> {
        it.stages.iter().flat_map(|stage| stage.gates.clone()).collect()
    };
    for (given, resolved) in gates(given).iter().zip(gates(resolved)) {
        let (Check::Command { run: given_run, .. }, Check::Command { run, .. }) =
            (&given.check, &resolved.check)
        else {
            continue;
        };
        if given_run.is_empty() || given_run == run {
            continue;
        }
        let line = format!(
            "gate {} runs `{run}`, as [gates] in gatewright.toml has it, not `{given_run}` of the definition",
            given.name
        );
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
