//! `gatewright export`

use std::io::{self, Write as _};

use api::{
    DecisionView, EXPORT_VERSION, EventView, ExportView, JobView, PipelineView, RunView,
    VerdictView,
};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use domain::{id::PipelineId, run::Run};
use engine::Layout;
use jiff::Timestamp;
use ports::{JobFilter, Store, StoreError};

use super::{
    backup::cannot,
    damage,
    data::{Opened, all_events},
    destination,
    pipeline::resolve_id,
};
use crate::{
    context::{Context, check_outside},
    error::CliError,
    exit::ExitStatus,
    output,
};

/// What people call standard output where a file is asked for.
const STANDARD_OUTPUT: &str = "-";

/// Write everything about one pipeline as one JSON document
///
/// Its item, definition, state, log, runs, verdicts, questions and jobs; the logs of agents by their paths. It holds no
/// secret. A pipeline with damaged rows is exported without them, and they are named.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The pipeline
    pipeline: String,
    /// Where to; the place of a regular file is taken [default: standard output, as `-`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
}

impl Export {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let data = Opened::read(context)?;
        let named = self.output.as_ref().filter(|file| file.as_str() != STANDARD_OUTPUT);
        let output = named.map(|file| context.absolute(file));
        if let Some(file) = &output {
            check_outside(&data.data_dir, file)
                .map_err(|why| CliError::usage(why).help("name a file elsewhere"))?;
            destination::look(file)?;
        }
        let id = resolve_id(&*data.store, &self.pipeline).await?;
        let view = load(&*data.store, &data.data_dir, id).await?;
        for damaged in &view.damaged {
            output::warn(format_args!("left out: {}", damage::words(damaged)));
        }
        match &output {
            Some(file) => write(file, &view)?,
            None => output::json(&view),
        }
        Ok(ExitStatus::Success)
    }
}

async fn load(
    store: &dyn Store,
    data_dir: &Utf8Path,
    id: PipelineId,
) -> Result<ExportView, CliError> {
    let now = Timestamp::now();
    let pipeline = readable(store.find_pipeline(id).await)?.flatten();
    let definition = match &pipeline {
        Some(it) => readable(store.find_definition(&it.definition).await)?.flatten(),
        None => None,
    };
    let events = all_events(store, id).await?;
    let runs = store.list_runs(id).await?;
    let filter = JobFilter { pipeline: Some(id), states: Vec::new() };
    let damaged = store.find_damage(Some(id), now).await?;
    let as_json =
        |error: serde_json::Error| CliError::new(format!("could not write JSON: {error}"));
    Ok(ExportView {
        format: "gatewright-export",
        version: EXPORT_VERSION,
        gatewright: env!("CARGO_PKG_VERSION"),
        exported_at: now,
        id,
        pipeline: pipeline.as_ref().map(|it| PipelineView::with_events(it, &events)),
        state: pipeline.as_ref().map(serde_json::to_value).transpose().map_err(as_json)?,
        definition: definition.as_ref().map(serde_json::to_value).transpose().map_err(as_json)?,
        events: events.iter().map(EventView::from).collect(),
        verdicts: store.list_verdicts(id).await?.iter().map(VerdictView::from).collect(),
        decisions: store
            .list_decisions(Some(id), false)
            .await?
            .iter()
            .map(|it| DecisionView::new(it, pipeline.as_ref().map(|it| &it.item.key)))
            .collect(),
        jobs: store.list_jobs(&filter).await?.iter().map(JobView::from).collect(),
        logs: logs(data_dir, id, &runs),
        runs: runs.iter().map(RunView::from).collect(),
        damaged: damaged.into_iter().map(damage::view).collect(),
    })
}

/// What was found, or nothing where the row cannot be read.
fn readable<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::Inconsistent { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What agents printed and what stands behind verdicts, as far as the files are there.
fn logs(data_dir: &Utf8Path, id: PipelineId, runs: &[Run]) -> Vec<String> {
    let layout = Layout::new(data_dir.to_owned());
    let of_run = |run: &Run| {
        let sandbox = layout.agent_sandbox(run.id);
        ["stdout.log", "stderr.log"].map(|name| sandbox.join(name))
    };
    let mut files: Vec<Utf8PathBuf> = runs.iter().flat_map(of_run).collect();
    let evidence = data_dir.join("evidence").join(id.to_string());
    let mut evidence: Vec<Utf8PathBuf> = evidence
        .read_dir_utf8()
        .map(|entries| {
            entries.filter_map(Result::ok).map(camino::Utf8DirEntry::into_path).collect()
        })
        .unwrap_or_default();
    evidence.sort();
    files.extend(evidence);
    files.into_iter().filter(|file| file.is_file()).map(Utf8PathBuf::into_string).collect()
}

/// For the caller alone, and whole or not at all.
fn write(file: &Utf8Path, view: &ExportView) -> Result<(), CliError> {
    let write = || -> io::Result<()> {
        let directory = file.parent().filter(|dir| !dir.as_str().is_empty());
        // Under a name that nobody else has, for its owner alone; gone again where it cannot be written.
        let mut partial = tempfile::Builder::new()
            .prefix(".gatewright-export-")
            .tempfile_in(directory.unwrap_or(Utf8Path::new(".")))?;
        serde_json::to_writer_pretty(&mut partial, view)?;
        partial.write_all(b"\n")?;
        partial.as_file().sync_all()?;
        partial.persist(file).map(drop).map_err(|error| error.error)
    };
    write().map_err(|error| match error.get_ref() {
        // The name of a file that is gone again says nothing to anybody.
        Some(_) => cannot("write", file)(error.kind().into()),
        None => cannot("write", file)(error),
    })
}
