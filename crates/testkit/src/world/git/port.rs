//! The port, verb by verb.

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    name::RoleName,
    revision::{BranchName, CommitSha, TreeSha},
};
use jiff::Timestamp;
use ports::{
    Conflict, FileWrite, Git, GitError, HandIn, HandInRequest, Integration, Joined, Landing, Merge,
    MergeStrategy, PathChange, ProjectRef, Publication, Workspace, WorkspaceSpec,
};

use super::{
    FakeGit, Model, NO_SPACE, refused,
    workspaces::{HAND_IN, PREPARE},
};

impl FakeGit {
    async fn make<T>(&self, call: &'static str, work: impl FnOnce(&mut Model) -> T + Send) -> T {
        self.calls.make(call, async { work(&mut self.model()) }).await
    }

    /// The same, where it needs room on the disk.
    async fn make_with_room<T>(
        &self,
        call: &'static str,
        work: impl FnOnce(&mut Model) -> Result<T, GitError> + Send,
    ) -> Result<T, GitError> {
        let work = |model: &mut Model| {
            if model.full_at.remove(call) { Err(refused(call, NO_SPACE)) } else { work(model) }
        };
        self.make(call, work).await
    }
}

#[async_trait]
impl Git for FakeGit {
    async fn sync(&self, project: &ProjectRef) -> Result<(), GitError> {
        let sync = |model: &mut Model| model.projects.sync(&mut model.history, &project.key);
        self.make_with_room("git.sync", sync).await
    }

    async fn find_target(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        let find = |model: &mut Model| {
            Ok(model.projects.seen(&project.key)?.get(branch.as_str()).cloned())
        };
        self.make("git.find_target", find).await
    }

    async fn list_branches(&self, project: &ProjectRef) -> Result<Vec<BranchName>, GitError> {
        let list = |model: &mut Model| {
            let names = model.projects.seen(&project.key)?.keys();
            Ok(names.map(|name| BranchName::new(name).expect("a branch")).collect())
        };
        self.make("git.list_branches", list).await
    }

    async fn list_subjects(
        &self,
        project: &ProjectRef,
        branch: Option<&BranchName>,
        max: u32,
    ) -> Result<Vec<String>, GitError> {
        let list = |model: &mut Model| {
            let branches = model.projects.seen(&project.key)?.iter();
            let meant = branches.filter(|(name, _)| branch.is_none_or(|it| it.as_str() == *name));
            let heads: Vec<CommitSha> = meant.map(|(_, head)| head.clone()).collect();
            Ok(model.history.subjects(&heads).take(max as usize).collect())
        };
        self.make("git.list_subjects", list).await
    }

    async fn find_merges(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        line: &str,
        max: u32,
    ) -> Result<Vec<CommitSha>, GitError> {
        let find = |model: &mut Model| {
            let head = model.projects.seen(&project.key)?.get(branch.as_str()).cloned();
            let head = head.ok_or_else(|| refused("find merges", "there is no such branch"))?;
            Ok(model.history.merges(&head, line, max as usize))
        };
        self.make("git.find_merges", find).await
    }

