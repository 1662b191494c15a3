//! `gatewright pipeline show --why`, `gatewright doctor --explain`

use std::{fs, num::NonZeroU32, time::Duration};

use api::{ExplanationView, LetterView, PipelineView};
use domain::{
    decision::Decision,
    explain::{Depth, Explanation, Situation, Slots, explain as explained},
    id::PipelineId,
    limits::AGENT_STALL_LIMIT,
    outbox::LetterStateTag,
    pipeline::{Event, Pipeline, TimerKey},
    run::Run,
};
use engine::{Lack, Layout};
use jiff::Timestamp;
use owo_colors::Stream;
use ports::{LetterFilter, Store as _, StoreError};

use super::{
    find::find_id,
    resolve,
    seen::{Own, Seen},
};
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
    let depth = if context.global.verbose > 0 { Depth::Whole } else { Depth::Recent };
    let asked = Asked::look(&data, pipeline, depth).await?;
    let Asked { pipeline, events, seen, own, lacks, explanation, now, .. } = &asked;
    let now = *now;
    let view = PipelineView::with_events(pipeline, events);
    let view = seen.add(view, pipeline, own);
    let wall_time_ends_at = store.find_timer(pipeline.id, TimerKey::WallTime).await?;
    let letters = open_letters(&data, pipeline.id).await?;
    if context.global.json {
        let holds = |lack: &&Lack| own.jobs.iter().any(|job| lack.holds(job.agent.as_ref()));
        let held = lacks.iter().filter(holds).map(|lack| lack.problem.clone()).collect();
        let holder = seen.attendance.holder.as_ref().map(Holder::view);
        let explained = ExplanationView::new(view, holder, explanation);
        output::json(&ExplanationView { held, wall_time_ends_at, letters, ..explained });
        return Ok(ExitStatus::Success);
    }
    place(&view);
    output::data("");
    output::data("what moves it");
    for line in asked.lines() {
        output::data(format_args!("  {line}"));
    }
    if let Some(at) = wall_time_ends_at {
        let at = words::ago(at, now);
        output::data(format_args!("  its time is over {at} (`wall_time`): a person is asked then"));
    }
    letter_lines(&letters, now);
    because(explanation, now);
    Ok(ExitStatus::Success)
}

/// A pipeline of which it was asked why it is where it is, and what was seen.
pub(crate) struct Asked<'a> {
    pipeline: Pipeline,
    events: Vec<Event>,
    decision: Option<Decision>,
    runs: Vec<Run>,
    seen: Seen<'a>,
    own: Own,
    /// What the process at work found unable to work; where nobody works, nobody knows whether it still is so.
    lacks: Vec<Lack>,
    stall_limit: Duration,
    pub(crate) explanation: Explanation,
    now: Timestamp,
}

impl<'a> Asked<'a> {
    /// Looks at everything that could move it.
    pub(crate) async fn look(
        data: &'a Opened,
        pipeline: Pipeline,
        depth: Depth,
    ) -> Result<Self, CliError> {
        let (store, now) = (&*data.store, Timestamp::now());
        let events = all_events(store, pipeline.id).await?;
        let decision = match pipeline.state.decision() {
            Some(id) => store.find_decision(id).await?,
            None => None,
        };
        let runs = store.list_runs(pipeline.id).await?;
        let seen = Seen::look(data, None).await?;
        let own = seen.own(&pipeline).await?;
        let worker = seen.attendance.worker().map(Holder::name);
        let explanation = explained(
            &Situation {
                pipeline: &pipeline,
                events: &events,
                decision: decision.as_ref(),
                runs: &runs,
                jobs: &seen.jobs,
                merging: store.find_merging(&pipeline.project, now).await?,
                holder: worker.as_deref(),
                gone: &seen.attendance.gone,
                agents: &own.agents.values().copied().collect(),
                slots: slots(data),
                held: &seen.holds.by_agent(),
                last_heard: last_heard(data, &runs),
                now,
            },
            depth,
        );
        let at_work = seen.attendance.is_at_work(&pipeline, &own.jobs);
        let explanation = Explanation { at_work, ..explanation };
        let lacks = worker.map(|_| holds::lacks(&data.data_dir)).unwrap_or_default();
        let stall_limit = stall_limit(data, &pipeline, &runs).await?;
        Ok(Self {
            pipeline,
            events,
            decision,
            runs,
            seen,
            own,
            lacks,
            stall_limit,
            explanation,
            now,
        })
    }

    /// What moves it, in lines, with the commands that do.
    pub(crate) fn lines(&self) -> Vec<String> {
        let words = MoverWords {
            gatewright: gatewright(),
            pipeline: &self.pipeline,
            holder: self.seen.attendance.holder.as_ref(),
            lacks: &self.lacks,
            jobs: &self.own.jobs,
            runs: &self.runs,
            stall_limit: self.stall_limit,
            now: self.now,
        };
        let mut lines = words.lines(&self.explanation.movers);
        let left = self.explanation.left.iter();
        lines.extend(
            left.map(|run| format!("its agent is alive ({run}), and is taken up again then")),
        );
        lines.extend(self.decision.iter().flat_map(decisions::answer_lines));
        lines
    }
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
        _ if outbox::is_stranded(letter) => {
            format!("{about} waits: {} is not configured here{why}", letter.destination)
        }
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
) -> Result<Duration, CliError> {
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
