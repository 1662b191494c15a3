//! How Claude Code is started.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use ports::{AgentError, AgentProfile, LaunchContext, LaunchLine, LoginFile};

use crate::{
    lookup::{self, Known},
    visible,
};

const CLAUDE: Known =
    Known { program: "claude", install: "npm install -g @anthropic-ai/claude-code" };

/// Environment that every run gets; a profile may say otherwise.
const ENVIRONMENT: &[(&str, &str)] = &[
    // Inside a sandbox the agent may be uid 0 of its own user namespace, and as root Claude Code refuses to skip its
    // permission prompts unless it is told that a sandbox is around it. One is: that is the only place we start it in.
    ("IS_SANDBOX", "1"),
    // What it would say to others than the model: nothing inside answers, so each call would only cost time.
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_TELEMETRY", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
    ("CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL", "1"),
    // Its default of 10 retries holds a run for more than a minute even when the key is refused (401), and hides an
    // overloaded provider from our own backoff and breaker, which know of the other runs.
    ("CLAUDE_CODE_MAX_RETRIES", "4"),
    // A brief is the whole of what a run knows: no notes of its own from the last item.
    ("CLAUDE_CODE_DISABLE_AUTO_MEMORY", "1"),
    // Whatever outlives the run is killed with it, so it should not start what outlives it.
    ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
    ("CLAUDE_CODE_DISABLE_CRON", "1"),
];

/// Tools that make no sense here: it has its workspace already, and nobody wakes it later.
const TOOLS_OFF: &str = "EnterWorktree,ExitWorktree,ScheduleWakeup";

pub(super) fn check_line(profile: &AgentProfile, path: &str) -> Result<Vec<String>, AgentError> {
    let mut argv = lookup::command(profile, &CLAUDE, path)?;
    argv.push("--version".to_owned());
    Ok(argv)
}

pub(super) fn launch_line(context: &LaunchContext<'_>) -> Result<LaunchLine, AgentError> {
    let profile = context.profile;
    let mut argv = lookup::command(profile, &CLAUDE, context.path)?;
    let readable = visible::places(Utf8Path::new(&argv[0]), context.path);

    let mut push = |words: &[&str]| argv.extend(words.iter().map(|&word| word.to_owned()));
    push(&["-p", "--output-format", "stream-json", "--verbose"]);
    push(&["--disallowedTools", TOOLS_OFF, "--permission-mode", "bypassPermissions"]);
    if let Some(model) = context.model.or(profile.model.as_deref()) {
        push(&["--model", model]);
    }
    if let Some(effort) = &profile.effort {
        push(&["--effort", effort]);
    }
    if let Some(turns) = profile.max_turns {
        push(&["--max-turns", &turns.to_string()]);
    }
    if let Some(session) = lookup::session(profile, context.session)? {
        push(&["--resume", &session]);
    }
    argv.extend(profile.args.iter().cloned());

    let mut env: BTreeMap<String, String> =
        ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    env.extend(profile.env.clone());

    // Lent read-only: a login that expires during the run cannot be renewed from inside.
    let credentials = LoginFile { path: Utf8PathBuf::from(".claude/.credentials.json") };
    Ok(LaunchLine {
        argv,
        env,
        stdin: Some(context.brief.to_owned()),
        home_files: Vec::new(),
        readable,
        login: if profile.lend_login { vec![credentials] } else { Vec::new() },
    })
}
