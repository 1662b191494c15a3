//! What people ask of the engine.

use domain::{
    decision::{Choice, Decision, DecisionKind},
    definition::{Definition, DefinitionHash},
    id::{DecisionId, PipelineId},
    item::Item,
    limits::{ITEM_NUMBER_MAX, SUBJECTS_READ_MAX},
    name::{DefinitionName, ProjectKey},
    pipeline::{Actor, Input, NewPipeline, Pipeline, PipelineOptions},
    revision::BranchName,
    run::Run,
};
use ports::ProjectRef;

use crate::{Cause, Engine, EngineError, Outcome, chain, jobs::TAKEN_IN};

/// An item that somebody wants, before it has a number.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// The project, which the store knows.
    pub project: ProjectKey,
    /// One line.
    pub title: String,
    /// The title transliterated to ASCII, for the branch name.
    pub ascii_title: String,
    /// The rest.
    pub description: String,
    /// The branch that the work is for.
    pub target: BranchName,
    /// What is settled now.
    pub options: PipelineOptions,
}

impl Engine {
    /// Makes a pipeline for an item, `queued`. Its definition is kept and pinned.
    pub async fn create(
        &self,
        item: &NewItem,
        definition: &Definition,
        hash: &DefinitionHash,
    ) -> Result<Pipeline, EngineError> {
        // Refused before anything is written.
        let probe = domain::item::ItemKey { project: item.project.clone(), number: 0 };
        Item::new(probe, &item.title, &item.description)?;
        let number_above = self.highest_number_in_use(&item.project, &item.target).await?;
        self.ports.store.save_definition(hash, definition).await?;
        let new = NewPipeline {
            id: self.fresh_pipeline(),
            project: item.project.clone(),
            number_above,
            title: item.title.clone(),
            ascii_title: item.ascii_title.clone(),
            description: item.description.clone(),
            definition_name: DefinitionName::clone(&definition.name),
            definition: hash.clone(),
            options: item.options.clone(),
            target: item.target.clone(),
            created_at: self.ports.clock.now(),
        };
        Ok(self.ports.store.create_pipeline(&new).await?)
    }

    /// The highest item number that the repository shows, by its branches and by what was merged into any of them: another
    /// data directory may have used them, or this one before a backup was brought back.
    /// Commits of other branches may be so many, or say that they are so new, that none of the target's is among the newest.
    async fn highest_number_in_use(
        &self,
        project: &ProjectKey,
        target: &BranchName,
    ) -> Result<u32, EngineError> {
        let Some(project) = self.find_project(project).await? else { return Ok(0) };
        let branches = self.ports.git.list_branches(&project).await?;
        let mut numbers: Vec<u32> =
            branches.iter().filter_map(|it| number_of_branch(it.as_str(), &project.key)).collect();
        let alone = branches.contains(target).then_some(Some(target));
        for branch in [None].into_iter().chain(alone) {
            let subjects =
                self.ports.git.list_subjects(&project, branch, SUBJECTS_READ_MAX).await?;
            numbers.extend(subjects.iter().filter_map(|it| number_in_subject(it, &project.key)));
        }
        Ok(numbers.into_iter().filter(|number| *number <= ITEM_NUMBER_MAX).max().unwrap_or(0))
    }

    pub(crate) async fn find_project(
        &self,
        key: &ProjectKey,
    ) -> Result<Option<ProjectRef>, EngineError> {
        let record = self.ports.store.find_project(key).await?;
        Ok(record.map(|record| ProjectRef { key: record.key, repository: record.repository }))
    }

    /// Brings a person's input: start, pause, resume, cancel, retry, restart. Agents that it leaves behind are stopped,
    /// also those that an engine which is gone has started. Where what they left cannot be kept for now, that is done
    /// when the engine works.
    pub async fn ask(
        &self,
        id: PipelineId,
        input: &Input,
        person: &str,
    ) -> Result<Outcome, EngineError> {
        let outcome = self.bring(id, input, person).await?;
        match self.stop_agents_left(id).await {
            Err(error) if error.may_pass() => {
                tracing::warn!(pipeline.id = %id, "could not stop an agent for now: {}", chain(&error));
            }
            result => result?,
        }
        Ok(outcome)
    }

