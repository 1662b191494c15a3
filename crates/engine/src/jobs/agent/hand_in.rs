//! Takes what an agent left in its workspace.

use domain::{pipeline::AgentReport, run::Run, verdict::Finding};
use ports::{HandIn, HandInRequest, PathChange, Workspace};

use super::Assignment;
use crate::{Engine, jobs::JobError};

impl Engine {
    /// Commits left-over work inside the sandbox, takes the commits over, and checks them. Idempotent.
    pub(super) async fn take(
        &self,
        assignment: &Assignment<'_>,
        workspace: &Workspace,
        run: &Run,
    ) -> Result<AgentReport, JobError> {
        if assignment.reads_only() {
            return Ok(AgentReport::Nothing { findings: Vec::new() });
        }
        let Assignment { pipeline, project, role, start, .. } = assignment;
        let message = format!("wip({role}): work left by {}\n", run.id);
        let argv = self.ports.git.hand_in_command(workspace, &pipeline.branch, start, &message);
        let what_failed = "the work could not be handed in";
        if let Err(error) =
            self.step_inside(assignment, workspace, run, "hand-in", argv, what_failed).await
        {
            // An agent that broke its own repository: its doing, not ours.
            let JobError::Workspace { message } = error else { return Err(error) };
            return Ok(AgentReport::Refused { findings: vec![Finding::blocking(message)] });
        }
        let mut rules = assignment.rules()?.into_iter();
        let of_stage =
            rules.next().ok_or_else(|| JobError::permanent("a stage without path rules"))?;
        let request = HandInRequest {
            project: project.clone(),
            workspace: workspace.clone(),
            branch: pipeline.branch.clone(),
            start: start.clone(),
            rules: of_stage,
            salvage: run.id.to_string(),
        };
        let (head, changed) = match self.ports.git.collect(&request).await? {
            HandIn::Nothing { findings } => return Ok(AgentReport::Nothing { findings }),
            HandIn::Refused { findings } => return Ok(AgentReport::Refused { findings }),
            HandIn::Accepted { head, changed } => (head, changed),
        };
        let not_for_role =
            |change: &&PathChange| rules.clone().any(|rules| !rules.allows(&change.path));
        let findings: Vec<Finding> = changed
            .iter()
            .filter(not_for_role)
            .map(|change| {
                Finding::blocking(format!("role `{role}` may not write `{}`", change.path))
                    .at(&change.path)
            })
            .collect();
        if findings.is_empty() {
            let changed_paths = u32::try_from(changed.len()).unwrap_or(u32::MAX);
            Ok(AgentReport::HandedIn { head, changed_paths })
        } else {
            Ok(AgentReport::Refused { findings })
        }
    }
}
