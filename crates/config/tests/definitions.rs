//! Definitions: the built-in ones are sound, mistakes are told with their line, the right one is found.

use std::{collections::BTreeMap, num::NonZeroU32};

use camino::Utf8Path;
use config::{
    Surroundings,
    definition::{BUILT_IN, FoundIn, Places, built_in, find, hash, list, parse, resolve},
    roles::RoleBook,
    settings::ProjectSettings,
};
use domain::{
    definition::{Check, Definition, Known, Mode, Push, WorkspaceAccess},
    name::{DefinitionName, StageName},
    path_rules,
};

fn name(text: &str) -> DefinitionName {
    DefinitionName::new(text).expect("a name")
}

fn parse_text(text: &str) -> Result<Definition, String> {
    let roles = RoleBook::built_in().names();
    parse(text, "x.toml", &Known { roles: &roles }).map_err(|problems| {
        let told = problems
            .all
            .iter()
            .map(|it| format!("{it}\n  help: {}", it.help.as_deref().unwrap_or("none")));
        told.collect::<Vec<_>>().join("\n")
    })
}

fn errors(text: &str) -> String {
    parse_text(text).expect_err("errors")
}

fn project(text: &str) -> ProjectSettings {
    let surroundings = Surroundings {
        home: None,
        data_dir: "/data".into(),
        cores: NonZeroU32::MIN,
        environment: Vec::new(),
        flags: Vec::new(),
    };
    let loaded = config::parse(text, Utf8Path::new("/src/x/gatewright.toml"), &surroundings)
        .expect("a configuration");
    loaded.project_at(Utf8Path::new("/src/x"))
}

fn commands(definition: &Definition) -> Vec<(String, String)> {
    let gates = definition.stages.iter().flat_map(|stage| &stage.gates);
    let commands = gates.filter_map(|gate| match &gate.check {
        Check::Command { run, .. } => Some((gate.name.to_string(), run.clone())),
        _ => None,
    });
    commands.collect()
}

/// A definition of one stage that says `stage` and has these gates.
fn one_stage(stage: &str) -> String {
    format!("name = \"x\"\nstart = \"work\"\n\n[[stage]]\nname = \"work\"\n{stage}")
}

#[test]
fn the_built_in_definitions_are_sound_and_can_be_resolved() {
    let project = project("[gates]\ntests = { run = \"make test\" }\n");
    for (builtin, _) in BUILT_IN {
        let definition = built_in(&name(builtin)).expect("it is built in");
        assert_eq!(definition.name, name(builtin));
        let resolved = resolve(definition, &project).expect("commands");
        assert!(!commands(&resolved).is_empty());
        assert!(
            commands(&resolved).iter().all(|(_, run)| run == "make test"),
            "{:?}",
            commands(&resolved)
        );
        assert!(resolved.stages.iter().any(|it| it.on_pass.is_none()));
    }
}

#[test]
fn nobody_in_a_built_in_definition_writes_what_others_judge_it_by() {
    for (builtin, _) in BUILT_IN {
        let definition = built_in(&name(builtin)).expect("it is built in");
        for stage in &definition.stages {
            for role in stage.roles() {
                let rules = stage.paths_of(role).for_item("X-001").compile().expect("patterns");
                let mut judged = definition
                    .stages
                    .iter()
                    .filter(|it| it.name != stage.name)
                    .flat_map(|it| &it.gates);
                let forged = judged.find_map(|gate| match &gate.check {
                    Check::Verdict { path } | Check::Report { path } => {
                        let path = path.replace("{item}", "X-001");
                        rules.allows(&path).then_some(path)
                    }
                    _ => None,
                });
                assert_eq!(forged, None, "{role} in {}", stage.name);
            }
        }
    }
}

#[test]
fn every_verdict_of_a_built_in_definition_can_be_written_by_its_reviewer_alone() {
    for (builtin, _) in BUILT_IN {
        let definition = built_in(&name(builtin)).expect("it is built in");
        for stage in &definition.stages {
            for gate in &stage.gates {
                let (Check::Verdict { path } | Check::Report { path }) = &gate.check else {
                    continue;
                };
                let path = path.replace("{item}", "X-001");
                let writes = |role: &&domain::name::RoleName| {
                    stage
                        .paths_of(role)
                        .for_item("X-001")
                        .compile()
                        .expect("patterns")
                        .allows(&path)
                };
                assert_eq!(stage.roles().filter(writes).count(), 1, "{path}");
            }
        }
    }
}

