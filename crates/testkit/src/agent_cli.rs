//! The real coding-agent CLIs, for tests that talk to nobody but loopback.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};

/// Names the npm prefix that the CLIs are installed in.
const PREFIX_VARIABLE: &str = "GATEWRIGHT_TEST_AGENTS";

/// Between the end of a process group and the end of its output.
const KILL_LIMIT: Duration = Duration::from_secs(30);

/// Anthropic's Claude Code.
///
/// # Panics
/// Where it is not installed, with the command that installs it.
#[must_use]
pub fn claude() -> Utf8PathBuf {
    program("claude")
}

/// `OpenAI`'s Codex.
///
/// # Panics
/// As [`claude`].
#[must_use]
pub fn codex() -> Utf8PathBuf {
    program("codex")
}

fn program(name: &str) -> Utf8PathBuf {
    let program = prefix().join("node_modules/.bin").join(name);
    assert!(
        program.exists(),
        "`{program}` is not there: run scripts/test, which installs it, or\n  \
         npm install --prefix target/agents @anthropic-ai/claude-code @openai/codex\n\
         ({PREFIX_VARIABLE} names another prefix than target/agents)"
    );
    program
}

fn prefix() -> Utf8PathBuf {
    std::env::var(PREFIX_VARIABLE).map_or_else(
        |_| {
            let workspace = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
            workspace.expect("this crate is two levels below the workspace").join("target/agents")
        },
        Utf8PathBuf::from,
    )
}

/// A command that starts `program` with nothing but a home, a search path and a plain locale around it, and with
/// empty input.
#[must_use]
pub fn scrubbed(program: &Utf8Path, home: &Utf8Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
    // Some CLIs are scripts for a node that may be installed anywhere.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    /// `None` where the time was over: the process group was killed.
    pub status: Option<ExitStatus>,
    /// What it wrote, invalid UTF-8 replaced.
    pub stdout: String,
    /// What it complained about, invalid UTF-8 replaced.
    pub stderr: String,
}

/// Runs a command in a process group of its own, which is killed when `limit` is over.
///
/// # Errors
/// Where it cannot be started or waited for.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    let child = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let group = child.id();
    let (sender, ended) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let output = child.wait_with_output();
        // Nobody listens once the time is over.
        let _ = sender.send(());
        output
    });
    let in_time = ended.recv_timeout(limit).is_ok();
    if !in_time {
        // A wrapper may be gone already while what it started goes on, so the whole group is meant.
        Command::new("sh").args(["-c", "kill -KILL \"-$0\"", &group.to_string()]).status()?;
        let escaped =
            |_| io::Error::other("something has left the process group and holds the output open");
        ended.recv_timeout(KILL_LIMIT).map_err(escaped)?;
    }
    let output =
        waiter.join().map_err(|_| io::Error::other("the thread that waited has panicked"))??;
    Ok(Finished {
        status: in_time.then_some(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = scrubbed(Utf8Path::new("sh"), Utf8Path::new("/nowhere"));
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_scrubbed_command_inherits_nothing_but_the_search_path() {
        let finished =
            run(&mut shell("env | cut -d= -f1 | sort | tr '\\n' ' '"), Duration::from_mins(1))
                .unwrap();
        // These the shell itself adds.
        let names = finished
            .stdout
            .split_whitespace()
            .filter(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
        assert_eq!(names.collect::<Vec<_>>(), ["HOME", "LC_ALL", "PATH"]);
    }

    #[test]
    fn a_command_that_takes_too_long_falls_with_everything_it_started() {
        // The output stays open as long as the child of the child lives.
        let finished = run(&mut shell("sleep 600 & exit 3"), Duration::from_millis(100)).unwrap();
        assert_eq!(finished.status, None);
    }
}
