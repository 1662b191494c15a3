//! What people ask for, and what becomes of it.

use std::sync::Arc;

use domain::{
    decision::{Choice, Decision, DecisionState},
    definition::Definition,
    id::{DecisionId, PipelineId},
    pipeline::{Delivery, Input, InputTag, PipelineOptions, Refusal},
    revision::BranchName,
};
use engine::{EngineError, NewItem, Outcome};
use ports::{Applied, Store as _};

use super::Play;
use crate::{
    simulation::{
        coverage,
        lockstep::LockstepStore,
        plan::{Ask, Reply, Shape},
        record::Record,
        shapes::definition_of,
    },
    world::{PERSON, definitions},
};

impl Play<'_> {
    pub(super) fn create(
        &mut self,
        project: u8,
        shape: Shape,
        start: bool,
        human_gates: bool,
        merge: bool,
    ) {
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
    pub(in crate::simulation) fn pipelines(&self) -> Vec<PipelineId> {
        self.store.pair.model.look(|model| model.pipelines.keys().copied().collect())
    }

    pub(in crate::simulation) fn definition(&self, id: PipelineId) -> Definition {
        self.store.pair.model.look(|model| {
            let pipeline = &model.pipelines[&id];
            model.definitions[&pipeline.definition].clone()
        })
    }

    /// The pipeline of that number, where there is any.
    fn numbered(&self, number: u8) -> Option<PipelineId> {
        let pipelines = self.pipelines();
        let at = usize::from(number).checked_rem(pipelines.len())?;
        Some(pipelines[at])
    }

    /// Somebody commits to the branch of a pipeline: a new one, or one that has been published.
    pub(super) fn push(&mut self, number: u8) {
        let Some(id) = self.numbered(number) else { return };
        let (project, branch) = self.store.pair.model.look(|model| {
            let pipeline = &model.pipelines[&id];
            (pipeline.project.clone(), pipeline.branch.clone())
        });
        self.given_out += 1;
        let (path, words) = (format!("people-{}.txt", self.given_out), "on top of it");
        self.world.git.people_commit(&project, branch.as_str(), &path, words);
    }

    pub(super) fn person(&mut self, number: u8, asks: Ask) {
        let Some(id) = self.numbered(number) else { return };
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
            Ask::ApproveUnseen => {
                if let Some(decision) = self.question(id, true) {
                    self.approve_unseen(decision.id);
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

    pub(in crate::simulation) fn ask(&mut self, id: PipelineId, input: Input) {
        let (record, store) = (Arc::clone(&self.record), self.store.clone());
        let process = self.people_talk_to();
        let engine = Arc::clone(&process.engine);
        process.does(async move {
            let by = coverage::called(InputTag::from(&input));
            told(&record, &store, engine.ask(id, &input, &by).await);
        });
    }

    pub(in crate::simulation) fn answer(&mut self, decision: Decision, choice: Choice) {
        let (record, store) = (Arc::clone(&self.record), self.store.clone());
        let process = self.people_talk_to();
        let engine = Arc::clone(&process.engine);
        process.does(async move {
            let by = coverage::called(InputTag::Resolve);
            let result = engine.resolve(&decision, choice, "as you like", &by).await;
            told(&record, &store, result);
        });
    }

    fn approve_unseen(&mut self, decision: DecisionId) {
        let record = Arc::clone(&self.record);
        let process = self.people_talk_to();
        let engine = Arc::clone(&process.engine);
        process.does(async move {
            let approved = engine.approve_unseen(decision, PERSON).await;
            if let Err(EngineError::Refused(refusal)) = approved {
                record.violate("nothing of ours breaks", refusal.to_string());
            }
        });
    }

    /// The question of a pipeline that is open, or the last one that is not any more.
    pub(in crate::simulation) fn question(&self, id: PipelineId, open: bool) -> Option<Decision> {
        self.store.pair.model.look(|model| {
            let of_pipeline = model.decisions.values().filter(|decision| decision.pipeline == id);
            let meant = of_pipeline.filter(|it| (it.state == DecisionState::Open) == open);
            meant.max_by_key(|decision| (decision.opened_at, decision.id)).cloned()
        })
    }

    /// Brings an input that was brought before.
    pub(super) async fn again(&self, back: u16) {
        let Some(step) = self.store.pair.step(back.into()) else { return };
        match self.store.apply(&step).await {
            Ok(Applied::Duplicate) => {}
            other => {
                let what = format!("{}: {other:?}", step.input);
                self.record.violate("an input counts once", what);
            }
        }
    }
}

/// What became of what a person asked. A refusal is an answer; a crash leaves them without one.
fn told(record: &Record, store: &LockstepStore, result: Result<Outcome, EngineError>) {
    match result {
        Err(EngineError::Refused(refusal @ Refusal::Inconsistent { .. })) => {
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
