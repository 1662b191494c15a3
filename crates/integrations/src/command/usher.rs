//! The small process between the orchestrator and a command: it ends with the one, and everything of the other with it.
//!
//! The orchestrator holds the other end of its standard input: first comes the letter, then nothing, and its end means that
//! nobody waits any more, whatever became of them. Whatever the command has started is a descendant of the usher, also in
//! a session of its own and after its parent's end. What is left where the usher itself is killed is found by its mark.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    os::{fd::AsFd as _, unix::process::ExitStatusExt as _},
    process::{ExitCode, Stdio},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::{
        prctl,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::{Pid, setsid},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::unix::pipe,
    process::{Child, ChildStdin, Command},
    runtime,
    task::JoinHandle,
    time,
};

use super::{
    processes,
    report::{End, OUTPUT_BYTES_MAX, Report, Said},
};

/// How long those who are killed may take to end; a hung file system or another user's right holds some for longer.
const ENDED_WITHIN: Duration = Duration::from_secs(5);
/// How long an output may stay open when all have ended: somebody else may have been handed it.
const HEARD_WITHIN: Duration = Duration::from_secs(1);
/// Between two looks at who is left.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Attends to a command. `line` is the milliseconds that it may take, its program and its arguments; the letter comes on
/// standard input, and the report goes to standard output.
///
/// To be called as the only thing that the process does: it ends every child.
pub fn usher(line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut line = line.into_iter();
    let limit = line.next().and_then(|it| it.to_str()?.parse().ok()).map(Duration::from_millis);
    let (Some(limit), Some(program)) = (limit, line.next()) else { return ExitCode::from(64) };
    let mut command = Command::new(program);
    command.args(line);
    let report = match attend(command, limit) {
        Ok(Some(report)) => report,
        // Nobody is there to hear it.
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => Report::silent(End::NotStarted { why: error.to_string() }),
    };
    let written = serde_json::to_vec(&report).map_err(io::Error::from);
    match written.and_then(|report| io::stdout().write_all(&report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Runs a command to its end. Nothing where whoever sends the letter is gone. An error is from before its start.
fn attend(command: Command, limit: Duration) -> io::Result<Option<Report>> {
    // The keys of a terminal are for the orchestrator. The only failure is that we lead a group already.
    setsid().ok();
    prctl::set_child_subreaper(true)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(attend_to(command, limit))
}

async fn attend_to(mut command: Command, limit: Duration) -> io::Result<Option<Report>> {
    let sender = io::stdin().as_fd().try_clone_to_owned()?;
    let mut sender = BufReader::new(pipe::Receiver::from_owned_fd(sender)?);
    let mut letter = Vec::new();
    sender.read_until(b'\n', &mut letter).await?;
    if letter.last() != Some(&b'\n') {
        return Ok(None);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    tokio::spawn(write(child.stdin.take(), letter));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = (tokio::spawn(hear(stdout)), tokio::spawn(hear(stderr)));
    let end = tokio::select! {
        end = ended(&mut child) => Some(end),
        () = hang_up(&mut sender) => None,
        () = time::sleep(limit) => Some(End::TimeLimit),
    };
    end_offspring().await;
    let Some(end) = end else { return Ok(None) };
    Ok(Some(Report { end, stdout: heard(stdout).await, stderr: heard(stderr).await }))
}

async fn write(stdin: Option<ChildStdin>, letter: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        // A command may do without the letter: its variables say enough for some.
        stdin.write_all(&letter).await.ok();
    }
}

async fn hear(from: Option<impl AsyncRead + Unpin>) -> io::Result<Said> {
    let Some(mut from) = from else { return Ok(Said::default()) };
    let mut bytes = Vec::new();
    (&mut from).take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await?;
    // A pipe that nobody empties would stop it for good.
    let rest = tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(Said { text: String::from_utf8_lossy(&bytes).into_owned(), is_whole: rest == 0 })
}

async fn heard(hearing: JoinHandle<io::Result<Said>>) -> Said {
    let heard = time::timeout(HEARD_WITHIN, hearing).await;
    heard.ok().and_then(Result::ok).and_then(Result::ok).unwrap_or_default()
}

async fn ended(child: &mut Child) -> End {
    match child.wait().await {
        Ok(status) => match status.code() {
            Some(code) => End::Exited { code },
            None => End::Signaled { signal: status.signal().unwrap_or_default() },
        },
        Err(error) => End::Lost { why: error.to_string() },
    }
}

/// Returns when whoever sends the letter is gone, or has given it up.
async fn hang_up(sender: &mut BufReader<pipe::Receiver>) {
    tokio::io::copy(sender, &mut tokio::io::sink()).await.ok();
}

/// Kills every descendant until none is left. Whoever loses its parent becomes a child of ours: having no child means that
/// there is nobody.
async fn end_offspring() {
    let end = async {
        loop {
            processes::list()
                .filter(|it| it.parent == Pid::this())
                .for_each(processes::Process::kill);
            if reap() {
                return;
            }
            time::sleep(LOOK_EVERY).await;
        }
    };
    time::timeout(ENDED_WITHIN, end).await.ok();
}

/// Takes in every child that has ended, without waiting. True where there is no child at all any more.
fn reap() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
}
