//! What holds agents back, for every command that says so.

use std::collections::BTreeMap;

use api::BreakerView;
use camino::Utf8Path;
use config::Loaded;
use domain::{
    breaker::{Breaker, BreakerKey, BreakerState},
    job::{Job, JobKind, JobState, JobStateTag},
    name::AgentName,
    pipeline::{Pipeline, PipelineState},
};
use engine::Lack;
use jiff::Timestamp;
use ports::{JobFilter, Store};

use super::data::Opened;
use crate::{context::Context, error::CliError, words};

/// Which breaker guards which agent: all that are configured, and each kind under its own name.
pub(crate) fn guards(loaded: &Loaded) -> BTreeMap<AgentName, BreakerKey> {
    let kinds = agents::KINDS.iter().filter_map(|kind| AgentName::new(*kind).ok());
    let names = loaded.config.agents.keys().cloned().chain(kinds);
    names.filter_map(|name| Some((name.clone(), guard(loaded, &name)?))).collect()
}

fn guard(loaded: &Loaded, name: &AgentName) -> Option<BreakerKey> {
    let settings = loaded.config.find_agent(name)?;
    // A key may be missing here: whom an agent talks to is no secret.
    let profile = settings.profile(name, |_| Some(String::new())).ok()?;
    let kind = agents::find(&settings.kind.to_string())?;
    BreakerKey::new(format!("{}@{}", kind.kind(), kind.provider(&profile))).ok()
}

/// The breakers that there are, and who stands behind them.
pub(crate) struct Holds {
    /// Which of them guards which agent.
    pub(crate) guards: BTreeMap<AgentName, BreakerKey>,
    breakers: Vec<Breaker>,
}

impl Holds {
    /// Reads them.
    pub(crate) async fn load(store: &dyn Store, loaded: &Loaded) -> Result<Self, CliError> {
        let mut breakers = store.list_breakers().await?;
        let is_tried = |it: &Breaker| matches!(it.state, BreakerState::HalfOpen { .. });
        if breakers.iter().any(is_tried) {
            let filter = JobFilter { pipeline: None, states: vec![JobStateTag::Running] };
            let running = store.list_jobs(&filter).await?;
            for breaker in &mut breakers {
                forget_probe(breaker, &running);
            }
        }
        Ok(Self { guards: guards(loaded), breakers })
    }

    /// The breaker that keeps a queued job now, by the rule that gives jobs out.
    pub(crate) fn of_job(&self, job: &Job, now: Timestamp) -> Option<BreakerView> {
        let JobState::Queued { available_at } = job.state else { return None };
        let key = self.guards.get(job.agent.as_ref()?)?;
        let breaker = self.breakers.iter().find(|it| it.key == *key)?;
        breaker.keeps(available_at, now)?;
        BreakerView::of(breaker, &self.guards)
    }

    /// Those that hold something back.
    pub(crate) fn views(&self) -> Vec<BreakerView> {
        let view = |breaker| BreakerView::of(breaker, &self.guards);
        self.breakers.iter().filter_map(view).collect()
    }

    /// The same, by the agents that they hold back.
    pub(crate) fn by_agent(&self) -> BTreeMap<AgentName, Breaker> {
        let holds = |it: &&Breaker| it.state.hold().is_some();
        let of = |key: &BreakerKey| self.breakers.iter().filter(holds).find(|it| it.key == *key);
        let behind =
            |(agent, key): (&AgentName, &BreakerKey)| Some((agent.clone(), of(key)?.clone()));
        self.guards.iter().filter_map(behind).collect()
    }
}

/// The next job tries where the one that tried is gone, as it does where a breaker's time has come.
fn forget_probe(breaker: &mut Breaker, running: &[Job]) {
    let BreakerState::HalfOpen { hold, probe } = &breaker.state else { return };
    let tries = |job: &Job| {
        job.id == probe.job && job.lease().is_some_and(|lease| lease.token == probe.token)
    };
    if !running.iter().any(tries) {
        breaker.state = BreakerState::Open { hold: hold.clone() };
    }
}

