//! Reads a log.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use camino::Utf8Path;
use ports::{OutputStream, SandboxError};

use crate::{files, launch::blocking};

/// Reads up to `max` bytes from `offset`.
pub(crate) async fn read(
    dir: &Utf8Path,
    stream: OutputStream,
    offset: u64,
    max: usize,
) -> Result<Vec<u8>, SandboxError> {
    blocking("read a log", dir, move |dir| {
        let mut bytes = Vec::new();
        match File::open(dir.join(files::log(stream))) {
            Ok(mut log) => {
                log.seek(SeekFrom::Start(offset))?;
                log.take(max as u64).read_to_end(&mut bytes)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(bytes)
    })
    .await
}
