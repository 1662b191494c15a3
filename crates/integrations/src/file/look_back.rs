//! What stands at the end of a file: whether a letter is there already, and whether its last line is whole.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

use serde::Deserialize;

/// How far back a key is looked for: thousands of letters. One destination gets one letter at a time, so that only a
/// letter which a person had tried again much later can be further back.
const LOOK_BACK_BYTES: u64 = 1024 * 1024;

/// The end of a file, as the next writer finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A whole line has the key.
    HasKey,
    /// The last line is whole, or there is none.
    Whole,
    /// The last line is the beginning of the very line that is to be written, from this byte.
    TornFrom(u64),
    /// The last line has no end and is none of ours.
    Unended,
}

/// What counts of a line. A key inside of a title is inside of a text, and none.
#[derive(Deserialize)]
struct Line {
    key: String,
}

/// Looks at the end of `file`, where `line` is to be written under `key`.
pub(super) fn look_back(file: &mut File, key: &str, line: &str) -> io::Result<End> {
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(LOOK_BACK_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(LOOK_BACK_BYTES).read_to_end(&mut bytes)?;
    let (whole, last) = match bytes.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => bytes.split_at(at + 1),
        None => bytes.split_at(0),
    };
    let has_key =
        |text: &[u8]| serde_json::from_slice::<Line>(text).is_ok_and(|found| found.key == key);
    Ok(if whole.split(|byte| *byte == b'\n').any(has_key) {
        End::HasKey
    } else if last.is_empty() {
        End::Whole
    } else if line.as_bytes().starts_with(last) {
        End::TornFrom(from + whole.len() as u64)
    } else {
        End::Unended
    })
}
