//! `gatewright.toml`: what loads, what is refused and in which words, what is shown.

use std::{num::NonZeroU32, time::Duration};

use camino::Utf8Path;
use config::{Flag, Loaded, Surroundings};
use domain::{
    name::{AgentName, DestinationName},
    outbox::Route,
    pipeline::EventKindTag,
};
use ports::MergeStrategy;

fn surroundings() -> Surroundings {
    Surroundings {
        home: Some("/home/ada".into()),
        data_dir: "/home/ada/.local/share/gatewright".into(),
        cores: NonZeroU32::new(4).expect("not zero"),
        environment: Vec::new(),
        flags: Vec::new(),
    }
}

fn with_environment(environment: &[(&str, &str)]) -> Surroundings {
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Surroundings { environment, ..surroundings() }
}

fn parse_in(text: &str, surroundings: &Surroundings) -> Result<Loaded, String> {
    let told = |problem: &config::Problem| match &problem.help {
        Some(help) => format!("{problem}\n  help: {help}"),
        None => problem.to_string(),
    };
    let path = Utf8Path::new("/srv/gw/gatewright.toml");
    let short = |text: String| text.replace("/srv/gw/", "");
    config::parse(text, path, surroundings)
        .map_err(|problems| short(problems.all.iter().map(told).collect::<Vec<_>>().join("\n")))
}

fn parse(text: &str) -> Loaded {
    parse_in(text, &surroundings()).expect("a configuration")
}

fn errors(text: &str) -> String {
    parse_in(text, &surroundings()).expect_err("errors")
}

const EXAMPLE: &str = include_str!("example.toml");

#[test]
fn what_is_an_alarm_is_set_for_each_agent_and_can_be_switched_off() {
    let text = "[agents.a]\nkind = \"claude\"\nrepeat_limit = 0\nprogress_limit = \"100h\"\n[agents.b]\nkind = \"claude\"\nerror_limit = 3\n";
    let loaded = parse(text);
    let limits = |name: &str| {
        let name = AgentName::new(name).unwrap();
        loaded.config.find_agent(&name).unwrap().supervision()
    };
    let defaults = domain::supervision::Limits::default();
    let off =
        domain::supervision::Limits { repeats: 0, progress: Duration::from_hours(100), ..defaults };
    assert_eq!(limits("a"), off);
    assert_eq!(limits("b"), domain::supervision::Limits { errors: 3, ..defaults });
}

#[test]
fn the_example_loads_with_warnings_for_what_comes_later() {
    let loaded = parse(EXAMPLE);
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r"
    /srv/gw/gatewright.toml:22:12: provider `anthropic` is not used in this version: agents call their own
    /srv/gw/gatewright.toml:36:8: project `ET`: the forge `gitea` is not available in this version: finished branches stay in the repository
    /srv/gw/gatewright.toml:43:8: project `ET`: the tracker `plane` is not available in this version: items come from the command line
    ");
    let projects = loaded.projects();
    assert_eq!(projects.len(), 1);
    assert_eq!((projects[0].definition.as_str(), projects[0].human_gates), ("delivery", true));
}

#[test]
fn no_configuration_at_all_is_fine() {
    let loaded = parse("");
    assert_eq!(
        loaded.config.data_dir.as_deref(),
        Some(Utf8Path::new("/home/ada/.local/share/gatewright"))
    );
    assert_eq!(loaded.config.limits.max_concurrency.map(NonZeroU32::get), Some(4));
    let project = loaded.project_at(Utf8Path::new("/src/enduro-trails"));
    assert_eq!((project.key.as_str(), project.definition.as_str()), ("ET", "solo"));
}

