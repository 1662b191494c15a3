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

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read as _, Write as _},
        process::Stdio,
        sync::mpsc,
        thread,
        time::Duration,
    };

    use tokio::{process::Command, sync::oneshot, task::spawn_blocking, time::timeout};

    use super::*;

    /// How long something is waited for that comes at once. Nothing is measured with it.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// As soon as the leader has been waited for, its number may be somebody else's: nothing that a busy machine puts off
    /// may come before the kill.
    #[test]
    fn what_a_leader_leaves_is_killed_though_no_thread_is_free() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let ((end, mut end_it), (mut lives, life)) = (io::pipe().unwrap(), io::pipe().unwrap());
            let child = Command::new("sh")
                .args(["-c", "sleep 1000 & read -r end"])
                .stdin(end)
                .stdout(Stdio::null())
                .stderr(life)
                .process_group(0)
                .spawn()
                .unwrap();
            let secrets = Secrets::default();
            let mut talk = Box::pin(talk(child, b"", &secrets, Mark::new("a letter")));
            tokio::select! {
                biased;
                _ = &mut talk => panic!("it has not ended"),
                () = std::future::ready(()) => {}
            }
            // The one thread waits for the leader, and has then something else to do.
            let (_release, held) = mpsc::channel::<()>();
            spawn_blocking(move || held.recv());
            let (tell, gone) = oneshot::channel();
            thread::spawn(move || {
                let read = lives.read_to_end(&mut Vec::new());
                tell.send(read.is_ok()).ok();
            });
            end_it.write_all(b"\n").unwrap();
            let killed = async {
                tokio::select! {
                    biased;
                    _ = &mut talk => panic!("nobody has looked through all processes"),
                    gone = gone => gone.unwrap(),
                }
            };
            assert!(timeout(PATIENCE, killed).await.expect("all of the group have ended"));
        });
    }
}
