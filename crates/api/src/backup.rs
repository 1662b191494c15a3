//! Backups, and what was restored from one.

use domain::{id::PipelineId, name::ProjectKey};
use jiff::Timestamp;
use serde::Serialize;

/// A backup that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackupView {
    /// The file.
    pub file: String,
    /// How long it is.
    pub bytes: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// The schema of its database.
    pub schema: u32,
    /// Pipelines in it.
    pub pipelines: u64,
    /// Events in it.
    pub events: u64,
    /// Projects whose mirrors are in it.
    pub mirrors: Vec<ProjectKey>,
    /// Files of evidence in it.
    pub evidence_files: usize,
    /// Whether mirrors and evidence are in it, so that unfinished work can go on.
    pub whole: bool,
}

/// A data directory that was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoreView {
    /// The directory.
    pub data_dir: String,
    /// When the backup was made.
    pub made_at: Timestamp,
    /// Pipelines in it.
    pub pipelines: u64,
    /// Events in it.
    pub events: u64,
    /// Whether mirrors and evidence were in it, so that unfinished work can go on.
    pub whole: bool,
    /// Agents and commands that were at work in the directory and were stopped.
    pub stopped: usize,
    /// Where that is which was in the directory before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_aside: Option<String>,
    /// What has not ended.
    pub unfinished: Vec<UnfinishedView>,
}

/// A pipeline that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnfinishedView {
    /// Its id.
    pub pipeline: PipelineId,
    /// Its item: `ET-001`.
    pub item: String,
}
