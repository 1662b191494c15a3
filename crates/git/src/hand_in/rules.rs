//! What an agent may hand in.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    limits::{HAND_IN_BYTES_MAX, HAND_IN_FILE_BYTES_MAX},
    path_rules::PathMatcher,
    verdict::Finding,
};

use super::links::stays_inside;
use crate::{
    findings::Findings,
    mirror::{Entry, RawChange},
};

/// Bytes of a link's target; no system takes a longer one.
pub(super) const LINK_BYTES_MAX: u64 = 4096;
/// A pointer to a large file is smaller than this, or it is none.
pub(super) const POINTER_BYTES_MAX: u64 = 1024;
/// How such a pointer begins.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The objects of a hand-in.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    /// Their sizes.
    pub(super) sizes: BTreeMap<String, u64>,
    /// The content of those that are small enough to be a link or a pointer.
    pub(super) contents: BTreeMap<String, Vec<u8>>,
}

/// Checks everything that differs between the start and the head.
///
/// The whole difference is checked, not that of each commit: what is reviewed, tested and merged is the tree, and an
/// agent that takes a forbidden change back in a later commit has done what a finding would ask of it.
pub(super) fn check(changes: &[RawChange], objects: &Objects, rules: &PathMatcher) -> Findings {
    let mut findings = Findings::default();
    let before: BTreeSet<&str> = changes.iter().map(|it| it.old_object.as_str()).collect();
    let mut total = 0;
    for change in changes {
        let path = change.path.as_str();
        if !rules.allows(path) {
            findings.push(finding(
                path,
                "paths",
                format!("`{path}` may not be changed in this role"),
            ));
            continue;
        }
        if change.new == Entry::Submodule && change.old != Entry::Submodule {
            findings.push(finding(
                path,
                "submodule",
                format!("`{path}` is a new submodule; add its files instead"),
            ));
        }
        if path.eq_ignore_ascii_case(".gitmodules") && change.new != Entry::Absent {
            findings.push(finding(path, "submodule", "submodules may not be declared".to_owned()));
        }
        let size = objects.sizes.get(&change.new_object).copied().unwrap_or(0);
        total += size;
        let content = objects.contents.get(&change.new_object);
        match change.new {
            Entry::Absent | Entry::Submodule => {}
            Entry::Link => {
                if !content.is_some_and(|target| stays_inside(path, target)) {
                    let message =
                        format!("`{path}` is a symbolic link that may lead out of the repository");
                    findings.push(finding(path, "symlink", message));
                }
            }
            Entry::File => {
                if size > HAND_IN_FILE_BYTES_MAX {
                    let message = format!(
                        "`{path}` has {size} bytes; a file may have {HAND_IN_FILE_BYTES_MAX}"
                    );
                    findings.push(finding(path, "size", message));
                }
                // The same pointer elsewhere before: a file that was moved.
                let is_pointer = content.is_some_and(|it| it.starts_with(POINTER));
                if is_pointer && !before.contains(change.new_object.as_str()) {
                    let message =
                        format!("`{path}` is a pointer to a large file that nobody has seen");
                    findings.push(finding(path, "large_file", message));
                }
            }
        }
    }
    if total > HAND_IN_BYTES_MAX {
        let message = format!(
            "all changed files together have {total} bytes; at most {HAND_IN_BYTES_MAX} are taken"
        );
        findings.push(Finding { rule: Some("size".to_owned()), ..Finding::blocking(message) });
    }
    findings
}

fn finding(path: &str, rule: &str, message: String) -> Finding {
    Finding { rule: Some(rule.to_owned()), ..Finding::blocking(message).at(path) }
}

#[cfg(test)]
mod tests {
    use domain::path_rules::PathRules;

    use super::*;

    const OBJECT: &str = "aa";

    fn added(path: &str, new: Entry) -> RawChange {
        RawChange {
            path: path.to_owned(),
            old: Entry::Absent,
            new,
            old_object: "00".to_owned(),
            new_object: OBJECT.to_owned(),
        }
    }

    fn messages(changes: &[RawChange], size: u64, content: &[u8]) -> Vec<String> {
        let objects = Objects {
            sizes: BTreeMap::from([(OBJECT.to_owned(), size)]),
            contents: BTreeMap::from([(OBJECT.to_owned(), content.to_vec())]),
        };
        let rules = PathRules { write: Vec::new(), deny: vec!["ci/**".to_owned()] }
            .compile()
            .expect("patterns");
        check(changes, &objects, &rules).into_list().into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn the_first_twenty_forbidden_paths_are_told() {
        let changes: Vec<RawChange> =
            (0..25).map(|n| added(&format!("ci/{n}"), Entry::File)).collect();
        let messages = messages(&changes, 1, b"");
        assert_eq!(messages.len(), 21);
        assert_eq!(messages[0], "`ci/0` may not be changed in this role");
        assert_eq!(messages[20], "and 5 more");
    }

    #[test]
    fn a_file_or_a_hand_in_that_is_too_large_is_told() {
        let limit = HAND_IN_FILE_BYTES_MAX;
        assert_eq!(messages(&[added("a", Entry::File)], limit, b"").len(), 0);
        assert_eq!(messages(&[added("a", Entry::File)], limit + 1, b"").len(), 1);
        let many: Vec<RawChange> = (0..11).map(|n| added(&format!("f{n}"), Entry::File)).collect();
        assert!(messages(&many, limit, b"")[0].starts_with("all changed files together"));
    }

    #[test]
    fn a_pointer_to_a_large_file_is_told_unless_it_was_moved() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        assert_eq!(messages(&[added("a", Entry::File)], 70, pointer).len(), 1);
        let gone = RawChange {
            path: "b".to_owned(),
            old: Entry::File,
            new: Entry::Absent,
            old_object: OBJECT.to_owned(),
            new_object: "00".to_owned(),
        };
        assert_eq!(messages(&[added("a", Entry::File), gone], 70, pointer).len(), 0);
    }

    #[test]
    fn a_link_whose_target_was_too_long_to_read_is_told() {
        let objects = Objects::default();
        let rules = PathRules::default().compile().expect("patterns");
        assert!(!check(&[added("a", Entry::Link)], &objects, &rules).is_empty());
    }
}
