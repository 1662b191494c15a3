//! The files of a sandbox's directory: their names, and how they are written and read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
};

use camino::{Utf8Path, Utf8PathBuf};
use ports::OutputStream;
use serde::{Serialize, de::DeserializeOwned};

/// What the orchestrator asks of the shim: an [`crate::order::Order`].
pub(crate) const ORDER: &str = "spec.json";
/// Locked by the shim for as long as anything inside runs.
pub(crate) const LOCK: &str = "lock";
/// Locked by whoever launches or removes.
pub(crate) const LAUNCH_LOCK: &str = "launch.lock";
/// There since the shim decided to start the command: from here on it is never started again. Holds the version of the
/// protocol that the shim speaks.
pub(crate) const STARTED: &str = "started";
/// There once somebody asked for an end; for the moment before the shim can take signals.
pub(crate) const STOP: &str = "stop";
/// Who runs: a [`crate::order::Running`].
pub(crate) const RUNNING: &str = "pid.json";
/// How it ended: a [`ports::ExitRecord`].
pub(crate) const EXIT: &str = "exit.json";
/// What the shim itself said.
pub(crate) const SHIM_LOG: &str = "shim.log";

/// Bytes of a file that is read whole. The largest is an order: a command line and an environment, of which the kernel takes
/// 2 MiB, each byte of them six of JSON at most.
const RECORD_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The log of one of the command's outputs.
pub(crate) fn log(stream: OutputStream) -> &'static str {
    match stream {
        OutputStream::Out => "stdout.log",
        OutputStream::Err => "stderr.log",
    }
}

/// Makes the sandbox's directory, which nobody else may look into: the order carries tokens.
pub(crate) fn make_private_dir(dir: &Utf8Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::set_permissions(dir, Permissions::from_mode(0o700))
        }
        other => other,
    }
}

/// Opens a file of ours for writing, private and without following links.
pub(crate) fn create(path: &Utf8Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .open(path)
}

/// Replaces `dir/name` so that a reader, and a reader after a crash, sees the old or the new and nothing between.
pub(crate) fn write_atomically(
    dir: &Utf8Path,
    name: &str,
    content: &impl Serialize,
) -> io::Result<()> {
    let bytes = serde_json::to_vec(content)?;
    let temporary = dir.join(format!("{name}.{}.new", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, dir.join(name))?;
        File::open(dir)?.sync_all()
    };
    write().inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// Leaves an empty file that survives a crash.
pub(crate) fn mark(dir: &Utf8Path, name: &str) -> io::Result<()> {
    create(&dir.join(name))?.sync_all()?;
    File::open(dir)?.sync_all()
}

/// Reads `dir/name`, or finds that it is not there.
pub(crate) fn find<T: DeserializeOwned>(dir: &Utf8Path, name: &str) -> io::Result<Option<T>> {
    let Some(bytes) = read(dir, name)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| invalid(name, &error))
}

/// The bytes of `dir/name`, where it is there: of a plain file of ours, which is not large.
///
/// Where there is no wall, whatever an agent makes of these names must not be followed, waited for or taken into memory.
pub(crate) fn read(dir: &Utf8Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = open(dir, name)? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(RECORD_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > RECORD_BYTES_MAX {
        return Err(invalid(name, &format!("it has more than {RECORD_BYTES_MAX} bytes")));
    }
    Ok(Some(bytes))
}

/// Opens the plain file `dir/name` for reading, where it is there.
pub(crate) fn open(dir: &Utf8Path, name: &str) -> io::Result<Option<File>> {
    // A pipe that nobody writes to would be waited for.
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(dir.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_file() {
        Ok(Some(file))
    } else {
        Err(invalid(name, &"it is no plain file"))
    }
}

fn invalid(name: &str, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {why}"))
}

/// The first part of `path` below `base` that is a symbolic link.
///
/// What lies in a place that an agent can write is the agent's word: a link there must not decide what the host opens or mounts.
pub(crate) fn link_below(base: &Utf8Path, path: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut place = base.to_owned();
    path.strip_prefix(base).ok()?.components().find_map(|part| {
        place.push(part);
        let is_link = place.symlink_metadata().is_ok_and(|found| found.is_symlink());
        is_link.then(|| place.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temp() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    #[test]
    fn an_atomic_write_replaces_and_leaves_nothing_else() {
        let (_keep, dir) = temp();
        write_atomically(&dir, EXIT, &1).unwrap();
        write_atomically(&dir, EXIT, &2).unwrap();
        assert_eq!(find::<u32>(&dir, EXIT).unwrap(), Some(2));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn a_torn_file_is_an_error_and_not_an_absence() {
        let (_keep, dir) = temp();
        fs::write(dir.join(EXIT), "{\"vers").unwrap();
        assert_eq!(find::<u32>(&dir, EXIT).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn what_is_no_plain_file_or_has_no_end_is_not_read() {
        let (_keep, dir) = temp();
        std::os::unix::fs::symlink("/dev/zero", dir.join(EXIT)).unwrap();
        find::<u32>(&dir, EXIT).unwrap_err();
        nix::unistd::mkfifo(dir.join(STARTED).as_std_path(), nix::sys::stat::Mode::S_IRWXU)
            .unwrap();
        assert_eq!(read(&dir, STARTED).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let long = File::create(dir.join(RUNNING)).unwrap();
        long.set_len(RECORD_BYTES_MAX + 1).unwrap();
        assert_eq!(read(&dir, RUNNING).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_link_inside_a_writable_place_is_found_wherever_it_is_in_the_path() {
        let (_keep, base) = temp();
        fs::create_dir(base.join("plain")).unwrap();
        std::os::unix::fs::symlink("/etc", base.join("plain/trap")).unwrap();
        assert_eq!(
            link_below(&base, &base.join("plain/trap/passwd")),
            Some(base.join("plain/trap"))
        );
        assert_eq!(link_below(&base, &base.join("plain/other")), None);
        assert_eq!(link_below(&base, Utf8Path::new("/etc")), None);
    }

    #[test]
    fn the_directory_is_closed_to_others_even_if_it_was_open() {
        let (_keep, base) = temp();
        let dir = base.join("a/b");
        fs::create_dir_all(&dir).unwrap();
        make_private_dir(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
