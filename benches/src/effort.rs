//! How much is measured.

use std::time::Duration;

/// How much is measured.
pub(crate) struct Effort {
    /// Rounds of everything that is a rate; their median counts.
    pub(crate) rounds: usize,
    /// How long one round of a rate lasts.
    pub(crate) round: Duration,
    /// Jobs of one round of the queue.
    pub(crate) jobs: u32,
    /// Live pipelines that a process starts over, each number apart.
    pub(crate) live_pipelines: [u32; 3],
    /// Starts of an agent, and of anything else that is over in milliseconds.
    pub(crate) starts: usize,
    /// Workspaces of each kind.
    pub(crate) workspaces: usize,
    /// Files of the large repository.
    pub(crate) files: usize,
    /// Runs of the demo.
    pub(crate) demos: usize,
}

impl Effort {
    /// What the document reports.
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        round: Duration::from_secs(1),
        jobs: 10_000,
        live_pipelines: [0, 1_000, 10_000],
        starts: 100,
        workspaces: 5,
        files: 20_000,
        demos: 5,
    };

    /// Enough to see that it works.
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        round: Duration::from_millis(300),
        jobs: 1_000,
        live_pipelines: [0, 100, 1_000],
        starts: 10,
        workspaces: 3,
        files: 2_000,
        demos: 1,
    };
}