    /// Brings a person's input, and leaves the agents that it leaves behind to [`Self::stop_agents_left`].
    pub async fn bring(
        &self,
        id: PipelineId,
        input: &Input,
        person: &str,
    ) -> Result<Outcome, EngineError> {
        self.apply(id, input, &self.by_person(person)).await
    }

    /// Runs of a pipeline whose agents were left behind: their jobs have ended, and they have not.
    pub async fn list_agents_left(&self, id: PipelineId) -> Result<Vec<Run>, EngineError> {
        let orphans = self.list_orphans(id).await?;
        Ok(orphans.into_iter().map(|(_, run)| run).collect())
    }

    /// Stops the agents that a pipeline has left behind, and keeps what they left. Where that cannot be done for now, the
    /// error [may pass](EngineError::may_pass), and an engine that works does it.
    pub async fn stop_agents_left(&self, id: PipelineId) -> Result<(), EngineError> {
        self.stop_orphans(id).await
    }

    /// Answers a question. The answer is final.
    pub async fn resolve(
        &self,
        decision: &Decision,
        choice: Choice,
        comment: &str,
        person: &str,
    ) -> Result<Outcome, EngineError> {
        let input = Input::Resolve { decision: decision.id, choice, comment: comment.to_owned() };
        self.apply(decision.pipeline, &input, &self.by_person(person)).await
    }

    /// Approves without anybody having looked, which the log says: `--yes`. Only approvals: anything else needs a
    /// person's own words.
    pub async fn approve_unseen(
        &self,
        id: DecisionId,
        on_behalf_of: &str,
    ) -> Result<bool, EngineError> {
        let Some(decision) = self.ports.store.find_decision(id).await? else { return Ok(false) };
        if decision.kind != DecisionKind::Approval {
            return Ok(false);
        }
        let comment = format!("unseen, on behalf of {on_behalf_of}");
        let input = Input::Resolve { decision: id, choice: Choice::Approve, comment };
        let cause = Cause { actor: Actor::Engine, ..self.by_person(on_behalf_of) };
        // Somebody else may have answered meanwhile, which is as good.
        match self.apply(decision.pipeline, &input, &cause).await {
            Ok(_) | Err(EngineError::Refused(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Lets a pipeline wait that nobody of this process works for.
    pub async fn set_aside(&self, id: PipelineId) -> Result<Outcome, EngineError> {
        let cause = Cause { actor: Actor::Engine, ..self.by_person("") };
        self.apply(id, &Input::Pause, &cause).await
    }

    fn by_person(&self, person: &str) -> Cause {
        Cause {
            actor: Actor::Person { name: person.to_owned() },
            key: self.fresh_key("person"),
            job: None,
            run: None,
            fired: None,
        }
    }
}

/// The number of the item that a branch of ours was made for.
fn number_of_branch(branch: &str, key: &ProjectKey) -> Option<u32> {
    let rest = branch.strip_prefix("feature/")?;
    number_behind(rest, key, '-')
}

/// The number of the item that a commit brought: one that we merged or took in, or whose branch somebody merged.
fn number_in_subject(subject: &str, key: &ProjectKey) -> Option<u32> {
    let Some(merged) = subject.strip_prefix("Merge ") else {
        return number_behind(subject, key, ':').filter(|_| subject.ends_with(TAKEN_IN));
    };
    let of_branch = || number_of_branch(&merged[merged.find("feature/")?..], key);
    number_behind(merged, key, ':').or_else(of_branch)
}

/// The number in `KEY-7`, where `end` follows it.
fn number_behind(text: &str, key: &ProjectKey, end: char) -> Option<u32> {
    let (number, _) = text.strip_prefix(key.as_str())?.strip_prefix('-')?.split_once(end)?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_known_by_the_commits_that_brought_it_and_by_no_others() {
        let key = ProjectKey::new("APP").expect("a key");
        for (subject, number) in [
            ("Merge APP-007: Add a flag", Some(7)),
            ("APP-012: take in the request", Some(12)),
            ("Merge branch 'feature/APP-3-add-a-flag' into main", Some(3)),
            ("Merge pull request #4 from us/feature/APP-1234-x", Some(1234)),
            ("APP-4711: fix what the tracker says", None),
            ("Merge APP-7", None),
            ("Merge XAPP-7: x", None),
            ("Merge APP-4294967296: x", None),
            ("Merge feature/", None),
            ("", None),
        ] {
            assert_eq!(number_in_subject(subject, &key), number, "{subject}");
        }
    }
}
