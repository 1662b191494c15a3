//! The people's repositories, and what our mirrors have seen of them.

use std::collections::BTreeMap;

use domain::{
    name::ProjectKey,
    revision::{BranchName, CommitSha},
};
use ports::{GitError, Landing, Publication};

use super::{History, refused};

/// Branches and where they are.
type Branches = BTreeMap<String, CommitSha>;

#[derive(Debug, Default)]
struct Project {
    people: Branches,
    /// As of the last sync; `None` before the first.
    seen: Option<Branches>,
    ours: Branches,
    landed: Vec<CommitSha>,
    unreachable: bool,
}

/// All projects.
#[derive(Debug, Default)]
pub(super) struct Projects {
    all: BTreeMap<ProjectKey, Project>,
    careless: bool,
}

impl Projects {
    pub(super) fn found(&mut self, key: &ProjectKey, first: &CommitSha) {
        let people = [("main".to_owned(), first.clone())].into();
        self.all.insert(key.clone(), Project { people, ..Project::default() });
    }

    pub(super) fn people_mut(&mut self, key: &ProjectKey) -> &mut Branches {
        &mut self.all.get_mut(key).expect("a project that was founded").people
    }

    pub(super) fn landings(&self, key: &ProjectKey) -> u32 {
        u32::try_from(self.all[key].landed.len()).expect("few landings")
    }

    /// Where targets were moved to by us, project by project.
    pub(super) fn landed(&self) -> Vec<CommitSha> {
        self.all.values().flat_map(|project| project.landed.iter().cloned()).collect()
    }

    pub(super) const fn land_without_comparing(&mut self) {
        self.careless = true;
    }

    pub(super) fn set_reachable(&mut self, key: &ProjectKey, reachable: bool) {
        self.all.get_mut(key).expect("a project that was founded").unreachable = !reachable;
    }

    pub(super) fn ours_mut(&mut self, key: &ProjectKey) -> Result<&mut Branches, GitError> {
        Ok(&mut self.find(key)?.ours)
    }

    pub(super) fn sync(&mut self, history: &mut History, key: &ProjectKey) -> Result<(), GitError> {
        let project = self.reach(key)?;
        project.people.values().for_each(|head| history.mirror(head));
        project.seen = Some(project.people.clone());
        Ok(())
    }

    /// The people's branches as of the last sync.
    pub(super) fn seen(&mut self, key: &ProjectKey) -> Result<&Branches, GitError> {
        let seen = self.find(key)?.seen.as_ref();
        seen.ok_or_else(|| refused("read branches", "the mirror was never synced"))
    }

    /// Where the target is, which is there to be moved.
    pub(super) fn target(
        &mut self,
        key: &ProjectKey,
        target: &BranchName,
    ) -> Result<CommitSha, GitError> {
        let found = self.reach(key)?.people.get(target.as_str()).cloned();
        found.ok_or_else(|| refused("land", format!("there is no {target}")))
    }

    /// Moves the target by compare-and-set.
    pub(super) fn land(
        &mut self,
        key: &ProjectKey,
        target: &BranchName,
        expected: &CommitSha,
        candidate: &CommitSha,
    ) -> Result<Landing, GitError> {
        let found = self.target(key, target)?;
        if found != *expected && !self.careless {
            return Ok(Landing::TargetMoved { found });
        }
        let project = self.reach(key)?;
        project.landed.push(candidate.clone());
        project.people.insert(target.to_string(), candidate.clone());
        Ok(Landing::Landed)
    }

    /// Makes the branch, or moves it forward. One that has gone on from the commit has it.
    pub(super) fn publish(
        &mut self,
        history: &History,
        key: &ProjectKey,
        branch: &BranchName,
        head: &CommitSha,
    ) -> Result<Publication, GitError> {
        let people = &mut self.reach(key)?.people;
        match people.get(branch.as_str()) {
            Some(found) if history.descends(found, head) => {}
            Some(found) if !history.descends(head, found) => {
                let reason = format!("another `{branch}` is there, at {found}");
                return Ok(Publication::Refused { reason });
            }
            Some(_) | None => {
                people.insert(branch.to_string(), head.clone());
            }
        }
        Ok(Publication::Published)
    }

    /// The project, where the people's repository is there.
    fn reach(&mut self, key: &ProjectKey) -> Result<&mut Project, GitError> {
        let path = key.to_string();
        let project = self.find(key)?;
        if project.unreachable { Err(GitError::NotARepository { path }) } else { Ok(project) }
    }

    fn find(&mut self, key: &ProjectKey) -> Result<&mut Project, GitError> {
        self.all.get_mut(key).ok_or_else(|| GitError::NotARepository { path: key.to_string() })
    }
}
