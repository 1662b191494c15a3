//! From the outbox to an answer.

use std::fs::File;

use domain::{
    revision::{BranchName, CommitSha},
    verdict::Finding,
};
use ports::{GitError, HandIn, HandInRequest};

use super::{
    bundle::{Bundle, Place, Tip},
    drop::{DropRepository, Unpacked},
    note::{Note, OwnBranch},
    outbox::{Outbox, Trouble},
    rules::{self, LINK_BYTES_MAX, Objects, POINTER_BYTES_MAX},
};
use crate::{
    MirrorGit,
    blocking::{blocking, io_error},
    command::Input,
    findings::Findings,
    layout::ObjectFormat,
    mirror::{Entry, Mirror, RawChange, RefUpdate, id_lines, list_raw_changes, read_objects},
    workspace::check_place,
};

/// Bytes of the note.
const NOTE_BYTES_MAX: u64 = 16 * 1024;
/// Where our own script leaves work of an earlier run; having such a branch is nobody's fault.
const SALVAGE: &str = "salvage/";
/// What is being done, for errors.
const OPERATION: &str = "read the outbox";

/// Takes what is in the outbox, checks it, and keeps it in the mirror. Nothing in the outbox is changed, and every
/// ref is named after the request or a commit: doing it again gives the same answer.
pub(crate) async fn collect(git: &MirrorGit, request: &HandInRequest) -> Result<HandIn, GitError> {
    match Collection::take(git, request).await? {
        Ok(collection) => collection.judge().await,
        Err(finding) => Ok(refused(finding)),
    }
}

fn refused(message: impl Into<String>) -> HandIn {
    HandIn::Refused { findings: vec![Finding::blocking(message)] }
}

/// A hand-in that could be read.
struct Collection<'a> {
    request: &'a HandInRequest,
    mirror: Mirror<'a>,
    /// The throw-away repository, which sees the mirror's objects too.
    repository: Mirror<'a>,
    drop: DropRepository,
    note: Note,
    /// New commits, by the ref of the clone that was at them.
    tips: Vec<Tip>,
}

impl<'a> Collection<'a> {
    /// Copies and unpacks. The inner error is a finding.
    async fn take(
        git: &'a MirrorGit,
        request: &'a HandInRequest,
    ) -> Result<Result<Self, String>, GitError> {
        let HandInRequest { project, workspace, branch: _, start, rules: _, salvage } = request;
        let outbox_dir = &workspace.outbox;
        check_place(OPERATION, &git.workspaces_dir(), outbox_dir)?;
        if BranchName::new(salvage.as_str()).is_err() {
            let stderr = format!("`{salvage}` cannot be part of a ref");
            return Err(GitError::Command { operation: "keep a hand-in".to_owned(), stderr });
        }
        let mirror = git.mirror(project);
        let drop = DropRepository::create(git, &mirror, ObjectFormat::of(start.as_str())).await?;
        let place = outbox_dir.clone();
        let read =
            blocking(move || read(&place, &drop).map(|(note, bundle)| (drop, note, bundle))).await;
        let (drop, note, bundle) = match read {
            Ok(read) => read,
            Err(Trouble::Theirs(finding)) => return Ok(Err(finding)),
            Err(Trouble::Ours(error)) => return Err(io_error(OPERATION, outbox_dir)(error)),
        };
        if note.start != *start {
            return Ok(Err(format!(
                "what is in the outbox started from {}, not from {start}",
                note.start
            )));
        }
        let repository = Mirror::new(&git.runner, drop.git_dir());
        let mut collection = Self { request, mirror, repository, drop, note, tips: Vec::new() };
        if let Some((bundle, pack)) = bundle {
            if let Unpacked::Broken(why) =
                collection.drop.unpack(&collection.repository, pack).await?
            {
                return Ok(Err(format!("git refuses what was handed in: {why}")));
            }
            if !collection.are_commits(&bundle.tips).await? {
                return Ok(Err("a ref in the bundle is not at a commit".to_owned()));
            }
            collection.tips = bundle.tips;
        }
        Ok(Ok(collection))
    }

    async fn are_commits(&self, tips: &[Tip]) -> Result<bool, GitError> {
        let ids: Vec<&str> = tips.iter().map(|it| it.commit.as_str()).collect();
        let call = self
            .repository
            .git("look up commits")
            .args(["cat-file", "--batch-check=%(objecttype)"]);
        let output = call.input(Input::Bytes(id_lines(&ids))).run().await?;
        Ok(output.text().lines().all(|line| line == "commit"))
    }

