//! Pipelines, jobs and steps as tests of stores want them: valid, small, told apart by a number.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    breaker::{Breaker, BreakerKey, BreakerState, Hold, HoldReason},
    brief::Feedback,
    decision::{Choice, Decision, DecisionKind, DecisionState},
    definition::{Definition, DefinitionHash, PipelineLimits},
    id::{DecisionId, JobId, PipelineId, RunId},
    job::{Budget, Job, JobInput, JobState, Slot, Work},
    name::{AgentName, DefinitionName, DestinationName, GateName, ProjectKey, RoleName, StageName},
    outbox::Letter,
    pipeline::{
        Actor, Delivery, NewPipeline, Pipeline, PipelineOptions, PipelineState, StageAttempt,
    },
    revision::{BranchName, CommitSha, TreeSha},
    run::Run,
    usage::Usage,
    verdict::{Finding, Verdict, VerdictOutcome},
};
use jiff::Timestamp;
use ports::{Applied, Caps, Claim, Held, JobUpdate, ProjectRecord, Step, Store, TakeLetters};

/// How long the leases of [`claim`] last.
pub const TTL: Duration = Duration::from_secs(30);

/// So many seconds after a moment in 2026.
#[must_use]
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + seconds).expect("tests end before the year 9999")
}

/// A project's key.
#[must_use]
pub fn project(key: &str) -> ProjectKey {
    ProjectKey::new(key).expect("a name")
}

/// An agent's name.
#[must_use]
pub fn agent(name: &str) -> AgentName {
    AgentName::new(name).expect("a name")
}

/// A destination's name.
#[must_use]
pub fn destination(name: &str) -> DestinationName {
    DestinationName::new(name).expect("a name")
}

/// A gate's name.
#[must_use]
pub fn gate(name: &str) -> GateName {
    GateName::new(name).expect("a name")
}

/// A stage's name.
#[must_use]
pub fn stage(name: &str) -> StageName {
    StageName::new(name).expect("a name")
}

/// A commit of one digit.
#[must_use]
pub fn commit(digit: char) -> CommitSha {
    CommitSha::new(digit.to_string().repeat(40)).expect("a digit")
}

/// A tree of one digit.
#[must_use]
pub fn tree(digit: char) -> TreeSha {
    TreeSha::new(digit.to_string().repeat(40)).expect("a digit")
}

/// The hash of [`definition`].
#[must_use]
pub fn definition_hash() -> DefinitionHash {
    DefinitionHash("d".repeat(64))
}

/// A definition that nobody walks through.
#[must_use]
pub fn definition() -> Definition {
    let limits = PipelineLimits {
        wall_time: Some(Duration::from_hours(8)),
        tokens: Some(1_000),
        cost_usd: Some(0.1 + 0.2),
    };
    let name = DefinitionName::new("delivery").expect("a name");
    Definition {
        name,
        description: "Delivers.".to_owned(),
        start: stage("development"),
        limits,
        stages: Vec::new(),
    }
}

/// A pipeline to be made, its title naming `id`.
#[must_use]
pub fn new_pipeline(id: u128, key: &str) -> NewPipeline {
    NewPipeline {
        id: PipelineId::from_u128(id),
        project: project(key),
        number_above: 0,
        title: format!("Item {id}"),
        ascii_title: format!("Item {id}"),
        description: "As said.\n".to_owned(),
        definition_name: DefinitionName::new("delivery").expect("a name"),
        definition: definition_hash(),
        options: PipelineOptions {
            delivery: Delivery::Merge,
            human_gates: true,
            agent: Some(agent("claude")),
        },
        target: BranchName::new("main").expect("a branch"),
        created_at: at(0),
    }
}

/// Remembers a project and the definition that [`new_pipeline`] pins.
pub async fn prepare(store: &dyn Store, key: &str) {
    let record = ProjectRecord { key: project(key), repository: format!("/repositories/{key}") };
    store.save_project(&record).await.expect("the project is saved");
    store
        .save_definition(&definition_hash(), &definition())
        .await
        .expect("the definition is saved");
}

/// A pipeline that is remembered, with its project.
pub async fn pipeline(store: &dyn Store, id: u128, key: &str) -> Pipeline {
    prepare(store, key).await;
    store.create_pipeline(&new_pipeline(id, key)).await.expect("the pipeline is made")
}

/// The state of a pipeline whose agents work.
#[must_use]
pub fn running() -> PipelineState {
    let step = domain::pipeline::Step::Acting;
    let feedback =
        Feedback { from: None, findings: vec![Finding::blocking("mend it")], answers: Vec::new() };
    let attempt = StageAttempt {
        stage: stage("development"),
        number: 1,
        started_at: at(0),
        feedback,
        step,
        candidate: None,
    };
    PipelineState::Running { attempt }
}

