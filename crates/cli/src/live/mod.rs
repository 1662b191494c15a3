//! Shows what happens while it happens, on standard error.

mod board;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use board::Board;
use domain::id::PipelineId;
use engine::{Engine, Parked, Progress};
use jiff::Timestamp;
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc, oneshot,
    },
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval},
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
        let (found, parked) = mpsc::channel(1);
        let looks = look_for_parked(Arc::clone(engine), found);
        let board =
            Board::new(items, output::is_terminal() && !context.global.json, context.global.quiet);
        Self::of(board, engine.watch(), looks, parked)
    }

    /// The same, where `looks` finds what is parked.
    fn of(
        mut board: Board,
        mut progress: broadcast::Receiver<Progress>,
        looks: impl Future<Output = ()> + Send + 'static,
        mut parked: mpsc::Receiver<Vec<Parked>>,
    ) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            // Beside what is shown, which a slow database must not hold up; it ends with this task.
            let mut beside = JoinSet::new();
            beside.spawn(looks);
            let mut tick = interval(TICK);
            loop {
                tokio::select! {
                    biased;
                    message = progress.recv() => match message {
                        Ok(message) => board.show(message),
                        Err(RecvError::Lagged(missed)) => tracing::debug!("the display missed {missed} messages"),
                        Err(RecvError::Closed) => break,
                    },
                    Some(parked) = parked.recv() => board.show_parked(&parked, Timestamp::now()),
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

/// Looks every so often what is parked, for as long as somebody wants to know.
async fn look_for_parked(engine: Arc<Engine>, found: mpsc::Sender<Vec<Parked>>) {
    let mut look = interval(PARKED_LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        match engine.list_parked().await {
            Ok(parked) => {
                if found.send(parked).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::debug!("could not look what is parked: {error}"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One that waited for the database would wait for ever.
    #[tokio::test]
    async fn a_display_ends_although_the_database_does_not_answer() {
        let (_engine, progress) = broadcast::channel(1);
        let (_found, parked) = mpsc::channel(1);
        let (asked, is_asked) = oneshot::channel();
        let looks = async move {
            asked.send(()).expect("the test waits for it");
            std::future::pending::<()>().await;
        };
        let board = Board::new(BTreeMap::new(), false, true);
        let display = Display::of(board, progress, looks, parked);
        is_asked.await.expect("it is looked");
        display.stop().await;
    }
}
