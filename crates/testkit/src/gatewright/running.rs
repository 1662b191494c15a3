//! A call of the binary, from its start to its end.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::kill;

/// Far more than any call takes: a test that hangs fails here.
const LIMIT: Duration = Duration::from_secs(110);

/// A call under way, in a process group of its own. Dropping it kills the group.
pub struct Running {
    id: u32,
    lines: Receiver<String>,
    ended: Receiver<Finished>,
    over: bool,
}

/// What a call came to.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote, invalid UTF-8 replaced.
    pub stdout: String,
    /// What it said, invalid UTF-8 replaced.
    pub stderr: String,
}

impl Finished {
    /// The exit code; `None` where a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as one JSON document.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self:#?}"))
    }

    /// Standard output as one JSON document a line.
    ///
    /// # Panics
    /// Where a line is none.
    #[must_use]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("not JSON ({error}): {self:#?}"))
        };
        self.stdout.lines().map(parse).collect()
    }
}

impl Running {
    /// Starts a command.
    ///
    /// # Panics
    /// Where the system refuses.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let id = child.id();
        let (line, lines) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let (mut stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let said = thread::spawn(move || {
            let mut stderr = BufReader::new(stderr.expect("it is a pipe"));
            let mut all = Vec::new();
            loop {
                let start = all.len();
                if stderr.read_until(b'\n', &mut all).unwrap_or(0) == 0 {
                    return all;
                }
                // A test that does not listen is fine.
                drop(line.send(String::from_utf8_lossy(&all[start..]).into_owned()));
            }
        });
        thread::spawn(move || {
            let mut all = Vec::new();
            let read = stdout.as_mut().expect("it is a pipe").read_to_end(&mut all);
            read.expect("a pipe can be read");
            let stderr = said.join().expect("the reading thread does not panic");
            let status = child.wait().expect("a child can be waited for");
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            // The test may be over.
            drop(end.send(Finished { status, stdout: text(all), stderr: text(stderr) }));
        });
        Self { id, lines, ended, over: false }
    }

    /// Waits until it has said a line with `text` in it on standard error, and returns the line.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_for(&self, text: &str) -> String {
        let until = Instant::now() + LIMIT;
        let mut heard = String::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("never said `{text}`, but:\n{heard}")
            };
            if line.contains(text) {
                return line;
            }
            heard.push_str(&line);
        }
    }

    /// Sends a signal to the whole group, as a terminal does.
    ///
    /// # Panics
    /// Where it has ended.
    pub fn signal(&self, signal: &str) {
        kill(signal, &format!("-{}", self.id)).expect("it is still running");
    }

    /// The same for one that may have ended; says whether it had not.
    #[must_use]
    pub fn try_signal(&self, signal: &str) -> bool {
        kill(signal, &format!("-{}", self.id)).is_ok()
    }

    /// Kills it where it stands, if it still does.
    pub fn kill(&self) {
        // It may have ended by itself.
        drop(kill("KILL", &format!("-{}", self.id)));
    }

    /// The most memory that it has had at once, in KiB.
    ///
    /// # Panics
    /// Where it has ended.
    #[must_use]
    pub fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))
            .expect("it is still running");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("a process has memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// What it came to, or itself where it has not ended yet.
    ///
    /// # Errors
    /// Itself.
    pub fn poll(mut self) -> Result<Finished, Self> {
        match self.ended.try_recv() {
            Ok(finished) => {
                self.over = true;
                Ok(finished)
            }
            Err(_) => Err(self),
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn finish(mut self) -> Finished {
        let Ok(finished) = self.ended.recv_timeout(LIMIT) else {
            let said: String = self.lines.try_iter().collect();
            panic!("no end after {LIMIT:?}; it said:\n{said}");
        };
        self.over = true;
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            self.kill();
        }
    }
}