    /// Decides, and keeps every new commit on a ref that says what became of it.
    async fn judge(&self) -> Result<HandIn, GitError> {
        let start = &self.request.start;
        let branch = &self.request.branch;
        let own =
            self.tips.iter().find(|it| matches!(&it.place, Place::Branch(name) if name == branch));
        let head = match (own, &self.note.own) {
            (Some(own), _) => Some(&own.commit),
            // Not in the bundle, because everything in it was there before.
            (None, OwnBranch::At(commit)) => Some(commit),
            (None, OwnBranch::Absent) => None,
        };
        let Some(head) = head.filter(|it| *it != start) else {
            self.keep(None).await?;
            return Ok(HandIn::Nothing { findings: self.find_strays() });
        };
        if own.is_none() || !self.repository.is_ancestor(start, head).await? {
            self.keep(None).await?;
            return Ok(refused(format!(
                "history was rewritten: `{branch}` no longer contains {start}, the commit it started from; \
                 add commits on top of that one"
            )));
        }
        let changes = list_raw_changes(&self.repository, start, head).await?;
        let findings =
            rules::check(&changes, &self.load_objects(&changes).await?, &self.request.rules);
        if !findings.is_empty() {
            self.keep(None).await?;
            return Ok(HandIn::Refused { findings: findings.into_list() });
        }
        self.keep(Some(head)).await?;
        Ok(HandIn::Accepted {
            head: head.clone(),
            changed: changes.iter().map(RawChange::to_path_change).collect(),
        })
    }

    /// Commits that are not on the agent's branch.
    fn find_strays(&self) -> Vec<Finding> {
        let branch = &self.request.branch;
        let mut findings = Findings::default();
        for Tip { place, commit } in self.tips.iter().filter(|it| !self.is_head_of_a_branch(it)) {
            let place = match place {
                Place::Branch(name) if name.as_str().starts_with(SALVAGE) => continue,
                Place::Branch(name) => format!("`{name}`"),
                Place::OddBranch(name) => format!("`{name}`"),
                Place::Head => "a detached HEAD".to_owned(),
            };
            let message = format!("committed to {place}, not to its branch `{branch}`: {commit}");
            findings
                .push(Finding { rule: Some("branch".to_owned()), ..Finding::blocking(message) });
        }
        findings.into_list()
    }

    /// Whether this is `HEAD` at a commit that a branch is at too: then the branch's name says more.
    fn is_head_of_a_branch(&self, tip: &Tip) -> bool {
        tip.place == Place::Head
            && self.tips.iter().any(|it| it.place != Place::Head && it.commit == tip.commit)
    }

    async fn load_objects(&self, changes: &[RawChange]) -> Result<Objects, GitError> {
        let new: Vec<&RawChange> =
            changes.iter().filter(|it| matches!(it.new, Entry::File | Entry::Link)).collect();
        if new.is_empty() {
            return Ok(Objects::default());
        }
        let ids: Vec<&str> = new.iter().map(|it| it.new_object.as_str()).collect();
        let call = self
            .repository
            .git("measure files")
            .args(["cat-file", "--batch-check=%(objectname) %(objectsize)"]);
        let output = call.input(Input::Bytes(id_lines(&ids))).run().await?;
        let pair = |line: &str| {
            let (id, size) = line.split_once(' ')?;
            Some((id.to_owned(), size.parse().ok()?))
        };
        let sizes: std::collections::BTreeMap<String, u64> =
            output.text().lines().filter_map(pair).collect();
        let is_small = |change: &RawChange| {
            let max = if change.new == Entry::Link { LINK_BYTES_MAX } else { POINTER_BYTES_MAX };
            sizes.get(&change.new_object).is_some_and(|&size| size <= max)
        };
        let mut small: Vec<&str> =
            new.iter().filter(|it| is_small(it)).map(|it| it.new_object.as_str()).collect();
        small.sort_unstable();
        small.dedup();
        let contents = read_objects(&self.repository, &small).await?;
        Ok(Objects { sizes, contents })
    }

    /// Moves the objects into the mirror and names them there.
    async fn keep(&self, accepted: Option<&CommitSha>) -> Result<(), GitError> {
        if self.tips.is_empty() {
            return Ok(());
        }
        let mut updates = Vec::new();
        for Tip { place, commit } in self.tips.iter().filter(|it| !self.is_head_of_a_branch(it)) {
            let reference = match place {
                _ if accepted == Some(commit) => format!("refs/gatewright/hand-in/{commit}"),
                Place::Branch(name) => {
                    format!("refs/gatewright/salvage/{}/heads/{name}", self.request.salvage)
                }
                Place::Head | Place::OddBranch(_) => {
                    format!("refs/gatewright/salvage/{}/commits/{commit}", self.request.salvage)
                }
            };
            updates.push(RefUpdate { reference, commit: commit.clone() });
        }
        updates.sort_by(|a, b| a.reference.cmp(&b.reference));
        updates.dedup();
        self.drop.keep(&self.mirror).await?;
        self.mirror.set_refs(&updates).await
    }
}

/// Reads the note and, where it says that there is one, the bundle.
fn read(
    outbox_dir: &camino::Utf8Path,
    drop: &DropRepository,
) -> Result<(Note, Option<(Bundle, File)>), Trouble> {
    let workspace = outbox_dir.parent().unwrap_or(outbox_dir);
    let outbox = Outbox::open(workspace)?;
    let note = Note::parse(&outbox.read("hand-in", NOTE_BYTES_MAX)?)
        .ok_or_else(|| Trouble::Theirs("the note in the outbox is not one of ours".to_owned()))?;
    let bundle = if note.bundled { Some(drop.take(&outbox)?) } else { None };
    Ok((note, bundle))
}
