//! Telling an agent what does not fit together: the hunks, word for word.

use std::collections::BTreeMap;

use domain::{revision::CommitSha, verdict::Finding};
use ports::{Conflict, GitError};

use super::tree::ConflictingTree;
use crate::{
    findings::{FINDINGS_MAX, Findings},
    mirror::{Mirror, read_objects},
};

/// Bytes of hunks that are shown of one file.
const HUNK_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a file in which hunks are looked for.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// One side of a merge, and what to call it in place of its object id.
pub(super) type Side<'a> = (&'a CommitSha, &'a str);

/// One finding a file.
pub(super) async fn describe(
    mirror: &Mirror<'_>,
    found: &ConflictingTree,
    ours: Side<'_>,
    theirs: Side<'_>,
) -> Result<Conflict, GitError> {
    let shown: Vec<&str> = found.messages.keys().take(FINDINGS_MAX).map(String::as_str).collect();
    let files = load(mirror, found, &shown).await?;
    let named =
        |text: String| text.replace(ours.0.as_str(), ours.1).replace(theirs.0.as_str(), theirs.1);
    let mut findings = Findings::default();
    for (path, messages) in &found.messages {
        let hunks = files.get(path.as_str()).map(|content| hunks(content)).unwrap_or_default();
        let mut message = format!("`{path}` is in conflict: {} against {}", theirs.1, ours.1);
        for line in messages {
            message = format!("{message}\n{}", named(line.clone()));
        }
        if !hunks.is_empty() {
            message = format!("{message}\n{}", named(hunks));
        }
        findings.push(Finding {
            rule: Some("conflict".to_owned()),
            ..Finding::blocking(message).at(path)
        });
    }
    Ok(Conflict { findings: findings.into_list() })
}

/// The merged files, where they are small enough to look into.
async fn load(
    mirror: &Mirror<'_>,
    found: &ConflictingTree,
    paths: &[&str],
) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    let args = ["ls-tree", "-r", "-l", "-z", "--full-tree", found.tree.as_str(), "--"];
    let output = mirror.git("read a conflict").args(args).args(paths).run().await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let objects: BTreeMap<&str, &str> = text.split('\0').filter_map(small_file).collect();
    let ids: Vec<&str> = objects.values().copied().collect();
    let contents = read_objects(mirror, &ids).await?;
    let with_content =
        |(path, id): (&&str, &&str)| Some(((*path).to_owned(), contents.get(*id)?.clone()));
    Ok(objects.iter().filter_map(with_content).collect())
}

/// Path and object of an `ls-tree -l` line about a regular file that is not too large.
fn small_file(line: &str) -> Option<(&str, &str)> {
    let (about, path) = line.split_once('\t')?;
    let words: Vec<&str> = about.split_whitespace().collect();
    let [mode, "blob", object_id, size] = words.as_slice() else { return None };
    let is_small = size.parse::<u64>().ok()? <= FILE_BYTES_MAX;
    (mode.starts_with("100") && is_small).then_some((path, *object_id))
}

/// Everything between conflict markers, with the line number of each hunk.
fn hunks(content: &[u8]) -> String {
    let content = String::from_utf8_lossy(content);
    let mut hunks = String::new();
    let mut inside = false;
    for (number, line) in (1..).zip(content.lines()) {
        if line.starts_with("<<<<<<< ") {
            inside = true;
            hunks = format!("{hunks}line {number}:\n");
        }
        if inside {
            hunks += line;
            hunks.push('\n');
        }
        if line.starts_with(">>>>>>> ") {
            inside = false;
        }
        if hunks.len() > HUNK_BYTES_MAX {
            hunks.truncate(hunks.floor_char_boundary(HUNK_BYTES_MAX));
            hunks += "\n[… more]";
            break;
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_markers_is_shown() {
        let file = b"a\n<<<<<<< one\nb\n=======\nc\n>>>>>>> two\nd\n<<<<<<< one\ne\n=======\n>>>>>>> two\n";
        let expected = "line 2:\n<<<<<<< one\nb\n=======\nc\n>>>>>>> two\n\
                        line 8:\n<<<<<<< one\ne\n=======\n>>>>>>> two\n";
        assert_eq!(hunks(file), expected);
    }

    #[test]
    fn a_hunk_without_end_is_cut() {
        let file = format!("<<<<<<< one\n{}", "é".repeat(100_000));
        assert!(hunks(file.as_bytes()).len() < HUNK_BYTES_MAX + 20);
    }
}