/// The state of a pipeline that somebody paused.
#[must_use]
pub fn paused() -> PipelineState {
    PipelineState::Paused { inner: Box::new(running()) }
}

/// The next step of a pipeline. It changes nothing but the version; a test adds what it is about.
#[must_use]
pub fn step(pipeline: &Pipeline) -> Step {
    let version = pipeline.version + 1;
    Step {
        pipeline: Pipeline { version, ..pipeline.clone() },
        input: format!("{}/{version}", pipeline.id),
        actor: Actor::Engine,
        at: at(0),
        events: Vec::new(),
        cancel_jobs: false,
        jobs: Vec::new(),
        opened: Vec::new(),
        closed: Vec::new(),
        timers: Vec::new(),
        release_merge_lease: false,
        verdicts: Vec::new(),
        runs: Vec::new(),
        job: None,
        letters: Vec::new(),
        letter: None,
        breaker: None,
    }
}

/// The next step of a pipeline, which brings it into `state`.
#[must_use]
pub fn step_to(pipeline: &Pipeline, state: PipelineState) -> Step {
    let step = step(pipeline);
    Step { pipeline: Pipeline { state, ..step.pipeline }, ..step }
}

/// Writes a step that nothing stands in the way of, and returns the pipeline after it.
pub async fn done(store: &dyn Store, step: Step) -> Pipeline {
    let applied = store.apply(&step).await.expect("the step is applied");
    assert!(matches!(applied, Applied::Done { .. }), "{applied:?}");
    step.pipeline
}

/// Queues jobs with a step of its own.
pub async fn queue(store: &dyn Store, pipeline: &Pipeline, jobs: Vec<Job>) -> Pipeline {
    done(store, Step { jobs, ..step(pipeline) }).await
}

/// A job, queued and due at second 0. Its round is `id`, so that no two of them share a slot.
#[must_use]
pub fn job(pipeline: &Pipeline, id: u32, work: Work) -> Job {
    let slot =
        Slot { epoch: pipeline.epoch, stage: stage("development"), attempt: 1, round: id, work };
    Job {
        id: JobId::from_u128(id.into()),
        pipeline: pipeline.id,
        project: pipeline.project.clone(),
        slot,
        commit: Some(commit('a')),
        agent: None,
        exclusive: false,
        priority: 0,
        budget: Budget::default(),
        claims: 0,
        state: JobState::Queued { available_at: at(0) },
        last_error: None,
        created_at: at(0),
    }
}

/// A job for an agent.
#[must_use]
pub fn agent_job(pipeline: &Pipeline, id: u32, name: &str) -> Job {
    let role = RoleName::new("developer").expect("a name");
    Job { agent: Some(agent(name)), ..job(pipeline, id, Work::Agent { role }) }
}

/// A job for a gate.
#[must_use]
pub fn gate_job(pipeline: &Pipeline, id: u32) -> Job {
    job(pipeline, id, Work::Gate { gate: gate("tests") })
}

/// A job that needs the merge lease.
#[must_use]
pub fn merge_job(pipeline: &Pipeline, id: u32) -> Job {
    Job { exclusive: true, ..job(pipeline, id, Work::Integrate) }
}

/// A wish for as much work as there is, without caps.
#[must_use]
pub fn claim(now: Timestamp) -> Claim {
    let caps = Caps { total: u32::MAX, per_project: None, per_agent: BTreeMap::new() };
    let (breakers, held) = (BTreeMap::new(), Held::default());
    Claim { owner: "worker".to_owned(), now, ttl: TTL, caps, breakers, held, limit: 1_000 }
}

/// The key of a breaker.
#[must_use]
pub fn breaker_key(text: &str) -> BreakerKey {
    BreakerKey::new(text).expect("a key")
}

/// Two agents of one kind behind one breaker, and one of another kind.
#[must_use]
pub fn guards() -> BTreeMap<AgentName, BreakerKey> {
    let guard = |name: &str, key: &str| (agent(name), breaker_key(key));
    [guard("claude", "claude@a"), guard("opus", "claude@a"), guard("codex", "codex@b")].into()
}

/// What opens a breaker at second 0, until then or for a person to come.
#[must_use]
pub fn open(until: Option<i64>) -> BreakerState {
    let reason = if until.is_some() { HoldReason::Quota } else { HoldReason::Credentials };
    let hold = Hold { since: at(0), until: until.map(at), reason, message: "it is so".to_owned() };
    BreakerState::Open { hold }
}

