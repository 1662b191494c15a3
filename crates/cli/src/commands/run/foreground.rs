//! Works in the foreground: shows progress, approves where it was told to, stops in good order.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    id::PipelineId,
    pipeline::{EventKind, Input, PipelineState},
};
use engine::{AtRest, Engine, EngineError, Progress, StopMode, stop_channel};
use ports::Store as _;
use store_sqlite::SqliteStore;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::broadcast::error::RecvError,
};

use crate::{context::Context, error::CliError, live::Display, output};

/// A foreground process at work.
pub(crate) struct Foreground<'a> {
    pub(crate) context: &'a Context,
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<SqliteStore>,
    /// Approvals are given as soon as they are asked.
    pub(crate) yes: bool,
    pub(crate) person: String,
}

impl Foreground<'_> {
    /// Works until nothing of `pipelines` can move without a person. Says whether it was interrupted.
    pub(crate) async fn work(&self, pipelines: &[PipelineId]) -> Result<bool, CliError> {
        let (stop, signal) = stop_channel();
        let interrupts = tokio::spawn(listen(stop, self.context.global.quiet));
        let mut titles = BTreeMap::new();
        for id in pipelines {
            if let Some(pipeline) = self.store.find_pipeline(*id).await? {
                titles.insert(*id, pipeline.item.key.to_string());
            }
        }
        let display = Display::start(self.context, &self.engine, titles);
        let approver =
            self.yes.then(|| tokio::spawn(approve(Arc::clone(&self.engine), self.person.clone())));
        let worked = loop {
            let worked = self.engine.run(signal.clone(), AtRest::Return).await;
            if worked.is_err()
                || signal.borrow().is_some()
                || !self.approve_what_waits(pipelines).await?
            {
                break worked;
            }
        };
        let interrupted = signal.borrow().is_some();
        interrupts.abort();
        if let Some(approver) = approver {
            approver.abort();
        }
        display.stop().await;
        worked?;
        if interrupted {
            self.park(pipelines).await?;
        }
        Ok(interrupted)
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
            match self.engine.ask(*id, &Input::Pause, &self.person).await {
                // It was faster.
                Ok(_) | Err(EngineError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The first signal stops in good order, the second one at once.
async fn listen(stop: tokio::sync::watch::Sender<Option<StopMode>>, quiet: bool) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // The sender has to live on: its end would stop the engine.
        return std::future::pending().await;
    };
    let mode = tokio::select! {
        _ = interrupt.recv() => StopMode::StopAgents,
        _ = terminate.recv() => StopMode::LeaveAgents,
    };
    if !quiet {
        output::say(match mode {
            StopMode::StopAgents => {
                "stopping: agents are asked to end and what they left is kept (again: leave them behind)"
            }
            StopMode::LeaveAgents => {
                "stopping: agents go on by themselves and are taken up again on resume"
            }
        });
    }
    stop.send_replace(Some(mode));
    interrupt.recv().await;
    stop.send_replace(Some(StopMode::LeaveAgents));
}

/// Approves as soon as it is asked, so that nothing waits while others are at work.
async fn approve(engine: Arc<Engine>, person: String) {
    let mut progress = engine.watch();
    loop {
        match progress.recv().await {
            Ok(Progress::Happened {
                event: EventKind::DecisionOpened { decision, .. }, ..
            }) => {
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
