//! Unpacks a backup file. It may be anything: what has no place in a backup is refused, and so is what is not whole.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read as _},
    os::unix::fs::OpenOptionsExt as _,
};

use camino::Utf8Path;
use domain::name::ProjectKey;
use sha2::Digest as _;

use super::{
    FORMAT, Manifest, Place,
    write::{Summed, hex},
};

/// Bytes of a manifest.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024;
/// Entries of an archive, at most two a file: a gate that is asked a thousand times a day fills it in years.
const ENTRIES_MAX: usize = 2_000_000;
/// Bytes of a path: no place has a longer one.
const PATH_BYTES_MAX: u64 = 512;

/// Why a file is not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// It is something else.
    #[error("it is no backup of gatewright: {what}")]
    Foreign {
        /// How that shows.
        what: String,
    },
    /// It was written by a newer version.
    #[error("it is a backup of format {found}, this version knows {FORMAT}")]
    Newer {
        /// What it says.
        found: u64,
    },
    /// Something in it must not be there.
    #[error("`{path}` has no place in a backup: {what}")]
    Misplaced {
        /// Its path, shortened.
        path: String,
        /// Why.
        what: &'static str,
    },
    /// It was cut short, or its bytes are not those that were written.
    #[error("it is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// It could not be read, or what is in it not be written.
    #[error("it could not be unpacked")]
    Io(#[from] io::Error),
}

/// What came out of an archive.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) manifest: Manifest,
    pub(crate) mirrors: Vec<ProjectKey>,
}

/// Unpacks an archive into a directory that is empty. `told` is how many bytes of it were read, again and again.
pub(crate) fn unpack(
    file: File,
    into: &Utf8Path,
    told: &mut dyn FnMut(u64),
) -> Result<Unpacked, ArchiveError> {
    let mut archive = tar::Archive::new(BufReader::new(Counted { from: file, bytes: 0, told }));
    let mut unpacked: Option<Unpacked> = None;
    let (mut sums, mut is_complete, mut has_database) = (String::new(), false, false);
    let mut long_path = None;
    // Raw: names and properties that are entries themselves would be read whole, however long they are.
    let entries = archive.entries().map_err(|error| damaged_or_foreign(error, 0))?.raw(true);
    for (count, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| damaged_or_foreign(error, count))?;
        if is_complete || count >= ENTRIES_MAX {
            return Err(ArchiveError::Damaged { what: "it goes on behind its end".to_owned() });
        }
        if entry.header().entry_type() == tar::EntryType::GNULongName && long_path.is_none() {
            long_path = Some(read_path(&mut entry)?);
            continue;
        }
        let place = place_of(&entry, long_path.take())?;
        match (&mut unpacked, &place) {
            (None, Place::Manifest) => {
                let text = read_text(&mut entry, MANIFEST_BYTES_MAX)?;
                add_sum(&mut sums, &place, &hex(&sha2::Sha256::digest(text.as_bytes())));
                unpacked = Some(Unpacked { manifest: manifest(&text)?, mirrors: Vec::new() });
            }
            (None, _) => {
                return Err(ArchiveError::Foreign { what: "it has no manifest".to_owned() });
            }
            (Some(_), Place::Sums) => {
                // As long as what was seen, or it is another.
                if read_text(&mut entry, sums.len() as u64)? != sums {
                    let what = "its files are not those that were written".to_owned();
                    return Err(ArchiveError::Damaged { what });
                }
                is_complete = true;
            }
            (Some(_), Place::Manifest) => return Err(twice(&place)),
            (Some(known), Place::Database | Place::Mirror(_) | Place::Evidence { .. }) => {
                let sum = write(&mut entry, &place, into)?;
                add_sum(&mut sums, &place, &sum);
                has_database |= place == Place::Database;
                if let Place::Mirror(key) = place {
                    known.mirrors.push(key);
                }
            }
        }
    }
    match unpacked {
        Some(unpacked) if is_complete && has_database => Ok(unpacked),
        Some(_) => Err(ArchiveError::Damaged { what: "its end is missing".to_owned() }),
        None => Err(ArchiveError::Foreign { what: "it is empty".to_owned() }),
    }
}

