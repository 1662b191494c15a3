//! Gates as their caller sees them: files of a commit in, a verdict out.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

mod artifacts;
mod command;
mod crash;
mod files;
mod report;
mod verdict;
