//! Runs the agent of a role.
//!
//! Prepare the workspace, write the brief, record the launch, launch under the shim, follow the stream, take what it
//! left. Every step finds what an earlier try did: a run is known by its id, which is recorded before anything else,
//! and a sandbox is launched once however often it is asked for.

mod brief;
mod follow;
mod hand_in;
mod launch;

use domain::{
    definition::{Stage, WorkspaceAccess},
    failure::{Failure, FailureClass},
    job::Job,
    name::RoleName,
    path_rules::PathMatcher,
    pipeline::{AgentReport, Pipeline, Report},
    revision::CommitSha,
    run::{Run, RunOutcome},
    usage::Usage,
};
use ports::{ProjectRef, SandboxStatus, Workspace, WorkspaceSpec};
use tokio::sync::watch;

use super::{Ending, JobError, Performed};
use crate::{
    Engine, Progress, RunFound, chain,
    settings::{AgentSetup, RoleSettings},
    worker::{Interrupt, StopMode},
};

/// Everything that is settled about a run before it starts.
pub(super) struct Assignment<'a> {
    pub(super) job: &'a Job,
    pub(super) pipeline: Pipeline,
    pub(super) project: ProjectRef,
    pub(super) stage: Stage,
    pub(super) role: &'a RoleName,
    pub(super) settings: RoleSettings,
    pub(super) agent: AgentSetup,
    /// The commit that the stage began this wave with: what is handed in is compared with it.
    pub(super) start: CommitSha,
    /// The commit that the workspace is put onto: the start, or what an earlier run of this job left.
    pub(super) head: CommitSha,
    /// The conversation of an earlier run of this job that was cut off.
    pub(super) session: Option<String>,
    /// Why the last run of this job was stopped, so that this one does not go the same way.
    pub(super) stopped: Option<String>,
}

impl Engine {
    /// Runs the agent of a role, or takes up one that is there. The caller has the role's workspace, until what came of it
    /// is told.
    pub(super) async fn run_agent(
        &self,
        job: &Job,
        role: &RoleName,
        mut signal: watch::Receiver<Option<Interrupt>>,
    ) -> Result<Performed, JobError> {
        self.make_way(job.pipeline, role).await?;
        let assignment = self.assign(job, role).await?;
        let workspace = self.open_workspace(&assignment).await?;
        let open = self.ports.store.find_open_run(job.id).await?;
        let is_new = open.is_none();
        let run = open.unwrap_or_else(|| self.new_run(&assignment));
        let sandbox = self.layout.agent_sandbox(run.id);
        let found = match self.ports.sandbox.status(&sandbox).await? {
            SandboxStatus::Absent => RunFound::New,
            SandboxStatus::Running => RunFound::AtWork,
            SandboxStatus::Ended(_) | SandboxStatus::Vanished => RunFound::Ended,
        };
        if found == RunFound::New {
            // It goes back as it came, and stays there until the next look finds the agent well: if that is what
            // would keep it there.
            if is_new
                && job.agent.as_ref() == Some(&assignment.agent.profile.name)
                && let Some(problem) = self.look_at_agent(&assignment.agent).await
            {
                return Ok(Performed { ending: Ending::Released { reason: problem }, run: None });
            }
            // From here on the run exists, whatever happens to us.
            if !self.ports.store.save_run(&run, job.claims).await? {
                return self.give_way(job, role).await;
            }
            let workspace = self.prepare_or_renew(&assignment, workspace.clone(), &run).await?;
            let spec = self.launch_spec(&assignment, &workspace, &run)?;
            if let Some(interrupt) = *signal.borrow() {
                return Ok(Performed::interrupted(interrupt));
            }
            self.ports.sandbox.launch(&sandbox, &spec).await?;
        }
        self.say(Progress::RunStarted {
            pipeline: job.pipeline,
            stage: job.slot.stage.clone(),
            role: role.clone(),
            agent: run.agent.clone(),
            run: run.id,
            found,
        });
        let loss_counted = run.loss_counted;
        let followed = self.follow(&assignment, run, &mut signal).await?;
        if let Some(reason) = followed.interrupt.filter(|_| followed.is_left) {
            let is_at_work = self.ports.sandbox.status(&sandbox).await? == SandboxStatus::Running;
            let abandoned = Performed { ending: Ending::Abandoned, run: None };
            // The run of one that has ended stays open, and its job waits for the next engine like any other.
            return Ok(if is_at_work { abandoned } else { Performed::interrupted(reason) });
        }
        let performed = self.finish(&assignment, &workspace, followed).await?;
        Ok(if loss_counted { performed.lost_once() } else { performed })
    }

