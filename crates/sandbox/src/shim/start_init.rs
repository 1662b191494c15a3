//! Starts the init, behind its wall if it has one.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::OwnedFd,
        unix::{fs::OpenOptionsExt, net::UnixStream},
    },
    process::{Command, Stdio},
};

use camino::Utf8Path;
use nix::libc;

use super::{control, wall};
use crate::{files, order::Order, procfs};

/// A started init.
pub(super) struct StartedInit {
    /// The number of the process that we started: the init itself, or the program that makes the wall.
    pub(super) pid: i32,
    /// Our end of the conversation.
    pub(super) socket: UnixStream,
    /// The command's standard output.
    pub(super) out: OwnedFd,
    /// The command's standard error, and that of the program that makes the wall.
    pub(super) err: OwnedFd,
}

/// Starts the init for the order in `dir`; it shares `lock`. The error is for people.
pub(super) fn start_init(
    dir: &Utf8Path,
    order: &Order,
    lock: &File,
) -> Result<StartedInit, String> {
    let said = |what: &'static str| move |error: io::Error| format!("could not {what}: {error}");
    let stdin = match &order.spec.stdin {
        Some(path) => open_stdin(path)
            .map_err(|error| format!("could not open the standard input {path}: {error}"))?
            .into(),
        None => Stdio::null(),
    };
    let order_path = dir.join(files::ORDER);
    let order_file = File::open(&order_path).map_err(said("open the order"))?;
    // It carries keys, and nobody needs it by its name any more: the init reads it from here.
    fs::remove_file(&order_path).map_err(said("remove the order"))?;
    let (ours, theirs) = UnixStream::pair().map_err(said("make a socket"))?;
    let argument =
        control::hand_down(&order_file, &theirs, lock).map_err(said("hand files down"))?;
    let line = wall::command_line(order, &argument)?;
    let program = line.first().ok_or("the command line of the init is empty")?;
    let mut child = Command::new(program)
        .args(&line[1..])
        .env_clear()
        .current_dir("/")
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("could not start {program}: {error}"))?;
    let out = child.stdout.take().ok_or("the init has no standard output")?.into();
    let err = child.stderr.take().ok_or("the init has no standard error")?.into();
    let pid = i32::try_from(child.id()).map_err(|error| error.to_string())?;
    Ok(StartedInit { pid, socket: ours, out, err })
}

/// A file, and nothing that could block or act when it is opened.
fn open_stdin(path: &Utf8Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"))
}

/// The processes between `pid`, which we started, and the command, as far as they are seen from here.
pub(super) fn between(pid: i32) -> Vec<procfs::ProcessId> {
    let children = procfs::list_descendants(pid).into_iter().filter(|it| it.parent == pid);
    procfs::find(pid).into_iter().chain(children).map(|it| it.id).collect()
}
