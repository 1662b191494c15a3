//! Starts a shim, once.

use std::{
    fs::{File, TryLockError},
    io,
    process::Stdio,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use ports::SandboxError;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task, time,
};

use crate::{
    files, lock,
    order::Order,
    shim::{NOT_NEEDED, TAKEN},
};

/// How long a shim may take to say that it has the sandbox.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How long another launch or removal of the same sandbox may take.
const TURN_WITHIN: Duration = Duration::from_secs(15);

/// Starts the order in `dir`, unless it has been started before.
///
/// The lock of launches orders those who do this at the same time. That nothing is started twice does not depend on it: the
/// shim decides that, under its own lock and with a mark on disk, and this may be killed at any point.
pub(crate) async fn launch(dir: &Utf8Path, order: Order) -> Result<(), SandboxError> {
    let shim = order.shim.clone();
    let Some(prepared) =
        blocking("prepare the launch", dir, move |dir| prepare(&dir, &order)).await?
    else {
        return Ok(());
    };
    let started = start(dir, &shim, prepared.shim_log).await;
    drop(prepared.turn);
    started.map_err(|source| failed("start the shim", dir, source))
}

/// The lock of launches, and the file that takes what the shim itself says.
struct Prepared {
    turn: File,
    shim_log: File,
}

/// Writes the order; `None` where there is nothing to start.
fn prepare(dir: &Utf8Path, order: &Order) -> io::Result<Option<Prepared>> {
    files::make_private_dir(dir)?;
    let turn = take_turn(dir)?;
    if is_taken(dir)? {
        return Ok(None);
    }
    files::write_atomically(dir, files::ORDER, order)?;
    let shim_log = files::create(&dir.join(files::SHIM_LOG))?;
    Ok(Some(Prepared { turn, shim_log }))
}

/// Whether a shim has or had the sandbox in `dir`.
fn is_taken(dir: &Utf8Path) -> io::Result<bool> {
    Ok(lock::is_held(dir)? || dir.join(files::STARTED).exists() || dir.join(files::EXIT).exists())
}

/// Waits for others who launch or remove the sandbox in `dir`. Nobody else does while the answer is alive.
pub(crate) fn take_turn(dir: &Utf8Path) -> io::Result<File> {
    let file = files::create(&dir.join(files::LAUNCH_LOCK))?;
    let until = Instant::now() + TURN_WITHIN;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "another launch of it does not end",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Starts the shim and waits until it has the sandbox. It inherits nothing; when it ends, the runtime takes it in.
async fn start(dir: &Utf8Path, shim: &[String], shim_log: File) -> io::Result<()> {
    let (program, arguments) =
        shim.split_first().ok_or_else(|| io::Error::other("there is no shim to start"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .arg(dir)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(shim_log)
        .kill_on_drop(false)
        .spawn()?;
    match time::timeout(TAKEN_WITHIN, answer(&mut child)).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the shim did not say whether it has the sandbox",
        )),
    }
}

async fn answer(child: &mut Child) -> io::Result<()> {
    let mut said = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut said).await?;
    }
    match said.trim() {
        TAKEN | NOT_NEEDED => Ok(()),
        "" => Err(io::Error::other(format!(
            "the shim ended with {} before it had the sandbox",
            child.wait().await?
        ))),
        other => Err(io::Error::other(other.to_owned())),
    }
}

/// Runs what blocks on the disk away from the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    dir: &Utf8Path,
    run: impl FnOnce(Utf8PathBuf) -> io::Result<T> + Send + 'static,
) -> Result<T, SandboxError> {
    let place = dir.to_owned();
    match task::spawn_blocking(move || run(place)).await {
        Ok(outcome) => outcome.map_err(|source| failed(operation, dir, source)),
        Err(panicked) => Err(failed(operation, dir, io::Error::other(panicked))),
    }
}

fn failed(operation: &'static str, dir: &Utf8Path, source: io::Error) -> SandboxError {
    SandboxError::Io { operation, dir: dir.to_owned(), source }
}
