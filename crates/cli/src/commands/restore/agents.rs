//! Nothing of the time line that a restore leaves may reach into the one that it begins.

use std::{fs, io, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use domain::failure::{Failure, FailureClass};
use jiff::Timestamp;
use ports::{Sandbox, SandboxError, SandboxStatus};
use sandbox::Backend;

use crate::{
    commands::backup::cannot,
    context::{Context, open_for_writing},
    error::{CliError, chain},
    holder::HoldingCommand,
    output, wiring,
};

/// Where sandboxes are: `runs/RUN/agent` and those of its steps, `gates/JOB/sandbox`. Beside these are directories that
/// others fill, a checkout and a home: what lies there is nobody's record.
const PLACES: [(&str, &[&str]); 2] =
    [("runs", &["prepare", "install", "agent", "hand-in"]), ("gates", &["sandbox"])];
/// Far more than the grace that an agent has and the kill after it take.
const END_WITHIN: Duration = Duration::from_mins(2);

/// Stops every agent and command that a process which is gone has left at work in a directory, as cancelling their
/// pipelines would. Says how many there were. The caller has the directory, so that nobody starts another.
///
/// A record that nobody can read does not keep a backup from being brought back: that is what the backup is for.
pub(super) async fn stop_all(context: &Context, data_dir: &Utf8Path) -> Result<usize, CliError> {
    let places = find_places(data_dir).map_err(cannot("read", data_dir))?;
    if places.is_empty() {
        return Ok(0);
    }
    // Whatever stands around them, they are stopped through their shims.
    let options = wiring::sandbox_options(context);
    let (sandbox, _) = sandbox::select(Backend::Process, options).await?;
    let (mut running, mut unreadable) = (Vec::new(), Vec::new());
    for place in places {
        match stop(sandbox.as_ref(), &place).await {
            Ok(true) => running.push(place),
            Ok(false) => {}
            Err(error) => match sandbox::is_alive(&place) {
                Ok(true) => return Err(cannot_stop(&place, &error)),
                // The error that is told says more.
                Ok(false) | Err(_) => unreadable.push(chain(&error)),
            },
        }
    }
    if let Some(first) = unreadable.first() {
        output::warn(format_args!(
            "{} sandboxes could not be looked at, and nothing is seen to be at work in them: {first}",
            unreadable.len()
        ));
    }
    for place in &running {
        wait_for_end(sandbox.as_ref(), place).await?;
    }
    Ok(running.len())
}

/// Asks what is at work in a sandbox to end. Says whether anything was.
async fn stop(sandbox: &dyn Sandbox, place: &Utf8Path) -> Result<bool, SandboxError> {
    let is_running = sandbox.status(place).await? == SandboxStatus::Running;
    if is_running {
        sandbox.stop(place).await?;
    }
    Ok(is_running)
}

fn cannot_stop(place: &Utf8Path, error: &SandboxError) -> CliError {
    CliError::new(format!("what works in {place} cannot be stopped: {}", chain(error)))
        .help("end it yourself, and restore again; nothing was restored")
}

async fn wait_for_end(sandbox: &dyn Sandbox, place: &Utf8Path) -> Result<(), CliError> {
    match tokio::time::timeout(END_WITHIN, sandbox.wait(place)).await {
        Ok(ended) => Ok(ended.map(drop)?),
        Err(_) => {
            Err(CliError::new(format!("what works in {place} does not end: nothing was restored"))
                .help("end it yourself, and restore again"))
        }
    }
}

/// Every directory that is a sandbox.
fn find_places(data_dir: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for (place, names) in PLACES {
        for owner in directories(&data_dir.join(place))? {
            let ours = |dir: &Utf8PathBuf| dir.file_name().is_some_and(|it| names.contains(&it));
            found.extend(directories(&owner)?.into_iter().filter(ours));
        }
    }
    Ok(found)
}

/// The directories in a directory, in order; none where there is no such directory.
fn directories(dir: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A name that is no text is none of ours.
        if let (true, Ok(path)) =
            (entry.file_type()?.is_dir(), Utf8PathBuf::from_path_buf(entry.path()))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Ends the runs that had not ended when the backup was made: their agents are not in it, and whoever takes up their jobs
/// must not meet one of them under the same name.
pub(super) async fn end_runs(context: &Context, data_dir: &Utf8Path) -> Result<(), CliError> {
    let store = open_for_writing(context, data_dir, HoldingCommand::Restore).await?;
    let failure = Failure::new(
        FailureClass::Lost,
        "the data directory was restored: its agent belongs to the one from before",
    );
    Ok(store.end_all_runs(Timestamp::now(), failure).await?)
}
