//! An engine with nothing to do but to start one agent when it is asked to.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use camino::Utf8PathBuf;
use config::definition;
use domain::{
    decision::DecisionKind,
    definition::Definition,
    id::PipelineId,
    name::{RoleName, StageName},
    pipeline::{Delivery, EventKind, Input, PipelineOptions},
    revision::BranchName,
};
use engine::{AtRest, EngineError, NewItem, Progress, StopMode, stop_channel};
use ports::{Git as _, ProjectRecord, Sandbox, Store as _};
use testkit::repository::Repository;
use tokio::{
    sync::{broadcast::Receiver, watch},
    task::JoinHandle,
    time,
};

use crate::{
    agent_start::IDLE,
    place::Place,
    stamp, walk,
    workshop::{Workshop, parse_definition, project},
};

/// A stage whose agent only looks, and a person who is never satisfied: beginning the stage again is one step that
/// queues one agent, with nothing else under way.
const ONE_AGENT: &str = r#"
name = "start"
[[stage]]
name = "look"
roles = ["developer"]
workspace = "read"
on_pass = "finish"
[[stage.gates]]
name = "person"
kind = "approval"
question = "Again?"
[[stage]]
name = "finish"
action = "deliver"
"#;

/// Who works in all of them.
const ROLE: &str = "developer";
/// Stages of [`eight_agents`].
pub(crate) const STAGES: u32 = 8;

/// Files of the repository.
const FILES: usize = 100;
/// Starts of one pipeline. Its history grows, and no real one has hundreds of runs.
const STARTS_OF_PIPELINE: usize = 20;

/// What becomes of the workspace before the agent is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkspaceIs {
    /// It is gone: the role works for the first time.
    New,
    /// It is kept, and has to be put onto its commit.
    Kept,
}

/// The engine, at work on another thread.
pub(crate) struct IdleEngine {
    workshop: Workshop,
    repository: Repository,
    one_agent: Definition,
    eight_agents: Definition,
    pipeline: Option<PipelineId>,
    stop: watch::Sender<Option<StopMode>>,
    running: JoinHandle<Result<(), EngineError>>,
}

/// An agent that was started and has ended.
pub(crate) struct Started {
    /// When its job was committed.
    pub(crate) committed: Instant,
    /// The same on the clock that all processes share.
    pub(crate) committed_at: Duration,
    /// The directory of its sandbox.
    pub(crate) sandbox: Utf8PathBuf,
}

impl IdleEngine {
    /// An engine at work on a store in which so many jobs wait already, all of paused pipelines.
    pub(crate) async fn start(
        place: &Place,
        sandbox: Arc<dyn Sandbox>,
        waiting: u32,
    ) -> Result<Self> {
        let repository = Repository::greet().with_files(FILES);
        let workshop = Workshop::new(&place.dir("engine")?, sandbox)?;
        let project = project(repository.path())?;
        workshop.git.sync(&project).await?;
        let record = ProjectRecord { key: project.key, repository: project.repository };
        workshop.store.save_project(&record).await?;
        let_wait(&workshop, waiting).await?;
        let (stop, signal) = stop_channel();
        let engine = Arc::clone(&workshop.engine);
        let running = tokio::spawn(async move { engine.run(signal, AtRest::Wait).await });
        let one_agent = parse_definition(ONE_AGENT)?;
        let eight_agents = parse_definition(&eight_agents()?)?;
        Ok(Self { workshop, repository, one_agent, eight_agents, pipeline: None, stop, running })
    }

    /// Starts the agent, and waits for its end.
    pub(crate) async fn start_agent(
        &mut self,
        number: usize,
        workspace: WorkspaceIs,
    ) -> Result<Started> {
        let pipeline = match self.pipeline {
            Some(pipeline) if !number.is_multiple_of(STARTS_OF_PIPELINE) => pipeline,
            _ => self.new_pipeline().await?,
        };
        self.pipeline = Some(pipeline);
        if workspace == WorkspaceIs::New {
            let workspace =
                self.workshop.engine.layout().workspace(pipeline, &RoleName::new(ROLE)?);
            self.workshop.git.remove_workspace(&workspace).await?;
        }
        time::sleep(IDLE).await;
        let mut progress = self.workshop.engine.watch();
        let again = Input::RestartStage { stage: StageName::new("look")? };
        let _moved = self.workshop.engine.ask(pipeline, &again, "benches").await?;
        let (committed, committed_at) = (Instant::now(), stamp::since_epoch());
        let sandbox = self.settled(&mut progress).await?;
        Ok(Started { committed, committed_at, sandbox })
    }

