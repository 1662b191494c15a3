//! `gatewright backup`

mod staging;

use std::io;

use api::BackupView;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use domain::name::ProjectKey;
use git::MirrorGit;
use jiff::Timestamp;
use ports::StoreError;
use staging::Staging;
use store_sqlite::{NoCopy, Unusable};

use super::{
    data::place,
    destination::{self, Destination},
    patience,
};
use crate::{
    archive::{FORMAT, Manifest, NoArchive, Place, Writer},
    called::gatewright,
    context::{Context, check_outside},
    error::{CliError, chain},
    exit::ExitStatus,
    output, wiring,
    words::one_line,
};

/// What to do where a file may not grow.
const LONGER_FILES: &str = "allow longer files: `ulimit -f` shows and sets the limit, and some disks have one of their own";

/// The archive, as long as it is not whole.
const ARCHIVE: &str = "archive";

/// Write everything that is remembered into one file, also while work is under way
///
/// In it are the database, the mirrors with the commits of unfinished work, and what stands behind the verdicts.
/// Not in it are the workspaces and logs of agents: what they handed in is in the mirrors. It holds no secret that the
/// data directory does not hold, and is readable for you alone.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write: never a device, a pipe or a link
    file: Utf8PathBuf,
    /// Take the place of a regular file that is there
    #[arg(long)]
    force: bool,
    /// Leave mirrors and evidence out: unfinished work cannot go on from such a backup
    #[arg(long)]
    database_only: bool,
}

impl Backup {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let (_, data_dir) = place(context)?;
        let file = context.absolute(&self.file);
        check_outside(&data_dir, &file)
            .map_err(|why| CliError::usage(why).help("name a file elsewhere"))?;
        self.check_free(&file)?;
        let staging = Staging::begin(&file)?;
        let view = self.write(context, &data_dir, &file, &staging).await?;
        if context.global.json {
            output::json(&view);
        } else {
            print(&view);
        }
        Ok(ExitStatus::Success)
    }

    fn check_free(&self, file: &Utf8Path) -> Result<(), CliError> {
        match destination::look(file)? {
            Destination::File if !self.force => {
                Err(CliError::new(format!("{file} is there already"))
                    .help("name another file, or take its place with --force"))
            }
            Destination::File | Destination::Free => Ok(()),
        }
    }

    async fn write(
        &self,
        context: &Context,
        data_dir: &Utf8Path,
        file: &Utf8Path,
        staging: &Staging,
    ) -> Result<BackupView, CliError> {
        let database = staging.path("gatewright.db");
        store_sqlite::snapshot(data_dir, &database).map_err(|error| match error {
            NoCopy::Database(error) => error.into(),
            NoCopy::Copy(error) => of_copy(file, &error),
        })?;
        patience::ask_for(context, &database);
        let contents = store_sqlite::examine(&database)
            .map_err(|error| of_contents(data_dir, file, &database, &error))?;
        for problem in &contents.dangling {
            output::warn(format_args!("{problem}: restoring this takes --damaged"));
        }
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: Timestamp::now(),
            schema: contents.schema,
            pipelines: contents.pipelines,
            events: contents.events,
            whole: !self.database_only,
        };
        // After the database: whatever commit it names is in a mirror by then, and no mirror ever drops one.
        let (mirrors, evidence) = if self.database_only {
            (Vec::new(), Vec::new())
        } else {
            (bundles(context, data_dir, file, staging).await?, find_evidence(data_dir)?)
        };
        let written = staging.path(ARCHIVE);
        let write = || -> Result<u64, NoArchive> {
            let mut archive = Writer::begin(&written, &manifest)?;
            archive.add(&Place::Database, &database)?;
            for (key, bundle) in &mirrors {
                archive.add(&Place::Mirror(key.clone()), bundle)?;
            }
            for place in &evidence {
                archive.add(place, &data_dir.join(place.path()))?;
            }
            Ok(archive.finish()?)
        };
        let bytes = write().map_err(|error| match error {
            NoArchive::Read(part, error) => cannot("read", &part)(error),
            NoArchive::Write(error) => cannot("write", file)(error),
        })?;
        self.check_free(file)?;
        staging.hand_over(ARCHIVE, file)?;
        let Manifest { format: _, version: _, made_at, schema, pipelines, events, whole } =
            manifest;
        Ok(BackupView {
            file: file.to_string(),
            bytes,
            made_at,
            schema,
            pipelines,
            events,
            mirrors: mirrors.into_iter().map(|(key, _)| key).collect(),
            evidence_files: evidence.len(),
            whole,
        })
    }
}