/// Tells how much was read through it.
struct Counted<'a> {
    from: File,
    bytes: u64,
    told: &'a mut dyn FnMut(u64),
}

impl io::Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        self.bytes += count as u64;
        (self.told)(self.bytes);
        Ok(count)
    }
}

/// Whoever cannot be read from the beginning is no archive; whoever cannot be read further is a damaged one. What `tar`
/// says of it repeats bytes of the file, whatever they are.
fn damaged_or_foreign(error: io::Error, count: usize) -> ArchiveError {
    if error.raw_os_error().is_some() {
        return ArchiveError::Io(error);
    }
    if count == 0 {
        return ArchiveError::Foreign {
            what: "it does not begin as a tar archive does".to_owned(),
        };
    }
    let what =
        format!("what stands behind its part {count} is no further part, or not a whole one");
    ArchiveError::Damaged { what }
}

/// The path of the next entry, which has no room for it.
fn read_path<R: io::Read>(entry: &mut tar::Entry<'_, R>) -> Result<Vec<u8>, ArchiveError> {
    let mut path = Vec::new();
    entry.take(PATH_BYTES_MAX + 1).read_to_end(&mut path)?;
    if path.len() as u64 > PATH_BYTES_MAX {
        return Err(ArchiveError::Damaged { what: "one of its paths is too long".to_owned() });
    }
    if path.last() == Some(&0) {
        path.pop();
    }
    Ok(path)
}

/// Where the entry belongs: only plain files have a place.
fn place_of<R: io::Read>(
    entry: &tar::Entry<'_, R>,
    long_path: Option<Vec<u8>>,
) -> Result<Place, ArchiveError> {
    let path = long_path.unwrap_or_else(|| entry.path_bytes().into_owned());
    let path = String::from_utf8_lossy(&path);
    let misplaced = |what| {
        let path = path.chars().take(100).collect::<String>().escape_debug().to_string();
        ArchiveError::Misplaced { path, what }
    };
    match entry.header().entry_type() {
        tar::EntryType::Regular => {}
        tar::EntryType::Symlink | tar::EntryType::Link => return Err(misplaced("it is a link")),
        tar::EntryType::GNUSparse => return Err(misplaced("it is larger than it says")),
        _ => return Err(misplaced("it is no plain file")),
    }
    Place::parse(&path).ok_or_else(|| misplaced("there is no such part"))
}

fn read_text<R: io::Read>(entry: &mut tar::Entry<'_, R>, max: u64) -> Result<String, ArchiveError> {
    let mut bytes = Vec::new();
    entry.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(ArchiveError::Damaged { what: "one of its lists is too long".to_owned() });
    }
    String::from_utf8(bytes).map_err(|_| ArchiveError::Damaged { what: "it is no text".to_owned() })
}

fn manifest(text: &str) -> Result<Manifest, ArchiveError> {
    let no_manifest =
        |error: serde_json::Error| ArchiveError::Foreign { what: format!("its manifest: {error}") };
    let value: serde_json::Value = serde_json::from_str(text).map_err(no_manifest)?;
    // Asked first: a newer form may have fields that nobody here knows.
    match value["format"].as_u64() {
        Some(found) if found > u64::from(FORMAT) => Err(ArchiveError::Newer { found }),
        _ => serde_json::from_value(value).map_err(no_manifest),
    }
}

fn add_sum(sums: &mut String, place: &Place, sum: &str) {
    // Writing to a string cannot fail.
    writeln!(sums, "{sum}  {}", place.path()).ok();
}

fn twice(place: &Place) -> ArchiveError {
    ArchiveError::Damaged { what: format!("`{}` is in it twice", place.path()) }
}

/// Writes a file that is not there yet, and returns the sum of what was written.
fn write<R: io::Read>(
    entry: &mut tar::Entry<'_, R>,
    place: &Place,
    into: &Utf8Path,
) -> Result<String, ArchiveError> {
    let path = into.join(place.path());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = match file {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(twice(place)),
        file => file?,
    };
    let length = entry.size();
    let mut summed = Summed::new(entry);
    io::copy(&mut summed, &mut file)?;
    if summed.length != length {
        let what = format!("`{}` was cut short", place.path());
        return Err(ArchiveError::Damaged { what });
    }
    Ok(hex(&summed.hash.finalize()))
}
