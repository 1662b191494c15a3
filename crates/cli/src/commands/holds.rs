//! What holds agents back, for every command that says so.

use std::collections::BTreeMap;

use api::BreakerView;
use camino::Utf8Path;
use config::Loaded;
use domain::{
    breaker::BreakerKey,
    job::{Job, JobKind, JobState},
    name::AgentName,
    pipeline::{Pipeline, PipelineState},
};
use engine::Lack;
use jiff::Timestamp;
use ports::Store;

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

/// The breakers that hold something back.
pub(crate) async fn load(
    store: &dyn Store,
    guards: &BTreeMap<AgentName, BreakerKey>,
) -> Result<Vec<BreakerView>, CliError> {
    let breakers = store.list_breakers().await?;
    Ok(breakers.iter().filter_map(|breaker| BreakerView::of(breaker, guards)).collect())
}

/// The breaker that every job of a pipeline waits behind, where it runs and they do: of several, the one that opens first.
pub(crate) fn find_hold<'a>(
    pipeline: &Pipeline,
    jobs: &[Job],
    breakers: &'a [BreakerView],
) -> Option<&'a BreakerView> {
    let PipelineState::Running { .. } = pipeline.state else { return None };
    let is_own =
        |job: &&Job| job.pipeline == pipeline.id && job.slot.work.kind() != JobKind::Cleanup;
    let hold = |job: &Job| match job.state {
        JobState::Queued { .. } => breakers.iter().find(|it| {
            let is_behind = job.agent.iter().any(|agent| it.agents.contains(agent));
            is_behind && (it.until.is_some() || it.waits_for_a_person())
        }),
        JobState::Running { .. } | JobState::Done | JobState::Failed | JobState::Cancelled => None,
    };
    let holds: Option<Vec<&BreakerView>> = jobs.iter().filter(is_own).map(hold).collect();
    holds?.into_iter().min_by_key(|it| it.until.unwrap_or(Timestamp::MAX))
}

/// What holds something back, for those who only mention it: nothing where nothing can be read.
pub(crate) async fn look(context: &Context) -> Vec<BreakerView> {
    let Ok(data) = Opened::read(context) else { return Vec::new() };
    load(&*data.store, &guards(&data.loaded)).await.unwrap_or_default()
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
        Some(until) => format!("waits until {until:.0} ({}): {message}", words::ago(*until, now)),
        None if view.waits_for_a_person() => format!("waits for a person: {message}"),
        None => format!("one job tries whether it is well again: {message}"),
    }
}

/// The command that lets one of the agents try, where nothing else does.
pub(crate) fn mend(view: &BreakerView, gatewright: &str) -> Option<String> {
    let agent = view.agents.first().filter(|_| view.waits_for_a_person())?;
    Some(format!("see to its key, login or account; then {gatewright} agents resume {agent}"))
}
