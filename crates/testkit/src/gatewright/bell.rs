//! How a test and an agent in its sandbox tell each other that something has come to pass.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    process::Command,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};

/// Far more than anything takes that a bell is rung after.
const LIMIT: Duration = Duration::from_secs(100);

/// A named pipe. An agent rings with `echo word > BELL`, and waits for `ring` with `read word < BELL`; one bell is for
/// one of these only.
pub struct Bell {
    path: Utf8PathBuf,
    /// For reading and writing, so that neither side waits for the other to open it.
    pipe: File,
}

/// The words that a bell is rung with.
pub struct Rings {
    words: Receiver<String>,
    path: Utf8PathBuf,
}

impl Bell {
    pub(super) fn new(path: Utf8PathBuf) -> Self {
        let status = Command::new("mkfifo").arg(&path).status().expect("there is mkfifo");
        assert!(status.success(), "mkfifo {path}: {status}");
        let pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .expect("a pipe that was just made");
        Self { path, pipe }
    }

    /// Where agents find it.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Rings it, for one who waits.
    ///
    /// # Panics
    /// Where it is full of rings that nobody waited for.
    pub fn ring(&self) {
        (&self.pipe).write_all(b"now\n").expect("a pipe takes a word");
    }

    /// Listens from now on, and to what was rung before.
    ///
    /// # Panics
    /// Where the system gives no thread.
    #[must_use]
    pub fn listen(self) -> Rings {
        let (sender, words) = mpsc::channel();
        let lines = BufReader::new(self.pipe).lines();
        thread::Builder::new()
            .name("bell".to_owned())
            .spawn(move || {
                for word in lines.map_while(Result::ok) {
                    if sender.send(word).is_err() {
                        break;
                    }
                }
            })
            .expect("the system gives a thread");
        Rings { words, path: self.path }
    }
}

impl Rings {
    /// Waits for the next ring.
    ///
    /// # Panics
    /// When it does not come.
    #[must_use]
    pub fn next(&self) -> String {
        self.words
            .recv_timeout(LIMIT)
            .unwrap_or_else(|_| panic!("nobody rang {} within {LIMIT:?}", self.path))
    }

    /// Waits for as many rings.
    ///
    /// # Panics
    /// When they do not come.
    #[must_use]
    pub fn first(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.next()).collect()
    }

    /// What was rung already.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        self.words.try_iter().collect()
    }
}
