//! What the supervisor and the init say to each other, over a socket that the command never has.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::wait::WaitStatus,
};
use serde::{Deserialize, Serialize};

/// First character of the argument that makes the shim an init. No absolute path begins with it.
pub(super) const INIT_MARK: char = '@';

/// Longest report: more is not ours.
const REPORT_BYTES_MAX: usize = 64 * 1024;

/// What the init is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Ask the command's group to end.
    Terminate,
    /// End everything.
    Kill,
}

impl Request {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Terminate => b't',
            Self::Kill => b'k',
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Terminate, Self::Kill].into_iter().find(|it| it.byte() == byte)
    }
}

/// How the command itself ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CommandEnd {
    Exited(i32),
    Signaled(i32),
}

impl CommandEnd {
    /// Reads what the kernel says; `None` while the process is not over.
    pub(super) fn from_status(status: WaitStatus) -> Option<Self> {
        match status {
            WaitStatus::Exited(_, code) => Some(Self::Exited(code)),
            WaitStatus::Signaled(_, signal, _) => Some(Self::Signaled(signal as i32)),
            _ => None,
        }
    }
}

/// What the init tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    /// The command runs, under this number as the init sees it.
    Started { pid: i32 },
    /// It could not be started.
    Failed { message: String },
    /// It has ended, and so has everything that it left behind.
    Ended { end: CommandEnd, leftovers_killed: u32 },
}

/// Sends one report.
pub(super) fn send(mut socket: &UnixStream, report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    socket.write_all(&line)
}

/// Reads reports as they come in.
pub(super) struct Reports {
    socket: UnixStream,
    buffer: Vec<u8>,
    /// The other side is gone.
    pub(super) closed: bool,
}

impl Reports {
    pub(super) fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, buffer: Vec::new(), closed: false })
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Asks the init for something. Whoever is gone needs not be asked.
    pub(super) fn ask(&mut self, request: Request) {
        if self.socket.write_all(&[request.byte()]).is_err() {
            self.closed = true;
        }
    }

    /// Everything that has come, without waiting.
    pub(super) fn take(&mut self) -> Vec<Report> {
        let mut chunk = [0; 4096];
        while !self.closed {
            match self.socket.read(&mut chunk) {
                Ok(0) => self.closed = true,
                Ok(count) if self.buffer.len() + count <= REPORT_BYTES_MAX => {
                    self.buffer.extend_from_slice(&chunk[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.closed = true,
            }
        }
        let Some(end) = self.buffer.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let lines: Vec<u8> = self.buffer.drain(..=end).collect();
        lines
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }
}

/// What the init inherits.
pub(super) struct Inherited {
    /// The order, open for reading.
    pub(super) order: File,
    /// Its end of the socket.
    pub(super) socket: UnixStream,
    /// The sandbox's lock: held until the init has ended everything.
    pub(super) lock: File,
}

/// The argument that tells the init where the inherited files are, after making them inheritable.
pub(super) fn hand_down(order: &File, socket: &UnixStream, lock: &File) -> io::Result<String> {
    for file in [order.as_fd(), socket.as_fd(), lock.as_fd()] {
        fcntl(file, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    Ok(format!("{INIT_MARK}{},{},{}", order.as_raw_fd(), socket.as_raw_fd(), lock.as_raw_fd()))
}

/// Takes over what the supervisor handed down; the command will not inherit it.
pub(super) fn inherit(descriptors: &str) -> io::Result<Inherited> {
    let numbers: Vec<RawFd> = descriptors.split(',').filter_map(|it| it.parse().ok()).collect();
    let [order, socket, lock] = numbers[..] else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{descriptors}` is not what a supervisor hands down"),
        ));
    };
    if order == socket || socket == lock || order == lock {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{descriptors}` names a file twice"),
        ));
    }
    Ok(Inherited {
        order: own(order)?.into(),
        socket: own(socket)?.into(),
        lock: own(lock)?.into(),
    })
}

#[expect(
    unsafe_code,
    reason = "an inherited file is only a number; there is no safe way to own it"
)]
fn own(number: RawFd) -> io::Result<OwnedFd> {
    if number <= 2 || !std::path::Path::new(&format!("/proc/self/fd/{number}")).is_symlink() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("no file was inherited as {number}"),
        ));
    }
    // SAFETY: it is open, it is none of the standard streams, each number is taken once (`inherit` checks), and this is
    // called at the start of a process that has opened nothing itself.
    let file = unsafe { OwnedFd::from_raw_fd(number) };
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_arrive_whole_and_in_order_and_the_end_is_seen() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut reports = Reports::new(ours).unwrap();
        assert!(reports.take().is_empty());
        send(&theirs, &Report::Started { pid: 7 }).unwrap();
        (&theirs).write_all(b"{\"ended\":{\"end\":{\"exit").unwrap();
        assert_eq!(reports.take(), [Report::Started { pid: 7 }]);
        (&theirs).write_all(b"ed\":3},\"leftovers_killed\":2}}\n").unwrap();
        drop(theirs);
        assert_eq!(
            reports.take(),
            [Report::Ended { end: CommandEnd::Exited(3), leftovers_killed: 2 }]
        );
        assert!(reports.closed);
    }

    #[test]
    fn an_endless_report_ends_the_conversation() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut reports = Reports::new(ours).unwrap();
        theirs.set_nonblocking(true).unwrap();
        while !reports.closed {
            match (&theirs).write(&[b'x'; 4096]) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            assert!(reports.take().is_empty());
        }
        assert!(reports.buffer.len() <= REPORT_BYTES_MAX);
    }

    #[test]
    fn nonsense_is_not_inherited() {
        for text in ["", "1,2", "0,1,2", "9999,9998,9997", "5,5,5", "a,b,c"] {
            assert!(inherit(text).is_err(), "{text} was taken");
        }
    }
}
