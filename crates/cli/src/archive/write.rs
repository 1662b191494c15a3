//! Writes a backup file.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Read, Write as _},
    os::unix::fs::OpenOptionsExt as _,
};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::{Manifest, Place};

/// Why there is no archive: which file is at fault.
#[derive(Debug)]
pub(crate) enum NoArchive {
    /// One that was to be in it.
    Read(Utf8PathBuf, io::Error),
    /// The archive.
    Write(io::Error),
}

impl From<io::Error> for NoArchive {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// An archive that is being written. Not a backup before it is finished.
pub(crate) struct Writer {
    tar: tar::Builder<BufWriter<File>>,
    sums: String,
}

impl Writer {
    /// Begins a new file with its manifest.
    pub(crate) fn begin(file: &Utf8Path, manifest: &Manifest) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        let mut writer = Self { tar: tar::Builder::new(BufWriter::new(file)), sums: String::new() };
        let manifest = serde_json::to_vec_pretty(manifest).map_err(io::Error::other)?;
        let put = writer.put(&Place::Manifest, manifest.len() as u64, manifest.as_slice())?;
        put.map(|()| writer)
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, place: &Place, file: &Utf8Path) -> Result<(), NoArchive> {
        let unreadable = |error| NoArchive::Read(file.to_owned(), error);
        let from = File::open(file).map_err(unreadable)?;
        let length = from.metadata().map_err(unreadable)?.len();
        self.put(place, length, from)?.map_err(unreadable)
    }

    /// Ends it with the checksums; durable afterwards. Returns how long it is.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        let sums = std::mem::take(&mut self.sums);
        self.put(&Place::Sums, sums.len() as u64, sums.as_bytes())??;
        let mut buffer = self.tar.into_inner()?;
        buffer.flush()?;
        let file = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }

    /// The inner error is of reading, the outer one of writing.
    fn put(&mut self, place: &Place, length: u64, from: impl Read) -> io::Result<io::Result<()>> {
        let mut header = tar::Header::new_gnu();
        header.set_size(length);
        header.set_mode(0o600);
        header.set_entry_type(tar::EntryType::Regular);
        let path = place.path();
        let mut summed = Summed::new(from.take(length));
        match self.tar.append_data(&mut header, &path, &mut summed) {
            Err(error) if summed.has_failed => return Ok(Err(error)),
            appended => appended?,
        }
        let Summed { hash, length: found, .. } = summed;
        if found != length {
            let error = io::Error::other(format!("{path} was cut short while it was read"));
            return Ok(Err(error));
        }
        // Writing to a string cannot fail.
        writeln!(self.sums, "{}  {path}", hex(&hash.finalize())).ok();
        Ok(Ok(()))
    }
}

/// Sums up what is read through it.
pub(super) struct Summed<R> {
    from: R,
    pub(super) hash: Sha256,
    pub(super) length: u64,
    has_failed: bool,
}

impl<R> Summed<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, hash: Sha256::new(), length: 0, has_failed: false }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into).inspect_err(|_| self.has_failed = true)?;
        self.hash.update(&into[..count]);
        self.length += count as u64;
        Ok(count)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}
