//! Gives an usher its letter, and hears its report.

use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Child,
};

use super::report::Report;

/// Bytes of a report that are read: far more than what it keeps of a command's words takes in JSON.
const REPORT_BYTES_MAX: u64 = 1024 * 1024;

/// Gives `letter` to `usher`, until that has ended. Dropped before, it has it end its command, and all that came of it.
pub(super) async fn talk(mut usher: Child, letter: &[u8]) -> io::Result<Report> {
    // Its end is what the usher is told to stop by: it lives as long as this does.
    let mut stdin = usher.stdin.take();
    let write = async {
        if let Some(stdin) = &mut stdin {
            // An usher that does not listen has ended, and says why.
            stdin.write_all(letter).await.ok();
        }
    };
    let stdout = usher.stdout.take();
    let read = async {
        let mut said = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(REPORT_BYTES_MAX).read_to_end(&mut said).await?;
        }
        io::Result::Ok(said)
    };
    let ((), said) = tokio::join!(write, read);
    let status = usher.wait().await?;
    drop(stdin);
    serde_json::from_slice(&said?).map_err(|error| {
        io::Error::other(format!("its usher ended without a report, {status}: {error}"))
    })
}
