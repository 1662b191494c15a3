//! Carries one output of the command into its log, up to a limit.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
};

use domain::limits::LOG_CUT;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// How much is read at once; the only memory that output takes.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Output.
    Some,
    /// Nothing now.
    Nothing,
    /// Nothing ever again.
    Ended,
}

/// An output and its log.
pub(super) struct Pump {
    source: Option<File>,
    log: File,
    limit_bytes: u64,
    left_bytes: u64,
    line_open: bool,
    cut: bool,
}

impl Pump {
    pub(super) fn new(source: OwnedFd, log: File, limit_bytes: u64) -> io::Result<Self> {
        fcntl(&source, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self {
            source: Some(source.into()),
            log,
            limit_bytes,
            left_bytes: limit_bytes,
            line_open: false,
            cut: false,
        })
    }

    /// What to wait for; `None` once it has ended.
    pub(super) fn source(&self) -> Option<&File> {
        self.source.as_ref()
    }

    /// Whether something was thrown away.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Carries what is there, at most one `chunk`.
    pub(super) fn carry(&mut self, chunk: &mut [u8]) -> Flow {
        let Some(source) = &mut self.source else { return Flow::Ended };
        match source.read(chunk) {
            Ok(count) if count > 0 => {
                self.keep(&chunk[..count]);
                Flow::Some
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Flow::Nothing
            }
            Ok(_) | Err(_) => {
                self.source = None;
                Flow::Ended
            }
        }
    }

    /// Makes the log survive a crash of the machine.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.log.sync_data()
    }

    /// Writes what fits. A disk that takes no more is a limit too: the command must not hang on a pipe that nobody reads.
    fn keep(&mut self, output: &[u8]) {
        if self.cut {
            return;
        }
        let fits = usize::try_from(self.left_bytes).unwrap_or(usize::MAX).min(output.len());
        let written = self.log.write_all(&output[..fits]);
        self.left_bytes -= fits as u64;
        self.line_open = output[..fits].last().map_or(self.line_open, |byte| *byte != b'\n');
        if written.is_err() || fits < output.len() {
            self.cut = true;
            let break_line = if self.line_open { "\n" } else { "" };
            let limit = self.limit_bytes;
            // On a full disk the marker is lost as well; the exit record still says that the log was cut.
            drop(writeln!(
                self.log,
                "{break_line}{LOG_CUT}{limit} bytes reached; the rest was dropped]"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use super::*;

    /// What the log holds after `writes` went through a pump with room for `limit_bytes`.
    fn log_of(writes: &[&str], limit_bytes: u64) -> (String, bool) {
        let mut log = tempfile::tempfile().unwrap();
        let (source, mut sink) = io::pipe().unwrap();
        let mut pump = Pump::new(source.into(), log.try_clone().unwrap(), limit_bytes).unwrap();
        let mut chunk = vec![0; CHUNK_BYTES];
        for text in writes {
            sink.write_all(text.as_bytes()).unwrap();
            assert_eq!(pump.carry(&mut chunk), Flow::Some);
        }
        assert_eq!(pump.carry(&mut chunk), Flow::Nothing);
        drop(sink);
        assert_eq!(pump.carry(&mut chunk), Flow::Ended);
        let mut text = String::new();
        log.rewind().unwrap();
        log.read_to_string(&mut text).unwrap();
        (text, pump.is_cut())
    }

    #[test]
    fn output_below_the_limit_is_kept_as_it_is() {
        assert_eq!(log_of(&["ab\n", "c"], 4), ("ab\nc".to_owned(), false));
    }

    #[test]
    fn past_the_limit_there_is_one_marker_on_a_line_of_its_own() {
        let marker = |limit| {
            format!("[gatewright: log limit of {limit} bytes reached; the rest was dropped]\n")
        };
        assert_eq!(log_of(&["abc", "def", "ghi"], 4), (format!("abcd\n{}", marker(4)), true));
        assert_eq!(log_of(&["abc\n", "d"], 4), (format!("abc\n{}", marker(4)), true));
        assert_eq!(log_of(&["a"], 0), (marker(0), true));
    }
}
