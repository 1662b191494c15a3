//! Shows what happens while it happens, on standard error.

mod board;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use board::Board;
use domain::id::PipelineId;
use engine::{Engine, Progress};
use jiff::Timestamp;
use tokio::{
    sync::{broadcast::error::RecvError, oneshot},
    task::JoinHandle,
    time::interval,
};

use crate::{context::Context, output};

/// How often elapsed times move on.
const TICK: Duration = Duration::from_millis(250);
/// How often it is looked for jobs that nothing but time or a person lets go on, of which no event tells. All that are
/// queued are read for it, where a breaker is open: there may be ten thousand.
const PARKED_LOOK: Duration = Duration::from_secs(5);

/// A display at work.
pub(crate) struct Display {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Display {
    /// Starts to show what the engine does with these pipelines, which are called by their items.
    pub(crate) fn start(
        context: &Context,
        engine: &Arc<Engine>,
        items: BTreeMap<PipelineId, String>,
    ) -> Self {
        let (engine, mut progress) = (Arc::clone(engine), engine.watch());
        let (stop, mut stopped) = oneshot::channel();
        let mut board =
            Board::new(items, output::is_terminal() && !context.global.json, context.global.quiet);
        let task = tokio::spawn(async move {
            let (mut tick, mut look) = (interval(TICK), interval(PARKED_LOOK));
            loop {
                tokio::select! {
                    biased;
                    message = progress.recv() => match message {
                        Ok(message) => board.show(message),
                        Err(RecvError::Lagged(missed)) => tracing::debug!("the display missed {missed} messages"),
                        Err(RecvError::Closed) => break,
                    },
                    _ = look.tick() => match engine.list_parked().await {
                        Ok(parked) => board.show_parked(&parked, Timestamp::now()),
                        Err(error) => tracing::debug!("could not look what is parked: {error}"),
                    },
                    _ = tick.tick() => board.tick(),
                    _ = &mut stopped => {
                        // What has happened already is shown before the end.
                        while let Ok(message) = progress.try_recv() {
                            board.show(message);
                        }
                        break;
                    }
                }
            }
            board.clear();
        });
        Self { stop, task }
    }

    /// Shows the last of it and ends.
    pub(crate) async fn stop(self) {
        // Already over is fine.
        let _over = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!("the display ended abnormally: {error}");
        }
    }
}

/// The pipeline that a progress message is about; some are about all of them.
fn pipeline_of(progress: &Progress) -> Option<PipelineId> {
    match progress {
        Progress::HeldBack { .. } => None,
        Progress::Happened { pipeline, .. }
        | Progress::JobStarted { pipeline, .. }
        | Progress::RunStarted { pipeline, .. }
        | Progress::Agent { pipeline, .. } => Some(*pipeline),
    }
}
