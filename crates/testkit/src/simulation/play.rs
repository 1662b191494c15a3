//! Plays a plan: acts, the passing of time, and nodes that come and go.

use std::{sync::Arc, time::Duration};

use domain::{
    breaker::{Breaker, BreakerState},
    decision::{Choice, Decision, DecisionState},
    definition::Definition,
    failure::FailureClass,
    id::PipelineId,
    name::{AgentName, ProjectKey},
    pipeline::{Delivery, Input, InputTag, PipelineOptions, Refusal as CoreRefusal},
    revision::{BranchName, CommitSha},
};
use engine::{AtRest, EngineError, NewItem, Outcome, StopMode};
use jiff::Timestamp;
use ports::{Applied, Clock as _, ProjectRecord, Store as _, StoreError};

use super::{
    bell::{Bell, Rang},
    coverage,
    dice::Dice,
    lockstep::LockstepStore,
    mutation::Mutation,
    plan::{Act, Ask, Conduct, GateKind, Plan, Refusal, Reply, Saying, Shape, Trouble},
    process::{Process, caps_of},
    record::Record,
    shapes::definition_of,
    toll::ProcessToll,
};
use crate::world::{Answer, Script, World, definitions};

/// Turns of the play while it waits for calls to pass: an engine that does nothing any more lets none.
const PATIENCE: u32 = 400;
/// Mixed into a history's seed for the order of events.
const SCHEDULING: u64 = 0x006f_7264_6572;
/// What every project is called.
const PROJECTS: [&str; 2] = ["ET", "OZ"];

/// One orchestrator after the other, on the same machine.
#[derive(Default)]
struct Node {
    process: Option<Process>,
    /// When it is started again.
    starts_at: Option<Timestamp>,
    /// How long it is gone when it ends the next time.
    absence: u16,
    /// How many there were.
    generation: u32,
}

/// A history under way.
pub(super) struct Play<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World,
    pub(super) store: LockstepStore,
    pub(super) record: Arc<Record>,
    mutation: Option<Mutation>,
    bell: Arc<Bell>,
    nodes: Vec<Node>,
    /// Agents and words that were given out, so that no two are alike.
    given_out: u32,
    /// Launches that were looked at.
    launches: usize,
}

impl<'a> Play<'a> {
    /// Sets up the world of a plan.
    pub(super) async fn new(
        plan: &'a Plan,
        mutation: Option<Mutation>,
        record: Arc<Record>,
        bell: Arc<Bell>,
    ) -> Result<Self, StoreError> {
        let agent = AgentName::new("fake").expect("a name");
        let store = LockstepStore::new(Arc::clone(&record), caps_of(plan, agent))?;
        let world = World::of_seed(Arc::new(store.clone()), plan.seed);
        if let Some(mutation) = mutation {
            mutation.world(&world);
        }
        for key in PROJECTS.iter().take(plan.projects.into()) {
            let key = ProjectKey::new(*key).expect("a name");
            world.git.found(&key);
            let repository = format!("/people/{key}");
            store.save_project(&ProjectRecord { key: key.clone(), repository }).await?;
            world.sync(&key).await;
        }
        let nodes = (0..plan.nodes.max(1)).map(|_| Node::default()).collect();
        Ok(Self { plan, world, store, record, mutation, bell, nodes, given_out: 0, launches: 0 })
    }

    /// Plays all acts.
    pub(super) async fn acts(&mut self) {
        self.start_nodes();
        for act in &self.plan.acts {
            if self.record.is_violated() {
                return;
            }
            self.record.say(self.now(), "plan", format!("{act:?}"));
            self.act(act).await;
            self.look_after_nodes();
        }
    }

