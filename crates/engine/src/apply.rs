//! The one door.

use std::sync::Arc;

use domain::{
    decision::DecisionState,
    definition::Definition,
    id::PipelineId,
    job::{Budget, Job, JobInput, JobState, Work},
    name::AgentName,
    outbox::{Letter, Route},
    pipeline::{
        Actor, Context, Decided, Effect, EventKind, Input, NewJob, Pipeline, Refusal, decide,
    },
    run::Run,
};
use jiff::Timestamp;
use ports::{Applied, DueTimer, JobUpdate, NewLetter, Step, TimerChange};

use crate::{Engine, EngineError, Progress, breakers::Change};

/// Where an input comes from.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Who or what brings it.
    pub actor: Actor,
    /// Its deduplication key: the same input brought twice moves the pipeline once.
    pub key: String,
    /// The job that it is the report of.
    pub job: Option<JobReport>,
    /// The run that ended with it, or whose loss is counted by it.
    pub run: Option<Run>,
    /// The timer that it is the firing of.
    pub fired: Option<DueTimer>,
}

/// What the bringer of an input says of its job.
#[derive(Clone, Debug)]
pub struct JobReport {
    /// The job, as it was when it was looked at.
    pub job: Job,
    /// What the report does to it.
    pub input: JobInput,
    /// Where given, the report counts only if the job's lease had ended by then.
    pub expired_by: Option<Timestamp>,
}

/// What became of an input.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Outcome {
    /// The pipeline moved.
    Moved(Box<Pipeline>),
    /// It was consumed before.
    Duplicate,
    /// Its job was taken away meanwhile.
    Fenced,
}

impl Engine {
    /// Brings an input to a pipeline: decides, and saves what was decided in one transaction.
    ///
    /// A refusal of the core is [`EngineError::Refused`]; nothing was changed then, not even the job that brought
    /// the input.
    pub async fn apply(
        &self,
        id: PipelineId,
        input: &Input,
        cause: &Cause,
    ) -> Result<Outcome, EngineError> {
        self.apply_with_letter(id, input, cause, None).await
    }

    /// The same, for an input about a letter: the letter as it is after it is saved with the step or not at all.
    pub(crate) async fn apply_with_letter(
        &self,
        id: PipelineId,
        input: &Input,
        cause: &Cause,
        letter: Option<&Letter>,
    ) -> Result<Outcome, EngineError> {
        loop {
            let pipeline = self.load_pipeline(id).await?;
            let definition = self.load_definition(&pipeline).await?;
            // Set anew since it was looked at: it is not due any more. A change after this makes the step stale.
            if let Some(due) = &cause.fired
                && self.ports.store.find_timer(due.pipeline, due.timer).await? != Some(due.at)
            {
                return Ok(Outcome::Duplicate);
            }
            let now = self.ports.clock.now();
            let context =
                Context { now, decision: self.fresh_decision(), by: cause.actor.to_string() };
            let decided = decide(&pipeline, &definition, input, &context)?;
            let mut step = self.step(decided, cause, now)?;
            let change = self.breaker_change(cause, now).await?;
            step.events.extend(change.as_ref().and_then(Change::event));
            step.breaker = change.as_ref().map(|change| change.breaker.clone());
            // Now that all of its events are there.
            step.letters = self.letters(&step);
            step.letter = letter.cloned();
            match self.ports.store.apply(&step).await? {
                Applied::Done { .. } => {
                    if let Some(change) = &change {
                        change.alert();
                    }
                    self.tell(&step);
                    return Ok(Outcome::Moved(Box::new(step.pipeline)));
                }
                Applied::Duplicate => return Ok(Outcome::Duplicate),
                Applied::Fenced => return Ok(Outcome::Fenced),
                // Somebody was faster: decide again on what they left.
                Applied::Stale => {}
            }
        }
    }

    pub(crate) async fn load_pipeline(&self, id: PipelineId) -> Result<Pipeline, EngineError> {
        self.ports.store.find_pipeline(id).await?.ok_or(EngineError::UnknownPipeline { id })
    }

    /// The definition that the pipeline is pinned to.
    pub async fn load_definition(
        &self,
        pipeline: &Pipeline,
    ) -> Result<Arc<Definition>, EngineError> {
        let hash = &pipeline.definition;
        if let Some(known) = self.definitions.lock().expect("no holder panics").get(hash) {
            return Ok(Arc::clone(known));
        }
        let found = self.ports.store.find_definition(hash).await?;
        let found = found.ok_or_else(|| EngineError::MissingDefinition {
            id: pipeline.id,
            hash: hash.clone(),
        })?;
        let found = Arc::new(found);
        self.definitions.lock().expect("no holder panics").insert(hash.clone(), Arc::clone(&found));
        Ok(found)
    }