/// What the file system refused, with the place.
pub(super) fn cannot<'a>(
    operation: &'a str,
    path: &'a Utf8Path,
) -> impl Fn(io::Error) -> CliError + 'a {
    move |error| {
        let full =
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let said = CliError::new(format!("could not {operation} {path}: {error}"));
        if full {
            said.help("free some space, or use another disk")
        } else if error.kind() == io::ErrorKind::FileTooLarge {
            said.help(LONGER_FILES)
        } else {
            said
        }
    }
}

/// What kept the copy of the database from being written, by the name of the file that it was to be in.
fn of_copy(file: &Utf8Path, error: &StoreError) -> CliError {
    let kind = match (error, Unusable::find_in(error)) {
        (StoreError::DiskFull { .. }, _) => io::ErrorKind::StorageFull,
        (_, Some(Unusable::Limited { .. })) => io::ErrorKind::FileTooLarge,
        _ => {
            let words = format!("could not write {file}: {}", chain(error));
            return CliError::new(words).help("name a file in another place");
        }
    };
    cannot("write", file)(kind.into())
}

/// Why the copy of the database is no good: because that is how the database is, or because of the copy's own disk.
fn of_contents(
    data_dir: &Utf8Path,
    file: &Utf8Path,
    copy: &Utf8Path,
    error: &StoreError,
) -> CliError {
    let living = data_dir.join(store_sqlite::database_file());
    if let Err(error) = store_sqlite::examine(&living) {
        return CliError::new(chain(&error)).help(format!(
            "nothing was written: `{0} doctor` says more, `{0} restore FILE --force` brings an earlier backup back",
            gatewright()
        ));
    }
    let words = chain(error).replace(copy.as_str(), "the copy of the database");
    CliError::new(format!("could not write {file}: {words}"))
        .help("the database is whole: name a file on another disk")
}

/// Every mirror as a file.
async fn bundles(
    context: &Context,
    data_dir: &Utf8Path,
    file: &Utf8Path,
    staging: &Staging,
) -> Result<Vec<(ProjectKey, Utf8PathBuf)>, CliError> {
    let git: MirrorGit = wiring::patient_git(context, data_dir).await?;
    let mut bundles = Vec::new();
    for key in git.list_mirrors().await? {
        let bundle = staging.path(&format!("{key}.bundle"));
        let packed = git.pack_mirror(&key, &bundle).await.map_err(|error| {
            // Of a mirror nothing but the bundle is written.
            let full = || cannot("write", file)(io::ErrorKind::StorageFull.into());
            if error.is_full_disk() { full() } else { error.into() }
        })?;
        if packed {
            bundles.push((key, bundle));
        }
    }
    Ok(bundles)
}

/// What stands behind verdicts, in order. Files of a gate that is still at work are not whole yet and have other names.
fn find_evidence(data_dir: &Utf8Path) -> Result<Vec<Place>, CliError> {
    let root = data_dir.join("evidence");
    let mut places = Vec::new();
    for dir in entries(&root)? {
        for file in entries(&dir)? {
            let path = file.strip_prefix(data_dir).unwrap_or(&file);
            let place = Place::parse(path.as_str()).filter(|_| file.is_file());
            places.extend(place);
        }
    }
    Ok(places)
}

/// What is in a directory, in order; nothing where there is none.
fn entries(dir: &Utf8Path) -> Result<Vec<Utf8PathBuf>, CliError> {
    let list = || -> io::Result<Vec<Utf8PathBuf>> {
        let mut paths = Vec::new();
        for entry in dir.read_dir_utf8()? {
            paths.push(entry?.into_path());
        }
        paths.sort();
        Ok(paths)
    };
    match list() {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(Vec::new())
        }
        listed => listed.map_err(cannot("read", dir)),
    }
}

fn print(view: &BackupView) {
    let BackupView { file, bytes, pipelines, events, mirrors, evidence_files, whole, .. } = view;
    let (file, mebibytes) = (one_line(file), bytes.div_ceil(1024 * 1024));
    output::data(format_args!("{file}: {pipelines} pipelines, {events} events, {mebibytes} MiB"));
    if *whole {
        let mirrors: Vec<String> = mirrors.iter().map(ToString::to_string).collect();
        output::data(format_args!(
            "  mirrors: {}; evidence: {evidence_files} files",
            if mirrors.is_empty() { "none".to_owned() } else { mirrors.join(", ") }
        ));
    } else {
        output::data("  the database only: unfinished work cannot go on from it");
    }
}
