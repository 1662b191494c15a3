//! Limits of what gates read and say, with the reason for each value.

use domain::limits::BRIEF_FINDINGS_BYTES_MAX;

/// Bytes of a file that a gate parses: a person reads less, a parser can bear no more.
pub(crate) const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Values in a parsed file, repeated ones counted: an honest file of [`FILE_BYTES_MAX`] has fewer.
pub(crate) const VALUES_MAX: usize = 600_000;
/// Bytes of text in a parsed file, repeated ones counted.
pub(crate) const TEXT_BYTES_MAX: usize = 4 * FILE_BYTES_MAX;
/// Files that one gate looks at: more is a pattern that nobody meant.
pub(crate) const FILES_MAX: usize = 256;

/// Bytes of all findings of a verdict: what fits into the next brief.
pub(crate) const FINDINGS_BYTES_MAX: usize = BRIEF_FINDINGS_BYTES_MAX;
/// Findings of a verdict.
pub(crate) const FINDINGS_MAX: usize = 100;
/// Bytes of one finding that was read out of a command's output: its place and the first lines.
pub(crate) const TEST_FINDING_BYTES_MAX: usize = 2 * 1024;
/// Bytes of all findings read out of a command's output; the tail of the output needs the rest.
pub(crate) const TEST_FINDINGS_BYTES_MAX: usize = FINDINGS_BYTES_MAX / 2;
/// Bytes of a verdict's one sentence.
pub(crate) const SUMMARY_BYTES_MAX: usize = 500;
/// Bytes of what a parser says about a file.
pub(crate) const REASON_BYTES_MAX: usize = 500;

/// Free bytes above which a command that speaks of a full disk is not believed: what it wrote before it met one may be
/// gone again, and commands write less than this at once.
pub(crate) const ROOM_BYTES_MIN: u64 = 1024 * 1024 * 1024;

/// Bytes of each of a command's two logs.
pub(crate) const LOG_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// Bytes of a log that are read at once.
pub(crate) const LOG_CHUNK_BYTES: usize = 256 * 1024;
/// Bytes of one line of a log that are looked at.
pub(crate) const LOG_LINE_BYTES_MAX: usize = 8 * 1024;