    /// Turns what was decided into rows.
    fn step(&self, decided: Decided, cause: &Cause, now: Timestamp) -> Result<Step, EngineError> {
        let Decided { pipeline, events, effects } = decided;
        let job = match &cause.job {
            Some(JobReport { job, input, expired_by }) => {
                Some(JobUpdate { expired_by: *expired_by, ..job_update(job, input, now)? })
            }
            None => None,
        };
        let mut step = Step {
            input: cause.key.clone(),
            actor: cause.actor.clone(),
            at: now,
            events,
            cancel_jobs: false,
            jobs: Vec::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            timers: cause
                .fired
                .map(|due| TimerChange::Fired { timer: due.timer })
                .into_iter()
                .collect(),
            release_merge_lease: false,
            verdicts: Vec::new(),
            runs: cause.run.clone().into_iter().collect(),
            job,
            letters: Vec::new(),
            letter: None,
            breaker: None,
            pipeline,
        };
        for effect in effects {
            match effect {
                Effect::Enqueue(new) => step.jobs.push(self.job(&step.pipeline, new, now)),
                Effect::CancelJobs => step.cancel_jobs = true,
                Effect::OpenDecision(decision) => step.opened.push(decision),
                Effect::ResolveDecision { id, choice, comment } => {
                    let by = cause.actor.to_string();
                    step.closed
                        .push((id, DecisionState::Resolved { choice, comment, by, at: now }));
                }
                Effect::WithdrawDecision { id } => {
                    step.closed.push((id, DecisionState::Withdrawn { at: now }));
                }
                Effect::ArmTimer { timer, at } => step.timers.push(TimerChange::Arm { timer, at }),
                Effect::DisarmTimers => step.timers.push(TimerChange::DisarmAll),
                Effect::ReleaseMergeLease => step.release_merge_lease = true,
                Effect::StoreVerdict(verdict) => step.verdicts.push(verdict),
            }
        }
        Ok(step)
    }

    /// Who is to be told of which event of a step.
    fn letters(&self, step: &Step) -> Vec<NewLetter> {
        let project = &step.pipeline.project;
        let of_event = |(event, kind): (usize, &EventKind)| -> Vec<NewLetter> {
            let routes = self.options.destinations.values().map(|it| &it.route);
            let wanted = routes.filter(|route| route.wants(project, kind));
            let letter = |route: &Route| NewLetter {
                id: self.fresh_letter(),
                destination: route.destination.clone(),
                event,
            };
            wanted.map(letter).collect()
        };
        step.events.iter().enumerate().flat_map(of_event).collect()
    }

    fn job(&self, pipeline: &Pipeline, new: NewJob, now: Timestamp) -> Job {
        let NewJob { slot, commit, exclusive } = new;
        let agent = match &slot.work {
            Work::Agent { role } => Some(self.agent_of(pipeline, role)),
            _ => None,
        };
        Job {
            id: self.fresh_job(),
            pipeline: pipeline.id,
            project: pipeline.project.clone(),
            slot,
            commit,
            agent,
            exclusive,
            priority: 0,
            budget: Budget::default(),
            claims: 0,
            state: JobState::Queued { available_at: now },
            last_error: None,
            created_at: now,
        }
    }

    /// The agent that plays a role in a pipeline.
    pub(crate) fn agent_of(&self, pipeline: &Pipeline, role: &domain::name::RoleName) -> AgentName {
        let settings = self.options.project(&pipeline.project);
        let of_role = || settings.roles.get(role).and_then(|it| it.agent.clone());
        pipeline.options.agent.clone().or_else(of_role).unwrap_or_else(|| settings.agent.clone())
    }

    /// Tells watchers and workers what is saved now.
    fn tell(&self, step: &Step) {
        for event in &step.events {
            // Nobody has to watch.
            let _unwatched = self.progress.send(Progress::Happened {
                pipeline: step.pipeline.id,
                at: step.at,
                event: event.clone(),
            });
        }
        if step.cancel_jobs {
            self.stop_cancelled(&step.pipeline);
        }
        self.ports.wakeup.wake();
    }
}

/// What a report does to its job, as the job's own machine says.
pub(crate) fn job_update(
    job: &Job,
    input: &JobInput,
    now: Timestamp,
) -> Result<JobUpdate, EngineError> {
    let next = job
        .decide(input, now)
        .map_err(|refusal| Refusal::Inconsistent { what: refusal.to_string() })?;
    let (token, last_error) = match input {
        JobInput::Fail { token, failure, .. } => (*token, Some(failure.message.clone())),
        JobInput::Complete { token }
        | JobInput::Heartbeat { token, .. }
        | JobInput::Release { token } => (*token, None),
        JobInput::Expire => (job.claims, Some("its worker is gone".to_owned())),
        JobInput::Claim { .. } | JobInput::Cancel => (job.claims, None),
    };
    Ok(JobUpdate { job: job.id, token, next, last_error, expired_by: None })
}
