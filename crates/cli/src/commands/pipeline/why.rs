//! `gatewright pipeline show --why`, `gatewright doctor --explain`

use std::{fs, num::NonZeroU32};

use api::{ExplanationView, LetterView, PipelineView};
use domain::{
    explain::{Depth, Explanation, Situation, Slots, explain as explained},
    id::PipelineId,
    limits::AGENT_STALL_LIMIT,
    outbox::LetterStateTag,
    pipeline::{Pipeline, TimerKey},
    run::Run,
};
use engine::{Lack, Layout};
use jiff::Timestamp;
use owo_colors::Stream;
use ports::{LetterFilter, Store as _, StoreError};

use super::{find::find_id, resolve, seen::Seen};
use crate::{
    called::gatewright,
    commands::{
        damage,
        data::{Opened, Pause, all_events, last_pause},
        decisions, holds, outbox,
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::Holder,
    output,
    words::{self, MoverWords, Tone, event_line, one_line, paint, tone_of_event, tone_of_status},
};

/// Letters that are shown.
const LETTERS_MAX: usize = 10;
/// Events of a damaged pipeline that are shown.
const DAMAGED_EVENTS: usize = 8;

/// Says why a pipeline is where it is, and what will move it. Only looks: works beside a process that is at work.
pub(crate) async fn explain(context: &Context, id: &str) -> Result<ExitStatus, CliError> {
    let data = Opened::read(context)?;
    let store = &*data.store;
    if let Some(damaged) = find_damage(&data, id).await? {
        damaged.iter().for_each(output::data);
        return Ok(ExitStatus::Success);
    }
    let pipeline = resolve(store, id).await?;
    if let Pause::Unreadable = last_pause(store, &pipeline).await? {
        damage::warn_of_pause(store, &pipeline).await?;
    }
    let events = all_events(store, pipeline.id).await?;
    let decision = match pipeline.state.decision() {
        Some(id) => store.find_decision(id).await?,
        None => None,
    };
    let runs = store.list_runs(pipeline.id).await?;
    let now = Timestamp::now();
    let merging = store.find_merging(&pipeline.project, now).await?;
    let seen = Seen::look(&data, None).await?;
    let own = seen.own(&pipeline).await?;
    let held = seen.holds.by_agent();
    let holder = seen.attendance.holder.as_ref();
    let worker = seen.attendance.worker().map(Holder::name);
    let agents = own.agents.values().copied().collect();
    let situation = Situation {
        pipeline: &pipeline,
        events: &events,
        decision: decision.as_ref(),
        runs: &runs,
        jobs: &seen.jobs,
        merging,
        holder: worker.as_deref(),
        gone: &seen.attendance.gone,
        agents: &agents,
        slots: slots(&data),
        held: &held,
        last_heard: last_heard(&data, &runs),
        now,
    };
    let depth = if context.global.verbose > 0 { Depth::Whole } else { Depth::Recent };
    let at_work = seen.attendance.is_at_work(&pipeline, &own.jobs);
    let explanation = Explanation { at_work, ..explained(&situation, depth) };
    let view = PipelineView::with_events(&pipeline, &events);
    let view = seen.add(view, &pipeline, &own);
    let wall_time_ends_at = store.find_timer(pipeline.id, TimerKey::WallTime).await?;
    let letters = open_letters(&data, pipeline.id).await?;
    // Where nobody works, nobody knows whether it still is so.
    let lacks = worker.as_ref().map(|_| holds::lacks(&data.data_dir)).unwrap_or_default();
    if context.global.json {
        let holds = |lack: &&Lack| own.jobs.iter().any(|job| lack.holds(job.agent.as_ref()));
        let held = lacks.iter().filter(holds).map(|lack| lack.problem.clone()).collect();
        let explained = ExplanationView::new(view, holder.map(Holder::view), &explanation);
        output::json(&ExplanationView { held, wall_time_ends_at, letters, ..explained });
        return Ok(ExitStatus::Success);
    }
    let stall = stall_limit(&data, &pipeline, &runs).await?;
    let words = MoverWords {
        gatewright: gatewright(),
        pipeline: &pipeline,
        holder,
        lacks: &lacks,
        jobs: &own.jobs,
        runs: &runs,
        stall_limit: stall,
        now: situation.now,
    };
    place(&view);
    movers(&words, &explanation);
    for run in &explanation.left {
        output::data(format_args!("  its agent is alive ({run}), and is taken up again then"));
    }
    for line in decision.iter().flat_map(decisions::answer_lines) {
        output::data(format_args!("  {line}"));
    }
    if let Some(at) = wall_time_ends_at {
        let at = words::ago(at, now);
        output::data(format_args!("  its time is over {at} (`wall_time`): a person is asked then"));
    }
    letter_lines(&letters, now);
    because(&explanation, now);
    Ok(ExitStatus::Success)
}

/// The letters that tell of a pipeline and have not come to a good end, oldest first.
async fn open_letters(data: &Opened, id: PipelineId) -> Result<Vec<LetterView>, CliError> {
    let mut letters = Vec::new();
    for state in [LetterStateTag::Queued, LetterStateTag::Sending, LetterStateTag::Dead] {
        let filter =
            LetterFilter { pipeline: Some(id), state: Some(state), ..LetterFilter::default() };
        letters.extend(data.store.list_letters(&filter).await?);
    }
    letters.sort_by_key(|letter| (letter.event.seq, letter.destination.clone()));
    if letters.is_empty() {
        return Ok(Vec::new());
    }
    let standing = outbox::Standing::look(data).await?;
    Ok(letters.iter().map(|letter| standing.view(letter)).collect())
}

fn letter_lines(letters: &[LetterView], now: Timestamp) {
    if letters.is_empty() {
        return;
    }
    output::data("");
    output::data("what others were not told of it");
    for letter in letters.iter().take(LETTERS_MAX) {
        output::data(format_args!("  {}", letter_line(letter, now)));
    }
    if let Some(more) = letters.len().checked_sub(LETTERS_MAX).filter(|more| *more > 0) {
        output::data(format_args!("  and {more} more: {} outbox", gatewright()));
    }
}

fn letter_line(letter: &LetterView, now: Timestamp) -> String {
    let about = format!("{}: {}", letter.destination, letter.event.replace('_', " "));
    let why = letter.reason.as_deref().or(letter.last_error.as_deref());
    let why = why.map(|it| format!(" ({})", one_line(it))).unwrap_or_default();
    match (letter.state.as_str(), letter.due_at) {
        ("queued", _) if letter.behind.is_some() => {
            format!("{about} waits behind another letter{why}")
        }
        ("queued", Some(at)) => format!("{about} waits, due {}{why}", words::ago(at, now)),
        ("sending", _) if letter.at_work == Some(false) => {
            let next = outbox::next_sender();
            format!("{about} is not delivered, its sender is gone: {next} sends it")
        }
        ("sending", _) => {
            let owner = one_line(letter.owner.as_deref().unwrap_or_default());
            format!("{about} is being delivered by {owner}")
        }
        ("dead", _) => {
            format!("{about} is dead{why}: {} outbox retry {}", gatewright(), letter.id)
        }
        _ => about,
    }
}

/// What can be said of a pipeline whose own row cannot be read: its log can.
async fn find_damage(data: &Opened, id: &str) -> Result<Option<Vec<String>>, CliError> {
    let Some(id) = find_id(&*data.store, id).await? else { return Ok(None) };
    let Err(error @ StoreError::Inconsistent { .. }) = data.store.find_pipeline(id).await else {
        return Ok(None);
    };
    let mut lines = vec![
        format!("{id}  cannot be read: {}", one_line(&error.to_string())),
        String::new(),
        "what moves it".to_owned(),
        "  nothing, until a backup is restored; every other pipeline goes on".to_owned(),
        String::new(),
        "because, newest first".to_owned(),
    ];
    let events = all_events(&*data.store, id).await?;
    let now = Timestamp::now();
    let last = events.iter().rev().take(DAMAGED_EVENTS);
    let lines_of = last.filter_map(|event| Some((event.at, event_line(&event.kind)?)));
    lines.extend(lines_of.map(|(at, line)| format!("  {:<9} {line}", words::ago(at, now))));
    Ok(Some(lines))
}

fn slots(data: &Opened) -> Slots {
    let limits = &data.loaded.config.limits;
    Slots {
        total: limits.max_concurrency.map_or(1, NonZeroU32::get),
        per_project: limits.per_project.map(NonZeroU32::get),
        per_agent: limits.per_agent.map(NonZeroU32::get),
    }
}

/// When the agent at work last wrote anything.
fn last_heard(data: &Opened, runs: &[Run]) -> Option<Timestamp> {
    let run = runs.iter().rfind(|run| run.ended_at.is_none())?;
    let log = Layout::new(data.data_dir.clone()).agent_sandbox(run.id).join("stdout.log");
    let modified = fs::metadata(log).and_then(|it| it.modified()).ok()?;
    Timestamp::try_from(modified).ok()
}

/// How long the agent at work may be silent.
async fn stall_limit(
    data: &Opened,
    pipeline: &Pipeline,
    runs: &[Run],
) -> Result<std::time::Duration, CliError> {
    let definition = data.store.find_definition(&pipeline.definition).await?;
    let of_stage = definition
        .as_ref()
        .zip(pipeline.stage())
        .and_then(|(definition, stage)| definition.find_stage(stage)?.stall_limit);
    let of_agent = runs
        .last()
        .and_then(|run| data.loaded.config.find_agent(&run.agent))
        .and_then(|agent| agent.stall_limit);
    Ok(of_stage.or(of_agent).unwrap_or(AGENT_STALL_LIMIT))
}

fn place(view: &PipelineView) {
    output::data(format_args!("{}  {}", view.item, one_line(&view.title)));
    let status = paint(Stream::Stdout, tone_of_status(view.status), &words::status(view));
    let place = match (&view.stage, view.attempt, view.step) {
        (Some(stage), Some(attempt), Some(step)) => {
            format!(" in stage {stage}, attempt {attempt}, {step}")
        }
        (Some(stage), None, Some(step)) => format!(" in stage {stage}, {step}"),
        _ => String::new(),
    };
    output::data(format_args!("  {status}{place}"));
}

fn movers(words: &MoverWords<'_>, explanation: &Explanation) {
    output::data("");
    output::data("what moves it");
    for line in words.lines(&explanation.movers) {
        output::data(format_args!("  {line}"));
    }
}

fn because(explanation: &Explanation, now: Timestamp) {
    let lines = explanation.because.iter().filter_map(|event| {
        let line = event_line(&event.kind)?;
        let ago = paint(Stream::Stdout, Tone::Quiet, &format!("{:<9}", words::ago(event.at, now)));
        Some(format!("  {ago} {}", paint(Stream::Stdout, tone_of_event(&event.kind), &line)))
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    output::data("");
    output::data("because, newest first");
    lines.iter().for_each(output::data);
}
