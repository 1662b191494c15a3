//! What is remembered, opened for looking or for changing.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use config::Loaded;
use domain::{
    id::PipelineId,
    pipeline::{Event, EventKindTag, Pipeline, PipelineState},
};
use ports::{Store, StoreError};
use store_sqlite::SqliteStore;

use crate::{
    called,
    context::Context,
    error::CliError,
    holder::{Holder, HoldingCommand},
};

/// Events of one pipeline that are read at once.
const EVENTS_PAGE: u32 = 10_000;

/// The data directory, open.
pub(crate) struct Opened {
    pub(crate) loaded: Loaded,
    pub(crate) data_dir: Utf8PathBuf,
    pub(crate) store: Arc<SqliteStore>,
}

impl Opened {
    /// For looking only: works while another process writes.
    pub(crate) fn read(context: &Context) -> Result<Self, CliError> {
        let (loaded, data_dir) = place(context)?;
        Self::read_at(loaded, data_dir)
    }

    fn read_at(loaded: Loaded, data_dir: Utf8PathBuf) -> Result<Self, CliError> {
        let store = crate::context::open_for_reading(&data_dir)?;
        Ok(Self { loaded, data_dir, store })
    }

    /// Who holds it, where a process is alive that does. Whoever cannot tell says so and goes on.
    pub(crate) fn holder(&self) -> Option<Holder> {
        let holder = store_sqlite::find_holder(&self.data_dir).unwrap_or_else(|error| {
            tracing::warn!("{}", crate::error::chain(&error));
            None
        });
        holder.map(Holder::look)
    }

    /// For looking over everything that there is: nothing, before anything was ever begun here.
    pub(crate) fn find(context: &Context) -> Result<Option<Self>, CliError> {
        let (loaded, data_dir) = place(context)?;
        if is_untouched(&data_dir) { Ok(None) } else { Self::read_at(loaded, data_dir).map(Some) }
    }

    /// For changing; `command` is told to whoever finds it in use.
    pub(crate) async fn write(
        context: &Context,
        command: HoldingCommand,
    ) -> Result<Self, CliError> {
        let (loaded, data_dir) = place(context)?;
        // A directory with nothing in it is no place to change something.
        drop(crate::context::open_for_reading(&data_dir)?);
        let store = crate::context::open_for_writing(context, &data_dir, command).await?;
        Ok(Self { loaded, data_dir, store })
    }
}

/// Whether nothing was ever begun in a data directory: there is none, or there is nothing in it. What cannot be looked
/// at is not untouched.
fn is_untouched(data_dir: &Utf8Path) -> bool {
    match std::fs::read_dir(data_dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// The configuration that holds here, and the data directory that it names.
pub(crate) fn place(context: &Context) -> Result<(Loaded, Utf8PathBuf), CliError> {
    let loaded = context.load_config(&root(context))?;
    called::settle_by(context, &loaded);
    let data_dir = context.data_dir(&loaded);
    Ok((loaded, data_dir))
}

/// The root of the repository around the working directory, by its looks; else the working directory.
pub(crate) fn root(context: &Context) -> Utf8PathBuf {
    let is_root = |dir: &&Utf8Path| dir.join(".git").exists();
    context.cwd.ancestors().find(is_root).unwrap_or(&context.cwd).to_owned()
}

/// The whole log of a pipeline.
pub(crate) async fn all_events(
    store: &dyn Store,
    pipeline: PipelineId,
) -> Result<Vec<Event>, StoreError> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let page = store.list_events(Some(pipeline), after, EVENTS_PAGE).await?;
        if page.is_empty() {
            return Ok(events);
        }
        events.extend(page);
    }
}

/// How a pipeline came to be paused: who paused it stands in its log.
pub(crate) enum Pause {
    /// It is not paused.
    None,
    /// So.
    Known(Box<Event>),
    /// So that nobody can tell: its log cannot be read there.
    Unreadable,
}

/// Looks how a pipeline came to be paused.
pub(crate) async fn last_pause(
    store: &dyn Store,
    pipeline: &Pipeline,
) -> Result<Pause, StoreError> {
    let PipelineState::Paused { .. } = pipeline.state else { return Ok(Pause::None) };
    let Some(paused) = find_readable(store, pipeline, EventKindTag::Paused).await? else {
        return Ok(Pause::Unreadable);
    };
    // It went on after that, so that the event which has paused it since is not the one that was found.
    let resumed = find_readable(store, pipeline, EventKindTag::Resumed).await?;
    let is_old = resumed.is_some_and(|resumed| resumed.seq > paused.seq);
    Ok(if is_old { Pause::Unreadable } else { Pause::Known(Box::new(paused)) })
}

/// The last event of a kind, if there is one and it can be read.
async fn find_readable(
    store: &dyn Store,
    pipeline: &Pipeline,
    kind: EventKindTag,
) -> Result<Option<Event>, StoreError> {
    match store.find_last_event(pipeline.id, kind).await {
        Err(StoreError::Inconsistent { .. }) => Ok(None),
        found => found,
    }
}
