//! Commits and trees: what was written, who descends from whom, how two sides fit together.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    revision::{CommitSha, TreeSha},
    verdict::Finding,
};
use ports::{ChangeKind, GitError, PathChange};

use super::refused;

/// The files of a commit.
pub(super) type Files = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Commit {
    parents: Vec<CommitSha>,
    files: Files,
    message: String,
}

/// All commits that anybody has made, and those of them that are in a mirror of ours.
#[derive(Debug, Default)]
pub(super) struct History {
    commits: Vec<Commit>,
    trees: Vec<Files>,
    mirrored: BTreeSet<CommitSha>,
}

impl History {
    /// Makes a commit; the same arguments give the same one.
    pub(super) fn commit(
        &mut self,
        parents: &[&CommitSha],
        files: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        message: &str,
    ) -> CommitSha {
        let commit = Commit {
            parents: parents.iter().map(|&parent| parent.clone()).collect(),
            files: files.into_iter().map(|(path, text)| (path.into(), text.into())).collect(),
            message: message.to_owned(),
        };
        let known = self.commits.iter().position(|known| *known == commit);
        let number = known.unwrap_or_else(|| {
            self.commits.push(commit);
            self.commits.len() - 1
        });
        CommitSha::new(format!("c{number:039x}")).expect("a number in hexadecimal")
    }

    /// The tree of a commit in a mirror; commits with the same files have the same one.
    pub(super) fn tree(&mut self, commit: &CommitSha) -> Result<TreeSha, GitError> {
        let files = self.find(commit)?.clone();
        let known = self.trees.iter().position(|known| *known == files);
        let number = known.unwrap_or_else(|| {
            self.trees.push(files);
            self.trees.len() - 1
        });
        Ok(TreeSha::new(format!("f{number:039x}")).expect("a number in hexadecimal"))
    }

    /// Brings a commit and all that it descends from into the mirror.
    pub(super) fn mirror(&mut self, commit: &CommitSha) {
        self.mirrored.extend(self.ancestors(commit));
    }

    /// The files of a commit in a mirror.
    pub(super) fn find(&self, commit: &CommitSha) -> Result<&Files, GitError> {
        if !self.mirrored.contains(commit) {
            return Err(refused("read a commit", format!("the mirror has no {commit}")));
        }
        Ok(self.files(commit))
    }

    /// The files of a commit, wherever it is.
    pub(super) fn files(&self, commit: &CommitSha) -> &Files {
        &self.get(commit).files
    }

    /// The first lines of the messages of commits and of all that they descend from, the newest first.
    pub(super) fn subjects(&self, heads: &[CommitSha]) -> impl Iterator<Item = String> {
        let all: BTreeSet<CommitSha> = heads.iter().flat_map(|it| self.ancestors(it)).collect();
        let messages = all.into_iter().rev().map(|it| self.message(&it).to_owned());
        messages.filter_map(|message| message.lines().next().map(str::to_owned))
    }

    /// Merges among the newest `max` commits that a branch was moved to whose messages have that line, the newest first.
    pub(super) fn merges(&self, head: &CommitSha, line: &str, max: usize) -> Vec<CommitSha> {
        let first_parents = std::iter::successors(Some(head), |it| self.get(it).parents.first());
        let is_meant = |id: &&CommitSha| {
            let commit = self.get(id);
            commit.parents.len() > 1 && commit.message.lines().any(|it| it == line)
        };
        first_parents.take(max).filter(is_meant).cloned().collect()
    }

    pub(super) fn message(&self, commit: &CommitSha) -> &str {
        &self.get(commit).message
    }

    pub(super) fn is_mirrored(&self, commit: &CommitSha) -> bool {
        self.mirrored.contains(commit)
    }

    pub(super) fn keeps(&self, path: &str, content: &str) -> bool {
        let mut mirrored = self.mirrored.iter().map(|commit| self.files(commit));
        mirrored.any(|files| files.get(path).is_some_and(|text| text == content))
    }

    /// Whether `newer` holds `older`.
    pub(super) fn descends(&self, newer: &CommitSha, older: &CommitSha) -> bool {
        self.ancestors(newer).contains(older)
    }

    /// What differs between two commits.
    pub(super) fn changes(&self, from: &CommitSha, to: &CommitSha) -> Vec<PathChange> {
        let (from, to) = (self.files(from), self.files(to));
        let paths: BTreeSet<_> = from.keys().chain(to.keys()).collect();
        let kind = |path| match (from.get(path), to.get(path)) {
            (None, _) => Some(ChangeKind::Added),
            (_, None) => Some(ChangeKind::Deleted),
            (old, new) => (old != new).then_some(ChangeKind::Modified),
        };
        let changes = paths.into_iter().filter_map(|path| Some((path.clone(), kind(path)?)));
        changes.map(|(path, kind)| PathChange { path, kind }).collect()
    }

    /// The files of two commits as one, or where they contradict each other.
    pub(super) fn merge(
        &self,
        ours: &CommitSha,
        theirs: &CommitSha,
    ) -> Result<Files, Vec<Finding>> {
        let common = self.ancestors(theirs).intersection(&self.ancestors(ours)).max().cloned();
        let empty = Files::new();
        let base = common.as_ref().map_or(&empty, |common| self.files(common));
        let mut merged = self.files(ours).clone();
        let mut conflicts = Vec::new();
        let theirs = self.files(theirs);
        let paths: BTreeSet<_> = base.keys().chain(theirs.keys()).cloned().collect();
        for path in paths {
            let (old, new) = (base.get(&path), theirs.get(&path));
            if old == new || merged.get(&path) == new {
                continue;
            }
            if merged.get(&path) != old {
                conflicts.push(Finding::blocking("both sides changed it").at(&path));
            } else if let Some(text) = new {
                merged.insert(path, text.clone());
            } else {
                merged.remove(&path);
            }
        }
        if conflicts.is_empty() { Ok(merged) } else { Err(conflicts) }
    }

    /// A commit and all that it descends from. Numbers rise from parent to child.
    fn ancestors(&self, commit: &CommitSha) -> BTreeSet<CommitSha> {
        let mut found = BTreeSet::new();
        let mut open = vec![commit.clone()];
        while let Some(commit) = open.pop() {
            // A merge has two ways back to the same commits: each is looked at once.
            if found.insert(commit.clone()) {
                open.extend(self.get(&commit).parents.iter().cloned());
            }
        }
        found
    }

    fn get(&self, commit: &CommitSha) -> &Commit {
        let number = usize::from_str_radix(&commit.as_str()[1..], 16).expect("a commit of ours");
        &self.commits[number]
    }
}
