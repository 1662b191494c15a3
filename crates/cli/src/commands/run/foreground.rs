//! Works in the foreground: shows progress, approves where it was told to, stops in good order.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{
    id::PipelineId,
    pipeline::{EventKind, PipelineState},
};
use engine::{AtRest, Engine, EngineError, Progress};
use ports::Store as _;
use store_sqlite::SqliteStore;
use tokio::sync::broadcast::error::RecvError;

use crate::{
    commands::drive::{AtWork, Drive},
    context::Context,
    error::CliError,
    live::Display,
    output,
};

/// A foreground process at work.
pub(crate) struct Foreground<'a> {
    pub(crate) context: &'a Context,
    pub(crate) drive: &'a Drive,
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<SqliteStore>,
    /// Approvals are given as soon as they are asked.
    pub(crate) yes: bool,
    pub(crate) person: String,
}

impl Foreground<'_> {
    /// Works until nothing of `pipelines` can move without a person, or until it is stopped.
    pub(crate) async fn work(&self, pipelines: &[PipelineId]) -> Result<(), CliError> {
        let mut titles = BTreeMap::new();
        for id in pipelines {
            if let Some(pipeline) = self.store.find_pipeline(*id).await? {
                titles.insert(*id, pipeline.item.key.to_string());
            }
        }
        for breaker in self.engine.resume_what_waits_for_a_person().await? {
            if !self.context.global.quiet {
                output::say(format_args!(
                    "{breaker} waited for a person: one of its agents tries again"
                ));
            }
        }
        let display = Display::start(self.context, &self.engine, titles);
        let approvals = Arc::<AtomicU64>::default();
        let approver = self.yes.then(|| {
            let (engine, person) = (Arc::clone(&self.engine), self.person.clone());
            tokio::spawn(approve(engine, person, Arc::clone(&approvals)))
        });
        let worked = loop {
            let before = approvals.load(Ordering::SeqCst);
            let work = async |stop| self.engine.run(stop, AtRest::Return).await;
            let worked = self.drive.work(AtWork::Agents, &self.store, work).await;
            if worked.is_err() || self.drive.is_stopped() {
                break worked;
            }
            // What the approver has answered just when the engine came to rest left work behind, and no question.
            let waited = self.approve_what_waits(pipelines).await?;
            if !waited && approvals.load(Ordering::SeqCst) == before {
                break worked;
            }
        };
        let interrupted = self.drive.is_stopped();
        if let Some(approver) = approver {
            approver.abort();
        }
        display.stop().await;
        worked?;
        if interrupted {
            self.park(pipelines).await?;
        }
        Ok(())
    }

    /// With `--yes`: approves what waits now. Says whether anything did, so that work goes on.
    async fn approve_what_waits(&self, pipelines: &[PipelineId]) -> Result<bool, CliError> {
        let mut moved = false;
        for id in pipelines.iter().filter(|_| self.yes) {
            let pipeline = self.store.find_pipeline(*id).await?;
            if let Some(PipelineState::AwaitingHuman { decision, .. }) = pipeline.map(|it| it.state)
            {
                moved |= self.engine.approve_unseen(decision, &self.person).await?;
            }
        }
        Ok(moved)
    }

    /// Pauses what was interrupted, so that it goes on when it is asked to and not before.
    async fn park(&self, pipelines: &[PipelineId]) -> Result<(), CliError> {
        for id in pipelines {
            let state = self.store.find_pipeline(*id).await?.map(|it| it.state);
            if !matches!(state, Some(PipelineState::Running { .. } | PipelineState::Queued)) {
                // It has ended, or waits for a person already, which must stay visible.
                continue;
            }
            match self.engine.set_aside(*id).await {
                // It was faster.
                Ok(_) | Err(EngineError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Approves as soon as it is asked, so that nothing waits while others are at work. Counts before it answers: whoever
/// finds no question any more finds it counted.
async fn approve(engine: Arc<Engine>, person: String, approvals: Arc<AtomicU64>) {
    let mut progress = engine.watch();
    loop {
        match progress.recv().await {
            Ok(Progress::Happened {
                event: EventKind::DecisionOpened { decision, .. }, ..
            }) => {
                approvals.fetch_add(1, Ordering::SeqCst);
                if let Err(error) = engine.approve_unseen(decision, &person).await {
                    tracing::error!("could not approve {decision}: {error}");
                }
            }
            // What was missed is looked for when everything is at rest.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}