    async fn act(&mut self, act: &Act) {
        match act {
            Act::Create { project, shape, start, human_gates, merge } => {
                self.create(*project, *shape, *start, *human_gates, *merge);
            }
            Act::Agent(conduct) => {
                let script = self.script(*conduct);
                self.world.sandbox.next_plays(script);
            }
            Act::Gate { gate, says } => self.instruct_gate(*gate, *says),
            Act::Person { pipeline, asks } => self.person(*pipeline, *asks),
            Act::Calls(calls) => self.calls(*calls).await,
            Act::Wait { seconds } => self.wait(Duration::from_secs((*seconds).into())).await,
            Act::Jump { seconds } => {
                self.world.clock.advance(Duration::from_secs((*seconds).into()));
            }
            Act::Crash { node, after, seconds } => {
                if let Some(process) = self.process(*node) {
                    process.toll.crash_in(*after);
                }
                self.node(*node).absence = *seconds;
            }
            Act::Stop { node, leaves_agents, seconds } => {
                let mode =
                    if *leaves_agents { StopMode::LeaveAgents } else { StopMode::StopAgents };
                if let Some(process) = self.process(*node) {
                    process.tell_to_stop(mode);
                }
                self.node(*node).absence = *seconds;
            }
            Act::Suspend { node, seconds } => {
                let until = self.after(*seconds);
                if let Some(process) = self.process(*node) {
                    process.toll.suspend(until);
                }
            }
            Act::Refuse { node, calls, because } => {
                let error = refusal(*because);
                if let Some(process) = self.process(*node) {
                    process.was_refused = true;
                    process.store.refuse(None, (*calls).into(), error);
                }
            }
            Act::Delay { node, calls, seconds } => {
                if let Some(process) = self.process(*node) {
                    process.toll.delay(*calls, Duration::from_secs((*seconds).into()));
                }
            }
            Act::Commit { project, conflicts } => {
                self.given_out += 1;
                let own = format!("people-{}.txt", self.given_out);
                let path = if *conflicts { "shared.txt" } else { &own };
                let words = format!("by people, {}", self.given_out);
                self.world.git.people_commit(&self.project(*project), "main", path, &words);
            }
            Act::Repository { project, there } => {
                self.world.git.set_reachable(&self.project(*project), *there);
            }
            Act::Again { back } => self.again(*back).await,
        }
    }

    /// Lets so many calls pass. Where nobody makes any, time passes until somebody does.
    async fn calls(&mut self, calls: u16) {
        let goal = self.bell.count() + u64::from(calls);
        for _ in 0..PATIENCE {
            let rang = self.bell.listen(Some(goal)).await;
            if rang == Rang::Passed || self.record.is_violated() {
                return;
            }
            // Whoever has just been started has something to do before time passes.
            if !self.look_after_nodes() && !self.next_time(None) {
                return;
            }
        }
    }

    /// Lets time pass.
    pub(super) async fn wait(&mut self, time: Duration) {
        let end = self.now().checked_add(time).expect("histories end before the year 9999");
        loop {
            self.settle().await;
            if self.record.is_violated() || !self.next_time(Some(end)) || self.now() >= end {
                return;
            }
        }
    }

    /// Lets everything happen that needs no time.
    pub(super) async fn settle(&mut self) {
        loop {
            self.bell.listen(None).await;
            if !self.look_after_nodes() {
                return;
            }
        }
    }

    /// Moves the clock to when something happens next, at `end` at the latest. Says whether it moved.
    pub(super) fn next_time(&mut self, end: Option<Timestamp>) -> bool {
        let starts = self.nodes.iter().filter_map(|node| node.starts_at);
        let wakes = self.world.clock.next_sleeper().filter(|at| *at < Timestamp::MAX);
        let Some(at) = starts.chain(wakes).chain(end).min() else { return false };
        self.world.clock.advance_to(at);
        self.look_after_nodes();
        true
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    fn after(&self, seconds: u16) -> Timestamp {
        let later = self.now().checked_add(Duration::from_secs(seconds.into()));
        later.expect("histories end before the year 9999")
    }

    fn project(&self, number: u8) -> ProjectKey {
        let number = usize::from(number % self.plan.projects.max(1));
        ProjectKey::new(PROJECTS[number]).expect("a name")
    }

    pub(super) fn projects(&self) -> Vec<ProjectKey> {
        (0..self.plan.projects).map(|number| self.project(number)).collect()
    }

    fn node(&mut self, number: u8) -> &mut Node {
        let number = usize::from(number) % self.nodes.len();
        &mut self.nodes[number]
    }

    fn process(&mut self, node: u8) -> Option<&mut Process> {
        self.node(node).process.as_mut()
    }
}

/// Nodes.
impl Play<'_> {
    /// Has everything started that is not there. Says whether anything was missing.
    pub(super) fn start_nodes(&mut self) -> bool {
        let now = self.now();
        let mut any = false;
        for node in self.nodes.iter_mut().filter(|node| node.process.is_none()) {
            any |= node.starts_at.is_none_or(|at| at > now);
            node.starts_at = Some(now);
        }
        any
    }

