//! Gives a command its letter, and hears what it says.

use std::{io, process::ExitStatus};

use domain::secrets::Secrets;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin},
};

use super::{group::Group, offspring::Mark};

/// Bytes of each of its outputs that are read; the rest is let go.
const OUTPUT_BYTES_MAX: u64 = 16 * 1024;

/// How a command ended. What it said is without the secrets that it was given.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Gives `letter` to `child`, until it has ended. What it started and left behind ends with it: it could hold the
/// outputs open for ever. Dropped before, it kills them all.
pub(super) async fn talk(
    mut child: Child,
    letter: &[u8],
    secrets: &Secrets,
    mark: Mark,
) -> io::Result<Ended> {
    let mut group = Group::of(&child, mark);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let end_all = async {
        group.ended().await;
        // At once, while the leader has not been waited for: its number is nobody else's.
        if let Some(mark) = group.kill() {
            // It looks through all processes. Cut short, it goes on by itself.
            tokio::task::spawn_blocking(move || mark.kill_all()).await.ok();
        }
    };
    let ((), (), stdout, stderr) =
        tokio::join!(write(stdin, letter), end_all, read(stdout, secrets), read(stderr, secrets));
    let status = child.wait().await?;
    Ok(Ended { status, stdout: stdout?, stderr: stderr? })
}

async fn write(stdin: Option<ChildStdin>, letter: &[u8]) {
    if let Some(mut stdin) = stdin {
        // A command may do without the letter: its variables say enough for some.
        stdin.write_all(letter).await.ok();
    }
}

async fn read(from: Option<impl AsyncRead + Unpin>, secrets: &Secrets) -> io::Result<String> {
    let Some(mut from) = from else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    (&mut from).take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await?;
    // A pipe that nobody empties would stop it for good.
    let rest = tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(if rest == 0 { secrets.hide(&text) } else { secrets.hide_in_beginning(&text) })
}
