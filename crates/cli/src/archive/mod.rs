//! A backup file: a tar archive with its manifest first and its checksums last, and nothing in it that has no place.

mod read;
mod write;

use domain::{
    id::{JobId, PipelineId},
    name::{GateName, ProjectKey},
};
use jiff::Timestamp;
pub(crate) use read::{Unpacked, unpack};
use serde::{Deserialize, Serialize};
pub(crate) use write::{NoArchive, Writer};

/// The form that this version writes, and the only one that it reads.
pub(crate) const FORMAT: u32 = 1;

const MANIFEST: &str = "gatewright-backup.json";
const DATABASE: &str = "gatewright.db";
const MIRRORS: &str = "mirrors";
const BUNDLE: &str = ".bundle";
const EVIDENCE: &str = "evidence";
const LOG: &str = ".log";
const SUMS: &str = "sha256sums";

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The form of the archive.
    pub(crate) format: u32,
    /// Who wrote it.
    pub(crate) version: String,
    /// When.
    pub(crate) made_at: Timestamp,
    /// The schema of its database.
    pub(crate) schema: u32,
    /// Pipelines in it.
    pub(crate) pipelines: u64,
    /// Events in it.
    pub(crate) events: u64,
    /// Whether mirrors and evidence are in it as well.
    pub(crate) whole: bool,
}

/// A place in an archive. Made of ids and checked names only, so that none can lead out of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Manifest,
    Database,
    /// The mirror of a project, as a git bundle.
    Mirror(ProjectKey),
    /// What stands behind a verdict.
    Evidence {
        pipeline: PipelineId,
        gate: GateName,
        job: JobId,
    },
    Sums,
}

impl Place {
    /// The place of that path, if there is one.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            [MANIFEST] => Some(Self::Manifest),
            [DATABASE] => Some(Self::Database),
            [SUMS] => Some(Self::Sums),
            [MIRRORS, file] => ProjectKey::new(file.strip_suffix(BUNDLE)?).ok().map(Self::Mirror),
            [EVIDENCE, pipeline, file] => {
                // A gate's name has dashes of its own, an id has none.
                let (gate, job) = file.strip_suffix(LOG)?.rsplit_once('-')?;
                let gate = GateName::new(gate).ok()?;
                let (pipeline, job) = (pipeline.parse().ok()?, job.parse().ok()?);
                Some(Self::Evidence { pipeline, gate, job })
            }
            _ => None,
        }
    }

    /// Its path in an archive, and below the data directory.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Manifest => MANIFEST.to_owned(),
            Self::Database => DATABASE.to_owned(),
            Self::Mirror(key) => format!("{MIRRORS}/{key}{BUNDLE}"),
            Self::Evidence { pipeline, gate, job } => {
                format!("{EVIDENCE}/{pipeline}/{gate}-{job}{LOG}")
            }
            Self::Sums => SUMS.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
