//! How Codex is started.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use ports::{AgentError, AgentProfile, LaunchContext, LaunchLine, LoginFile};

use crate::{
    lookup::{self, Known},
    visible,
};

const CODEX: Known = Known { program: "codex", install: "npm install -g @openai/codex" };

/// Where it keeps its state, below its private home.
const STATE: &str = ".codex";

/// Settings that no flag of ours repeats. The file also makes the directory, without which Codex does not start.
const SETTINGS: &str = "\
# Written before every run.
check_for_update_on_startup = false

[history]
persistence = \"none\"
";

/// Options of `codex exec`, before a subcommand.
const OPTIONS: &[&str] = &[
    "exec",
    "--json",
    // Otherwise it waits 5 s at its end for somebody to take its figures,
    "-c",
    "analytics.enabled=false",
    // and tries to reach GitHub at its start.
    "--disable",
    "plugins",
    "--disable",
    "apps",
    "--disable",
    "remote_plugin",
    // Its own sandbox needs namespaces that ours does not give, and would only repeat what ours enforces.
    "--dangerously-bypass-approvals-and-sandbox",
    "--skip-git-repo-check",
];

/// Retries of its client. Few, since our own backoff and breaker know of the other runs; the two multiply.
const RETRIES: &str = "request_max_retries=2,stream_max_retries=2";
/// Shorter than the default stall limit, so that Codex can still say that the provider is silent.
const STREAM_IDLE_MS: u32 = 240_000;

pub(super) fn check_line(profile: &AgentProfile, path: &str) -> Result<Vec<String>, AgentError> {
    let mut argv = lookup::command(profile, &CODEX, path)?;
    argv.push("--version".to_owned());
    Ok(argv)
}

pub(super) fn launch_line(context: &LaunchContext<'_>) -> Result<LaunchLine, AgentError> {
    let profile = context.profile;
    let mut argv = lookup::command(profile, &CODEX, context.path)?;
    let readable = visible::places(Utf8Path::new(&argv[0]), context.path);

    let mut env =
        BTreeMap::from([("CODEX_HOME".to_owned(), context.home.join(STATE).into_string())]);
    env.extend(profile.env.clone());

    let mut push = |words: &[&str]| argv.extend(words.iter().map(|&word| word.to_owned()));
    push(OPTIONS);
    if let Some(model) = context.model.or(profile.model.as_deref()) {
        push(&["-m", model]);
    }
    if let Some(effort) = &profile.effort {
        push(&["-c", &format!("model_reasoning_effort={}", quoted(effort))]);
    }
    if let Some(url) = env.get("OPENAI_BASE_URL") {
        // On the command line and not in a file: a repository's own settings cannot overrule it there.
        push(&[
            "-c",
            "model_provider=gatewright",
            "-c",
            &provider(url, env.contains_key("OPENAI_API_KEY")),
        ]);
    } else if let Some(key) = env.get("OPENAI_API_KEY").cloned() {
        // Its own provider reads a key from the environment under this name only.
        env.entry("CODEX_API_KEY".to_owned()).or_insert(key);
    }
    argv.extend(profile.args.iter().cloned());
    if let Some(session) = lookup::session(profile, context.session)? {
        argv.extend(["resume".to_owned(), session]);
    }
    // The prompt is standard input.
    argv.push("-".to_owned());

    let state = Utf8PathBuf::from(STATE);
    Ok(LaunchLine {
        argv,
        env,
        stdin: Some(context.brief.to_owned()),
        home_files: vec![(state.join("config.toml"), SETTINGS.to_owned())],
        readable,
        // Lent read-only: a login that expires during the run cannot be renewed from inside.
        login: if profile.lend_login {
            vec![LoginFile { path: state.join("auth.json") }]
        } else {
            Vec::new()
        },
    })
}

/// A provider at `url`. Codex does not take a base URL from the environment.
fn provider(url: &str, has_key: bool) -> String {
    let url = quoted(url);
    let key = if has_key { "env_key=\"OPENAI_API_KEY\"," } else { "" };
    format!(
        "model_providers.gatewright={{name=\"gatewright\",base_url={url},wire_api=\"responses\",{key}{RETRIES},stream_idle_timeout_ms={STREAM_IDLE_MS}}}"
    )
}

/// A TOML string: that is how Codex reads values of `-c`.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