    /// Buries what has died, and starts what is to start. Says whether anything was started.
    pub(super) fn look_after_nodes(&mut self) -> bool {
        let mut any = false;
        for number in 0..self.nodes.len() {
            self.bury(number);
            let due = self.nodes[number].starts_at.is_some_and(|at| at <= self.now());
            if due {
                self.nodes[number].starts_at = None;
                let at_rest = if self.plan.returns { AtRest::Return } else { AtRest::Wait };
                self.process_of(number).work(at_rest);
                any = true;
            }
        }
        self.look_at_launches();
        any
    }

    /// A run is recorded before its agent is launched.
    fn look_at_launches(&mut self) {
        let launched = self.world.sandbox.launched();
        for dir in launched.iter().skip(self.launches) {
            let known =
                self.store.pair.model.look(|model| {
                    model.runs.keys().any(|run| dir.as_str().contains(&run.to_string()))
                });
            if !known {
                self.record.violate("a run is recorded before it is launched", dir.to_string());
            }
        }
        self.launches = launched.len();
    }

    /// People log in where an agent waits for them.
    pub(super) fn log_in(&mut self) {
        let waits = self.store.pair.model.look(|model| {
            let open = |breaker: &Breaker| matches!(&breaker.state, BreakerState::Open { hold } if hold.until.is_none());
            model.breakers.values().any(open)
        });
        if waits {
            let process = self.people_talk_to();
            let engine = Arc::clone(&process.engine);
            process.does(async move {
                // Whoever cannot be told is asked again.
                let _told = engine.resume_what_waits_for_a_person().await;
            });
        }
    }

    fn bury(&mut self, number: usize) {
        let now = self.now();
        let node = &mut self.nodes[number];
        let Some(process) = &mut node.process else { return };
        if let Some(panic) = process.panicked() {
            self.record.violate("nothing panics", panic);
        }
        let starts_at = if process.toll.is_dead() {
            Some(node.absence)
        } else {
            match process.ended() {
                None => return,
                Some(Ok(())) => process.is_told_to_stop().then_some(node.absence),
                Some(Err(error)) => {
                    self.record.say(now, &process.name, format!("ends with {error:?}"));
                    if !process.was_refused {
                        self.record.violate("an engine ends well", format!("{error:?}"));
                    }
                    Some(1)
                }
            }
        };
        let later = |seconds: u16| now.saturating_add(Duration::from_secs(seconds.into()));
        node.starts_at = starts_at.map(|seconds| later(seconds).unwrap_or(now));
        node.absence = 0;
        node.process = None;
    }

    /// The process of a node; a new one where there is none, which does not work by itself.
    fn process_of(&mut self, number: usize) -> &mut Process {
        let node = &mut self.nodes[number];
        let (plan, world, store, record, bell) =
            (self.plan, &self.world, &self.store, &self.record, &self.bell);
        let mutation = self.mutation;
        node.process.get_or_insert_with(|| {
            node.generation += 1;
            let name = format!("node-{number}.{}", node.generation);
            let salt = number as u64 * 1_000 + u64::from(node.generation);
            let dice = Dice::of(plan.seed ^ SCHEDULING ^ salt);
            let (clock, bell) = (Arc::clone(&world.clock), Arc::clone(bell));
            let toll = ProcessToll::new(&name, clock, Arc::clone(record), bell, dice);
            Process::new(&name, plan, world, store, mutation, Arc::new(toll), Arc::clone(record))
        })
    }

    /// The process that people talk to, at work unless its node is gone for a while.
    fn people_talk_to(&mut self) -> &mut Process {
        let at_rest = if self.plan.returns { AtRest::Return } else { AtRest::Wait };
        let number = self.given_out as usize % self.nodes.len();
        let works = self.nodes[number].starts_at.is_none();
        let process = self.process_of(number);
        if works {
            process.work(at_rest);
        }
        process
    }

    /// Nothing goes wrong any more, and everybody is there.
    pub(super) fn calm(&mut self) {
        for project in self.projects() {
            self.world.git.set_reachable(&project, true);
        }
        for node in &mut self.nodes {
            if let Some(process) = &mut node.process {
                process.toll.calm();
                process.store.refuse(None, 0, refusal(Refusal::Overloaded));
            }
        }
    }