/// The breaker that every job of a pipeline waits behind, where it runs and they do: of several, the one that opens first.
pub(crate) fn find_hold(
    pipeline: &Pipeline,
    jobs: &[Job],
    holds: &Holds,
    now: Timestamp,
) -> Option<BreakerView> {
    let PipelineState::Running { .. } = pipeline.state else { return None };
    let is_own =
        |job: &&Job| job.pipeline == pipeline.id && job.slot.work.kind() != JobKind::Cleanup;
    let hold = |job: &Job| {
        holds.of_job(job, now).filter(|it| it.until.is_some() || it.waits_for_a_person())
    };
    let holds: Option<Vec<BreakerView>> = jobs.iter().filter(is_own).map(hold).collect();
    holds?.into_iter().min_by_key(|it| it.until.unwrap_or(Timestamp::MAX))
}

/// What holds something back, for those who only mention it: nothing where nothing can be read.
pub(crate) async fn look(context: &Context) -> Vec<BreakerView> {
    let Ok(data) = Opened::read(context) else { return Vec::new() };
    let holds = Holds::load(&*data.store, &data.loaded).await;
    holds.map(|holds| holds.views()).unwrap_or_default()
}

/// What the process that works, or worked last, found unable to work.
pub(crate) fn lacks(data_dir: &Utf8Path) -> Vec<Lack> {
    let file = engine::Layout::new(data_dir.to_owned()).held();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(Lack::of_line).collect()
}

/// Why agents wait, and what for: `waits for a person: the key was refused`.
pub(crate) fn in_words(view: &BreakerView, now: Timestamp) -> String {
    let BreakerView { message, until, .. } = view;
    let message = words::one_line(message);
    match until {
        Some(_) if is_due(view, now) => {
            format!("the next job tries whether it is well again: {message}")
        }
        Some(until) => format!("waits until {until:.0} ({}): {message}", words::ago(*until, now)),
        None if view.waits_for_a_person() => format!("waits for a person: {message}"),
        None => format!("one job tries whether it is well again: {message}"),
    }
}

/// Whether its time is over and nobody has tried yet: it keeps no job.
pub(crate) fn is_due(view: &BreakerView, now: Timestamp) -> bool {
    view.until.is_some_and(|until| until <= now)
}

/// The command that lets one of the agents try, where nothing else does.
pub(crate) fn mend(view: &BreakerView, gatewright: &str) -> Option<String> {
    let agent = view.agents.first().filter(|_| view.waits_for_a_person())?;
    Some(format!("see to its key, login or account; then {gatewright} agents resume {agent}"))
}

#[cfg(test)]
mod tests {
    use domain::breaker::{Hold, HoldReason};

    use super::*;

    fn open(key: &BreakerKey) -> Breaker {
        let hold = Hold {
            since: Timestamp::UNIX_EPOCH,
            until: None,
            reason: HoldReason::Quota,
            message: "spent".to_owned(),
        };
        Breaker { state: BreakerState::Open { hold }, ..Breaker::new(key.clone()) }
    }

    /// Two agents of a kind that talk to different providers: each is behind its own.
    #[test]
    fn a_breaker_holds_back_the_agents_behind_it_and_no_others_of_their_kind() {
        let [one, other] = ["one", "other"].map(|name| AgentName::new(name).unwrap());
        let [here, there] = ["kind@here", "kind@there"].map(|it| BreakerKey::new(it).unwrap());
        let guards = BTreeMap::from([(one.clone(), here.clone()), (other.clone(), there.clone())]);
        let both = Holds { guards: guards.clone(), breakers: vec![open(&here), open(&there)] };
        let keys = both.by_agent().into_iter().map(|(agent, it)| (agent, it.key));
        assert_eq!(keys.collect::<BTreeMap<_, _>>(), guards);
        let holds = Holds { guards, breakers: vec![open(&there), Breaker::new(here)] };
        let held: Vec<_> = holds.by_agent().into_keys().collect();
        assert_eq!(held, [other]);
        assert_eq!(holds.views()[0].agents, held);
    }
}
