//! Nothing of the time line that a restore leaves may reach into the one that it begins.

use std::{fs, io, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use domain::failure::{Failure, FailureClass};
use jiff::Timestamp;
use ports::{Sandbox, SandboxStatus};
use sandbox::Backend;

use crate::{
    commands::backup::cannot,
    context::{Context, open_for_writing},
    error::CliError,
    wiring,
};

/// Where sandboxes are: `runs/RUN/agent`, `gates/JOB/sandbox`, and others beside these.
const PLACES: [&str; 2] = ["runs", "gates"];
/// Far more than the grace that an agent has and the kill after it take.
const END_WITHIN: Duration = Duration::from_mins(2);

/// Stops every agent and command that a process which is gone has left at work in a directory, as cancelling their
/// pipelines would. Says how many there were. The caller has the directory, so that nobody starts another.
pub(super) async fn stop_all(context: &Context, data_dir: &Utf8Path) -> Result<usize, CliError> {
    let places = find_places(data_dir).map_err(cannot("read", data_dir))?;
    if places.is_empty() {
        return Ok(0);
    }
    // Whatever stands around them, they are stopped through their shims.
    let options = wiring::sandbox_options(context);
    let (sandbox, _) = sandbox::select(Backend::Process, options).await?;
    let mut running = Vec::new();
    for place in places {
        if sandbox.status(&place).await? == SandboxStatus::Running {
            sandbox.stop(&place).await?;
            running.push(place);
        }
    }
    for place in &running {
        wait_for_end(sandbox.as_ref(), place).await?;
    }
    Ok(running.len())
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

/// Every directory that may be a sandbox.
fn find_places(data_dir: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for place in PLACES {
        for owner in directories(&data_dir.join(place))? {
            found.extend(directories(&owner)?);
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
    let store = open_for_writing(context, data_dir, "restore").await?;
    let failure = Failure::new(
        FailureClass::Lost,
        "the data directory was restored: its agent belongs to the one from before",
    );
    Ok(store.end_all_runs(Timestamp::now(), failure).await?)
}
