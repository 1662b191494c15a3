//! Finds what is wrong with a definition before anything runs.
//!
//! A definition without errors here has a way from every stage to an end, and no way round that has no limit.

mod flaw;

use std::{collections::BTreeSet, fmt::Write as _};

pub use flaw::{DefinitionError, Flaw, Place};

use super::{Check, Definition, Mode, Push, Route, Stage, WorkspaceAccess};
use crate::{
    name::{RoleName, StageName},
    path_rules::{self, PathRules, PatternError},
};

/// What a definition may refer to.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The roles that exist.
    pub roles: &'a BTreeSet<RoleName>,
}

/// Everything that is wrong with a definition, in reading order; empty when it can run.
#[must_use]
pub fn check(definition: &Definition, known: &Known<'_>) -> Vec<DefinitionError> {
    let mut errors = Vec::new();
    if definition.stages.is_empty() {
        errors.push(DefinitionError {
            place: Place::Definition { key: "stage" },
            flaw: Flaw::NoStage,
        });
        return errors;
    }
    if definition.find_stage(&definition.start).is_none() {
        let flaw = Flaw::UnknownStage(definition.start.clone());
        errors.push(DefinitionError { place: Place::Definition { key: "start" }, flaw });
    }
    let reached = reached(definition);
    // A route to nowhere is told as such; what it was meant to reach is not told again.
    let all_ways_lead_somewhere = reached.iter().all(|name| definition.find_stage(name).is_some());
    let mut names = BTreeSet::new();
    for (index, stage) in definition.stages.iter().enumerate() {
        let mut at = StageErrors { stage, index, errors: &mut errors };
        if !names.insert(&stage.name) {
            at.push("name", Flaw::DoubleStage(stage.name.clone()));
        } else if all_ways_lead_somewhere && !reached.contains(&stage.name) {
            at.push("name", Flaw::Unreachable(stage.name.clone()));
        }
        roles(&mut at, known);
        paths(&mut at);
        gates(&mut at, definition);
        routes(&mut at, definition);
    }
    errors
}

/// Collects the errors of one stage.
struct StageErrors<'a> {
    stage: &'a Stage,
    index: usize,
    errors: &'a mut Vec<DefinitionError>,
}

impl StageErrors<'_> {
    fn push(&mut self, key: &'static str, flaw: Flaw) {
        self.errors.push(DefinitionError { place: Place::Stage { stage: self.index, key }, flaw });
    }

    fn push_gate(&mut self, gate: usize, key: &'static str, flaw: Flaw) {
        self.errors
            .push(DefinitionError { place: Place::Gate { stage: self.index, gate, key }, flaw });
    }

    fn name(&self) -> StageName {
        self.stage.name.clone()
    }
}

fn roles(at: &mut StageErrors<'_>, known: &Known<'_>) {
    let stage = at.stage;
    let count = stage.roles().count();
    let key = if stage.mode == Mode::Single { "roles" } else { "waves" };
    match (&stage.action, count) {
        (None, 0) if stage.waves.is_empty() => at.push("name", Flaw::NothingToDo(at.name())),
        (Some(_), 1..) => at.push("action", Flaw::RolesAndAction(at.name())),
        _ => {}
    }
    if stage.mode == Mode::Single && count > 1 {
        at.push(key, Flaw::NotSingle { stage: at.name(), found: count });
    }
    for (wave, roles) in stage.waves.iter().enumerate() {
        if roles.is_empty() {
            at.push(key, Flaw::EmptyWave { stage: at.name(), wave: wave + 1 });
        }
    }
    let mut seen = BTreeSet::new();
    for role in stage.roles() {
        if !seen.insert(role) {
            at.push(key, Flaw::DoubleRole { stage: at.name(), role: role.clone() });
        } else if !known.roles.contains(role) {
            at.push(key, Flaw::UnknownRole { stage: at.name(), role: role.clone() });
        }
    }
    for role in stage.role_paths.keys().filter(|role| !seen.contains(role)) {
        at.push("role_paths", Flaw::ForeignRolePaths { stage: at.name(), role: role.clone() });
    }
    if stage.action.is_none()
        && stage.push == Push::OwnBranch
        && stage.workspace != WorkspaceAccess::Write
    {
        at.push(
            "push",
            Flaw::PushWithoutWorkspace { stage: at.name(), workspace: stage.workspace },
        );
    }
}

fn paths(at: &mut StageErrors<'_>) {
    let stage = at.stage;
    let rules = |it: &PathRules| it.write.iter().chain(&it.deny).cloned().collect::<Vec<_>>();
    for pattern in rules(&stage.paths) {
        for flaw in pattern_flaws(&stage.name, &pattern) {
            at.push("paths", flaw);
        }
    }
    for pattern in stage.role_paths.values().flat_map(rules) {
        for flaw in pattern_flaws(&stage.name, &pattern) {
            at.push("role_paths", flaw);
        }
    }
}

