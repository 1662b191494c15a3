//! What the agent is told.

use domain::{
    brief::BriefContext,
    definition::{Check, Stage},
    limits::AGENT_TIME_LIMIT,
    pipeline::Pipeline,
    verdict::Finding,
};

use super::Assignment;
use crate::{Engine, jobs::JobError};

impl Engine {
    pub(super) fn brief(&self, assignment: &Assignment<'_>) -> Result<String, JobError> {
        let context = assignment.brief_context();
        self.ports
            .briefs
            .render(assignment.role, &context)
            .map_err(|error| JobError::permanent(error.to_string()))
    }
}

impl Assignment<'_> {
    /// The longest that the run may take: what the stage says, else the role, else the agent.
    pub(super) fn time_limit(&self) -> std::time::Duration {
        let Self { stage, settings, agent, .. } = self;
        stage.time_limit.or(settings.time_limit).or(agent.time_limit).unwrap_or(AGENT_TIME_LIMIT)
    }

    fn brief_context(&self) -> BriefContext {
        let Self { job, pipeline, stage, role, settings, stopped, .. } = self;
        let key = pipeline.item.key.to_string();
        let fill = |text: &String| text.replace("{item}", &key);
        let mut feedback =
            pipeline.state.attempt().map(|attempt| attempt.feedback.clone()).unwrap_or_default();
        if let Some(why) = stopped {
            feedback.findings.push(Finding::blocking(format!("Your last try was stopped: {why}")));
            feedback.from.get_or_insert_with(|| "the supervision of the last try".to_owned());
        }
        let (of_stage, of_role) = (stage.paths_of(role), &settings.paths);
        let narrower = if of_stage.write.is_empty() { of_role } else { of_stage };
        let denied = of_stage.deny.iter().chain(&of_role.deny).map(fill);
        BriefContext {
            title: pipeline.item.title.clone(),
            description: pipeline.item.description.clone(),
            definition: pipeline.definition_name.to_string(),
            stage: stage.name.to_string(),
            role: role.to_string(),
            attempt: job.slot.attempt,
            branch: pipeline.branch.to_string(),
            target: pipeline.target.to_string(),
            base: pipeline.base.as_ref().map(ToString::to_string).unwrap_or_default(),
            documents: format!("docs/work-items/{key}"),
            artifacts: stage.artifacts().map(fill).collect(),
            checks: checks(stage),
            may_write: narrower.write.iter().map(fill).collect(),
            // What nobody may ever write is in every brief already.
            may_not_write: denied.collect(),
            previous_commit: previous_commit(pipeline, stage),
            findings: feedback.findings,
            sent_back_by: feedback.from,
            answers: feedback.answers,
            time_limit_minutes: self.time_limit().as_secs().div_ceil(60),
            item: key,
        }
    }
}

fn checks(stage: &Stage) -> Vec<String> {
    let command = |check: &Check| match check {
        Check::Command { run, .. } => Some(run.clone()),
        _ => None,
    };
    stage.gates.iter().filter_map(|gate| command(&gate.check)).collect()
}

fn previous_commit(pipeline: &Pipeline, stage: &Stage) -> Option<String> {
    pipeline.seen.get(&stage.name).map(ToString::to_string)
}
