//! What `init` writes loads again and says what was found.

use std::num::NonZeroU32;

use camino::Utf8Path;
use config::{
    AgentKind, Surroundings,
    detect::{TestCommand, project_key},
    init::{InitAgent, InitAnswers, render},
};
use domain::{name::GateName, revision::BranchName};

fn answers() -> InitAnswers {
    InitAnswers {
        key: project_key("greet"),
        name: "greet".to_owned(),
        default_branch: Some(BranchName::new("main").expect("a branch")),
        test_command: Some(TestCommand {
            run: "make test".to_owned(),
            why: "Makefile has a target `test`".to_owned(),
        }),
        agents: vec![InitAgent {
            kind: AgentKind::Claude,
            key_variable: Some("ANTHROPIC_API_KEY".to_owned()),
            has_login: true,
        }],
        read: vec!["~/.cargo".to_owned()],
    }
}

fn load(text: &str) -> config::Loaded {
    let surroundings = Surroundings {
        home: Some("/home/ada".into()),
        data_dir: "/data".into(),
        cores: NonZeroU32::MIN,
        environment: Vec::new(),
        flags: Vec::new(),
    };
    config::parse(text, Utf8Path::new("/src/greet/gatewright.toml"), &surroundings)
        .expect("a configuration")
}

#[test]
fn the_file_reads_well() {
    insta::assert_snapshot!(render(&answers()), @r#"
    # Gatewright's settings for this repository. `gatewright config schema` describes every key,
    # `gatewright config show` says which values hold and why. Agents cannot change this file.

    # Work items are called GREET-001, GREET-002, and so on.
    key = "GREET"
    name = "greet"

    # The branch that work is for.
    default_branch = "main"

    # How work is done: `solo`, `sdlc` or `delivery`, or a file of yours in .gatewright/pipelines/.
    definition = "solo"

    # Who does it: an agent from below.
    agent = "claude"

    # What has to exit 0 on a clean checkout before work counts as done.
    [gates]
    # Found: Makefile has a target `test`.
    tests = { run = "make test", time_limit = "10m" }

    # Where agents and tests run. `auto` is the strongest isolation that this machine has.
    [sandbox]
    backend = "auto"
    # Places in your home directory that can be read there: toolchains. Nothing else of it can be seen.
    read = ["~/.cargo"]

    # Claude Code, found in PATH.
    [agents.claude]
    kind = "claude"
    # model = "…"                 # default: its own choice
    # How it logs in: a key from your environment, or its own login, lent read-only. Whatever the agent
    # runs can read either of them.
    env_from = ["ANTHROPIC_API_KEY"]
    # lend_login = true

    # Who is told what happens: questions to people, and how work ended. `gatewright outbox` shows what was sent.
    # [destinations.log]
    # kind = "file"                 # one line of JSON an event
    # path = "~/gatewright-events.jsonl"
    # [destinations.chat]
    # kind = "command"              # the event is its standard input, exit code 0 means delivered
    # command = ["./notify.sh"]
    "#);
}

#[test]
fn the_file_loads_and_says_what_was_found() {
    let loaded = load(&render(&answers()));
    assert!(loaded.warnings.is_empty());
    let project = loaded.project_at(Utf8Path::new("/src/greet"));
    assert_eq!(
        (project.key.as_str(), project.agent.map(|it| it.to_string()).as_deref()),
        ("GREET", Some("claude"))
    );
    let tests = GateName::new("tests").expect("a name");
    assert_eq!(project.gates[&tests].run.as_deref(), Some("make test"));
    assert_eq!(loaded.config.sandbox.read, ["/home/ada/.cargo"]);
}

#[test]
fn a_repository_of_which_nothing_is_known_gets_a_file_that_loads() {
    let unknown = InitAnswers {
        default_branch: None,
        test_command: None,
        agents: Vec::new(),
        read: Vec::new(),
        ..answers()
    };
    let loaded = load(&render(&unknown));
    assert!(loaded.config.gates.is_empty() && loaded.config.agents.is_empty());
}

#[test]
fn no_name_or_command_breaks_the_file() {
    let run = "sh -c \"x='a\\\\b'\"\n[agents.evil]".to_owned();
    let hostile = InitAnswers {
        name: "a\"\nagent = \"b".to_owned(),
        test_command: Some(TestCommand { run: run.clone(), why: "x\ny".to_owned() }),
        ..answers()
    };
    let loaded = load(&render(&hostile));
    assert_eq!(loaded.config.name.as_deref(), Some("a\"\nagent = \"b"));
    let tests = GateName::new("tests").expect("a name");
    assert_eq!(loaded.config.gates[&tests].run.as_deref(), Some(run.as_str()));
}

#[test]
fn a_login_is_lent_only_where_there_is_no_key() {
    let lends = |key_variable: Option<&str>, has_login: bool| {
        let key_variable = key_variable.map(str::to_owned);
        let agents = vec![InitAgent { kind: AgentKind::Claude, key_variable, has_login }];
        let loaded = load(&render(&InitAnswers { agents, ..answers() }));
        loaded.config.agents.values().next().expect("an agent").lend_login
    };
    assert!(lends(None, true));
    assert!(!lends(None, false));
    assert!(!lends(Some("ANTHROPIC_API_KEY"), true));
}
