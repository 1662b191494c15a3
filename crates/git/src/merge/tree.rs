//! Merging trees without a work tree.

use std::collections::BTreeMap;

use domain::revision::{CommitSha, TreeSha};
use ports::GitError;

use crate::{mirror::Mirror, revisions};

/// What came of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MergedTree {
    /// Both sides fit together.
    Clean(TreeSha),
    /// They do not.
    Conflicting(ConflictingTree),
}

/// A tree with conflict markers in its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConflictingTree {
    /// The tree.
    pub(super) tree: TreeSha,
    /// What git says about each path that is in conflict.
    pub(super) messages: BTreeMap<String, Vec<String>>,
}

/// Merges `theirs` into `ours`. With `base`, only what changed between it and `theirs` is taken.
pub(super) async fn merge_trees(
    mirror: &Mirror<'_>,
    base: Option<&CommitSha>,
    ours: &CommitSha,
    theirs: &CommitSha,
) -> Result<MergedTree, GitError> {
    let operation = format!("merge {} into {}", theirs.short(), ours.short());
    let call = mirror.git(&operation).args(["merge-tree", "--write-tree", "-z"]);
    let call = call.args(base.map(|base| format!("--merge-base={base}")));
    let output = call.args([ours.as_str(), theirs.as_str()]).output().await?;
    let unexpected = |stderr: String| GitError::Command { operation: operation.clone(), stderr };
    if !matches!(output.code, 0 | 1) {
        return Err(unexpected(output.short_stderr()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let (tree, rest) = text.split_once('\0').unwrap_or((&text, ""));
    let tree = revisions::tree(&operation, tree)?;
    if output.code == 0 {
        return Ok(MergedTree::Clean(tree));
    }
    let messages = parse(rest)
        .ok_or_else(|| unexpected("git printed something else than conflicts".to_owned()))?;
    Ok(MergedTree::Conflicting(ConflictingTree { tree, messages }))
}

/// `<mode> <object> <stage>`, tab, path, NUL; again and again, then an empty field. Then messages: the number of
/// paths, the paths, the kind and the text, each with a NUL.
fn parse(text: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let mut fields = text.split('\0');
    let mut messages: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(entry) = fields.next().filter(|it| !it.is_empty()) {
        let (_, path) = entry.split_once('\t')?;
        messages.entry(path.to_owned()).or_default();
    }
    while let Some(count) = fields.next().filter(|it| !it.is_empty()) {
        let paths: Vec<&str> = fields.by_ref().take(count.parse().ok()?).collect();
        let (_kind, message) = (fields.next()?, fields.next()?);
        if message.starts_with("CONFLICT") {
            for path in paths {
                // A message may name a path that no longer is one, such as the old name of a renamed directory.
                messages.entry(path.to_owned()).or_default().push(message.trim_end().to_owned());
            }
        }
    }
    Some(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_in_conflict_gets_the_messages_about_it() {
        let text = "100644 aa 1\tf\n1\u{0}100644 bb 2\tf\n1\u{0}100644 cc 1\tg\u{0}\u{0}\
                    1\u{0}f\n1\u{0}Auto-merging\u{0}Auto-merging f\n\u{0}\
                    1\u{0}f\n1\u{0}CONFLICT (contents)\u{0}CONFLICT (content): here\n\u{0}";
        let messages = parse(text).expect("conflicts");
        assert_eq!(messages["f\n1"], ["CONFLICT (content): here"]);
        assert_eq!(messages["g"], Vec::<String>::new());
    }
}
