//! Reading the outbox, in which anything may stand instead of what should.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
};

use camino::Utf8Path;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::Mode,
};

/// Why the outbox gave nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What is in there is not a hand-in.
    Theirs(String),
    /// Our file system refused.
    Ours(io::Error),
}

/// An open outbox: whatever is done to its path from now on, this is the directory that is read.
#[derive(Debug)]
pub(super) struct Outbox {
    dir: OwnedFd,
}

impl Outbox {
    /// Opens the directory `outbox` of a workspace whose own path has been checked.
    pub(super) fn open(workspace: &Utf8Path) -> Result<Self, Trouble> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let open = |at: &OwnedFd| openat(at, "outbox", flags, Mode::empty());
        let dir = openat(AT_FDCWD, workspace.as_std_path(), flags, Mode::empty())
            .and_then(|it| open(&it));
        dir.map(|dir| Self { dir }).map_err(|error| theirs("outbox", error))
    }

    /// The content of a small file.
    pub(super) fn read(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, Trouble> {
        let mut content = Vec::new();
        self.copy(name, &mut content, bytes_max)?;
        Ok(content)
    }

    /// Copies a file to a place that only we write.
    pub(super) fn copy(
        &self,
        name: &str,
        to: &mut impl Write,
        bytes_max: u64,
    ) -> Result<(), Trouble> {
        // Without `O_NONBLOCK`, a pipe in place of the file would make us wait for a writer.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file =
            openat(&self.dir, name, flags, Mode::empty()).map_err(|error| theirs(name, error))?;
        let file = File::from(file);
        if !file.metadata().map_err(Trouble::Ours)?.is_file() {
            return Err(Trouble::Theirs(format!("`{name}` in the outbox is not a regular file")));
        }
        let copied = io::copy(&mut file.take(bytes_max + 1), to).map_err(Trouble::Ours)?;
        if copied > bytes_max {
            return Err(Trouble::Theirs(format!(
                "`{name}` in the outbox is larger than {bytes_max} bytes"
            )));
        }
        Ok(())
    }
}

/// Running out of descriptors or memory is our own trouble; any other refusal is about what stands there.
fn theirs(name: &str, error: Errno) -> Trouble {
    match error {
        Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EIO => Trouble::Ours(error.into()),
        Errno::ENOENT => Trouble::Theirs(format!("nothing was handed in: there is no `{name}`")),
        Errno::ELOOP => {
            Trouble::Theirs(format!("`{name}` is a symbolic link, which is not followed"))
        }
        _ => Trouble::Theirs(format!("`{name}` cannot be read: {}", error.desc())),
    }
}
