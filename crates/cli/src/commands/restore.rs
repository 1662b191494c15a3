//! `gatewright restore`

mod agents;
mod mirrors;
mod place;
mod progress;

use std::fs::File;

use api::{RestoreView, UnfinishedView};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use place::Target;
use ports::{PipelineFilter, Store as _};
use progress::Progress;
use store_sqlite::Contents;

use super::{backup::cannot, data::place as data_place};
use crate::{
    archive::{self, Unpacked},
    called::gatewright,
    context::{Context, open_for_reading},
    error::{CliError, chain},
    exit::ExitStatus,
    output,
};

/// Bring a backup back, into a data directory that is empty or new
///
/// Nothing is in place before everything is: a restore that is killed leaves a directory in which nothing begins until
/// it is restored again. Agents of the old machine are not in a backup; what they were doing begins anew.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    file: Utf8PathBuf,
    /// Take the place of what is in the directory, which is kept aside; agents that are at work there are stopped
    #[arg(long)]
    force: bool,
    /// Accept rows that name others which are not there, and mirrors without commits that unfinished work needs
    #[arg(long)]
    damaged: bool,
}

impl Restore {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let (_, data_dir) = data_place(context)?;
        let file = context.absolute(&self.file);
        let archive = open(&file)?;
        let target = Target::take(&data_dir, self.force)?;
        target.check_space(&archive, &file)?;
        let staging = target.begin()?;
        let prepared = async {
            let unpacked = self.prepare(context, &file, archive, &staging).await?;
            // Last of all: a file that is no backup is no reason to stop anybody.
            Ok::<_, CliError>((unpacked, agents::stop_all(context, &data_dir).await?))
        };
        let (Unpacked { manifest, mirrors: _ }, stopped) = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => {
                target.give_up();
                return Err(error);
            }
        };
        let kept_aside = target.swap()?;
        let store = open_for_reading(&data_dir)?;
        let pipelines = store.list_pipelines(&PipelineFilter::default()).await?;
        let unfinished = pipelines.iter().filter(|it| !it.state.is_terminal());
        let view = RestoreView {
            data_dir: data_dir.to_string(),
            made_at: manifest.made_at,
            pipelines: manifest.pipelines,
            events: manifest.events,
            whole: manifest.whole,
            stopped,
            kept_aside: kept_aside.map(Utf8PathBuf::into_string),
            unfinished: unfinished
                .map(|it| UnfinishedView { pipeline: it.id, item: it.item.key.to_string() })
                .collect(),
        };
        if context.global.json {
            output::json(&view);
        } else {
            print(&view);
        }
        Ok(ExitStatus::Success)
    }

    /// Unpacks the archive and makes of it what a data directory holds, all in `staging`.
    async fn prepare(
        &self,
        context: &Context,
        file: &Utf8Path,
        archive: File,
        staging: &Utf8Path,
    ) -> Result<Unpacked, CliError> {
        let length = archive.metadata().map_err(cannot("read", file))?.len();
        let mut progress = Progress::new(length);
        let mut told = |bytes| {
            if let Some(words) = progress.at(bytes).filter(|_| !context.global.quiet) {
                output::say(words);
            }
        };
        let unpacked = archive::unpack(archive, staging, &mut told).map_err(|error| {
            CliError::new(format!("could not restore {file}: {}", chain(&error))).help(no_backup())
        })?;
        let database = staging.join(store_sqlite::database_file());
        let examined = store_sqlite::examine(&database).map_err(|error| {
            CliError::new(format!("the database of {file} cannot be used: {}", chain(&error)))
                .help("use another backup; nothing was changed")
        });
        let Contents { schema, pipelines, events, dangling } = examined?;
        let manifest = &unpacked.manifest;
        if (schema, pipelines, events) != (manifest.schema, manifest.pipelines, manifest.events) {
            return Err(CliError::new(format!("{file} holds another database than it says"))
                .help("use another backup; nothing was changed"));
        }
        if let (Some(problem), false) = (dangling.first(), self.damaged) {
            return Err(CliError::new(format!("the database of {file} is damaged: {problem}"))
                .help("use another backup, or accept it with --damaged: what is damaged is parked, the rest goes on"));
        }
        store_sqlite::bring_up_to_date(&database)?;
        agents::end_runs(context, staging).await?;
        mirrors::unpack(context, file, staging, &unpacked.mirrors).await?;
        if manifest.whole {
            mirrors::check(context, file, staging, &unpacked.mirrors, self.damaged).await?;
        }
        Ok(unpacked)
    }
}

/// Opens the archive. A pipe would be waited for, and a device may have no end.
fn open(file: &Utf8Path) -> Result<File, CliError> {
    let cannot = |error| cannot("read", file)(error).help(no_backup());
    let found = file.metadata().map_err(cannot)?;
    if !found.is_file() {
        return Err(CliError::usage(format!("{file} is no regular file")).help(no_backup()));
    }
    File::open(file).map_err(cannot)
}

/// What to do about a file that cannot be restored.
fn no_backup() -> String {
    format!("name a file that `{} backup` has written; nothing was changed", gatewright())
}

fn print(view: &RestoreView) {
    let RestoreView { data_dir, made_at, pipelines, events, .. } = view;
    output::data(format_args!(
        "{data_dir}: {pipelines} pipelines, {events} events, as of {}",
        made_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    ));
    match view.stopped {
        0 => {}
        1 => output::data("  1 agent or command that was still at work there was stopped"),
        count => output::data(format_args!(
            "  {count} agents and commands that were still at work there were stopped"
        )),
    }
    if let Some(aside) = &view.kept_aside {
        output::data(format_args!(
            "  what was there before is in {aside}: look at it with --data-dir, or remove it"
        ));
    }
    if !view.whole {
        output::warn(
            "the backup holds the database only: what had not ended lacks its commits and cannot go on",
        );
    }
    for UnfinishedView { pipeline, item } in &view.unfinished {
        output::data(format_args!(
            "  {item} has not ended: {} run --resume {pipeline}",
            gatewright()
        ));
    }
}