    /// Stops every node.
    pub(super) fn end(&mut self) {
        self.nodes.clear();
    }
}

/// People and the world around.
impl Play<'_> {
    fn create(&mut self, project: u8, shape: Shape, start: bool, human_gates: bool, merge: bool) {
        self.given_out += 1;
        let definition = definition_of(shape);
        let delivery = if merge { Delivery::Merge } else { Delivery::Branch };
        let item = NewItem {
            project: self.project(project),
            title: format!("Add flag {}", self.given_out),
            ascii_title: format!("Add flag {}", self.given_out),
            description: "A flag for people who like flags, and a test.".to_owned(),
            target: BranchName::new("main").expect("a branch"),
            options: PipelineOptions { delivery, human_gates, agent: None },
        };
        let (record, store) = (Arc::clone(&self.record), self.store.clone());
        let process = self.people_talk_to();
        let engine = Arc::clone(&process.engine);
        process.does(async move {
            let hash = definitions::hash(&definition);
            let made = engine.create(&item, &definition, &hash).await.map(|pipeline| pipeline.id);
            let Ok(id) = made else { return };
            if start {
                let by = coverage::called(InputTag::Start);
                told(&record, &store, engine.ask(id, &Input::Start, &by).await);
            }
        });
    }

    /// Pipelines in the order of their making, as a person sees them.
    pub(super) fn pipelines(&self) -> Vec<PipelineId> {
        self.store.pair.model.look(|model| model.pipelines.keys().copied().collect())
    }

    pub(super) fn definition(&self, id: PipelineId) -> Definition {
        self.store.pair.model.look(|model| {
            let pipeline = &model.pipelines[&id];
            model.definitions[&pipeline.definition].clone()
        })
    }

    fn person(&mut self, number: u8, asks: Ask) {
        let pipelines = self.pipelines();
        let Some(at) = usize::from(number).checked_rem(pipelines.len()) else { return };
        let id = pipelines[at];
        let input = match asks {
            Ask::Start => Input::Start,
            Ask::Pause => Input::Pause,
            Ask::Resume => Input::Resume,
            Ask::Cancel => Input::Cancel { reason: "no need".to_owned() },
            Ask::Retry => Input::Retry { comment: "once more".to_owned() },
            Ask::Restart { stage } => {
                let definition = self.definition(id);
                let at = usize::from(stage) % definition.stages.len();
                Input::RestartStage { stage: definition.stages[at].name.clone() }
            }
            Ask::Answer(reply) => {
                if let Some(decision) = self.question(id, true) {
                    let choice = choice(&decision, reply);
                    self.answer(decision, choice);
                }
                return;
            }
            Ask::AnswerAgain => {
                if let Some(decision) = self.question(id, false) {
                    let choice = choice(&decision, Reply::GoOn);
                    self.answer(decision, choice);
                }
                return;
            }
        };
        self.ask(id, input);
    }

    pub(super) fn ask(&mut self, id: PipelineId, input: Input) {
        let (record, store) = (Arc::clone(&self.record), self.store.clone());
        let process = self.people_talk_to();
        let engine = Arc::clone(&process.engine);
        process.does(async move {
            let by = coverage::called(InputTag::from(&input));
            told(&record, &store, engine.ask(id, &input, &by).await);
        });
    }

    pub(super) fn answer(&mut self, decision: Decision, choice: Choice) {
        let (record, store) = (Arc::clone(&self.record), self.store.clone());
        let process = self.people_talk_to();
        let engine = Arc::clone(&process.engine);
        process.does(async move {
            let by = coverage::called(InputTag::Resolve);
            let result = engine.resolve(&decision, choice, "as you like", &by).await;
            told(&record, &store, result);
        });
    }

    /// The question of a pipeline that is open, or the last one that is not any more.
    pub(super) fn question(&self, id: PipelineId, open: bool) -> Option<Decision> {
        self.store.pair.model.look(|model| {
            let of_pipeline = model.decisions.values().filter(|decision| decision.pipeline == id);
            let meant = of_pipeline.filter(|it| (it.state == DecisionState::Open) == open);
            meant.max_by_key(|decision| (decision.opened_at, decision.id)).cloned()
        })
    }

    /// Brings an input that was brought before.
    async fn again(&self, back: u16) {
        let Some(step) = self.store.pair.step(back.into()) else { return };
        match self.store.apply(&step).await {
            Ok(Applied::Duplicate) => {}
            other => {
                let what = format!("{}: {other:?}", step.input);
                self.record.violate("an input counts once", what);
            }
        }
    }

    fn instruct_gate(&mut self, gate: GateKind, says: Saying) {
        self.given_out += 1;
        let name = match gate {
            GateKind::Tests => "tests",
            GateKind::Mergeable => "mergeable",
        };
        let words = format!("it does not do, {}", self.given_out);
        let answer = match says {
            Saying::Fails => Answer::Fails(words),
            Saying::Errs => Answer::Errs(words),
            Saying::Breaks => Answer::Breaks(words),
            Saying::Asks => Answer::Asks(words),
            Saying::Mistakes => Answer::Mistakes(CommitSha::new("e".repeat(40)).expect("a commit")),
        };
        self.world.gates.next_answer(name, answer);
    }

    fn script(&mut self, conduct: Conduct) -> Script {
        self.given_out += 1;
        let number = self.given_out;
        let own = format!("agent-{number}.txt");
        let words = format!("by agent {number}");
        let time = |seconds: u16| Duration::from_secs(seconds.into());
        let begun = Script::waits().say(&format!("session s-{number}")).write(&own, "half");
        match conduct {
            Conduct::Works { seconds, tokens } => {
                begun.rest(time(seconds)).say(&format!("usage {tokens}")).write(&own, &words).end(0)
            }
            Conduct::Meddles { seconds } => {
                Script::waits().rest(time(seconds)).write("shared.txt", &words).end(0)
            }
            Conduct::Idles => Script::waits().say("nothing to do").end(0),
            Conduct::Trespasses => Script::waits().write(".gatewright/rules", &words).end(0),
            Conduct::Fails { class, seconds, tokens } => begun
                .rest(time(seconds))
                .say(&format!("usage {tokens}"))
                .say(&format!("fail {} it was told to", failure_class(class)))
                .end(1),
            Conduct::Stalls => begun.say("let me think"),
            Conduct::Digs { seconds } => {
                begun.say("tool bash").rest(time(seconds)).say("result").write(&own, &words).end(0)
            }
            Conduct::Defies { seconds } => {
                begun.defies().rest(time(seconds)).write(&own, &words).end(0)
            }
            Conduct::Vanishes { seconds } => begun.rest(time(seconds)).vanish(),
        }
    }
}

