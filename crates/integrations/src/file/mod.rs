//! `kind = "file"`: one line of JSON a letter, at the end of a file.
//!
//! The line is on the disk before the letter counts as delivered. A crash between the two is found by the key: it is
//! looked for among the last lines before anything is written.

mod append;
mod look_back;

use append::append;
use async_trait::async_trait;
use camino::Utf8PathBuf;
use domain::outbox::Letter;
use ports::{Delivery, Destination};

use crate::message;

/// A file that letters are appended to.
#[derive(Clone, Debug)]
pub struct FileDestination {
    path: Utf8PathBuf,
}

impl FileDestination {
    /// The file at this absolute path. It is made when the first letter comes; its directory is not.
    #[must_use]
    pub const fn new(path: Utf8PathBuf) -> Self {
        Self { path }
    }
}

#[async_trait]
impl Destination for FileDestination {
    async fn deliver(&self, letter: &Letter) -> Delivery {
        let line = match message::line(letter) {
            Ok(line) => line,
            Err(error) => {
                return Delivery::Refused { why: format!("could not write it as JSON: {error}") };
            }
        };
        let (path, key) = (self.path.clone(), letter.key());
        // A thread that hangs on a dead disk keeps the file's lock, so that nobody writes beside it.
        let appended = tokio::task::spawn_blocking(move || append(&path, &key, &line)).await;
        match appended {
            Ok(Ok(())) => Delivery::Delivered { remote: None },
            Ok(Err(error)) => error.delivery(),
            Err(error) => Delivery::Retry { why: format!("internal error: {error}"), after: None },
        }
    }

    async fn abandon(&self, _letter: &Letter) {}
}
