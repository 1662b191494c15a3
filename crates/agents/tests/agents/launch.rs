//! Command lines and environments, with programs that only pretend to be agents.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt,
};

use camino::{Utf8Path, Utf8PathBuf};
use domain::name::AgentName;
use ports::{AgentError, AgentProfile, LaunchContext, LaunchLine};

struct Host {
    _dir: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Host {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("a real path");
        let root = Utf8PathBuf::from_path_buf(root).expect("a path in UTF-8");
        Self { _dir: dir, root }
    }

    fn with_program(name: &str, script: &str) -> Self {
        let host = Self::new();
        let file = host.root.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a program");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).expect("a mode");
        host
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.root)
    }
}

fn profile() -> AgentProfile {
    AgentProfile {
        name: AgentName::new("dev").expect("a name"),
        command: None,
        model: None,
        effort: None,
        args: Vec::new(),
        env: BTreeMap::new(),
        secrets: BTreeSet::new(),
        max_turns: None,
        lend_login: false,
    }
}

fn launch(
    kind: &str,
    host: &Host,
    profile: &AgentProfile,
    session: Option<&str>,
) -> Result<LaunchLine, AgentError> {
    let context = LaunchContext {
        profile,
        model: None,
        brief: Utf8Path::new("/briefs/1.md"),
        brief_text: "do it",
        workspace: Utf8Path::new("/ws"),
        home: Utf8Path::new("/homes/1"),
        session,
        path: &host.path(),
        gatewright: Utf8Path::new("/opt/gatewright"),
    };
    agents::find(kind).expect("an agent").launch_line(&context)
}

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn claude_is_told_everything_by_arguments_and_the_brief_by_standard_input() {
    let host = Host::with_program("claude", "exit 0");
    let profile = AgentProfile {
        model: Some("opus".to_owned()),
        effort: Some("high".to_owned()),
        max_turns: Some(40),
        args: vec!["--betas".to_owned(), "x".to_owned()],
        env: env(&[("ANTHROPIC_API_KEY", "k"), ("CLAUDE_CODE_MAX_RETRIES", "1")]),
        lend_login: true,
        ..profile()
    };
    let line =
        launch("claude", &host, &profile, Some("90201578-2dbc-4e18-ba3d-42b008a3d41b")).unwrap();
    assert_eq!(
        line.argv[1..].join(" "),
        "-p --output-format stream-json --verbose --disallowedTools EnterWorktree,ExitWorktree,ScheduleWakeup \
         --permission-mode bypassPermissions --model opus --effort high --max-turns 40 \
         --resume 90201578-2dbc-4e18-ba3d-42b008a3d41b --betas x"
    );
    assert_eq!(line.argv[0], host.root.join("claude"));
    assert_eq!(line.readable, [host.root.join("claude")]);
    assert_eq!(line.stdin.as_deref(), Some(Utf8Path::new("/briefs/1.md")));
    assert_eq!(
        (line.env["IS_SANDBOX"].as_str(), line.env["ANTHROPIC_API_KEY"].as_str()),
        ("1", "k")
    );
    assert_eq!(line.env["CLAUDE_CODE_MAX_RETRIES"], "1", "the profile has the last word");
    assert_eq!(line.login[0].path, ".claude/.credentials.json");
}

#[test]
fn a_login_is_lent_only_where_it_is_allowed() {
    for kind in ["claude", "codex"] {
        let host = Host::with_program(kind, "exit 0");
        assert!(launch(kind, &host, &profile(), None).unwrap().login.is_empty(), "{kind}");
    }
}

#[test]
fn codex_goes_to_the_base_url_it_is_given() {
    let host = Host::with_program("codex", "exit 0");
    let url = "http://127.0.0.1:1/v1\"";
    let profile = AgentProfile {
        env: env(&[("OPENAI_BASE_URL", url), ("OPENAI_API_KEY", "k")]),
        ..profile()
    };
    let line =
        launch("codex", &host, &profile, Some("01a1fcf3-c516-7920-8cab-4fed3386d02a")).unwrap();

    let provider = line
        .argv
        .iter()
        .find_map(|it| it.strip_prefix("model_providers.gatewright="))
        .expect("a provider");
    let provider: toml::Table = toml::from_str(&format!("p={provider}")).unwrap();
    assert_eq!(
        provider["p"]["base_url"].as_str(),
        Some(url),
        "quotes do not break out of the value"
    );
    assert_eq!(provider["p"]["env_key"].as_str(), Some("OPENAI_API_KEY"));
    assert!(line.argv.contains(&"model_provider=gatewright".to_owned()));
    assert!(!line.argv.join(" ").contains("=k"), "keys go by the environment");
    assert_eq!(
        line.argv[line.argv.len() - 3..],
        ["resume", "01a1fcf3-c516-7920-8cab-4fed3386d02a", "-"]
    );
    assert_eq!(line.env["CODEX_HOME"], "/homes/1/.codex");
    assert_eq!(line.home_files[0].0, ".codex/config.toml");
    toml::from_str::<toml::Table>(&line.home_files[0].1).unwrap();
}

