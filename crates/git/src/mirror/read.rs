//! Reading files of a commit.

use std::collections::BTreeMap;

use domain::revision::CommitSha;
use ports::GitError;

use super::Mirror;
use crate::command::Input;

/// The beginning of a regular file, at most `max` bytes of it.
pub(crate) async fn read_file(
    mirror: &Mirror<'_>,
    commit: &CommitSha,
    path: &str,
    max: usize,
) -> Result<Option<Vec<u8>>, GitError> {
    // `ls-tree` would list the directory `a` for `a/`, and everything for an empty path.
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Ok(None);
    }
    let operation = format!("read `{path}` of {}", commit.short());
    let output = mirror
        .git(&operation)
        .args(["ls-tree", "-z", "--full-tree", commit.as_str(), "--", path])
        .run()
        .await?;
    let Some(object_id) = regular_file(&output.text()) else {
        return Ok(None);
    };
    let call = mirror.git(&operation).args(["cat-file", "blob", &object_id]).stdout_bytes_max(max);
    let output = call.output().await?;
    if !output.cut && output.code != 0 {
        return Err(GitError::Command { operation, stderr: output.short_stderr() });
    }
    Ok(Some(output.stdout))
}

/// The object id of an `ls-tree` line that is about a regular file.
fn regular_file(line: &str) -> Option<String> {
    let (about, _) = line.split_once('\t')?;
    let mut words = about.split(' ');
    let is_regular = words.next()?.starts_with("100");
    let object_id = words.nth(1)?;
    is_regular.then(|| object_id.to_owned())
}

/// The paths of all files of a commit; submodules are none.
pub(crate) async fn list_files(
    mirror: &Mirror<'_>,
    commit: &CommitSha,
) -> Result<Vec<String>, GitError> {
    let args =
        ["ls-tree", "-r", "-z", "--full-tree", "--format=%(objecttype) %(path)", commit.as_str()];
    let output =
        mirror.git(format!("list the files of {}", commit.short())).args(args).run().await?;
    let files = output.stdout.split(|&byte| byte == 0).filter_map(|it| it.strip_prefix(b"blob "));
    Ok(files.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

/// The content of objects. The caller knows that they are there and how big they are.
pub(crate) async fn read_objects(
    mirror: &Mirror<'_>,
    object_ids: &[&str],
) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    if object_ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let operation = "read objects";
    let call = mirror.git(operation).args(["cat-file", "--batch"]);
    let output = call.input(Input::Bytes(id_lines(object_ids))).run().await?;
    parse_batch(&output.stdout).ok_or_else(|| GitError::Command {
        operation: operation.to_owned(),
        stderr: "git did not print every object that it was asked for".to_owned(),
    })
}

/// One object id a line, as `cat-file --batch` wants them.
pub(crate) fn id_lines(object_ids: &[&str]) -> Vec<u8> {
    let mut lines = object_ids.join("\n").into_bytes();
    lines.push(b'\n');
    lines
}

/// `<object id> <type> <size>`, a line break, the content, a line break; again and again.
fn parse_batch(mut bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let (header, rest) = (std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]);
        let mut words = header.split(' ');
        let object_id = words.next()?;
        let size: usize = words.nth(1)?.parse().ok()?;
        found.insert(object_id.to_owned(), rest.get(..size)?.to_vec());
        bytes = rest.get(size + 1..)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_that_looks_like_a_header_stays_content() {
        let found = parse_batch(b"aa blob 10\nbb blob 1\n\ncc blob 0\n\n").expect("well formed");
        assert_eq!(found["aa"], b"bb blob 1\n");
        assert_eq!(found["cc"], b"");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn an_object_that_is_missing_is_not_taken_for_an_empty_one() {
        assert!(parse_batch(b"aa missing\n").is_none());
    }
}
