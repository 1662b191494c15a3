//! The demo's directory, and the demo's questions.

use std::{
    fs,
    io::{self, BufRead as _, Write as _},
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use domain::decision::Choice;

use crate::{error::CliError, output, words};

const PREFIX: &str = "gatewright-demo-";
/// In a directory that a later demo may remove.
const DISPOSABLE: &str = ".disposable";
/// A demo that ended long ago: nobody looks at it any more.
const LONG_AGO: Duration = Duration::from_hours(1);

/// Makes a new directory for a demo, and removes those of demos of long ago.
pub(super) fn make(keep: bool) -> Result<Utf8PathBuf, CliError> {
    let base = std::env::temp_dir();
    let base = Utf8PathBuf::from_path_buf(base)
        .map_err(|_| CliError::new("the temporary directory is not valid UTF-8"))?;
    let base = base.canonicalize_utf8().map_err(|error| {
        CliError::new(format!("the temporary directory {base} cannot be used: {error}"))
    })?;
    remove_old(&base);
    let name = format!("{PREFIX}{:08x}", rand::random::<u32>());
    let dir = base.join(name);
    let failed = |error: io::Error| CliError::new(format!("could not make {dir}: {error}"));
    fs::create_dir(&dir).map_err(failed)?;
    if !keep {
        fs::write(dir.join(DISPOSABLE), "A later `gatewright demo` removes this directory.\n")
            .map_err(failed)?;
    }
    Ok(dir)
}

/// What cannot be removed stays: it may be somebody else's.
fn remove_old(base: &Utf8Path) {
    let Ok(entries) = base.read_dir_utf8() else { return };
    for entry in
        entries.filter_map(Result::ok).filter(|entry| entry.file_name().starts_with(PREFIX))
    {
        let mark = entry.path().join(DISPOSABLE);
        let age = mark
            .symlink_metadata()
            .ok()
            .filter(fs::Metadata::is_file)
            .and_then(|it| it.modified().ok());
        let age = age.and_then(|modified| SystemTime::now().duration_since(modified).ok());
        if age.is_some_and(|age| age > LONG_AGO) {
            let _in_use = fs::remove_dir_all(entry.path());
        }
    }
}

/// Asks on the terminal. `None` where nobody answers.
pub(super) fn ask(question: &str) -> Result<Option<(Choice, String)>, CliError> {
    let failed = |error: io::Error| CliError::new(format!("no answer can be read: {error}"));
    output::say(words::safe(question));
    loop {
        write!(io::stderr(), "approve? [y/n] ")
            .and_then(|()| io::stderr().flush())
            .map_err(failed)?;
        let Some(answer) = read_line().map_err(failed)? else { return Ok(None) };
        match answer.to_lowercase().as_str() {
            "y" | "yes" => return Ok(Some((Choice::Approve, String::new()))),
            "n" | "no" => {}
            _ => continue,
        }
        write!(io::stderr(), "why? ").and_then(|()| io::stderr().flush()).map_err(failed)?;
        match read_line().map_err(failed)? {
            Some(reason) if !reason.is_empty() => return Ok(Some((Choice::Reject, reason))),
            Some(_) => output::say("A rejection needs a reason: the agent reads it."),
            None => return Ok(None),
        }
    }
}

fn read_line() -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}