    /// Takes a pipeline through eight stages. How long that took, from its start to its end.
    pub(crate) async fn run_pipeline(&self) -> Result<Duration> {
        let pipeline = self.create(&self.eight_agents).await?;
        time::sleep(IDLE).await;
        let mut progress = self.workshop.engine.watch();
        let begun = Instant::now();
        let _moved = self.workshop.engine.ask(pipeline, &Input::Start, "benches").await?;
        loop {
            let Progress::Happened { event, .. } = progress.recv().await? else { continue };
            match event {
                EventKind::Succeeded { .. } => return Ok(begun.elapsed()),
                EventKind::Blocked { reason, .. } => bail!("the pipeline is blocked: {reason}"),
                _ => {}
            }
        }
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.send_replace(Some(StopMode::StopAgents));
        self.running.await??;
        drop(self.repository);
        Ok(())
    }

    /// A pipeline whose agent has run once, so that its workspace is there.
    async fn new_pipeline(&self) -> Result<PipelineId> {
        let pipeline = self.create(&self.one_agent).await?;
        let mut progress = self.workshop.engine.watch();
        let _moved = self.workshop.engine.ask(pipeline, &Input::Start, "benches").await?;
        self.settled(&mut progress).await?;
        Ok(pipeline)
    }

    async fn create(&self, definition: &Definition) -> Result<PipelineId> {
        let item = NewItem {
            project: project(self.repository.path())?.key,
            title: "Look around".to_owned(),
            ascii_title: "Look around".to_owned(),
            description: "Nothing is to be changed.".to_owned(),
            target: BranchName::new("main")?,
            options: PipelineOptions { delivery: Delivery::Branch, human_gates: true, agent: None },
        };
        let hash = definition::hash(definition);
        Ok(self.workshop.engine.create(&item, definition, &hash).await?.id)
    }

    /// Waits until the person is asked. The directory of the agent's sandbox.
    async fn settled(&self, progress: &mut Receiver<Progress>) -> Result<Utf8PathBuf> {
        let mut sandbox = None;
        loop {
            match progress.recv().await? {
                Progress::RunStarted { run, .. } => {
                    sandbox = Some(self.workshop.engine.layout().agent_sandbox(run));
                }
                Progress::Happened {
                    event: EventKind::DecisionOpened { kind, question, .. },
                    ..
                } => match (kind, sandbox) {
                    (DecisionKind::Approval, Some(sandbox)) => return Ok(sandbox),
                    _ => bail!("the agent did not run: {question}"),
                },
                _ => {}
            }
        }
    }
}

/// Begins pipelines, which queues a job each, and pauses them before anybody can take it.
async fn let_wait(workshop: &Workshop, pipelines: u32) -> Result<()> {
    let Workshop { engine, store, .. } = workshop;
    let definition = walk::definition()?;
    store.save_definition(&definition::hash(&definition), &definition).await?;
    for id in 0..pipelines {
        let id = walk::create(&**store, &definition, id.into()).await?;
        let _begun = engine.apply(id, &Input::Start, &walk::cause(id, 0)).await?;
        let _waits = engine.apply(id, &Input::Pause, &walk::cause(id, 1)).await?;
    }
    Ok(())
}

/// Eight stages, each with an agent that only looks.
fn eight_agents() -> Result<String> {
    let mut text = "name = \"looks\"\nstart = \"look-1\"\n".to_owned();
    for number in 1..=STAGES {
        write!(
            text,
            "[[stage]]\nname = \"look-{number}\"\nroles = [\"{ROLE}\"]\nworkspace = \"read\"\n"
        )?;
        if number < STAGES {
            writeln!(text, "on_pass = \"look-{}\"", number + 1)?;
        }
    }
    Ok(text)
}
