//! Each mistake in a definition is found, and a sound definition has none.

use std::str::FromStr;

use super::*;
use crate::definition::{Action, Gate, Network, PipelineLimits, Then, WaveFailure};

fn named<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name")
}

fn stage(name: &str, on_pass: Option<&str>) -> Stage {
    Stage {
        name: named(name),
        mode: Mode::Single,
        waves: vec![vec![named("developer")]],
        on_role_failure: WaveFailure::FailFast,
        action: None,
        workspace: WorkspaceAccess::Write,
        network: Network::ModelOnly,
        push: Push::OwnBranch,
        paths: PathRules::default(),
        role_paths: std::collections::BTreeMap::new(),
        may_change_nothing: false,
        time_limit: None,
        stall_limit: None,
        gates: Vec::new(),
        on_pass: on_pass.map(named),
        on_fail: None,
    }
}

fn gate(name: &str, check: Check) -> Gate {
    Gate { name: named(name), check, on_fail: None }
}

fn route(to: &str, max: u32) -> Route {
    Route { to: named(to), max, then: Then::Escalate }
}

fn errors(stages: Vec<Stage>) -> Vec<String> {
    let start = stages.first().map_or_else(|| named("none"), |it| it.name.clone());
    let definition = Definition {
        name: named("sample"),
        description: String::new(),
        start,
        limits: PipelineLimits::default(),
        stages,
    };
    let roles = ["developer", "tester"].map(named).into();
    check(&definition, &Known { roles: &roles }).iter().map(ToString::to_string).collect()
}

/// One stage, changed; everything that is wrong with it.
fn errors_of(change: impl FnOnce(&mut Stage)) -> Vec<String> {
    let mut only = stage("work", None);
    change(&mut only);
    errors(vec![only])
}

#[test]
fn a_sound_definition_has_no_errors() {
    let mut second = stage("b", None);
    second.on_fail = Some(route("a", 3));
    second.paths.write = vec!["docs/{item}/*.{md,txt}".to_owned()];
    assert_eq!(errors(vec![stage("a", Some("b")), second]), [""; 0]);
}

#[test]
fn a_definition_without_stages_is_refused() {
    assert_eq!(errors(Vec::new()), ["the definition has no stage"]);
}

#[test]
fn doubled_names_are_found() {
    assert_eq!(errors(vec![stage("a", None), stage("a", None)]), ["there are two stages `a`"]);
    let report = || gate("report", Check::Report { path: "a.md".to_owned() });
    assert_eq!(
        errors_of(|it| it.gates = vec![report(), report()]),
        ["stage `work` has two gates `report`"]
    );
}

#[test]
fn routes_to_nowhere_are_found() {
    let mut only = stage("a", Some("b"));
    only.on_fail = Some(route("c", 1));
    assert_eq!(errors(vec![only]), ["there is no stage `b`", "there is no stage `c`"]);
}

#[test]
fn a_gates_own_route_to_nowhere_is_found() {
    let mut tests = gate("tests", Check::Report { path: "a.md".to_owned() });
    tests.on_fail = Some(route("c", 1));
    assert_eq!(errors_of(|it| it.gates = vec![tests]), ["there is no stage `c`"]);
}

#[test]
fn a_stage_that_nothing_leads_to_is_found() {
    assert_eq!(errors(vec![stage("a", None), stage("b", None)]), ["stage `b` is never reached"]);
}

#[test]
fn a_circle_of_passes_is_told_once() {
    let all = vec![stage("a", Some("b")), stage("b", Some("c")), stage("c", Some("b"))];
    assert_eq!(errors(all), ["passing leads round in a circle: b -> c -> b"]);
}

#[test]
fn a_failure_that_leads_past_its_gate_is_found() {
    let mut first = stage("a", Some("b"));
    first.on_fail = Some(route("b", 1));
    let expected = "stage `a`: `on_fail` leads on to `b`, so that a failed gate would be passed by";
    assert_eq!(errors(vec![first, stage("b", None)]), [expected]);
}

#[test]
fn a_route_without_tries_is_found() {
    assert_eq!(
        errors_of(|it| it.on_fail = Some(route("work", 0))),
        ["stage `work`: `max = 0` in `on_fail` sends nothing back"]
    );
}

#[test]
fn who_works_in_a_stage_is_checked() {
    assert_eq!(errors_of(|it| it.waves.clear()), ["stage `work` has neither roles nor an action"]);
    assert_eq!(
        errors_of(|it| it.action = Some(Action::Merge)),
        ["stage `work` has both roles and an action"]
    );
    assert_eq!(
        errors_of(|it| it.waves[0] = vec![named("coder")]),
        ["stage `work`: there is no role `coder`"]
    );
    assert_eq!(
        errors_of(|it| it.waves[0].push(named("tester"))),
        ["stage `work` has mode `single` and 2 roles"]
    );
    let waves = errors_of(|it| {
        it.mode = Mode::Waves;
        it.waves.extend([Vec::new(), vec![named("developer")]]);
    });
    assert_eq!(
        waves,
        ["stage `work`: wave 2 is empty", "stage `work` names the role `developer` twice"]
    );
    let foreign = errors_of(|it| drop(it.role_paths.insert(named("tester"), PathRules::default())));
    assert_eq!(foreign, ["stage `work` has path rules for `tester`, which is none of its roles"]);
}

#[test]
fn commits_from_somebody_who_cannot_write_are_refused() {
    let found = errors_of(|it| it.workspace = WorkspaceAccess::Read);
    assert_eq!(found, ["stage `work` has push `own-branch`, but its workspace is `read`"]);
}

#[test]
fn paths_that_leave_the_repository_or_hold_unknown_words_are_found() {
    let found = errors_of(|it| {
        it.paths.write = vec!["../x".to_owned(), "docs/{itme}/a.md".to_owned()];
        it.gates = vec![gate(
            "files",
            Check::Artifacts { all_of: vec!["a[".to_owned()], any_of: Vec::new() },
        )];
    });
    assert_eq!(
        found[0],
        "stage `work`: `../x` is not a path pattern: it must be relative and stay inside the repository"
    );
    assert_eq!(found[1], "stage `work`: nothing fills in `{itme}` in `docs/{itme}/a.md`");
    assert!(found[2].starts_with("stage `work`: `a[` is not a path pattern: "), "{}", found[2]);
}

#[test]
fn gates_that_look_at_nothing_or_ask_nothing_are_found() {
    let empty = gate("files", Check::Artifacts { all_of: Vec::new(), any_of: Vec::new() });
    let silent = gate("go", Check::Approval { question: " ".to_owned(), show: Vec::new() });
    let found = errors_of(|it| it.gates = vec![empty, silent]);
    assert_eq!(
        found,
        ["gate `files` of stage `work` names no file", "gate `go` of stage `work` has no question"]
    );
}
