//! Small definitions for stories.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    definition::{
        Action, Check, Definition, DefinitionHash, Gate, Mode, Network, PipelineLimits, Push,
        Route, Stage, WaveFailure, WorkspaceAccess,
    },
    name::{DefinitionName, GateName, RoleName, StageName},
    path_rules::PathRules,
};

/// A stage of these roles in one wave, without gates, that ends the pipeline.
#[must_use]
pub fn stage(name: &str, roles: &[&str]) -> Stage {
    let role = |name: &&str| RoleName::new(*name).expect("a name");
    Stage {
        name: StageName::new(name).expect("a name"),
        mode: Mode::Waves,
        waves: vec![roles.iter().map(role).collect()],
        on_role_failure: WaveFailure::FailFast,
        action: None,
        workspace: WorkspaceAccess::Write,
        network: Network::None,
        push: Push::OwnBranch,
        paths: PathRules::default(),
        role_paths: BTreeMap::new(),
        may_change_nothing: false,
        time_limit: None,
        stall_limit: None,
        gates: Vec::new(),
        on_pass: None,
        on_fail: None,
    }
}

/// A gate of that check.
#[must_use]
pub fn gate(name: &str, check: Check) -> Gate {
    Gate { name: GateName::new(name).expect("a name"), check, on_fail: None }
}

/// A gate that is a command.
#[must_use]
pub fn command(name: &str) -> Gate {
    let time_limit = Duration::from_mins(1);
    gate(name, Check::Command { run: format!("run-{name}"), time_limit, keep: Vec::new() })
}

/// A gate that is a person.
#[must_use]
pub fn approval(name: &str) -> Gate {
    gate(name, Check::Approval { question: "Go on with {item}?".to_owned(), show: Vec::new() })
}

/// A definition of these stages: each leads to the next, and back to the first where a gate fails.
#[must_use]
pub fn definition(mut stages: Vec<Stage>) -> Definition {
    let names: Vec<_> = stages.iter().map(|stage| stage.name.clone()).collect();
    for (stage, next) in stages.iter_mut().zip(names.iter().skip(1)) {
        stage.on_pass = Some(next.clone());
    }
    for stage in &mut stages {
        stage.on_fail = Some(Route::back_to(names[0].clone()));
    }
    Definition {
        name: DefinitionName::new("story").expect("a name"),
        description: String::new(),
        start: names[0].clone(),
        limits: PipelineLimits::default(),
        stages,
    }
}

/// `build`: a developer and the gate `tests`; then `ship`: a merge and the gate `mergeable`.
#[must_use]
pub fn build_and_ship() -> Definition {
    let build = Stage { gates: vec![command("tests")], ..stage("build", &["developer"]) };
    let merge = Stage { waves: Vec::new(), action: Some(Action::Merge), ..stage("ship", &[]) };
    definition(vec![build, Stage { gates: vec![command("mergeable")], ..merge }])
}

/// `build`: a developer, the gate `tests` and a person.
#[must_use]
pub fn build_and_ask() -> Definition {
    let gates = vec![command("tests"), approval("approval")];
    definition(vec![Stage { gates, ..stage("build", &["developer"]) }])
}

/// A name for a definition that no other one has, as a hash of its content would be.
#[must_use]
pub fn hash(definition: &Definition) -> DefinitionHash {
    DefinitionHash(serde_json::to_string(definition).expect("a definition is data"))
}
