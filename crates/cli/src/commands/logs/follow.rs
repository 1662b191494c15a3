//! Reads a log that may still grow.

use std::{
    io::{ErrorKind, SeekFrom},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    limits::STREAM_LINE_BYTES_MAX,
    secrets::{HiddenStream, Secrets},
};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _},
};

use crate::error::CliError;

/// How often a log is looked at while it is followed.
pub(super) const POLL: Duration = Duration::from_millis(200);
/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Bytes at the end of a log that its last lines are looked for in.
const TAIL_BYTES: u64 = 64 * 1024;

/// A log, and how far it has been read.
pub(super) struct Log {
    path: Utf8PathBuf,
    offset: u64,
    shown: HiddenStream,
    /// The beginning of a line whose end has not been read.
    rest: Vec<u8>,
}

impl Log {
    /// The log there, in which these are not shown.
    pub(super) const fn new(path: Utf8PathBuf, secrets: Secrets) -> Self {
        Self { path, offset: 0, shown: HiddenStream::new(secrets), rest: Vec::new() }
    }

    /// Gives every line that is complete by now. One that is longer than any parser reads is given in pieces.
    pub(super) async fn read_on(
        &mut self,
        line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), CliError> {
        let cannot =
            |error: std::io::Error| CliError::new(format!("could not read {}: {error}", self.path));
        let mut file = match File::open(&self.path).await {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(cannot(error)),
        };
        file.seek(SeekFrom::Start(self.offset)).await.map_err(cannot)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = file.read(&mut chunk).await.map_err(cannot)?;
            if length == 0 {
                return Ok(());
            }
            self.offset += length as u64;
            split(&mut self.rest, &self.shown.push(&chunk[..length]), line);
        }
    }

    /// Gives what stands behind the last newline.
    pub(super) fn finish(mut self, line: &mut (dyn FnMut(&str) + Send)) {
        split(&mut self.rest, &self.shown.finish(), line);
        if !self.rest.is_empty() {
            line(&String::from_utf8_lossy(&self.rest));
        }
    }
}

fn split(rest: &mut Vec<u8>, bytes: &[u8], line: &mut (dyn FnMut(&str) + Send)) {
    for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
        rest.extend_from_slice(piece);
        let is_whole = rest.ends_with(b"\n");
        if is_whole {
            rest.pop();
        }
        if is_whole || rest.len() >= STREAM_LINE_BYTES_MAX {
            line(&String::from_utf8_lossy(rest));
            rest.clear();
        }
    }
}

/// The last lines of a log; none where there is no log.
pub(super) async fn tail(
    path: &Utf8Path,
    lines: usize,
    secrets: Secrets,
) -> Result<Vec<String>, CliError> {
    let cannot = |error: std::io::Error| CliError::new(format!("could not read {path}: {error}"));
    let mut file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(cannot(error)),
    };
    let length = file.metadata().await.map_err(cannot)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).await.map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes).await.map_err(cannot)?;
    // What begins in the middle may begin in the middle of a secret: the first line is not shown.
    if length > TAIL_BYTES {
        let whole = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        bytes.drain(..whole);
    }
    let mut stream = HiddenStream::new(secrets);
    let mut shown = stream.push(&bytes);
    shown.extend(stream.finish());
    let text = String::from_utf8_lossy(&shown);
    let all: Vec<&str> = text.lines().collect();
    Ok(all[all.len().saturating_sub(lines)..].iter().map(|it| (*it).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_come_in_pieces_are_given_whole_and_once() {
        let (mut rest, mut lines) = (Vec::new(), Vec::new());
        for piece in ["on", "e\ntw", "o\n", "\nthr"] {
            split(&mut rest, piece.as_bytes(), &mut |line| lines.push(line.to_owned()));
        }
        assert_eq!(lines, ["one", "two", ""]);
        assert_eq!(rest, b"thr");
    }

    #[test]
    fn a_character_that_is_cut_between_two_reads_survives() {
        let (mut rest, mut lines) = (Vec::new(), Vec::new());
        let bytes = "é\n".as_bytes();
        split(&mut rest, &bytes[..1], &mut |line| lines.push(line.to_owned()));
        split(&mut rest, &bytes[1..], &mut |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["é"]);
    }
}
