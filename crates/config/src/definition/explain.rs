//! Errors of a definition with their place in its file and what to do about them.

use domain::{
    definition::{Definition, DefinitionError, Flaw, Known, Place, check},
    name::RoleName,
};

use crate::{
    document::Document,
    key_path::KeyPath,
    nearest::{did_you_mean, listed},
    problem::Problem,
};

/// Everything that is wrong with a definition that was read from `document`.
pub(super) fn problems(
    definition: &Definition,
    known: &Known<'_>,
    document: &Document<'_>,
) -> Vec<Problem> {
    let explain = |error: DefinitionError| {
        let message = format!("{error}{}", meant(&error.flaw, definition, known));
        document.problem_at(&path(error.place), message).with_help(help(
            &error.flaw,
            definition,
            known,
        ))
    };
    check(definition, known).into_iter().map(explain).collect()
}

fn path(place: Place) -> KeyPath {
    match place {
        Place::Definition { key } => KeyPath::from([key]),
        Place::Stage { stage, key } => KeyPath::from(["stage"]).index(stage).key(key),
        Place::Gate { stage, gate, key } => {
            KeyPath::from(["stage"]).index(stage).key("gates").index(gate).key(key)
        }
    }
}

fn stage_names(definition: &Definition) -> impl Iterator<Item = &str> {
    definition.stages.iter().map(|it| it.name.as_str())
}

fn meant(flaw: &Flaw, definition: &Definition, known: &Known<'_>) -> String {
    match flaw {
        Flaw::UnknownStage(name) => did_you_mean(name.as_str(), stage_names(definition)),
        Flaw::UnknownRole { role, .. } => {
            did_you_mean(role.as_str(), known.roles.iter().map(RoleName::as_str))
        }
        Flaw::Placeholder { .. } => ", did you mean `{item}`?".to_owned(),
        _ => String::new(),
    }
}

fn help(flaw: &Flaw, definition: &Definition, known: &Known<'_>) -> String {
    let text = match flaw {
        Flaw::NoStage => "add a `[[stage]]` table",
        Flaw::DoubleStage(_) | Flaw::DoubleGate { .. } => "rename one of them",
        Flaw::UnknownStage(_) => {
            return format!("the stages are {}", listed(stage_names(definition)));
        }
        Flaw::UnknownRole { role, .. } => {
            let roles = listed(known.roles.iter().map(RoleName::as_str));
            return format!("the roles are {roles}; a new one is a file `roles/{role}.md`");
        }
        Flaw::ForeignRolePaths { role, .. } => {
            return format!("add `{role}` to the stage's roles, or remove its rules");
        }
        Flaw::Unreachable(name) => {
            return format!("lead to it with `on_pass = \"{name}\"`, or remove it");
        }
        Flaw::NothingToDo(_) => "set `roles` or `action`",
        Flaw::RolesAndAction(_) => "make two stages of it",
        Flaw::NotSingle { .. } => "set `mode = \"waves\"`, or make several stages of it",
        Flaw::EmptyWave { .. } => "remove it",
        Flaw::DoubleRole { .. } => {
            "a role works once in a stage: remove one, or make two stages of it"
        }
        Flaw::Circle(_) => {
            "leave `on_pass` out in the last stage; going back is for `on_fail`, which has a limit"
        }
        Flaw::RouteWithoutTries { .. } => {
            "give `max` at least 1, or leave `on_fail` out to ask a person at once"
        }
        Flaw::FailureLeadsOn { .. } => {
            "`on_fail` leads back, or to a stage that mends it and leads back"
        }
        Flaw::Pattern { .. } => {
            "patterns are relative to the repository: `src/**`, `docs/{item}/*.md`"
        }
        Flaw::Placeholder { .. } => "only `{item}`, the item's key, is filled in",
        Flaw::NoQuestion { .. } => {
            "say what the person decides: `question = \"Is this what you want built?\"`"
        }
        Flaw::NoArtifact { .. } => "set `all_of` or `any_of`",
        Flaw::PushWithoutWorkspace { .. } => "set `workspace = \"write\"` or `push = \"none\"`",
    };
    text.to_owned()
}