    /// Leaves a job that was taken away to whoever has it by now. Where its pipeline has ended meanwhile, its workspaces were
    /// removed, and the one that was opened since goes the same way.
    async fn give_way(&self, job: &Job, role: &RoleName) -> Result<Performed, JobError> {
        if self.load_pipeline(job.pipeline).await?.state.is_terminal() {
            self.ports.git.remove_workspace(&self.layout.workspace(job.pipeline, role)).await?;
        }
        Ok(Performed { ending: Ending::Abandoned, run: None })
    }

    async fn assign<'a>(
        &self,
        job: &'a Job,
        role: &'a RoleName,
    ) -> Result<Assignment<'a>, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let definition = self.load_definition(&pipeline).await?;
        let stage = definition.find_stage(&job.slot.stage).cloned();
        let stage = stage.ok_or_else(|| {
            JobError::permanent(format!("the definition has no stage `{}`", job.slot.stage))
        })?;
        // The job's own agent was named for the caps; settings may have changed since.
        let name = self.agent_of(&pipeline, role);
        let agent = self.options.agents.get(&name).cloned();
        let agent = agent.ok_or_else(|| {
            JobError::permanent(format!("no agent `{name}` is configured: add [agents.{name}] or choose another with --agent"))
        })?;
        let project = self.project(&pipeline).await?;
        let settings =
            self.options.project(&pipeline.project).roles.get(role).cloned().unwrap_or_default();
        let start = job
            .commit
            .clone()
            .ok_or_else(|| JobError::permanent("an agent job without a commit"))?;
        let earlier = self.ports.store.list_runs(job.pipeline).await?;
        let earlier = earlier.into_iter().rfind(|run| run.job == job.id && run.ended_at.is_some());
        let head =
            earlier.as_ref().and_then(|run| run.left.clone()).unwrap_or_else(|| start.clone());
        let stopped = earlier.as_ref().and_then(stopped_at_a_limit);
        let session = earlier.filter(was_cut_off).and_then(|run| run.session);
        Ok(Assignment {
            job,
            pipeline,
            project,
            stage,
            role,
            settings,
            agent,
            start,
            head,
            session,
            stopped,
        })
    }

    /// Prepares a workspace. One that its agent has broken is made anew: what was handed in is in the mirror.
    async fn prepare_or_renew(
        &self,
        assignment: &Assignment<'_>,
        workspace: Workspace,
        run: &Run,
    ) -> Result<Workspace, JobError> {
        match self.prepare(assignment, &workspace, run).await {
            Err(JobError::Workspace { message }) if workspace.reused => {
                let message = self.secrets().hide(&message);
                tracing::warn!(run.id = %run.id, "the workspace is broken and made anew: {message}");
                let dir = self.layout.workspace(assignment.pipeline.id, assignment.role);
                self.ports.git.remove_workspace(&dir).await?;
                let workspace = self.open_workspace(assignment).await?;
                self.prepare(assignment, &workspace, run).await?;
                Ok(workspace)
            }
            result => result.map(|()| workspace),
        }
    }

    fn new_run(&self, assignment: &Assignment<'_>) -> Run {
        let Assignment { job, role, agent, .. } = assignment;
        Run {
            id: self.fresh_run(),
            job: job.id,
            pipeline: job.pipeline,
            stage: job.slot.stage.clone(),
            attempt: job.slot.attempt,
            role: RoleName::clone(role),
            agent: agent.profile.name.clone(),
            launched_at: self.ports.clock.now(),
            ended_at: None,
            session: None,
            usage: Usage::default(),
            outcome: None,
            left: None,
            salvages: 0,
            loss_counted: false,
        }
    }

    async fn open_workspace(&self, assignment: &Assignment<'_>) -> Result<Workspace, JobError> {
        let Assignment { pipeline, role, project, head, .. } = assignment;
        let spec = WorkspaceSpec {
            project: project.clone(),
            dir: self.layout.workspace(pipeline.id, role),
            branch: pipeline.branch.clone(),
            head: head.clone(),
        };
        Ok(self.ports.git.open_workspace(&spec).await?)
    }

    pub(crate) fn say(&self, progress: Progress) {
        // Nobody has to watch.
        let _unwatched = self.progress.send(progress);
    }

    /// Keeps what a run has left that nobody waits for. The caller has stopped it, and has its workspace.
    pub(crate) async fn salvage(&self, job: &Job, run: &Run) -> Result<(), JobError> {
        let assignment = self.assign(job, &run.role).await?;
        let workspace = self.open_workspace(&assignment).await?;
        self.take(&assignment, &workspace, run).await.map(drop)
    }

    /// Takes what the agent left and says what came of the run.
    async fn finish(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        followed: follow::Followed,
    ) -> Result<Performed, JobError> {
        let follow::Followed { mut run, outcome, interrupt, is_left: _ } = followed;
        if interrupt == Some(Interrupt::Cancelled) {
            // The pipeline has moved on. What was left is salvaged, and the run is closed by itself.
            if let Err(error) = self.take(assignment, workspace, &run).await {
                // The run stays open: whoever cleans up tries again before anything is removed.
                let why = self.secrets().hide(&chain(&error));
                tracing::warn!(run.id = %run.id, "could not salvage what the run left: {why}");
                return Ok(Performed { ending: Ending::Abandoned, run: None });
            }
            run.ended_at = Some(self.ports.clock.now());
            run.outcome = Some(outcome);
            self.ports.store.settle_run(&run).await?;
            return Ok(Performed { ending: Ending::Abandoned, run: None });
        }
        let report = self.take(assignment, workspace, &run).await?;
        if let AgentReport::HandedIn { head, .. } = &report {
            run.left = Some(head.clone());
        }
        run.ended_at = Some(self.ports.clock.now());
        run.outcome = Some(outcome.clone());
        let ending = match (interrupt, outcome) {
            (Some(_), _) => Ending::Released {
                reason: "the orchestrator was stopped, and the agent with it".to_owned(),
            },
            (None, RunOutcome::Ended { .. }) => {
                Ending::Report(Report::Agent { run: run.id, usage: run.usage, report })
            }
            (None, RunOutcome::Failed { failure }) => Ending::Failed { failure },
        };
        Ok(Performed { ending, run: Some(run) })
    }
}