#[test]
fn unknown_keys_are_told_all_at_once_with_what_was_meant() {
    insta::assert_snapshot!(errors("date_dir = \"x\"\n\n[limits]\nmax_concurency = 2\n\n[agents.dev]\nkind = \"command\"\ncolour = 1\n"), @r"
    gatewright.toml:1:1: unknown key `date_dir`, did you mean `data_dir`?
      help: known here: `agent`, `agents`, `data_dir`, `database`, `default_branch`, `definition`, `destinations`, `gates`, `human_gates`, `key`, `limits`, `merge`, `name`, `project`, `providers`, `roles`, `sandbox`, `server`
    gatewright.toml:4:1: unknown key `max_concurency`, did you mean `max_concurrency`?
      help: known here: `max_concurrency`, `per_agent`, `per_project`
    gatewright.toml:8:1: unknown key `colour`
      help: known here: `args`, `command`, `effort`, `env`, `env_from`, `error_limit`, `kind`, `lend_login`, `max_turns`, `model`, `progress_limit`, `repeat_limit`, `stall_limit`, `time_limit`
    ");
}

#[test]
fn values_of_the_wrong_kind_are_told_with_what_was_found() {
    let text = "[limits]\nmax_concurrency = \"four\"\nper_project = 0\n[sandbox]\nread = \"~/.cargo\"\nbackend = \"bubblewarp\"\n[agents.dev]\ntime_limit = \"ten\"\nlend_login = 1\n";
    insta::assert_snapshot!(errors(text), @r#"
    gatewright.toml:2:19: `limits.max_concurrency` must be a whole number, not "four"
      help: Agents and gates that work at the same time
    gatewright.toml:3:15: `limits.per_project` must be at least 1, not 0
      help: How many of them may work for one project
    gatewright.toml:5:8: `sandbox.read` must be a list, not a value of type string
      help: Places of the host that can be read inside, beyond the system: toolchains, mostly
    gatewright.toml:6:11: `sandbox.backend` cannot be "bubblewarp", did you mean `bubblewrap`?
      help: use one of `auto`, `process`, `bubblewrap`
    gatewright.toml:7:1: `agents.dev` has no `kind`
      help: `kind`: Which program it is and how it is driven
    gatewright.toml:8:14: `agents.dev.time_limit` must be a length of time, not "ten"
      help: use something like "90s", "10m" or "1h 30m"
    gatewright.toml:9:14: `agents.dev.lend_login` must be true or false, not 1
      help: Lets the agent read its own login from your home directory
    "#);
}

#[test]
fn what_a_later_version_brings_is_told_as_such() {
    let text = "database = \"postgres://db/gw\"\n";
    insta::assert_snapshot!(errors(text), @r#"
    gatewright.toml:1:12: a PostgreSQL database is not available in this version
      help: use `database = "sqlite"`
    "#);
    let text = "[sandbox]\nbackend = \"container\"\n[agents.g]\nkind = \"gemini\"\n";
    insta::assert_snapshot!(errors(text), @r#"
    gatewright.toml:2:11: `sandbox.backend = "container"` is not available in this version
      help: use one of `auto`, `process`, `bubblewrap`
    gatewright.toml:4:8: `agents.g.kind = "gemini"` is not available in this version
      help: use one of `claude`, `codex`, `command`, `scripted`
    "#);
}

#[test]
fn names_that_refer_to_nothing_are_told() {
    let text = "agent = \"cluade\"\n[roles]\ndeveloper = { agent = \"dve\" }\n[agents.dev]\nkind = \"command\"\ncommand = [\"./a\"]\n";
    insta::assert_snapshot!(errors(text), @r"
    gatewright.toml:1:9: there is no agent `cluade`, did you mean `claude`?
      help: use one of `claude`, `codex`, `dev`, `scripted`, or add `[agents.cluade]`
    gatewright.toml:3:23: there is no agent `dve`, did you mean `dev`?
      help: use one of `claude`, `codex`, `dev`, `scripted`, or add `[agents.dve]`
    ");
}

#[test]
fn commands_that_are_missing_or_empty_are_told() {
    let text = "[gates]\ntests = { run = \" \", keep = [\"/x\"] }\n[agents.a]\nkind = \"command\"\n[agents.b]\nkind = \"claude\"\ncommand = []\n";
    insta::assert_snapshot!(errors(text), @r#"
    gatewright.toml:2:17: the command of gate `tests` is empty
      help: give a command, or leave `run` out
    gatewright.toml:2:30: `/x` is not a path pattern: it must be relative and stay inside the repository
      help: patterns are relative to the repository: `tests/**`
    gatewright.toml:3:9: agent `a` is of kind `command` and has no `command`
      help: set `command = ["/srv/agents/dev.sh"]`
    gatewright.toml:7:11: agent `b` has an empty `command`
      help: the program comes first: `command = ["/srv/agents/dev.sh"]`
    "#);
}

#[test]
fn doubled_keys_secrets_and_stray_keys_of_projects_are_told() {
    let text = r#"
key = "X"
[[project]]
key = "A"
repo = "a"
[[project]]
key = "A"
repo = ""
forge = { kind = "gitea", token = {} }
"#;
    insta::assert_snapshot!(errors(text), @r#"
    gatewright.toml:2:7: `key` at the top describes the repository that the file is in, but there are `[[project]]` tables
      help: move `key` into its `[[project]]` table
    gatewright.toml:7:7: there are two projects `A`
      help: items are told apart by their project's key: choose another one
    gatewright.toml:8:8: project `A` has an empty `repo`
      help: give a path, relative to this file, or a URL
    gatewright.toml:9:27: `project[1].forge.token` must name one place of the secret
      help: write `{ env = "NAME" }`, `{ file = "PATH" }` or `{ secret = "NAME" }`
    "#);
}

#[test]
fn a_secret_in_plain_text_is_refused_without_being_repeated() {
    let text = "[providers.x]\napi_key = \"sk-hunter2\"\n[agents.a]\nkind = \"claude\"\nenv = { API_KEY = 12345 }\n";
    let told = errors(text);
    assert!(!told.contains("hunter2") && !told.contains("12345"), "{told}");
    insta::assert_snapshot!(told, @r#"
    gatewright.toml:2:11: `providers.x.api_key` must be a table, not a value of type string
      help: write `{ env = "NAME" }`, `{ file = "PATH" }` or `{ secret = "NAME" }`
    gatewright.toml:5:19: `agents.a.env.API_KEY` must be a text in quotes, not what is there
    "#);
}

#[test]
fn variables_that_belong_to_gatewright_cannot_be_set() {
    insta::assert_snapshot!(errors("[sandbox.env]\nGATEWRIGHT_BRIEF = \"x\"\n\"A B\" = \"x\"\n"), @r"
    gatewright.toml:2:20: `GATEWRIGHT_BRIEF` is not yours to set
      help: choose another name: variables that start with GATEWRIGHT_ are set for every run
    gatewright.toml:3:9: `A B` cannot name an environment variable
      help: use letters, digits and `_`, starting with a letter
    ");
}

#[test]
fn broken_toml_is_told_with_its_place() {
    insta::assert_snapshot!(errors("[limits\nmax_concurrency = 2\n"), @"gatewright.toml:1:8: unclosed table, expected `]`");
}

#[test]
fn a_name_that_is_none_is_told_with_its_place() {
    insta::assert_snapshot!(errors("agent = \"a b\"\n"), @"gatewright.toml:1:9: `a b` is not the name of an agent: use 1 to 48 of a-z, A-Z, 0-9, `-`, `_`, `.`, starting with a letter or digit");
    insta::assert_snapshot!(errors("[gates]\n\"a/b\" = { run = \"x\" }\n"), @"gatewright.toml:2:1: `a/b` is not the name of a gate: use 1 to 48 of a-z, A-Z, 0-9, `-`, `_`, `.`, starting with a letter or digit");
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let text = "data_dir = \"from-file\"\n[limits]\nmax_concurrency = 1\nper_agent = 1\n";
    let mut given = with_environment(&[
        ("GATEWRIGHT_DATA_DIR", "/from/env"),
        ("GATEWRIGHT_LIMITS_MAX_CONCURRENCY", "7"),
    ]);
    given.flags.push(Flag { name: "--data-dir", key: "data_dir", value: "/from/flag".to_owned() });
    let loaded = parse_in(text, &given).expect("a configuration");
    let shown =
        loaded.settings().iter().map(|it| format!("{} = {}  # {}", it.key, it.value, it.origin));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    data_dir = "/from/flag"  # --data-dir
    database = "sqlite"  # default
    limits.max_concurrency = 7  # GATEWRIGHT_LIMITS_MAX_CONCURRENCY
    limits.per_agent = 1  # /srv/gw/gatewright.toml:4
    sandbox.backend = "auto"  # default
    "#);
}

#[test]
fn a_bad_value_in_the_environment_names_the_variable() {
    let given = with_environment(&[
        ("GATEWRIGHT_LIMITS_MAX_CONCURRENCY", "many"),
        ("GATEWRIGHT_SANDBOX_BACKEND", "none"),
    ]);
    insta::assert_snapshot!(parse_in("", &given).expect_err("errors"), @r#"
    GATEWRIGHT_LIMITS_MAX_CONCURRENCY: `limits.max_concurrency` must be a whole number, not "many"
      help: Agents and gates that work at the same time
    GATEWRIGHT_SANDBOX_BACKEND: `sandbox.backend` cannot be "none"
      help: use one of `auto`, `process`, `bubblewrap`
    "#);
}

#[test]
fn a_slip_in_the_environment_is_a_warning_and_our_own_variables_are_none() {
    let given =
        with_environment(&[("GATEWRIGHT_DATADIR", "x"), ("GATEWRIGHT_TOKEN", "x"), ("HOME", "/x")]);
    let loaded = parse_in("", &given).expect("a configuration");
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["GATEWRIGHT_DATADIR: sets nothing, did you mean `GATEWRIGHT_DATA_DIR`?"]);
}

#[test]
fn secrets_are_masked_where_values_are_shown() {
    let text = "[agents.a]\nkind = \"claude\"\nenv = { ANTHROPIC_API_KEY = \"sk-hunter2\", LANG = \"C\" }\n[[project]]\nkey = \"A\"\nrepo = \"https://ada:hunter2@git.example.org/a\"\n";
    let loaded = parse(text);
    let shown = loaded.settings().iter().map(|it| format!("{} = {}", it.key, it.value));
    let shown = shown.collect::<Vec<_>>().join("\n");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("agents.a.env.LANG = \"C\""), "{shown}");
}

#[test]
fn paths_are_relative_to_the_file_and_the_home_directory_is_known() {
    let text = "data_dir = \"data\"\n[sandbox]\nread = [\"~/.cargo\", \"/opt/tools\"]\n[[project]]\nkey = \"A\"\nrepo = \"../a\"\n[[project]]\nkey = \"B\"\nrepo = \"git@example.org:b.git\"\n";
    let loaded = parse(text);
    assert_eq!(loaded.config.data_dir.as_deref(), Some(Utf8Path::new("/srv/gw/data")));
    assert_eq!(loaded.config.sandbox.read, ["/home/ada/.cargo", "/opt/tools"]);
    let repositories: Vec<String> = loaded.projects().into_iter().map(|it| it.repository).collect();
    assert_eq!(repositories, ["/srv/a", "git@example.org:b.git"]);
}

#[test]
fn what_a_project_leaves_out_comes_from_the_top() {
    let text = "agent = \"claude\"\nhuman_gates = false\nmerge = { strategy = \"merge\" }\n[roles]\ntester = { agent = \"codex\" }\n[[project]]\nkey = \"A\"\nrepo = \"/a\"\n[[project]]\nkey = \"B\"\nrepo = \"/b\"\nhuman_gates = true\n";
    let loaded = parse(text);
    let projects = loaded.projects();
    assert_eq!(projects[0].merge_strategy, MergeStrategy::Merge);
    assert_eq!((projects[0].human_gates, projects[1].human_gates), (false, true));
    assert_eq!(projects[0].roles.len(), 1);
    assert_eq!(loaded.project_at(Utf8Path::new("/b")), projects[1]);
}

#[test]
fn an_agent_is_found_by_its_name_or_by_its_kind() {
    let loaded = parse(
        "[agents.dev]\nkind = \"command\"\ncommand = [\"./dev.sh\"]\nenv_from = [\"DEV_KEY\"]\n",
    );
    let name = |text: &str| AgentName::new(text).expect("a name");
    assert!(
        loaded.config.find_agent(&name("claude")).is_some()
            && loaded.config.find_agent(&name("nobody")).is_none()
    );
    let dev = loaded.config.find_agent(&name("dev")).expect("configured");
    let profile = dev
        .profile(&name("dev"), |secret| (secret == "DEV_KEY").then(|| "x".to_owned()))
        .expect("a profile");
    assert_eq!(profile.env.get("DEV_KEY").map(String::as_str), Some("x"));
    let missing = dev.profile(&name("dev"), |_| None).expect_err("no such secret");
    assert_eq!(missing.to_string(), "agent `dev` wants the secret `DEV_KEY`, which is not set");
}

#[test]
fn every_key_of_the_schema_is_described() {
    let schema = config::schema();
    let mut bare = Vec::new();
    let mut open = vec![(String::new(), &schema)];
    while let Some((path, value)) = open.pop() {
        for (key, property) in value["properties"].as_object().into_iter().flatten() {
            if property["description"].as_str().is_none_or(str::is_empty) {
                bare.push(format!("{path}.{key}"));
            }
        }
        open.extend(
            value.as_object().into_iter().flatten().map(|(key, it)| (format!("{path}.{key}"), it)),
        );
    }
    assert_eq!(bare, [""; 0]);
}

#[test]
fn a_destination_says_where_and_what_and_paths_are_beside_the_file() {
    let loaded = parse(
        "[destinations.log]\nkind = \"file\"\npath = \"events.jsonl\"\n\
         [destinations.chat]\nkind = \"command\"\ncommand = [\"./notify.sh\", \"./a\"]\n\
         events = [\"succeeded\", \"stage_entered\"]\nprojects = [\"ET\"]\nenv_from = [\"TOKEN\"]\n\
         [destinations.mail]\nkind = \"command\"\ncommand = [\"sendmail\"]\n",
    );
    let of = |name: &str| {
        let name = DestinationName::new(name).expect("a name");
        let settings = loaded.config.destinations[&name].clone();
        (settings.route(&name), settings)
    };
    let (route, log) = of("log");
    assert_eq!(log.path.as_deref(), Some(Utf8Path::new("/srv/gw/events.jsonl")));
    assert_eq!((route.events.as_slice(), route.projects.len()), (Route::EVENTS, 0));
    let (route, chat) = of("chat");
    assert_eq!(chat.command.unwrap(), ["/srv/gw/./notify.sh", "./a"], "arguments are its own");
    assert_eq!(route.events, [EventKindTag::Succeeded, EventKindTag::StageEntered]);
    assert_eq!(route.projects.len(), 1);
    assert_eq!(of("mail").1.command.unwrap(), ["sendmail"], "found in PATH");
}

#[test]
fn a_destination_that_cannot_be_is_refused_with_its_line() {
    insta::assert_snapshot!(errors(
        "[destinations.a]\nkind = \"file\"\n\
         [destinations.b]\nkind = \"command\"\ncommand = [\" \"]\npath = \"x\"\nenv = { GATEWRIGHT_X = \"1\" }\n\
         [destinations.c]\nkind = \"file\"\npath = \"x\"\nprojects = [\"EX\"]\n\
         [[project]]\nkey = \"ET\"\nrepo = \"r\"\n"
    ), @r#"
    gatewright.toml:1:15: destination `a` is of kind `file` and has no `path`
      help: say where: `path = "events.jsonl"`
    gatewright.toml:5:11: destination `b` has an empty `command`
      help: the program comes first: `command = ["./notify.sh"]`
    gatewright.toml:6:8: a destination of kind `command` takes no `path`
      help: leave it out, or choose the other kind
    gatewright.toml:7:24: `GATEWRIGHT_X` is not yours to set
      help: choose another name: variables that start with GATEWRIGHT_ are set for every run
    gatewright.toml:11:13: there is no project `EX`, did you mean `ET`?
      help: use one of `ET`
    "#);
    let told = errors(
        "[destinations.a]\nkind = \"fil\"\npath = \"x\"\nevents = [\"suceeded\", \"letter_died\"]\n",
    );
    for words in [
        "`destinations.a.kind` cannot be \"fil\", did you mean `file`?",
        "cannot be \"suceeded\", did you mean `succeeded`?",
        "cannot be \"letter_died\"",
    ] {
        assert!(told.contains(words), "`{words}` is not in {told}");
    }
}