fn gates(at: &mut StageErrors<'_>, definition: &Definition) {
    let stage = at.stage;
    let mut names = BTreeSet::new();
    for (index, gate) in stage.gates.iter().enumerate() {
        if !names.insert(&gate.name) {
            at.push_gate(
                index,
                "name",
                Flaw::DoubleGate { stage: at.name(), gate: gate.name.clone() },
            );
        }
        for (key, pattern) in patterns(&gate.check) {
            for flaw in pattern_flaws(&stage.name, pattern) {
                at.push_gate(index, key, flaw);
            }
        }
        match &gate.check {
            Check::Artifacts { all_of, any_of } if all_of.is_empty() && any_of.is_empty() => {
                at.push_gate(
                    index,
                    "name",
                    Flaw::NoArtifact { stage: at.name(), gate: gate.name.clone() },
                );
            }
            Check::Approval { question, .. } => {
                if question.trim().is_empty() {
                    at.push_gate(
                        index,
                        "question",
                        Flaw::NoQuestion { stage: at.name(), gate: gate.name.clone() },
                    );
                }
                if let Some(flaw) = placeholder_flaw(&stage.name, question) {
                    at.push_gate(index, "question", flaw);
                }
            }
            _ => {}
        }
        for flaw in gate.on_fail.iter().flat_map(|route| route_flaws(definition, stage, route)) {
            at.push_gate(index, "on_fail", flaw);
        }
    }
}

/// The paths and patterns of a gate, each with its key.
fn patterns(check: &Check) -> Vec<(&'static str, &String)> {
    match check {
        Check::Artifacts { all_of, any_of } => all_of
            .iter()
            .map(|it| ("all_of", it))
            .chain(any_of.iter().map(|it| ("any_of", it)))
            .collect(),
        Check::Absent { path }
        | Check::Questions { path }
        | Check::Verdict { path }
        | Check::Report { path } => vec![("path", path)],
        Check::Command { keep, .. } => keep.iter().map(|it| ("keep", it)).collect(),
        Check::Approval { show, .. } => show.iter().map(|it| ("show", it)).collect(),
    }
}

fn routes(at: &mut StageErrors<'_>, definition: &Definition) {
    let stage = at.stage;
    if let Some(next) = &stage.on_pass {
        if definition.find_stage(next).is_none() {
            at.push("on_pass", Flaw::UnknownStage(next.clone()));
        } else if let Some(circle) = circle_from(definition, stage) {
            at.push("on_pass", Flaw::Circle(circle));
        }
    }
    for flaw in stage.on_fail.iter().flat_map(|route| route_flaws(definition, stage, route)) {
        at.push("on_fail", flaw);
    }
}

fn route_flaws(definition: &Definition, stage: &Stage, route: &Route) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if route.max == 0 {
        flaws.push(Flaw::RouteWithoutTries { stage: stage.name.clone() });
    }
    if definition.find_stage(&route.to).is_none() {
        flaws.push(Flaw::UnknownStage(route.to.clone()));
    } else if passed_after(definition, stage).iter().any(|it| it.name == route.to)
        && route.to != stage.name
    {
        flaws.push(Flaw::FailureLeadsOn { stage: stage.name.clone(), to: route.to.clone() });
    }
    flaws
}

/// The stages after `stage` when everything passes; each once, even where they go round.
fn passed_after<'a>(definition: &'a Definition, stage: &'a Stage) -> Vec<&'a Stage> {
    let mut after: Vec<&Stage> = Vec::new();
    let mut next = stage.on_pass.as_ref();
    while let Some(found) = next.and_then(|name| definition.find_stage(name)) {
        if after.iter().any(|it| it.name == found.name) {
            break;
        }
        after.push(found);
        next = found.on_pass.as_ref();
    }
    after
}

/// The way round from `stage` to itself; told once, at its first stage in reading order.
fn circle_from(definition: &Definition, stage: &Stage) -> Option<String> {
    let after = passed_after(definition, stage);
    let back = after.iter().position(|it| it.name == stage.name)?;
    let circle = &after[..=back];
    let first =
        definition.stages.iter().find(|it| circle.iter().any(|other| other.name == it.name))?;
    if first.name != stage.name {
        return None;
    }
    let mut text = stage.name.to_string();
    for next in circle {
        write!(text, " -> {}", next.name).expect("writing to a string");
    }
    Some(text)
}

/// The names that some way leads to, those of no stage included.
fn reached(definition: &Definition) -> BTreeSet<&StageName> {
    let mut reached = BTreeSet::new();
    let mut open = vec![&definition.start];
    while let Some(name) = open.pop() {
        if !reached.insert(name) {
            continue;
        }
        if let Some(stage) = definition.find_stage(name) {
            let failed = stage.gates.iter().filter_map(|gate| gate.on_fail.as_ref());
            let failed = failed.chain(&stage.on_fail).map(|route| &route.to);
            open.extend(stage.on_pass.iter().chain(failed));
        }
    }
    reached
}

fn pattern_flaws(stage: &StageName, pattern: &str) -> Vec<Flaw> {
    if let Some(flaw) = placeholder_flaw(stage, pattern) {
        return vec![flaw];
    }
    let filled = pattern.replace("{item}", "ITEM-001");
    let error = path_rules::compile(&filled)
        .err()
        .map(|it| PatternError { pattern: pattern.to_owned(), reason: it.reason });
    error.map(|error| Flaw::Pattern { stage: stage.clone(), error }).into_iter().collect()
}

/// `{a,b}` are alternatives of a pattern; `{word}` is a placeholder, and only `{item}` is filled in.
fn placeholder_flaw(stage: &StageName, text: &str) -> Option<Flaw> {
    let words =
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(word, _)| word);
    let is_placeholder = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let unknown = words.into_iter().find(|word| is_placeholder(word) && *word != "item")?;
    Some(Flaw::Placeholder {
        stage: stage.clone(),
        placeholder: unknown.to_owned(),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests;
