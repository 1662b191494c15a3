//! What tests want to know of a pipeline.

use std::fmt::Write as _;

use domain::{
    breaker::{BreakerKey, BreakerState},
    decision::Decision,
    id::PipelineId,
    job::{Job, JobStateTag, Work},
    outbox::Letter,
    pipeline::{Event, EventKind, Pipeline, PipelineState, PipelineStateTag},
    run::Run,
};
use ports::{JobFilter, LetterFilter, PipelineFilter};

use super::World;

/// More events than any story has.
const ALL: u32 = 10_000;

impl World {
    /// The pipeline as it is remembered.
    pub async fn pipeline(&self, id: PipelineId) -> Pipeline {
        let found = self.store.find_pipeline(id).await.expect("a store that is well");
        found.expect("a pipeline that was made")
    }

    /// Its state, in a word.
    pub async fn state(&self, id: PipelineId) -> PipelineStateTag {
        PipelineStateTag::from(&self.pipeline(id).await.state)
    }

    /// Its runs, oldest first.
    pub async fn runs(&self, id: PipelineId) -> Vec<Run> {
        self.store.list_runs(id).await.expect("a store that is well")
    }

    /// Its jobs in one state, oldest first.
    pub async fn jobs(&self, id: PipelineId, state: JobStateTag) -> Vec<Job> {
        let filter = JobFilter { pipeline: Some(id), states: vec![state] };
        self.store.list_jobs(&filter).await.expect("a store that is well")
    }

    /// The question that it waits for.
    pub async fn question(&self, id: PipelineId) -> Option<Decision> {
        let open = self.store.list_decisions(Some(id), true).await.expect("a store that is well");
        assert!(open.len() <= 1, "one question at a time: {open:?}");
        open.into_iter().next()
    }

    /// Its log, oldest first.
    pub async fn events(&self, id: PipelineId) -> Vec<Event> {
        self.store.list_events(Some(id), 0, ALL).await.expect("a store that is well")
    }

    /// The breaker of an agent, `fake` or `other`.
    pub async fn breaker(&self, agent: &str) -> BreakerState {
        let key = BreakerKey::new(format!("fake@{agent}.test")).expect("a key");
        self.store.load_breaker(&key).await.expect("a store that is well").state
    }

    /// How many lines of its log are meant.
    pub async fn count(&self, id: PipelineId, meant: impl Fn(&EventKind) -> bool) -> usize {
        self.events(id).await.iter().filter(|event| meant(&event.kind)).count()
    }

    /// The letters about its events, in the order of these.
    pub async fn letters(&self, id: PipelineId) -> Vec<Letter> {
        let all = self.store.list_letters(&LetterFilter::default()).await;
        let mut letters = all.expect("a store that is well");
        letters.retain(|letter| letter.event.pipeline == id);
        letters.sort_by_key(|letter| (letter.event.number, letter.destination.clone()));
        letters
    }

    /// The keys of the letters to a destination that the log of a pipeline promises, in order.
    pub async fn promised(&self, id: PipelineId, name: &str) -> Vec<String> {
        let routes = self.destinations.routes();
        let route = routes.iter().find(|route| route.destination.as_str() == name);
        let route = route.expect("a destination that was founded");
        let project = self.pipeline(id).await.project;
        let events = self.events(id).await.into_iter();
        let wanted = events.filter(|event| route.wants(&project, &event.kind));
        wanted
            .map(|event| format!("{id}/{}/{name}/{}", event.number, event.at.as_millisecond()))
            .collect()
    }

    /// What always holds of a pipeline and what hangs on it.
    pub async fn check(&self, id: PipelineId) {
        let (pipeline, events) = (self.pipeline(id).await, self.events(id).await);
        let numbers: Vec<_> = events.iter().map(|event| event.number).collect();
        assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "events have no gap");
        let mut versions: Vec<_> = events.iter().map(|event| event.version).collect();
        versions.dedup();
        assert_eq!(versions, (1..=pipeline.version).collect::<Vec<_>>(), "every step is told");
        let mut promised = Vec::new();
        for route in self.destinations.routes() {
            promised.extend(self.promised(id, route.destination.as_str()).await);
        }
        let mut letters: Vec<_> = self.letters(id).await.iter().map(Letter::key).collect();
        promised.sort();
        letters.sort();
        assert_eq!(letters, promised, "every event that was promised has its letter, and no other");
        let queued = self.jobs(id, JobStateTag::Queued).await;
        let running = self.jobs(id, JobStateTag::Running).await;
        let question = self.question(id).await.map(|question| question.id);
        assert_eq!(question, pipeline.state.decision(), "the question is the one it waits for");
        if pipeline.state.is_terminal() {
            let mut left =
                queued.iter().chain(&running).filter(|job| job.slot.work != Work::Cleanup);
            assert_eq!(left.next(), None, "it has ended");
        } else if let PipelineState::Running { .. } = pipeline.state {
            assert!(!queued.is_empty() || !running.is_empty(), "nothing will move it");
        }
    }

    /// Everything that happened, for whoever has to find out why a test waits.
    pub(super) async fn story(&self) -> String {
        let mut story = String::new();
        let all = PipelineFilter::default();
        for pipeline in self.store.list_pipelines(&all).await.unwrap_or_default() {
            for event in self.events(pipeline.id).await {
                writeln!(story, "{} {:?}", pipeline.item.key, event.kind).expect("a string grows");
            }
            writeln!(story, "{} is {:?}", pipeline.item.key, pipeline.state)
                .expect("a string grows");
        }
        for job in self.store.list_jobs(&JobFilter::default()).await.unwrap_or_default() {
            writeln!(story, "{} {:?}", job.slot, job.state).expect("a string grows");
        }
        story
    }
}
