//! The lock that says that something inside a sandbox still runs.
//!
//! An open-file-description lock: it can be asked about without being taken (a reader can never make the shim believe that
//! another shim runs), and it is shared with the processes that inherit the file, so that it ends with the last of them.

use std::{fs::File, io};

use camino::Utf8Path;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    libc,
};

use crate::files;

/// Takes the lock of the sandbox in `dir`; `None` where somebody has it.
pub(crate) fn take(dir: &Utf8Path) -> io::Result<Option<File>> {
    let file = files::create(&dir.join(files::LOCK))?;
    match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole_file())) {
        Ok(_) => Ok(Some(file)),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether somebody has the lock of the sandbox in `dir`.
pub(crate) fn is_held(dir: &Utf8Path) -> io::Result<bool> {
    let Some(file) = files::open(dir, files::LOCK)? else { return Ok(false) };
    let mut found = whole_file();
    fcntl(&file, FcntlArg::F_OFD_GETLK(&mut found))?;
    Ok(i32::from(found.l_type) != libc::F_UNLCK)
}

/// Whether anything inside the sandbox in `dir` still runs, its shim among it. Only looks: ends nothing, writes nothing,
/// and does not mind which version started it.
pub fn is_alive(dir: &Utf8Path) -> io::Result<bool> {
    is_held(dir)
}

/// Every byte, for writing, as the kernel wants it said.
fn whole_file() -> libc::flock {
    let kind = i16::try_from(libc::F_WRLCK).expect("lock types are small numbers");
    let whence = i16::try_from(libc::SEEK_SET).expect("seek origins are small numbers");
    libc::flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 0, l_pid: 0 }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn a_lock_is_taken_once_and_asking_does_not_take_it() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        std::fs::create_dir_all(&dir).unwrap();
        assert!(!is_held(&dir).unwrap());
        let held = take(&dir).unwrap().unwrap();
        assert!(is_held(&dir).unwrap());
        assert!(take(&dir).unwrap().is_none());
        drop(held);
        assert!(!is_held(&dir).unwrap());
        assert!(take(&dir).unwrap().is_some());
    }
}
