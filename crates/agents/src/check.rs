//! Whether an agent's program is there and answers.

use std::{process::Stdio, time::Duration};

use camino::Utf8PathBuf;
use ports::{Agent, AgentCheck, AgentError, AgentProfile};
use tokio::{io::AsyncReadExt, process::Command};

use crate::words;

/// How long a program may take to say its version.
const CHECK_TIME_LIMIT: Duration = Duration::from_secs(5);
/// Bytes of its answer that are read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Asks the program of `profile` for its version, in an empty home and without our environment: no tokens, no login,
/// nothing of ours to be seen. A program that cannot be asked is only looked up.
pub async fn check(
    agent: &dyn Agent,
    profile: &AgentProfile,
    path: &str,
) -> Result<AgentCheck, AgentError> {
    let argv = agent.check_line(profile, path)?;
    let Some((program, arguments)) = argv.split_first() else {
        return Err(AgentError::Invalid {
            agent: profile.name.clone(),
            reason: "it names no program".to_owned(),
        });
    };
    if arguments.is_empty() {
        return Ok(AgentCheck {
            program: Utf8PathBuf::from(program),
            version: "cannot be asked for its version".to_owned(),
        });
    }
    let broken = |reason: String| AgentError::Broken {
        agent: profile.name.clone(),
        program: program.clone(),
        reason: words::summary(&reason),
    };
    let version = tokio::time::timeout(CHECK_TIME_LIMIT, ask(program, arguments, path)).await;
    match version {
        Ok(Ok(version)) => Ok(AgentCheck {
            program: Utf8PathBuf::from(program),
            version: words::summary(&version),
        }),
        Ok(Err(reason)) => Err(broken(reason)),
        Err(_) => Err(broken(format!(
            "it did not say its version within {} s",
            CHECK_TIME_LIMIT.as_secs()
        ))),
    }
}

async fn ask(program: &str, arguments: &[String], path: &str) -> Result<String, String> {
    let home = tempfile::tempdir().map_err(|e| format!("no temporary home could be made: {e}"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", path)
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| e.to_string())?;
    let out = child.stdout.take().expect("standard output is a pipe");
    let err = child.stderr.take().expect("standard error is a pipe");
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let (mut out, mut err) = (out.take(ANSWER_BYTES_MAX), err.take(ANSWER_BYTES_MAX));
    tokio::try_join!(out.read_to_end(&mut said), err.read_to_end(&mut complained))
        .map_err(|e| e.to_string())?;
    // A program that says more than that has to find its pipe closed, or it would never end.
    drop((out, err));
    let status = child.wait().await.map_err(|e| e.to_string())?;
    let complaint = String::from_utf8_lossy(&complained);
    if !status.success() {
        return Err(format!(
            "{status}: {}",
            words::last_line(&complaint).unwrap_or("without a word")
        ));
    }
    let version = String::from_utf8_lossy(&said)
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned);
    version.ok_or_else(|| "it said nothing when asked for its version".to_owned())
}
