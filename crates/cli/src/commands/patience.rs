//! Words for whoever waits until a large database was looked over.

use std::fs;

use camino::Utf8Path;

use crate::{context::Context, output};

/// A database that is shorter is looked over in no time.
const LONG_BYTES: u64 = 256 * MEBIBYTE;
const MEBIBYTE: u64 = 1024 * 1024;

/// Says that every row and index of a database is looked at, where that takes its time.
pub(crate) fn ask_for(context: &Context, database: &Utf8Path) {
    let bytes = fs::metadata(database).map_or(0, |found| found.len());
    if let Some(words) = words(bytes).filter(|_| !context.global.quiet) {
        output::say(words);
    }
}

fn words(bytes: u64) -> Option<String> {
    let mebibytes = bytes / MEBIBYTE;
    (bytes >= LONG_BYTES).then(|| format!("looking over {mebibytes} MiB of database"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_asked_for_only_where_it_is_needed() {
        assert_eq!(words(LONG_BYTES - 1), None);
        assert_eq!(words(1024 * MEBIBYTE).as_deref(), Some("looking over 1024 MiB of database"));
    }
}
