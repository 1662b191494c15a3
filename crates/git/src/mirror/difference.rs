//! What differs between two commits.

use domain::revision::CommitSha;
use ports::{ChangeKind, GitError, PathChange};

use super::Mirror;

/// Mode of a symbolic link.
const LINK: &str = "120000";
/// Mode of a submodule.
const SUBMODULE: &str = "160000";

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Nothing.
    Absent,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// A path that differs, with what stands there before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawChange {
    /// The path. Bytes that are not UTF-8 are replaced: enough to show it and to match it.
    pub(crate) path: String,
    /// What stood there.
    pub(crate) old: Entry,
    /// What stands there now.
    pub(crate) new: Entry,
    /// The object that stood there.
    pub(crate) old_object: String,
    /// The object that stands there now.
    pub(crate) new_object: String,
}

impl RawChange {
    /// What happened, for the engine.
    pub(crate) fn to_path_change(&self) -> PathChange {
        let kind = match (self.old, self.new) {
            (Entry::Absent, _) => ChangeKind::Added,
            (_, Entry::Absent) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        };
        PathChange { path: self.path.clone(), kind }
    }
}

/// What differs between two commits, for the engine.
pub(crate) async fn list_changes(
    mirror: &Mirror<'_>,
    from: &CommitSha,
    to: &CommitSha,
) -> Result<Vec<PathChange>, GitError> {
    Ok(list_raw_changes(mirror, from, to).await?.iter().map(RawChange::to_path_change).collect())
}

/// What differs between two commits, with modes and objects.
pub(crate) async fn list_raw_changes(
    mirror: &Mirror<'_>,
    from: &CommitSha,
    to: &CommitSha,
) -> Result<Vec<RawChange>, GitError> {
    let operation = format!("compare {} with {}", from.short(), to.short());
    let args = [
        "diff-tree",
        "-r",
        "-z",
        "--raw",
        "--no-abbrev",
        "--no-renames",
        from.as_str(),
        to.as_str(),
    ];
    let output = mirror.git(&operation).args(args).run().await?;
    parse(&output.stdout).ok_or_else(|| GitError::Command {
        operation,
        stderr: "git printed something else than a list of changes".to_owned(),
    })
}

/// `:<mode> <mode> <object> <object> <letter>`, NUL, the path, NUL; again and again.
fn parse(bytes: &[u8]) -> Option<Vec<RawChange>> {
    let mut fields = bytes.split(|&byte| byte == 0);
    let mut changes = Vec::new();
    while let Some(about) = fields.next().filter(|it| !it.is_empty()) {
        let mut words = std::str::from_utf8(about).ok()?.strip_prefix(':')?.split(' ');
        let (old, new) = (entry(words.next()?), entry(words.next()?));
        let (old_object, new_object) = (words.next()?.to_owned(), words.next()?.to_owned());
        let path = String::from_utf8_lossy(fields.next()?).into_owned();
        changes.push(RawChange { path, old, new, old_object, new_object });
    }
    Some(changes)
}

fn entry(mode: &str) -> Entry {
    match mode {
        "000000" => Entry::Absent,
        LINK => Entry::Link,
        SUBMODULE => Entry::Submodule,
        _ => Entry::File,
    }
}

/// The unified diff, cut after the last whole line that fits.
pub(crate) async fn diff(
    mirror: &Mirror<'_>,
    from: &CommitSha,
    to: &CommitSha,
    max: usize,
) -> Result<String, GitError> {
    let operation = format!("compare {} with {}", from.short(), to.short());
    let args = [
        "diff-tree",
        "-r",
        "-p",
        "-M",
        "--no-ext-diff",
        "--no-textconv",
        from.as_str(),
        to.as_str(),
    ];
    let output = mirror.git(&operation).args(args).stdout_bytes_max(max).output().await?;
    if !output.cut && output.code != 0 {
        return Err(GitError::Command { operation, stderr: output.short_stderr() });
    }
    let whole = match output.stdout.iter().rposition(|&byte| byte == b'\n') {
        Some(last) if output.cut => &output.stdout[..=last],
        _ => &output.stdout,
    };
    // Replacing a broken byte makes it longer.
    let mut text = String::from_utf8_lossy(whole).into_owned();
    text.truncate(text.floor_char_boundary(max));
    Ok(text)
}
