//! Starting git, feeding it, reading it, and stopping it in time.

use std::{ffi::OsString, fs::File, io, process::Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use ports::GitError;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use super::{Caller, Runner, group::Group};
use crate::blocking::io_error;

/// Bytes that git may print where a call sets no other limit: the file list of a repository with a million files.
const STDOUT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of its complaints that are read; the rest is thrown away.
const STDERR_BYTES_MAX: usize = 256 * 1024;
/// Bytes of its complaints that go into an error.
const STDERR_SHOWN: usize = 2000;

/// What git reads on its standard input.
#[derive(Debug)]
pub(crate) enum Input {
    /// Nothing.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file, from where it stands.
    File(File),
}

/// One call that has not been made yet.
#[derive(Debug)]
#[must_use]
pub(crate) struct Call<'a> {
    runner: &'a Runner,
    caller: Caller,
    operation: String,
    dir: Utf8PathBuf,
    args: Vec<OsString>,
    variables: Vec<(&'static str, String)>,
    input: Input,
    stdout_bytes_max: usize,
}

/// What a call that ended by itself has said.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it printed, at most the limit of the call.
    pub(crate) stdout: Vec<u8>,
    /// There was more, and git was stopped.
    pub(crate) cut: bool,
    /// What it complained about.
    pub(crate) stderr: String,
}

impl Output {
    /// What it printed, without the last line break.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }

    /// Its complaints, short enough for an error.
    pub(crate) fn short_stderr(&self) -> String {
        shorten(self.stderr.trim())
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(runner: &'a Runner, caller: Caller, operation: String) -> Self {
        Self {
            runner,
            caller,
            operation,
            dir: Utf8PathBuf::from("/"),
            args: Vec::new(),
            variables: Vec::new(),
            input: Input::Empty,
            stdout_bytes_max: STDOUT_BYTES_MAX,
        }
    }

    /// The working directory.
    pub(crate) fn dir(mut self, dir: &Utf8Path) -> Self {
        dir.clone_into(&mut self.dir);
        self
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    pub(crate) fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// One more variable of its environment.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Its standard input.
    pub(crate) fn input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// How much it may print.
    pub(crate) const fn stdout_bytes_max(mut self, max: usize) -> Self {
        self.stdout_bytes_max = max;
        self
    }

    /// Makes the call, which must succeed and print no more than it may.
    pub(crate) async fn run(self) -> Result<Output, GitError> {
        let operation = self.operation.clone();
        let max = self.stdout_bytes_max;
        let output = self.output().await?;
        if output.cut {
            let stderr = format!("git printed more than {max} bytes");
            return Err(GitError::Command { operation, stderr });
        }
        if output.code != 0 {
            return Err(GitError::Command { operation, stderr: output.short_stderr() });
        }
        Ok(output)
    }

    /// Makes the call, whatever git makes of it.
    pub(crate) async fn output(self) -> Result<Output, GitError> {
        let binary = self.runner.binary();
        let started = self.command().and_then(|mut command| command.spawn());
        let mut child = started.map_err(io_error("start git", binary))?;
        let group = Group::of(&child);
        let feed = match self.input {
            Input::Bytes(ref bytes) => bytes.as_slice(),
            Input::Empty | Input::File(_) => &[],
        };
        let limit = self.runner.time_limit();
        let ended = timeout(limit, talk(&mut child, &group, feed, self.stdout_bytes_max)).await;
        let Ok(ended) = ended else {
            group.kill();
            child.wait().await.map_err(io_error("wait for git", binary))?;
            group.disarm();
            return Err(GitError::TimedOut { operation: self.operation, seconds: limit.as_secs() });
        };
        let ended = ended.map_err(io_error("talk to git", binary))?;
        group.disarm();
        match ended.code {
            Some(code) => Ok(Output { code, ..ended.output }),
            None if ended.output.cut => Ok(ended.output),
            None => Err(GitError::Command {
                operation: self.operation,
                stderr: format!("git was killed\n{}", ended.output.short_stderr())
                    .trim_end()
                    .to_owned(),
            }),
        }
    }

    fn command(&self) -> io::Result<Command> {
        let stdin = match &self.input {
            Input::Empty => Stdio::null(),
            Input::Bytes(_) => Stdio::piped(),
            Input::File(file) => file.try_clone()?.into(),
        };
        let mut command = Command::new(self.runner.binary());
        command
            .args(&self.args)
            .env_clear()
            .envs(self.runner.environment(self.caller).iter().map(|(name, value)| (name, value)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.dir)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Ok(command)
    }
}

struct Ended {
    /// `None`: by a signal.
    code: Option<i32>,
    output: Output,
}

async fn talk(child: &mut Child, group: &Group, feed: &[u8], max: usize) -> io::Result<Ended> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let read_stdout = async {
        let read = read(stdout, max).await?;
        if read.cut {
            group.kill();
        }
        Ok::<_, io::Error>(read)
    };
    let read_stderr = async {
        let mut stderr = stderr;
        let read = read(stderr.as_mut(), STDERR_BYTES_MAX).await?;
        // A pipe that nobody empties would stop git for good.
        if let Some(mut rest) = stderr {
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
        }
        Ok::<_, io::Error>(read)
    };
    let ((), stdout, stderr) = tokio::join!(write(stdin, feed), read_stdout, read_stderr);
    // Only now: as long as the leader is not waited for, its group can be killed safely.
    let code = child.wait().await?.code();
    let (stdout, stderr) = (stdout?, stderr?);
    let stderr = String::from_utf8_lossy(&stderr.bytes).into_owned();
    Ok(Ended { code, output: Output { code: -1, stdout: stdout.bytes, cut: stdout.cut, stderr } })
}

async fn write(stdin: Option<ChildStdin>, bytes: &[u8]) {
    if let Some(mut stdin) = stdin {
        // Git that stops reading says why on its standard error and with its exit code.
        stdin.write_all(bytes).await.ok();
    }
}

struct Read {
    bytes: Vec<u8>,
    cut: bool,
}

async fn read(from: Option<impl AsyncRead + Unpin>, max: usize) -> io::Result<Read> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(max as u64 + 1).read_to_end(&mut bytes).await?;
    }
    let cut = bytes.len() > max;
    bytes.truncate(max);
    Ok(Read { bytes, cut })
}

/// Keeps the beginning, where git names files, and the end, where it says `fatal:`.
fn shorten(text: &str) -> String {
    if text.len() <= STDERR_SHOWN {
        return text.to_owned();
    }
    let first = text.floor_char_boundary(STDERR_SHOWN / 2);
    let last = text.ceil_char_boundary(text.len() - STDERR_SHOWN / 2);
    format!("{}\n[…]\n{}", &text[..first], &text[last..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_complaint_keeps_its_beginning_and_its_end() {
        let text = format!("error: first\n{}\nfatal: last", "é".repeat(5000));
        let short = shorten(&text);
        assert!(short.starts_with("error: first") && short.ends_with("fatal: last"));
        assert!(short.len() < STDERR_SHOWN + 20);
    }
}
