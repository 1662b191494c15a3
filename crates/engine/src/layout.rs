//! Where things are below the data directory.

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    id::{JobId, PipelineId, RunId},
    name::{GateName, RoleName},
};

/// Paths below the data directory. Made of ids and checked names only, so that none can lead out of it.
#[derive(Clone, Debug)]
pub struct Layout {
    data_dir: Utf8PathBuf,
}

impl Layout {
    /// The layout of this data directory.
    #[must_use]
    pub const fn new(data_dir: Utf8PathBuf) -> Self {
        Self { data_dir }
    }

    /// Everything of a run: brief, sandboxes, logs.
    #[must_use]
    pub fn run(&self, run: RunId) -> Utf8PathBuf {
        self.data_dir.join("runs").join(run.to_string())
    }

    /// The sandbox of the agent itself: `stdout.log`, `stderr.log`, its exit record.
    #[must_use]
    pub fn agent_sandbox(&self, run: RunId) -> Utf8PathBuf {
        self.run(run).join("agent")
    }

    /// The workspaces of all pipelines, a directory for each.
    #[must_use]
    pub fn all_workspaces(&self) -> Utf8PathBuf {
        self.data_dir.join("workspaces")
    }

    /// All workspaces of a pipeline.
    #[must_use]
    pub fn workspaces(&self, pipeline: PipelineId) -> Utf8PathBuf {
        self.all_workspaces().join(pipeline.to_string())
    }

    /// The workspace of a role: the same for all of its attempts, since agents find their sessions by path.
    #[must_use]
    pub fn workspace(&self, pipeline: PipelineId, role: &RoleName) -> Utf8PathBuf {
        self.workspaces(pipeline).join(role.as_str())
    }

    /// A directory for one gate job alone.
    #[must_use]
    pub fn gate(&self, job: JobId) -> Utf8PathBuf {
        self.data_dir.join("gates").join(job.to_string())
    }

    /// Where the evidence of a gate job stays.
    #[must_use]
    pub fn evidence(&self, pipeline: PipelineId, gate: &GateName, job: JobId) -> Utf8PathBuf {
        self.data_dir.join("evidence").join(pipeline.to_string()).join(format!("{gate}-{job}.log"))
    }

    /// What jobs wait for that this machine cannot do, a line of [`Lack`](crate::Lack) each: for other processes to show.
    #[must_use]
    pub fn held(&self) -> Utf8PathBuf {
        self.data_dir.join("held")
    }

    /// What grows below the data directory.
    #[must_use]
    pub fn places(&self) -> [Utf8PathBuf; 7] {
        // The log of the database grows while somebody reads for long.
        let database = "gatewright.db-wal";
        ["gatewright.db", database, "mirrors", "workspaces", "runs", "gates", "evidence"]
            .map(|place| self.data_dir.join(place))
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Utf8Path {
        &self.data_dir
    }
}
