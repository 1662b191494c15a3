//! Reads a command's logs once: the whole into the evidence, the end and the failed tests for the verdict.

use camino::{Utf8Path, Utf8PathBuf};
use domain::failure::speaks_of_a_full_disk;
use ports::{OutputStream, Sandbox};
use tokio::{
    fs::{self, File},
    io::{AsyncWriteExt as _, BufWriter},
};

use super::{
    output::{Failures, Scanners},
    tail::Tail,
};
use crate::{
    limits::{LOG_CHUNK_BYTES, LOG_LINE_BYTES_MAX},
    obstacle::Obstacle,
    text,
};

/// What is kept of a command's output.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) out: Tail,
    pub(crate) err: Tail,
    pub(crate) failures: Failures,
}

impl Log {
    /// Whether the command's last words are of a disk that is full.
    pub(crate) fn ends_with_a_full_disk(&self) -> bool {
        const LINES: usize = 20;
        let last = |tail: &Tail| tail.backwards().take(LINES).any(speaks_of_a_full_disk);
        last(&self.err) || last(&self.out)
    }
}

/// Reads the logs of an ended sandbox, and keeps them at `evidence`, standard output first, byte for byte.
pub(crate) async fn collect(
    sandbox: &dyn Sandbox,
    dir: &Utf8Path,
    evidence: &Utf8Path,
) -> Result<Log, Obstacle> {
    let part = Utf8PathBuf::from(format!("{evidence}.part"));
    let io = |source| Obstacle::Io { operation: "keep the log", path: evidence.to_owned(), source };
    if let Some(parent) = evidence.parent() {
        fs::create_dir_all(parent).await.map_err(io)?;
    }
    let mut file = BufWriter::new(File::create(&part).await.map_err(io)?);
    let mut log = Log::default();
    for (stream, tail) in [(OutputStream::Out, &mut log.out), (OutputStream::Err, &mut log.err)] {
        let mut reader = LineReader::default();
        let mut scanners = Scanners::default();
        let mut offset = 0;
        loop {
            let chunk = sandbox.read_log(dir, stream, offset, LOG_CHUNK_BYTES).await?;
            if chunk.is_empty() {
                break;
            }
            if stream == OutputStream::Err && offset == 0 {
                file.write_all(b"--- standard error ---\n").await.map_err(io)?;
            }
            offset += chunk.len() as u64;
            file.write_all(&chunk).await.map_err(io)?;
            reader.read(&chunk, |line| take_line(line, tail, &mut scanners));
        }
        reader.end(|line| take_line(line, tail, &mut scanners));
        log.failures.extend(scanners.finish());
    }
    file.flush().await.map_err(io)?;
    file.into_inner().sync_all().await.map_err(io)?;
    // Complete or not there: a crash leaves no half log behind.
    fs::rename(&part, evidence).await.map_err(io)?;
    Ok(log)
}

fn take_line(line: &[u8], tail: &mut Tail, scanners: &mut Scanners) {
    let line = String::from_utf8_lossy(line);
    // A carriage return starts a line of its own.
    for line in text::visible(&line).trim_end_matches('\n').split('\n') {
        tail.push(line);
        scanners.line(line);
    }
}

/// Cuts a stream into lines of bounded length.
#[derive(Default)]
struct LineReader {
    line: Vec<u8>,
}

impl LineReader {
    fn read(&mut self, chunk: &[u8], mut take: impl FnMut(&[u8])) {
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            let room = LOG_LINE_BYTES_MAX.saturating_sub(self.line.len());
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if text.len() < piece.len() {
                take(&self.line);
                self.line.clear();
            }
        }
    }

    fn end(self, mut take: impl FnMut(&[u8])) {
        if !self.line.is_empty() {
            take(&self.line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = b"one\n\ntwo \xc3\xa9\nlast";
        for size in 1..text.len() {
            let mut lines = Vec::new();
            let mut reader = LineReader::default();
            text.chunks(size)
                .for_each(|chunk| reader.read(chunk, |line| lines.push(line.to_vec())));
            reader.end(|line| lines.push(line.to_vec()));
            assert_eq!(lines, [&b"one"[..], b"", b"two \xc3\xa9", b"last"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let mut reader = LineReader::default();
        for _ in 0..100 {
            reader.read(&[b'x'; 1024], |_| panic!("no line has ended"));
        }
        reader.end(|line| assert_eq!(line.len(), LOG_LINE_BYTES_MAX));
    }
}
