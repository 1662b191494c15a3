//! A pipeline's way through eight stages, where every job answers at once and well.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use domain::{
    definition::Definition,
    id::{PipelineId, RunId},
    job::{Slot, Work},
    pipeline::{
        Actor, AgentReport, Delivery, Input, NewPipeline, Pipeline, PipelineOptions, PipelineState,
        Report, StageAttempt, Step,
    },
    usage::Usage,
    verdict::VerdictOutcome,
};
use engine::Cause;
use ports::{ProjectRecord, Store};
use testkit::store_conformance::fixtures;

use crate::workshop::{PROJECT, parse_definition};

/// Stages of the definition, each with an agent and a gate.
const STAGES: u32 = 8;

/// Jobs of a whole way: opening, an agent and a gate a stage, publishing, cleaning up.
pub(crate) const JOBS: u32 = 2 * STAGES + 3;

/// The definition: eight stages with one agent and one gate each, then a delivery.
pub(crate) fn definition() -> Result<Definition> {
    let mut text = "name = \"eight\"\nstart = \"stage-1\"\n".to_owned();
    for number in 1..=STAGES {
        let next =
            if number == STAGES { "finish".to_owned() } else { format!("stage-{}", number + 1) };
        write!(
            text,
            "[[stage]]\nname = \"stage-{number}\"\nroles = [\"developer\"]\non_pass = \"{next}\"\n\
             [[stage.gates]]\nname = \"tests\"\nkind = \"command\"\nrun = \"true\"\n"
        )?;
    }
    text.push_str("[[stage]]\nname = \"finish\"\naction = \"deliver\"\n");
    parse_definition(&text)
}

/// Remembers the project and the definition.
pub(crate) async fn prepare(store: &dyn Store, definition: &Definition) -> Result<()> {
    let key = fixtures::project(PROJECT);
    store.save_project(&ProjectRecord { key, repository: "/nowhere".to_owned() }).await?;
    store.save_definition(&config::definition::hash(definition), definition).await?;
    Ok(())
}

/// Makes a pipeline.
pub(crate) async fn create(
    store: &dyn Store,
    definition: &Definition,
    id: u128,
) -> Result<PipelineId> {
    let new = NewPipeline {
        definition_name: definition.name.clone(),
        definition: config::definition::hash(definition),
        options: PipelineOptions { delivery: Delivery::Branch, human_gates: true, agent: None },
        ..fixtures::new_pipeline(id, PROJECT)
    };
    Ok(store.create_pipeline(&new).await?.id)
}

/// A cause that no other input has.
pub(crate) fn cause(pipeline: PipelineId, number: u64) -> Cause {
    Cause {
        actor: Actor::Engine,
        key: format!("{pipeline}/{number}"),
        job: None,
        run: None,
        fired: None,
    }
}

/// What happens next to a pipeline; `None` at its end.
pub(crate) fn next_input(pipeline: &Pipeline, definition: &Definition) -> Result<Option<Input>> {
    if pipeline.state == PipelineState::Queued {
        return Ok(Some(Input::Start));
    }
    let Some(attempt) = pipeline.state.attempt() else { return Ok(None) };
    let (round, work, report) = job_of(attempt, definition)?;
    let slot = Slot {
        epoch: pipeline.epoch,
        stage: attempt.stage.clone(),
        attempt: attempt.number,
        round,
        work,
    };
    Ok(Some(Input::JobDone { slot, report }))
}

/// The job that an attempt waits for, and its report.
fn job_of(attempt: &StageAttempt, definition: &Definition) -> Result<(u32, Work, Report)> {
    let position = definition.stages.iter().position(|stage| stage.name == attempt.stage);
    let digit = char::from(b'0' + u8::try_from(position.unwrap_or(0))?);
    let head = fixtures::commit(digit);
    Ok(match &attempt.step {
        Step::Opening => (0, Work::Open, Report::Opened { base: head }),
        Step::Working { wave, roles } => {
            let [role] = roles.as_slice() else { bail!("a stage of one role has {}", roles.len()) };
            let report = AgentReport::HandedIn { head, changed_paths: 1 };
            let report =
                Report::Agent { run: RunId::from_u128(1), usage: Usage::default(), report };
            (*wave, Work::Agent { role: role.role.clone() }, report)
        }
        Step::Gating { .. } => {
            let verdict = fixtures::verdict("tests", digit, VerdictOutcome::Pass);
            (0, Work::Gate { gate: fixtures::gate("tests") }, Report::Gate { verdict })
        }
        Step::Acting => (0, Work::Publish, Report::Published { head }),
        other => bail!("nothing here leads to {other:?}"),
    })
}
