//! Work on the mirror and on the people's repository.

use domain::{
    job::Job,
    limits::MERGES_LOOKED_FOR_MAX,
    pipeline::{Candidate, EventKind, MergeReport, Pipeline, Report, Step},
    revision::CommitSha,
};
use ports::{Conflict, FileWrite, Integration, Joined, Landing, Merge, ProjectRef, Publication};

use super::{JobError, Performed};
use crate::Engine;

/// What the commit with an item's words says, behind its key.
pub(crate) const TAKEN_IN: &str = ": take in the request";

/// Events of a pipeline that are looked through at once.
const EVENTS_READ_AT_ONCE: u32 = 1000;

impl Engine {
    pub(super) async fn project(&self, pipeline: &Pipeline) -> Result<ProjectRef, JobError> {
        let found = self.find_project(&pipeline.project).await?;
        found.ok_or_else(|| {
            JobError::permanent(format!("there is no project `{}`", pipeline.project))
        })
    }

    pub(super) async fn open_repository(&self, job: &Job) -> Result<Performed, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let project = self.project(&pipeline).await?;
        self.ports.git.sync(&project).await?;
        let base = self.ports.git.find_target(&project, &pipeline.target).await?;
        let base = base.ok_or_else(|| {
            JobError::permanent(format!(
                "the repository {} has no branch `{}`",
                project.repository, pipeline.target
            ))
        })?;
        Ok(Performed::report(Report::Opened { base }))
    }

    pub(super) async fn take_in(&self, job: &Job) -> Result<Performed, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let findings = pipeline.item.intake_findings();
        if !findings.is_empty() {
            return Ok(Performed::report(Report::IntakeRefused { findings }));
        }
        let project = self.project(&pipeline).await?;
        let item = &pipeline.item;
        let request = FileWrite {
            path: format!("docs/work-items/{}/00-business-request.md", item.key),
            content: format!("# {}: {}\n\n{}\n", item.key, item.title, item.description.trim_end())
                .into_bytes(),
        };
        let message = format!("{}{TAKEN_IN}\n", item.key);
        let head = self
            .ports
            .git
            .commit_files(&project, commit_of(job)?, &[request], &message, pipeline.created_at)
            .await?;
        Ok(Performed::report(Report::IntakeAccepted { head }))
    }

    pub(super) async fn join_wave(&self, job: &Job) -> Result<Performed, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let attempt = pipeline.state.attempt();
        let Some(Step::Joining { heads, .. }) = attempt.map(|it| &it.step) else {
            return Err(JobError::permanent("there is nothing to join"));
        };
        let started_at = attempt.map_or(pipeline.created_at, |it| it.started_at);
        let project = self.project(&pipeline).await?;
        let report = match self.ports.git.join(&project, commit_of(job)?, heads, started_at).await?
        {
            Joined::Clean { head } => Report::Joined { head },
            Joined::Conflict(Conflict { findings }) => Report::JoinConflict { findings },
        };
        Ok(Performed::report(report))
    }

    pub(super) async fn integrate(&self, job: &Job) -> Result<Performed, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let project = self.project(&pipeline).await?;
        let item = &pipeline.item;
        let merge = Merge {
            project,
            head: commit_of(job)?.clone(),
            target: pipeline.target.clone(),
            strategy: self.options.project(&pipeline.project).merge_strategy,
            message: format!("Merge {}: {}\n\n{}\n", item.key, item.title, mark(&pipeline)),
        };
        let integration = self.ports.git.integrate(&merge, self.ports.clock.now()).await?;
        let commits = match &integration {
            Integration::AlreadyMerged { .. } => Vec::new(),
            _ => self.find_merges_of_before(&pipeline, &merge.project).await?,
        };
        let report = match integration {
            _ if !commits.is_empty() => MergeReport::MergedBefore { commits },
            Integration::Candidate { commit, tree, head, target } => MergeReport::Integrated {
                candidate: Candidate { commit, tree, head, target, round: job.slot.round },
            },
            Integration::AlreadyMerged { target } => MergeReport::AlreadyMerged { target },
            Integration::Conflict { head, conflict: Conflict { findings } } => {
                MergeReport::Conflict { head, findings }
            }
        };
        Ok(Performed::report(Report::Merge(report)))
    }

    /// Merges of a pipeline that the target holds and its log does not tell of: the log is of a backup that was made before
    /// them. It may not even have been begun then, and go on from what it has merged. A definition may merge more than once,
    /// which the log tells of.
    async fn find_merges_of_before(
        &self,
        pipeline: &Pipeline,
        project: &ProjectRef,
    ) -> Result<Vec<CommitSha>, JobError> {
        let (git, line) = (&self.ports.git, mark(pipeline));
        let mut merges =
            git.find_merges(project, &pipeline.target, &line, MERGES_LOOKED_FOR_MAX).await?;
        let mut after = 0;
        while !merges.is_empty() {
            let events =
                self.ports.store.list_events(Some(pipeline.id), after, EVENTS_READ_AT_ONCE).await?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for event in &events {
                match &event.kind {
                    EventKind::StagePassed { commit, .. } => merges.retain(|it| it != commit),
                    EventKind::MergedBefore { commits } => {
                        merges.retain(|it| !commits.contains(it));
                    }
                    _ => {}
                }
            }
        }
        Ok(merges)
    }

    pub(super) async fn land(&self, job: &Job) -> Result<Performed, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let project = self.project(&pipeline).await?;
        let candidate = pipeline.state.attempt().and_then(|attempt| attempt.candidate.as_ref());
        let candidate = candidate.ok_or_else(|| JobError::permanent("there is nothing to land"))?;
        let landing = self
            .ports
            .git
            .land(&project, &pipeline.target, &candidate.target, &candidate.commit)
            .await?;
        let report = match landing {
            Landing::Landed => MergeReport::Landed,
            Landing::TargetMoved { .. } => MergeReport::TargetMoved,
            Landing::Refused { reason } => MergeReport::Refused { reason },
        };
        Ok(Performed::report(Report::Merge(report)))
    }

    pub(super) async fn publish(&self, job: &Job) -> Result<Performed, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let project = self.project(&pipeline).await?;
        let head = commit_of(job)?.clone();
        let report = match self.ports.git.publish(&project, &pipeline.branch, &head).await? {
            Publication::Published => Report::Published { head },
            Publication::Refused { reason } => Report::PublishRefused { reason },
        };
        Ok(Performed::report(report))
    }
}

/// The line of a merge commit of ours by which its pipeline is known. Titles are others' words, and on another line.
fn mark(pipeline: &Pipeline) -> String {
    format!("Branch {} of pipeline {}.", pipeline.branch, pipeline.id)
}

fn commit_of(job: &Job) -> Result<&CommitSha, JobError> {
    job.commit
        .as_ref()
        .ok_or_else(|| JobError::permanent(format!("`{}` without a commit", job.slot.work)))
}
