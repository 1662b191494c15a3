//! Workspaces: clones that belong to agents.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use domain::{revision::CommitSha, verdict::Finding};
use ports::{GitError, HandIn, HandInRequest, Workspace, WorkspaceSpec};

use super::{
    history::{Files, History},
    refused,
};

/// The command that puts a workspace onto a commit: `gw-prepare COMMIT`.
pub(super) const PREPARE: &str = "gw-prepare";
/// The command that commits what is left and packs it: `gw-hand-in MESSAGE`.
pub(super) const HAND_IN: &str = "gw-hand-in";

/// One of them, by the path of its clone.
#[derive(Debug)]
pub(super) struct Checkout {
    pub(super) files: Files,
    head: CommitSha,
    outbox: Option<CommitSha>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Workspaces(BTreeMap<Utf8PathBuf, Checkout>);

impl Workspaces {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn find(&self, repository: &Utf8Path) -> Option<&Checkout> {
        self.0.get(repository)
    }

    /// Writes a file of one. What is wrong where it is not there any more.
    pub(super) fn write(
        &mut self,
        repository: &Utf8Path,
        path: &str,
        content: &str,
    ) -> Result<(), String> {
        let gone = || format!("{repository} was taken away from an agent at work");
        let clone = self.0.get_mut(repository).ok_or_else(gone)?;
        clone.files.insert(path.to_owned(), content.to_owned());
        Ok(())
    }

    /// Opens one; one that is there is kept as it is.
    pub(super) fn open(
        &mut self,
        history: &History,
        spec: &WorkspaceSpec,
    ) -> Result<Workspace, GitError> {
        let files = history.find(&spec.head)?.clone();
        let repository = spec.dir.join("repository");
        let reused = self.0.contains_key(&repository);
        let fresh = Checkout { files, head: spec.head.clone(), outbox: None };
        self.0.entry(repository.clone()).or_insert(fresh);
        Ok(Workspace {
            repository,
            outbox: spec.dir.join("outbox"),
            home: spec.dir.join("home"),
            borrowed_objects: "/mirror/objects".into(),
            reused,
        })
    }

    /// Runs one of our commands in a workspace. What it says where it fails is for the log.
    pub(super) fn run(
        &mut self,
        history: &mut History,
        repository: &Utf8Path,
        argv: &[String],
    ) -> Result<(), String> {
        let clone = self.0.get_mut(repository).ok_or("the workspace is gone")?;
        let [command, argument] = argv else { return Err(format!("usage: {argv:?}")) };
        match command.as_str() {
            PREPARE => {
                clone.head = CommitSha::new(argument).map_err(|error| error.to_string())?;
                let files = history.find(&clone.head).map_err(|error| error.to_string())?;
                clone.files = files.clone();
                clone.outbox = None;
            }
            HAND_IN => {
                if clone.files != *history.files(&clone.head) {
                    clone.head = history.commit(&[&clone.head], clone.files.clone(), argument);
                }
                clone.outbox = Some(clone.head.clone());
            }
            _ => return Err(format!("there is no command `{command}`")),
        }
        Ok(())
    }

    /// Takes what is in the outbox over, if it keeps to the rules. Either way the mirror keeps it.
    pub(super) fn collect(
        &self,
        history: &mut History,
        request: &HandInRequest,
    ) -> Result<HandIn, GitError> {
        let clone = self.0.get(&request.workspace.repository);
        let head = clone.and_then(|clone| clone.outbox.clone());
        let head = head.ok_or_else(|| refused("collect", "the outbox is empty"))?;
        history.find(&request.start)?;
        history.mirror(&head);
        let changed = history.changes(&request.start, &head);
        if changed.is_empty() {
            return Ok(HandIn::Nothing { findings: Vec::new() });
        }
        let denied = changed.iter().filter(|change| !request.rules.allows(&change.path));
        let mut findings: Vec<_> = denied
            .map(|change| Finding::blocking("this path is not for the agent").at(&change.path))
            .collect();
        if !history.descends(&head, &request.start) {
            findings.push(Finding::blocking("the history was rewritten"));
        }
        if !findings.is_empty() {
            return Ok(HandIn::Refused { findings });
        }
        Ok(HandIn::Accepted { head, changed })
    }

    /// Work below a directory that no mirror keeps, in words.
    pub(super) fn not_kept(&self, history: &History, dir: &Utf8Path) -> Option<String> {
        let lost = |clone: &Checkout| {
            clone.files != *history.files(&clone.head) || !history.is_mirrored(&clone.head)
        };
        let mut below = self.0.iter().filter(|(repository, _)| repository.starts_with(dir));
        let (repository, _) = below.find(|(_, clone)| lost(clone))?;
        Some(format!("work in {repository} was thrown away"))
    }

    /// The names of the directories in `dir` that have any below them.
    pub(super) fn names(&self, dir: &Utf8Path) -> Vec<String> {
        let below = self.0.keys().filter_map(|repository| repository.strip_prefix(dir).ok());
        let names = below.filter_map(|path| path.components().next());
        let names: BTreeSet<String> = names.map(|name| name.to_string()).collect();
        names.into_iter().collect()
    }

    /// Where they are.
    pub(super) fn dirs(&self) -> Vec<Utf8PathBuf> {
        self.0.keys().cloned().collect()
    }

    /// Removes those below a directory.
    pub(super) fn remove(&mut self, dir: &Utf8Path) {
        self.0.retain(|repository, _| !repository.starts_with(dir));
    }
}