#[test]
fn codex_with_a_key_alone_goes_to_its_own_provider() {
    let host = Host::with_program("codex", "exit 0");
    let profile = AgentProfile {
        env: env(&[("OPENAI_API_KEY", "k")]),
        effort: Some("low".to_owned()),
        ..profile()
    };
    let line = launch("codex", &host, &profile, None).unwrap();
    assert_eq!(line.env["CODEX_API_KEY"], "k");
    assert!(!line.argv.iter().any(|it| it.contains("model_provider")));
    assert!(line.argv.contains(&"model_reasoning_effort=\"low\"".to_owned()), "{:?}", line.argv);
    assert_eq!(line.argv.last().map(String::as_str), Some("-"));
}

#[test]
fn a_session_that_is_an_option_starts_nothing() {
    for kind in ["claude", "codex"] {
        let host = Host::with_program(kind, "exit 0");
        let refused = launch(kind, &host, &profile(), Some("--settings=/tmp/x")).unwrap_err();
        assert!(matches!(refused, AgentError::Invalid { .. }), "{refused}");
    }
}

#[test]
fn a_program_that_is_not_there_comes_with_the_way_to_get_it() {
    let host = Host::new();
    let missing =
        agents::find("claude").unwrap().check_line(&profile(), host.root.as_str()).unwrap_err();
    let AgentError::Missing { install, .. } = missing else { panic!("{missing}") };
    assert_eq!(install.as_deref(), Some("npm install -g @anthropic-ai/claude-code"));
}

#[test]
fn a_command_is_asked_for_and_taken_as_it_is() {
    let host = Host::with_program("mine", "exit 0");
    let refused = launch("command", &host, &profile(), None).unwrap_err();
    assert!(refused.to_string().contains("write `command = ["), "{refused}");

    let profile = AgentProfile {
        command: Some(vec!["mine".to_owned(), "--fast".to_owned()]),
        args: vec!["x".to_owned()],
        ..profile()
    };
    let line = launch("command", &host, &profile, None).unwrap();
    assert_eq!(line.argv, [host.root.join("mine").as_str(), "--fast", "x"]);

    let own = AgentProfile { command: Some(vec!["./agent.sh".to_owned()]), ..profile };
    let line = launch("command", &host, &own, None).unwrap();
    assert_eq!(
        (line.argv[0].as_str(), line.readable.len()),
        ("./agent.sh", 0),
        "the workspace's own"
    );
}

#[test]
fn a_scripted_agent_is_our_own_binary_with_a_scenario_that_exists() {
    let host = Host::new();
    let with = |args: &[&str]| AgentProfile {
        args: args.iter().map(|&it| it.to_owned()).collect(),
        ..profile()
    };
    let line = launch("scripted", &host, &with(&["demo"]), None).unwrap();
    assert_eq!(line.argv, ["/opt/gatewright", "scripted-agent", "--scenario", "demo"]);
    assert_eq!(line.readable, ["/opt/gatewright"]);

    let file = launch("scripted", &host, &with(&["/scenarios/a.toml"]), None).unwrap();
    assert_eq!(file.readable, ["/opt/gatewright", "/scenarios/a.toml"]);

    for args in [&["demmo"][..], &[], &["demo", "cut"]] {
        let refused = launch("scripted", &host, &with(args), None).unwrap_err();
        assert!(refused.to_string().contains("one of demo, silent"), "{refused}");
    }
}

#[tokio::test]
async fn a_program_that_answers_is_checked_without_our_environment() {
    let host = Host::with_program("claude", r#"echo "1.2.3 of $HOME with ${USER-nobody}""#);
    let agent = agents::find("claude").unwrap();
    let check = agents::check(&*agent, &profile(), &host.path()).await.unwrap();
    assert_eq!(check.program, host.root.join("claude"));
    assert!(
        check.version.starts_with("1.2.3 of /") && check.version.ends_with("with nobody"),
        "{}",
        check.version
    );
}

#[tokio::test]
async fn a_program_that_fails_says_why() {
    let host = Host::with_program("codex", "echo 'no such library' >&2; exit 127");
    let agent = agents::find("codex").unwrap();
    let broken = agents::check(&*agent, &profile(), &host.path()).await.unwrap_err().to_string();
    assert!(broken.contains("no such library"), "{broken}");
}

#[tokio::test]
async fn somebody_elses_command_is_looked_up_and_not_run() {
    let host = Host::with_program("mine", "touch ran");
    let profile = AgentProfile { command: Some(vec!["mine".to_owned()]), ..profile() };
    let agent = agents::find("command").unwrap();
    let check = agents::check(&*agent, &profile, &host.path()).await.unwrap();
    assert_eq!(check.program, host.root.join("mine"));
    assert!(!host.root.join("ran").exists());
}
