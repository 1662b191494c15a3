//! Asks a gate about a commit.

use domain::{
    definition::{Check, Definition, Gate},
    job::Job,
    name::GateName,
    pipeline::{Pipeline, Report},
    revision::{CommitSha, TreeSha},
    verdict::{Verdict, VerdictOutcome},
};
use ports::{GateAnswer, GateQuestion};
use tokio::sync::watch;

use super::{JobError, Performed, gate_error};
use crate::{
    Engine,
    worker::{Interrupt, StopMode, interrupted},
};

impl Engine {
    pub(super) async fn ask_gate(
        &self,
        job: &Job,
        name: &GateName,
        mut signal: watch::Receiver<Option<Interrupt>>,
    ) -> Result<Performed, JobError> {
        let pipeline = self.load_pipeline(job.pipeline).await?;
        let definition = self.load_definition(&pipeline).await?;
        let gate = definition
            .find_stage(&job.slot.stage)
            .and_then(|stage| stage.gates.iter().find(|gate| gate.name == *name));
        let gate = gate.ok_or_else(|| {
            JobError::permanent(format!("stage `{}` has no gate `{name}`", job.slot.stage))
        })?;
        let commit =
            job.commit.clone().ok_or_else(|| JobError::permanent("a gate job without a commit"))?;
        // A merge is judged against the target that it is for: what others changed there is not the branch's.
        let candidate = pipeline.state.attempt().and_then(|attempt| attempt.candidate.as_ref());
        let base = candidate.map(|it| it.target.clone()).or_else(|| pipeline.base.clone());
        let base =
            base.ok_or_else(|| JobError::permanent("a gate job before the repository was opened"))?;
        let project = self.project(&pipeline).await?;
        let tree = self.ports.git.load_tree(&project, &commit).await?;
        if let Some(verdict) =
            self.known_verdict(&pipeline, &definition, gate, &commit, &tree).await?
        {
            return Ok(Performed::report(Report::Gate { verdict }));
        }
        let question = GateQuestion {
            project,
            gate: gate.clone(),
            item: pipeline.item.key.to_string(),
            commit,
            base,
            scratch: self.layout.gate(job.id),
            evidence: self.layout.evidence(pipeline.id, name, job.id),
        };
        let answer = tokio::select! {
            biased;
            answer = self.ports.gates.judge(&question) => answer,
            interrupt = interrupted(&mut signal) => {
                // Whoever takes it up again asks anew, or finds it still being answered.
                if matches!(interrupt, Interrupt::Cancelled | Interrupt::Stopping(StopMode::StopAgents)) {
                    self.ports.gates.abandon(&question.scratch).await.map_err(|error| gate_error(&error))?;
                }
                return Ok(Performed::interrupted(interrupt));
            }
        };
        let report = match answer.map_err(|error| gate_error(&error))? {
            GateAnswer::Verdict(verdict) => Report::Gate { verdict },
            GateAnswer::Ask { questions } => Report::GateAsks { questions },
        };
        Ok(Performed::report(report))
    }

    /// A passing verdict of a command about this very tree: asking again would give the same answer.
    async fn known_verdict(
        &self,
        pipeline: &Pipeline,
        definition: &Definition,
        gate: &Gate,
        commit: &CommitSha,
        tree: &TreeSha,
    ) -> Result<Option<Verdict>, JobError> {
        if !matches!(gate.check, Check::Command { .. }) {
            return Ok(None);
        }
        let same_check = definition
            .stages
            .iter()
            .flat_map(|stage| &stage.gates)
            .filter(|other| other.check == gate.check);
        for other in same_check {
            let known = self.ports.store.find_verdict(pipeline.id, &other.name, tree).await?;
            if let Some(verdict) = known.filter(|it| it.outcome == VerdictOutcome::Pass) {
                let now = self.ports.clock.now();
                let summary = format!(
                    "the same tree passed gate `{}` as {}",
                    other.name,
                    verdict.commit.short()
                );
                let (gate, commit) = (gate.name.clone(), commit.clone());
                return Ok(Some(Verdict {
                    gate,
                    commit,
                    summary,
                    started_at: now,
                    finished_at: now,
                    ..verdict
                }));
            }
        }
        Ok(None)
    }
}