    async fn load_tree(
        &self,
        _project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<TreeSha, GitError> {
        self.make("git.load_tree", |model| model.history.tree(commit)).await
    }

    async fn find_head(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
    ) -> Result<Option<CommitSha>, GitError> {
        let find = |model: &mut Model| {
            Ok(model.projects.ours_mut(&project.key)?.get(branch.as_str()).cloned())
        };
        self.make("git.find_head", find).await
    }

    async fn move_branch(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        from: Option<&CommitSha>,
        to: &CommitSha,
    ) -> Result<(), GitError> {
        let r#move = |model: &mut Model| {
            model.history.find(to)?;
            let ours = model.projects.ours_mut(&project.key)?;
            let found = ours.get(branch.as_str());
            if found != from && found != Some(to) {
                let shown =
                    |it: Option<&CommitSha>| it.map_or("nothing".to_owned(), ToString::to_string);
                let (expected, found) = (shown(from), shown(found));
                return Err(GitError::Moved { reference: branch.full_ref(), expected, found });
            }
            ours.insert(branch.to_string(), to.clone());
            Ok(())
        };
        self.make("git.move_branch", r#move).await
    }

    async fn commit_files(
        &self,
        _project: &ProjectRef,
        parent: &CommitSha,
        files: &[FileWrite],
        message: &str,
        at: Timestamp,
    ) -> Result<CommitSha, GitError> {
        let commit = |model: &mut Model| {
            let mut all = model.history.find(parent)?.clone();
            let text = |file: &FileWrite| String::from_utf8_lossy(&file.content).into_owned();
            all.extend(files.iter().map(|file| (file.path.clone(), text(file))));
            let commit = model.history.commit(&[parent], all, &format!("{message}{at}"));
            model.history.mirror(&commit);
            Ok(commit)
        };
        self.make("git.commit_files", commit).await
    }

    async fn read_file(
        &self,
        _project: &ProjectRef,
        commit: &CommitSha,
        path: &str,
        max: usize,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let read = |model: &mut Model| {
            let text = model.history.find(commit)?.get(path);
            Ok(text.map(|text| text.bytes().take(max).collect()))
        };
        self.make("git.read_file", read).await
    }

    async fn list_files(
        &self,
        _project: &ProjectRef,
        commit: &CommitSha,
    ) -> Result<Vec<String>, GitError> {
        let list = |model: &mut Model| Ok(model.history.find(commit)?.keys().cloned().collect());
        self.make("git.list_files", list).await
    }

    async fn list_changes(
        &self,
        _project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Vec<PathChange>, GitError> {
        self.make("git.list_changes", |model| Ok(model.history.changes(from, to))).await
    }

    async fn diff(
        &self,
        _project: &ProjectRef,
        from: &CommitSha,
        to: &CommitSha,
        max: usize,
    ) -> Result<String, GitError> {
        let show = |model: &mut Model| {
            let changes = model.history.changes(from, to).into_iter();
            let lines: Vec<_> =
                changes.map(|change| format!("{:?} {}", change.kind, change.path)).collect();
            Ok(lines.join("\n").chars().take(max).collect())
        };
        self.make("git.diff", show).await
    }

    async fn checkout(
        &self,
        _project: &ProjectRef,
        _commit: &CommitSha,
        dir: &Utf8Path,
    ) -> Result<(), GitError> {
        // Gates are a fake as well, and the engine itself never looks into a checkout.
        self.make("git.checkout", |_| Err(refused("check out", format!("{dir} is no directory"))))
            .await
    }

    fn objects_dir(&self, _project: &ProjectRef) -> Utf8PathBuf {
        "/mirror/objects".into()
    }

    async fn open_workspace(&self, spec: &WorkspaceSpec) -> Result<Workspace, GitError> {
        let open = |model: &mut Model| model.workspaces.open(&model.history, spec);
        self.make_with_room("git.open_workspace", open).await
    }

    fn prepare_command(
        &self,
        _workspace: &Workspace,
        _branch: &BranchName,
        head: &CommitSha,
    ) -> Vec<String> {
        vec![PREPARE.to_owned(), head.to_string()]
    }

    fn hand_in_command(
        &self,
        _workspace: &Workspace,
        _branch: &BranchName,
        _start: &CommitSha,
        message: &str,
    ) -> Vec<String> {
        vec![HAND_IN.to_owned(), message.to_owned()]
    }

    async fn collect(&self, request: &HandInRequest) -> Result<HandIn, GitError> {
        let collect = |model: &mut Model| model.workspaces.collect(&mut model.history, request);
        self.make_with_room("git.collect", collect).await
    }

    async fn remove_workspace(&self, dir: &Utf8Path) -> Result<(), GitError> {
        let remove = |model: &mut Model| {
            model.remove_workspace(dir);
            Ok(())
        };
        self.make("git.remove_workspace", remove).await
    }

    async fn list_workspaces(&self, dir: &Utf8Path) -> Result<Vec<String>, GitError> {
        self.make("git.list_workspaces", |model| Ok(model.workspaces.names(dir))).await
    }

    async fn sweep_workspace(&self, dir: &Utf8Path, _tries_max: u32) -> Result<bool, GitError> {
        let sweep = |model: &mut Model| {
            model.remove_workspace(dir);
            Ok(true)
        };
        self.make("git.sweep_workspace", sweep).await
    }

    async fn join(
        &self,
        _project: &ProjectRef,
        base: &CommitSha,
        heads: &[(RoleName, CommitSha)],
        at: Timestamp,
    ) -> Result<Joined, GitError> {
        let join = |model: &mut Model| {
            let mut joined = base.clone();
            for (role, head) in heads {
                model.history.find(head)?;
                let files = match model.history.merge(&joined, head) {
                    Ok(files) => files,
                    Err(findings) => return Ok(Joined::Conflict(Conflict { findings })),
                };
                let message = format!("join {role} {at}");
                joined = model.history.commit(&[&joined, head], files, &message);
            }
            model.history.mirror(&joined);
            Ok(Joined::Clean { head: joined })
        };
        self.make("git.join", join).await
    }

    async fn integrate(&self, merge: &Merge, at: Timestamp) -> Result<Integration, GitError> {
        self.make("git.integrate", |model| model.integrate(merge, at)).await
    }

    async fn land(
        &self,
        project: &ProjectRef,
        target: &BranchName,
        expected: &CommitSha,
        candidate: &CommitSha,
    ) -> Result<Landing, GitError> {
        let land = |model: &mut Model| {
            model.history.find(candidate)?;
            let before = model.projects.target(&project.key, target)?;
            // An earlier try has moved it, and somebody may have gone on from there.
            if model.history.descends(&before, candidate) {
                return Ok(Landing::Landed);
            }
            let landing = model.projects.land(&project.key, target, expected, candidate)?;
            if landing == Landing::Landed && !model.history.descends(candidate, &before) {
                let what = format!("{candidate} does not hold {before}, where `{target}` was");
                model.damage.get_or_insert(what);
            }
            Ok(landing)
        };
        self.make("git.land", land).await
    }

    async fn publish(
        &self,
        project: &ProjectRef,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Result<Publication, GitError> {
        let publish = |model: &mut Model| {
            model.history.find(head)?;
            model.projects.publish(&model.history, &project.key, branch, head)
        };
        self.make("git.publish", publish).await
    }
}

impl Model {
    /// Removes what is below a directory. Work that is in no mirror must not go with it.
    fn remove_workspace(&mut self, dir: &Utf8Path) {
        let lost = self.workspaces.not_kept(&self.history, dir);
        self.damage = self.damage.take().or(lost);
        self.workspaces.remove(dir);
    }

    fn integrate(&mut self, merge: &Merge, at: Timestamp) -> Result<Integration, GitError> {
        let Merge { project, head, target, strategy, message } = merge;
        self.history.find(head)?;
        self.projects.sync(&mut self.history, &project.key)?;
        let target = self.projects.seen(&project.key)?.get(target.as_str()).cloned();
        let target = target.ok_or_else(|| refused("integrate", "the target is gone"))?;
        if self.history.descends(&target, head) {
            return Ok(Integration::AlreadyMerged { target });
        }
        let files = match self.history.merge(&target, head) {
            Ok(files) => files,
            Err(findings) => {
                // Both are ancestors; what contradicts itself stays as the branch has it.
                let files = self.history.files(head).clone();
                let head = self.history.commit(&[head, &target], files, "both sides");
                self.history.mirror(&head);
                return Ok(Integration::Conflict { head, conflict: Conflict { findings } });
            }
        };
        let onto = match strategy {
            _ if self.history.descends(head, &target) => head.clone(),
            MergeStrategy::Rebase => {
                self.history.commit(&[&target], files.clone(), &format!("{head} replayed"))
            }
            MergeStrategy::Merge => {
                self.history.commit(&[head, &target], files.clone(), "merge the target")
            }
        };
        let commit = self.history.commit(&[&target, &onto], files, &format!("{message}{at}"));
        self.history.mirror(&commit);
        let tree = self.history.tree(&commit)?;
        Ok(Integration::Candidate { commit, tree, head: onto, target })
    }
}