#[test]
fn approvals_ask_something_and_show_something() {
    let mut found = 0;
    for (builtin, _) in BUILT_IN {
        for gate in
            built_in(&name(builtin)).expect("it is built in").stages.iter().flat_map(|it| &it.gates)
        {
            if let Check::Approval { question, show } = &gate.check {
                assert!(question.contains('?') && !show.is_empty(), "{question}");
                found += 1;
            }
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn what_is_left_out_has_a_default() {
    let definition = parse_text(&one_stage(
        "roles = [\"solo\"]\ngates = [{ name = \"tests\", kind = \"command\" }]\n",
    ))
    .expect("a definition");
    let stage = &definition.stages[0];
    assert_eq!(
        (stage.mode, stage.workspace, stage.push),
        (Mode::Single, WorkspaceAccess::Write, Push::OwnBranch)
    );
    let Check::Command { run, time_limit, keep } = &stage.gates[0].check else {
        panic!("a command")
    };
    assert_eq!((run.as_str(), time_limit.as_secs()), ("", 600));
    for path in [
        "tests/run.sh",
        "src/a_test.go",
        "web/x.spec.ts",
        "pkg/test_a.py",
        "spec/a.rb",
        "a/src/test/java/X.java",
    ] {
        assert!(
            keep.iter().any(|it| path_rules::compile(it).expect("a pattern").is_match(path)),
            "{path}"
        );
    }
    assert!(
        !keep.iter().any(|it| path_rules::compile(it).expect("a pattern").is_match("src/main.rs"))
    );
}

#[test]
fn a_stage_that_is_only_read_pushes_nothing() {
    let definition =
        parse_text(&one_stage("roles = [\"solo\"]\nworkspace = \"read\"\n")).expect("a definition");
    assert_eq!(definition.stages[0].push, Push::None);
}

#[test]
fn roles_in_mode_waves_make_a_wave_each() {
    let definition = parse_text(&one_stage("mode = \"waves\"\nroles = [\"coder\", \"tester\"]\n"))
        .expect("a definition");
    assert_eq!(definition.stages[0].waves.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn what_a_later_version_brings_is_told_as_such() {
    let text = one_stage(
        "mode = \"concurrent\"\nroles = [\"solo\"]\nnetwork = \"allow-list\"\ngates = [{ name = \"ci\", kind = \"ci\" }]\n",
    );
    insta::assert_snapshot!(errors(&text), @r#"
    x.toml:6:8: `stage[0].mode = "concurrent"` is not available in this version
      help: use one of `single`, `waves`
    x.toml:8:11: `stage[0].network = "allow-list"` is not available in this version
      help: use one of `none`, `model-only`, `open`
    x.toml:9:32: `stage[0].gates[0].kind = "ci"` is not available in this version
      help: use one of `artifacts`, `absent`, `questions`, `command`, `verdict`, `report`, `approval`
    "#);
}

#[test]
fn a_key_that_does_not_belong_to_the_kind_of_its_gate_is_told() {
    let text = one_stage(
        "roles = [\"solo\"]\ngates = [\n  { name = \"a\", kind = \"command\", path = \"x\" },\n  { name = \"b\", kind = \"verdict\", run = \"x\" },\n  { name = \"c\", kind = \"approval\", show = [\"a.md\"] },\n  { name = \"d\", kind = \"command\", run = \" \" },\n]\n",
    );
    insta::assert_snapshot!(errors(&text), @r"
    x.toml:8:42: `path` does not belong to a gate of kind `command`
      help: a gate of kind `command` takes `run`, `time_limit`, `keep` and `on_fail`
    x.toml:9:3: a gate of kind `verdict` needs `path`
      help: a gate of kind `verdict` takes `path` and `on_fail`
    x.toml:9:41: `run` does not belong to a gate of kind `verdict`
      help: a gate of kind `verdict` takes `path` and `on_fail`
    x.toml:10:3: a gate of kind `approval` needs `question`
      help: a gate of kind `approval` takes `question`, `show` and `on_fail`
    x.toml:11:41: the command of gate `d` is empty
      help: give a command, or leave `run` out to take the project's
    ");
}

#[test]
fn keys_that_speak_about_agents_do_not_belong_to_an_action() {
    insta::assert_snapshot!(errors(&one_stage("action = \"merge\"\nworkspace = \"write\"\n")), @r"
    x.toml:7:13: `workspace` speaks about agents, and stage `work` has the action `merge`
      help: remove `workspace`
    ");
}

#[test]
fn unknown_stages_roles_and_placeholders_are_told_with_what_was_meant() {
    let text = "name = \"x\"\nstart = \"biuld\"\n\n[[stage]]\nname = \"build\"\nroles = [\"develper\"]\npaths = { write = [\"docs/{itm}/**\"] }\non_pass = \"revew\"\n\n[[stage]]\nname = \"review\"\nroles = [\"reviewer\"]\non_fail = { to = \"build\", max = 0 }\n";
    insta::assert_snapshot!(errors(text), @r"
    x.toml:2:9: there is no stage `biuld`, did you mean `build`?
      help: the stages are `build`, `review`
    x.toml:6:9: stage `build`: there is no role `develper`, did you mean `developer`?
      help: the roles are `analyst`, `architect`, `coder`, `developer`, `documenter`, `plan-reviewer`, `refine-reviewer`, `refiner`, `reviewer`, `reviewer-code`, `reviewer-contract`, `risk-analyst`, `solo`, `task-planner`, `tester`; a new one is a file `roles/develper.md`
    x.toml:7:1: stage `build`: nothing fills in `{itm}` in `docs/{itm}/**`, did you mean `{item}`?
      help: only `{item}`, the item's key, is filled in
    x.toml:8:11: there is no stage `revew`, did you mean `review`?
      help: the stages are `build`, `review`
    x.toml:13:1: stage `review`: `max = 0` in `on_fail` sends nothing back
      help: give `max` at least 1, or leave `on_fail` out to ask a person at once
    ");
}

#[test]
fn endless_and_unreachable_stages_are_told() {
    let text = "name = \"x\"\nstart = \"a\"\n\n[[stage]]\nname = \"a\"\nroles = [\"solo\"]\non_pass = \"b\"\n\n[[stage]]\nname = \"b\"\nroles = [\"solo\"]\non_pass = \"a\"\n\n[[stage]]\nname = \"c\"\naction = \"deliver\"\n";
    insta::assert_snapshot!(errors(text), @r#"
    x.toml:7:11: passing leads round in a circle: a -> b -> a
      help: leave `on_pass` out in the last stage; going back is for `on_fail`, which has a limit
    x.toml:15:8: stage `c` is never reached
      help: lead to it with `on_pass = "c"`, or remove it
    "#);
}

#[test]
fn waves_and_roles_are_not_mixed() {
    insta::assert_snapshot!(errors(&one_stage("roles = [\"solo\"]\nwaves = [[\"coder\"], []]\nmode = \"waves\"\n")), @r"
    x.toml:7:9: stage `work` has both `roles` and `waves`
      help: use `waves` where several roles work side by side, else `roles`
    x.toml:7:9: stage `work`: wave 2 is empty
      help: remove it
    ");
    insta::assert_snapshot!(errors(&one_stage("waves = [[\"coder\"]]\n")), @r#"
    x.toml:6:9: stage `work` has `waves`, but its mode is `single`
      help: set `mode = "waves"`
    "#);
    insta::assert_snapshot!(errors(&one_stage("roles = [\"coder\", \"tester\"]\n")), @r#"
    x.toml:6:9: stage `work` has mode `single` and 2 roles
      help: set `mode = "waves"`, or make several stages of it
    "#);
}

#[test]
fn a_definition_without_stages_is_told() {
    insta::assert_snapshot!(errors("name = \"x\"\n"), @r"
    x.toml:1:1: `stage` is missing
      help: `stage`: The stages in reading order
    ");
    insta::assert_snapshot!(errors("name = \"x\"\nstage = []\n"), @r"
    x.toml:2:9: the definition has no stage
      help: add a `[[stage]]` table
    ");
}

#[test]
fn a_gate_that_nobody_gave_a_command_is_told_with_what_to_do() {
    let definition = built_in(&name("delivery")).expect("it is built in");
    let error = resolve(definition, &project("")).expect_err("no command");
    insta::assert_snapshot!(error, @r#"gate `tests` of stage `development` has no command: set `[gates] tests = { run = "…" }` in gatewright.toml or pass --check"#);
}

#[test]
fn the_projects_word_wins_and_mergeable_runs_the_tests() {
    let gates = "gates = [{ name = \"lint\", kind = \"command\", run = \"make lint\" }, { name = \"tests\", kind = \"command\", run = \"make test\", keep = [\"t/**\"] }, { name = \"mergeable\", kind = \"command\" }]\n";
    let definition =
        parse_text(&one_stage(&format!("roles = [\"solo\"]\n{gates}"))).expect("a definition");
    let run = |project: &ProjectSettings| {
        let resolved = resolve(definition.clone(), project).expect("commands");
        commands(&resolved).into_iter().map(|(_, run)| run).collect::<Vec<_>>()
    };
    assert_eq!(run(&project("")), ["make lint", "make test", "make test"]);
    assert_eq!(run(&project("").with_check("just test")), ["make lint", "just test", "just test"]);
    let own =
        project("[gates]\nmergeable = { run = \"make all\" }\nlint = { time_limit = \"1m\" }\n");
    assert_eq!(run(&own), ["make lint", "make test", "make all"]);
}

#[test]
fn a_project_without_human_gates_keeps_its_approvals_which_the_core_waives() {
    let project = project("human_gates = false\n[gates]\ntests = { run = \"make test\" }\n");
    let resolved =
        resolve(built_in(&name("sdlc")).expect("it is built in"), &project).expect("commands");
    assert!(resolved.stages.iter().flat_map(|it| &it.gates).any(|gate| gate.check.asks_a_person()));
}

#[test]
fn a_hash_changes_with_what_is_done_and_not_with_how_it_is_written() {
    let one =
        parse_text(&one_stage("roles = [\"solo\"]\ntime_limit = \"60s\"\n")).expect("a definition");
    let same = parse_text(&one_stage("time_limit = \"1m\" # a minute\nroles = ['solo']\n"))
        .expect("a definition");
    let other =
        parse_text(&one_stage("roles = [\"solo\"]\ntime_limit = \"61s\"\n")).expect("a definition");
    assert_eq!(hash(&one), hash(&same));
    assert_ne!(hash(&one), hash(&other));
    assert_eq!(hash(&one).0.len(), 64);
}

#[test]
fn the_server_comes_before_the_target_branch_and_that_before_the_binary() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Utf8Path::from_path(directory.path()).expect("UTF-8");
    let roles = RoleBook::built_in().names();
    let text = |what: &str| {
        format!(
            "name = \"solo\"\ndescription = \"{what}\"\n[[stage]]\nname = \"a\"\nroles = [\"solo\"]\n"
        )
    };
    let mut target = BTreeMap::new();
    let description = |target: &BTreeMap<String, String>| {
        let places = Places { server: Some(server), target, roles: &roles };
        find(&name("solo"), &places).expect("a definition").definition.description
    };
    assert_eq!(description(&target), "One agent does the work; the project's tests decide.");
    target.insert(".gatewright/pipelines/solo.toml".to_owned(), text("target"));
    assert_eq!(description(&target), "target");
    std::fs::create_dir(server.join("pipelines")).expect("a directory");
    std::fs::write(server.join("pipelines/solo.toml"), text("server")).expect("a file");
    assert_eq!(description(&target), "server");
    let places = Places { server: Some(server), target: &target, roles: &roles };
    assert_eq!(list(&places)[&name("solo")], FoundIn::Server(server.join("pipelines/solo.toml")));
    assert_eq!(list(&places)[&name("sdlc")], FoundIn::BuiltIn);
}

#[test]
fn a_name_that_nothing_has_is_told_with_what_was_meant() {
    let (target, roles) = (BTreeMap::new(), RoleBook::built_in().names());
    let error = find(&name("delivry"), &Places { server: None, target: &target, roles: &roles })
        .expect_err("none");
    assert_eq!(error.to_string(), "there is no definition `delivry`, did you mean `delivery`?");
}

#[test]
fn a_broken_definition_of_the_target_branch_does_not_fall_back_to_the_built_in_one() {
    let roles = RoleBook::built_in().names();
    let target = [(
        ".gatewright/pipelines/solo.toml".to_owned(),
        "name = \"other\"\n[[stage]]\nname = \"a\"\nroles = [\"solo\"]\n".to_owned(),
    )]
    .into();
    let error = find(&name("solo"), &Places { server: None, target: &target, roles: &roles })
        .expect_err("misnamed");
    insta::assert_snapshot!(error, @".gatewright/pipelines/solo.toml:1:8: the definition is called `other`, its file says `solo`");
}

#[test]
fn a_definition_survives_its_stored_form() {
    for (builtin, _) in BUILT_IN {
        let definition = built_in(&name(builtin)).expect("it is built in");
        let stored = serde_json::to_string(&definition).expect("JSON");
        let back: Definition = serde_json::from_str(&stored).expect("the same definition");
        assert_eq!(
            (hash(&back), back.find_stage(&StageName::new("nowhere").expect("a name"))),
            (hash(&definition), None)
        );
    }
}
