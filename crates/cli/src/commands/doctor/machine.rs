//! What the machine gives: git, isolation, a place for data.

use api::CheckView;
use camino::Utf8Path;
use config::Loaded;
use domain::limits::DISK_BYTES_MIN;
use sandbox::Probe;

use super::{missing, ok, warning};
use crate::{context::Context, error::chain, wiring};

/// Free bytes below which a warning is due: a checkout with its build easily takes as much.
const FREE_BYTES_WARN: u64 = 2 * 1024 * 1024 * 1024;

pub(super) async fn git(context: &Context) -> CheckView {
    const MEND: &str = "apt-get install git";
    let binary = match git::find_git(&context.path) {
        Ok(binary) => binary,
        Err(error) => return missing("git", chain(&error), MEND),
    };
    match git::version(&binary).await {
        Ok(version) => ok("git", format!("{binary} {version}")),
        Err(error) => missing("git", chain(&error), MEND),
    }
}

pub(super) async fn sandbox(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let probe = sandbox::probe(&wiring::sandbox_options(context)).await;
    let mend = wall_mend(probe.has_bubblewrap);
    let wall = match wiring::sandbox(context, loaded).await {
        Ok((_, selection)) => {
            let found = format!("{} {}", selection.backend, selection.version);
            match selection.warning {
                // No wall at all is worth a command; a thinner one than there could be is worth a word.
                Some(words) if selection.backend == "process" => {
                    let mend = "take `backend = \"process\"` out of [sandbox]";
                    warning("sandbox", format!("{found}: {words}"), mend)
                }
                Some(words) => {
                    warning("sandbox", format!("{found}: {words}"), "run it as an ordinary user")
                }
                None => ok("sandbox", found),
            }
        }
        Err(error) => missing("sandbox", error.to_string(), mend),
    };
    let Probe { bubblewrap, has_bubblewrap: _, user_namespaces, control_groups, landlock } = probe;
    let means = format!(
        "bubblewrap: {bubblewrap}; user namespaces: {user_namespaces}; control groups: {control_groups}; landlock: {landlock}"
    );
    vec![wall, ok("isolation", means)]
}

/// What gives a wall. One that is installed and does not work says itself why.
const fn wall_mend(has_bubblewrap: bool) -> &'static str {
    if has_bubblewrap {
        "do what is said there; for agents that you trust like yourself: `backend = \"process\"` in [sandbox]"
    } else {
        "apt-get install bubblewrap"
    }
}

pub(super) fn data_dir(context: &Context, loaded: &Loaded) -> CheckView {
    const NAME: &str = "data directory";
    let dir = context.data_dir(loaded);
    if let Err(error) = is_writable(&dir) {
        return missing(
            NAME,
            format!("{dir} cannot be written: {error}"),
            format!("mkdir -p {dir} && chmod u+rwx {dir}"),
        );
    }
    let free = match fs4::available_space(&dir) {
        Ok(free) => free,
        Err(error) => {
            return warning(
                NAME,
                format!("{dir}: its free space is unknown: {error}"),
                format!("df -h {dir}"),
            );
        }
    };
    let found = format!("{dir}, {} MiB free", free / (1024 * 1024));
    if free < DISK_BYTES_MIN {
        missing(NAME, found, "free some space, or name another --data-dir")
    } else if free < FREE_BYTES_WARN {
        warning(NAME, found, "free some space, or name another --data-dir")
    } else {
        ok(NAME, found)
    }
}

/// Makes the directory, and a file in it that is gone at once.
fn is_writable(dir: &Utf8Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    tempfile::tempfile_in(dir).map(drop)
}