impl Assignment<'_> {
    /// What the agent may write: what its stage and its role both allow.
    fn rules(&self) -> Result<Vec<PathMatcher>, JobError> {
        let item = self.pipeline.item.key.to_string();
        let both = [self.stage.paths_of(self.role), &self.settings.paths];
        let compiled = both.map(|rules| rules.for_item(&item).compile());
        compiled
            .into_iter()
            .map(|rules| rules.map_err(|error| JobError::permanent(error.to_string())))
            .collect()
    }

    fn reads_only(&self) -> bool {
        self.stage.workspace != WorkspaceAccess::Write
    }
}

/// Whether the agent goes on without us, for somebody else to take up.
fn leaves_agents(interrupt: Interrupt) -> bool {
    matches!(interrupt, Interrupt::Stopping(StopMode::LeaveAgents) | Interrupt::Lost)
}

/// The words about a run that reached a limit: its time, silence, going round in circles.
fn stopped_at_a_limit(run: &Run) -> Option<String> {
    match &run.outcome {
        Some(RunOutcome::Failed { failure }) if failure.class == FailureClass::Resource => {
            Some(failure.message.clone())
        }
        _ => None,
    }
}

/// Whether a run ended in the middle of its conversation, so that it is worth going on with.
fn was_cut_off(run: &Run) -> bool {
    let cut_off = |failure: &Failure| match failure.class {
        FailureClass::Transient
        | FailureClass::Lost
        | FailureClass::Quota
        | FailureClass::Credentials => true,
        FailureClass::Permanent | FailureClass::Resource => false,
    };
    matches!(&run.outcome, Some(RunOutcome::Failed { failure }) if cut_off(failure))
}