/// What became of what a person asked. A refusal is an answer; a crash leaves them without one.
fn told(record: &Record, store: &LockstepStore, result: Result<Outcome, EngineError>) {
    match result {
        Err(EngineError::Refused(refusal @ CoreRefusal::Inconsistent { .. })) => {
            record.violate("nothing of ours breaks", refusal.to_string());
        }
        Ok(Outcome::Moved(pipeline)) => {
            let stored = store.pair.model.look(|model| model.pipelines[&pipeline.id].version);
            if stored < pipeline.version {
                let what = format!("{}: {stored} of {}", pipeline.id, pipeline.version);
                record.violate("what was answered is there", what);
            }
        }
        _ => {}
    }
}

/// The choice that a reply means, where the question offers such a one.
fn choice(decision: &Decision, reply: Reply) -> Choice {
    let wanted: &[Choice] = match reply {
        Reply::GoOn => &[Choice::Approve, Choice::Answer, Choice::Retry, Choice::Continue],
        Reply::Reject => &[Choice::Reject],
        Reply::Waive => &[Choice::Waive],
        Reply::Cancel => &[Choice::Cancel],
        Reply::Approve => &[Choice::Approve],
    };
    let offered = wanted.iter().find(|choice| decision.options.contains(choice));
    *offered.unwrap_or(&wanted[0])
}

const fn failure_class(trouble: Trouble) -> FailureClass {
    match trouble {
        Trouble::Transient => FailureClass::Transient,
        Trouble::Permanent => FailureClass::Permanent,
        Trouble::Resource => FailureClass::Resource,
        Trouble::Credentials => FailureClass::Credentials,
    }
}

fn refusal(because: Refusal) -> fn() -> StoreError {
    match because {
        Refusal::DiskFull => || StoreError::DiskFull { operation: "save" },
        Refusal::Overloaded => || StoreError::Overloaded { waiting: 7 },
        Refusal::Broken => {
            || StoreError::Database { operation: "save", source: "the database is unwell".into() }
        }
    }
}