/// Writes the next state of a breaker by itself.
pub async fn set_breaker(store: &dyn Store, key: &str, state: BreakerState) -> Breaker {
    let breaker = store.load_breaker(&breaker_key(key)).await.expect("the breaker is loaded");
    let next = breaker.next(state);
    assert!(store.save_breaker(&next).await.expect("the breaker is saved"), "{next:?}");
    next
}

/// The jobs that a claim gives out.
pub async fn claimed(store: &dyn Store, claim: &Claim) -> Vec<Job> {
    store.claim(claim).await.expect("the claim is answered")
}

/// A wish for letters to these destinations.
#[must_use]
pub fn take(now: Timestamp, destinations: &[&str]) -> TakeLetters {
    let destinations = destinations.iter().map(|name| destination(name)).collect();
    TakeLetters { owner: "worker".to_owned(), now, ttl: TTL, destinations }
}

/// The letters that a wish gets.
pub async fn taken(store: &dyn Store, wish: &TakeLetters) -> Vec<Letter> {
    store.take_letters(wish).await.expect("the wish is answered")
}

/// The ids of jobs.
#[must_use]
pub fn ids(jobs: &[Job]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

/// The ids of jobs made with these numbers.
#[must_use]
pub fn job_ids(numbers: &[u32]) -> Vec<JobId> {
    numbers.iter().map(|number| JobId::from_u128((*number).into())).collect()
}

/// The token of a job that runs.
#[must_use]
pub fn token(job: &Job) -> u64 {
    match &job.state {
        JobState::Running { lease } => lease.token,
        other => panic!("{} is {other:?}, not running", job.id),
    }
}

/// What becomes of a running job by `input`.
#[must_use]
pub fn update(job: &Job, input: &JobInput, now: Timestamp) -> JobUpdate {
    let next = job.decide(input, now).expect("the job runs");
    JobUpdate { job: job.id, token: token(job), next, last_error: None, expired_by: None }
}

/// A running job's happy end.
#[must_use]
pub fn completed(job: &Job) -> JobUpdate {
    update(job, &JobInput::Complete { token: token(job) }, at(0))
}

/// A pipeline as it is remembered.
pub async fn load_pipeline(store: &dyn Store, id: PipelineId) -> Pipeline {
    store.find_pipeline(id).await.expect("the store answers").expect("the pipeline is remembered")
}

/// A job as it is remembered.
pub async fn load_job(store: &dyn Store, id: JobId) -> Job {
    let jobs = store.list_jobs(&ports::JobFilter::default()).await.expect("jobs are listed");
    jobs.into_iter().find(|job| job.id == id).expect("the job is remembered")
}

/// An open question of a pipeline.
#[must_use]
pub fn decision(pipeline: &Pipeline, id: u128) -> Decision {
    Decision {
        id: DecisionId::from_u128(id),
        pipeline: pipeline.id,
        kind: DecisionKind::Approval,
        question: "May it?".to_owned(),
        findings: Vec::new(),
        show: vec!["plan.md".to_owned()],
        commit: Some(commit('b')),
        options: vec![Choice::Approve, Choice::Reject],
        opened_at: at(0),
        state: DecisionState::Open,
    }
}

/// Somebody's approval.
#[must_use]
pub fn approved(by: &str) -> DecisionState {
    DecisionState::Resolved {
        choice: Choice::Approve,
        comment: String::new(),
        by: by.to_owned(),
        at: at(5),
    }
}

/// What a gate says about a tree.
#[must_use]
pub fn verdict(name: &str, digit: char, outcome: VerdictOutcome) -> Verdict {
    Verdict {
        gate: gate(name),
        commit: commit(digit),
        tree: tree(digit),
        outcome,
        findings: vec![Finding::blocking("it is wrong").at("src/lib.rs")],
        summary: format!("It is a {outcome}."),
        started_at: at(1),
        finished_at: at(2),
        evidence: None,
    }
}

/// A run that was launched for a job and has not ended.
#[must_use]
pub fn run(job: &Job, id: u128) -> Run {
    Run {
        id: RunId::from_u128(id),
        job: job.id,
        pipeline: job.pipeline,
        stage: job.slot.stage.clone(),
        attempt: job.slot.attempt,
        role: RoleName::new("developer").expect("a name"),
        agent: agent("claude"),
        launched_at: at(3),
        ended_at: None,
        session: None,
        usage: Usage { input_tokens: 7, cost_usd: Some(0.1 + 0.2), ..Usage::default() },
        outcome: None,
        left: None,
        salvages: 0,
        loss_counted: false,
    }
}
