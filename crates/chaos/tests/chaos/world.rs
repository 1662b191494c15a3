//! A repository, the binary with failpoints, and what is remembered of its pipeline.

use std::sync::Arc;

use camino::Utf8PathBuf;
use domain::{
    job::{Budget, Job, JobKind, JobStateTag},
    pipeline::{Pipeline, PipelineStateTag},
    run::Run,
};
use ports::{JobFilter, PipelineFilter, Store as _};
use store_sqlite::{Mode, Options, SqliteStore};
use testkit::{
    gatewright::{Finished, Gatewright, Rings, Running},
    repository::Repository,
};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_gatewright-failpoints");

/// A repository with passing tests, and an agent that adds a file and rings for each launch.
pub(crate) struct World {
    pub(crate) gatewright: Gatewright,
    pub(crate) repository: Repository,
    launches: Rings,
}

impl World {
    /// A world whose agent does what `script` says after it rang.
    pub(crate) fn of_agent(script: &str) -> Self {
        Self::with(Gatewright::new(PROGRAM), |_| script.to_owned())
    }

    /// The same for a script that needs to know the world, to ring and to listen.
    pub(crate) fn with(gatewright: Gatewright, script: impl FnOnce(&Gatewright) -> String) -> Self {
        let launches = gatewright.bell("launches");
        let script = format!("echo $GATEWRIGHT_RUN > {}\n{}", launches.path(), script(&gatewright));
        gatewright.configure_agent(&script);
        Self { gatewright, repository: Repository::greet(), launches: launches.listen() }
    }

    /// Starts a call, with more in its environment.
    pub(crate) fn start(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let mut command = self.gatewright.command(self.repository.path(), arguments);
        Running::start(command.envs(environment.iter().copied()))
    }

    /// Starts a new item that is to be merged.
    pub(crate) fn begin(&self, environment: &[(&str, &str)]) -> Running {
        self.start(&["run", "Add a file", "--merge", "--json"], environment)
    }

    /// Goes on with everything.
    pub(crate) fn resume(&self, environment: &[(&str, &str)]) -> Running {
        self.start(&["run", "--resume", "all", "--json"], environment)
    }

    /// The runs whose agents were launched since it was asked last, one for each launch.
    pub(crate) fn launched(&self) -> Vec<String> {
        self.launches.heard()
    }

    /// Waits for the next launch.
    pub(crate) fn next_launch(&self) -> String {
        self.launches.next()
    }

    /// What the repository and the store say of one item that was killed somewhere: it is merged, once; its agent was
    /// launched once and is one run; nothing of it was charged to a budget; nothing of it is still at work.
    pub(crate) fn assert_delivered_once(&self, context: &str, finished: &Finished) {
        assert_eq!(finished.code(), Some(0), "{context}: {finished:#?}");
        let merges = self.repository.git(&["rev-list", "--merges", "--count", "main"]);
        assert_eq!(merges, "1", "{context}: merged so often");
        assert_eq!(self.launched().len(), 1, "{context}: launched so often");
        let remembered = self.remembered();
        assert_eq!(remembered.states(), [PipelineStateTag::Succeeded], "{context}");
        assert_eq!(remembered.runs.len(), 1, "{context}: {:#?}", remembered.runs);
        remembered.assert_nothing_was_charged(context);
        assert_eq!(self.gatewright.sandboxed(), Vec::<String>::new(), "{context}");
        assert_eq!(self.repository.git(&["status", "--porcelain"]), "", "{context}");
    }

    /// Everything that the store knows.
    pub(crate) fn remembered(&self) -> Remembered {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(remembered(self.gatewright.data_dir()))
    }
}

/// What the store knows.
pub(crate) struct Remembered {
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) runs: Vec<Run>,
    jobs: Vec<Job>,
}

async fn remembered(data_dir: Utf8PathBuf) -> Remembered {
    let options = Options { data_dir, mode: Mode::ReadOnly, queue_max: 1 };
    let store = Arc::new(SqliteStore::open(options).unwrap());
    let pipelines = store.list_pipelines(&PipelineFilter::default()).await.unwrap();
    let mut runs = Vec::new();
    for pipeline in &pipelines {
        runs.extend(store.list_runs(pipeline.id).await.unwrap());
    }
    let jobs = store.list_jobs(&JobFilter::default()).await.unwrap();
    Remembered { pipelines, runs, jobs }
}

impl Remembered {
    pub(crate) fn states(&self) -> Vec<PipelineStateTag> {
        self.pipelines.iter().map(|pipeline| (&pipeline.state).into()).collect()
    }

    /// It is for the next process, which finds it as if nobody had begun.
    pub(crate) fn assert_clean_up_waits_and_is_not_charged(&self, context: &str) {
        let clean_ups: Vec<&Job> =
            self.jobs.iter().filter(|job| job.slot.work.kind() == JobKind::Cleanup).collect();
        let [job] = clean_ups[..] else { panic!("{context}: {clean_ups:#?}") };
        assert_eq!(JobStateTag::from(&job.state), JobStateTag::Queued, "{context}: {job:#?}");
        assert_eq!(job.budget, Budget::default(), "{context}: {job:#?}");
    }

    /// A restart consumes no retry, and leaves no job that nobody does.
    pub(crate) fn assert_nothing_was_charged(&self, context: &str) {
        for job in &self.jobs {
            let spent = (job.budget.attempts, job.budget.transient_attempts);
            assert_eq!(spent, (0, 0), "{context}: {job:#?}");
            assert_eq!(JobStateTag::from(&job.state), JobStateTag::Done, "{context}: {job:#?}");
        }
    }
}
