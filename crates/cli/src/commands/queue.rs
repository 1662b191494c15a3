//! `gatewright queue`

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _},
    num::NonZeroU32,
    time::Duration,
};

use api::{CapsView, JobView, QueueView};
use clap::Args;
use comfy_table::Cell;
use config::Loaded;
use domain::{explain::Slots, id::PipelineId, pipeline::PipelineStateTag};
use engine::{Keepers, Lack};
use jiff::Timestamp;
use owo_colors::Stream;
use ports::{JobFilter, NextDue, PipelineFilter, Store as _};

use crate::{
    called::gatewright,
    commands::{
        attendance::{self, Attendance},
        damage,
        data::{Opened, place},
        holds::{self, Holds},
        outbox,
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::Holder,
    output,
    system::SystemClock,
    words::{self, Tone, paint},
};

/// How often the queue is looked at while it is watched.
const POLL: Duration = Duration::from_secs(1);
/// Clears the terminal and goes to its first line.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// Show what is queued and what is running
#[derive(Debug, Args)]
pub(crate) struct Queue {
    /// Look again every second, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
}

impl Queue {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let mut data = Opened::find(context)?;
        loop {
            let (view, holder) = match &data {
                Some(data) => load(data).await?,
                None => (empty(context)?, None),
            };
            match (context.global.json, self.watch) {
                (true, true) => output::json_line(&view),
                (true, false) => output::json(&view),
                (false, watched) => {
                    if watched && io::stdout().is_terminal() {
                        output::data(CLEAR);
                    }
                    print(&view, holder.as_ref(), &gatewright());
                    damage::warn(&view.damaged);
                }
            }
            if !self.watch {
                return Ok(ExitStatus::Success);
            }
            SystemClock::default().pause(POLL).await;
            if data.is_none() {
                // Something may have been begun while we watched.
                data = Opened::find(context)?;
            }
        }
    }
}

/// The queue before anything was begun.
fn empty(context: &Context) -> Result<QueueView, CliError> {
    let (loaded, _) = place(context)?;
    if !context.global.json {
        output::say(format_args!("nothing yet: {} run \"…\" begins something", gatewright()));
    }
    Ok(QueueView::new(&[], None, caps(&loaded), None))
}

fn caps(loaded: &Loaded) -> CapsView {
    let limits = &loaded.config.limits;
    CapsView {
        total: limits.max_concurrency.map_or(1, NonZeroU32::get),
        per_project: limits.per_project.map(NonZeroU32::get),
        per_agent: limits.per_agent.map(NonZeroU32::get),
    }
}

async fn load(data: &Opened) -> Result<(QueueView, Option<Holder>), CliError> {
    let jobs = data.store.list_jobs(&JobFilter::default()).await?;
    let (holds, now) = (Holds::load(&*data.store, &data.loaded).await?, Timestamp::now());
    let due = data.store.next_due(&holds.guards).await?;
    let NextDue { job, timer, lease: _ } = due;
    let next_due = job.into_iter().chain(timer).min();
    let caps = caps(&data.loaded);
    let slots =
        Slots { total: caps.total, per_project: caps.per_project, per_agent: caps.per_agent };
    let lacks = holds::lacks(&data.data_dir);
    let mut damaged = damage::load(&*data.store).await?;
    let keepers = Keepers { slots, guards: &holds.guards, held: &Lack::held(&lacks) };
    let overdue = keepers.find_overdue(&*data.store, now).await?.map(|it| it.id);
    let filter =
        PipelineFilter { states: vec![PipelineStateTag::Paused], ..PipelineFilter::default() };
    let paused = data.store.list_pipelines(&filter).await?;
    let paused: BTreeSet<PipelineId> = paused.into_iter().map(|it| it.id).collect();
    let held = lacks.into_iter().map(|it| it.problem).collect();
    let outbox = outbox::counts(&*data.store).await?;
    damaged.extend(data.store.damaged_letters().await?.into_iter().map(damage::view));
    let attendance = Attendance::of(data, &jobs);
    let agents = attendance::agents(data, &jobs).await?;
    let holder = attendance.holder.as_ref().map(Holder::view);
    let keeps = |id| holds.of_job(jobs.iter().find(|job| job.id == id)?, now);
    let mut view = QueueView::new(&jobs, next_due, caps, holder).behind(holds.views(), keeps);
    for job in &mut view.running {
        job.at_work = job.lease.as_ref().map(|lease| !attendance.gone.contains(&lease.owner));
    }
    for job in view.running.iter_mut().chain(&mut view.queued) {
        job.agent_lives = agents.get(&job.id).map(|(_, lives)| *lives);
        job.paused = Some(paused.contains(&job.pipeline));
    }
    Ok((QueueView { overdue, outbox, held, damaged, ..view }, attendance.holder))
}

fn print(view: &QueueView, holder: Option<&Holder>, gatewright: &str) {
    let counts: Vec<String> =
        view.counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    output::data(format_args!("jobs   {}", counts.join(", ")));
    let CapsView { total, per_project, per_agent } = &view.caps;
    let each =
        |of: &str, cap: &Option<u32>| cap.map(|it| format!(", {it} {of}")).unwrap_or_default();
    let (project, agent) = (each("per project", per_project), each("per agent", per_agent));
    output::data(format_args!("caps   {total} at once{project}{agent}"));
    let nobody = || "nobody is at work".to_owned();
    output::data(format_args!("by     {}", holder.map_or_else(nobody, Holder::name)));
    if let Some(obstacle) = holder.and_then(Holder::obstacle) {
        let obstacle = format!("       which {obstacle}");
        output::data(paint(Stream::Stdout, Tone::Attention, &obstacle));
    }
    let now = Timestamp::now();
    let next = view.next_due.map_or_else(|| "nothing".to_owned(), |at| words::ago(at, now));
    output::data(format_args!("due    {next}"));
    if let Some(job) = view.overdue {
        let alarm = format!("{job} could be done for long and nobody does it");
        output::data(paint(Stream::Stdout, Tone::Bad, &alarm));
    }
    for outbox in &view.outbox {
        let nobody = holder.is_none() && outbox.waiting > 0;
        let next =
            if nobody { format!("; {} sends them", outbox::next_sender()) } else { String::new() };
        output::data(format_args!("outbox {}{next}", outbox::summary(outbox, now)));
    }
    for problem in &view.held {
        output::data(format_args!("held   {}", words::one_line(problem)));
    }
    for breaker in &view.breakers {
        let why = holds::in_words(breaker, now);
        output::data(format_args!("held   {}: {why}", breaker.breaker));
        if let Some(mend) = holds::mend(breaker, gatewright) {
            output::data(format_args!("       {mend}"));
        }
    }
    if view.running.is_empty() && view.queued.is_empty() {
        return;
    }
    let mut table = words::table(&[
        "state",
        "work",
        "stage",
        "agent",
        "since",
        "worker",
        "failures",
        "last error",
        "pipeline",
    ]);
    for job in &view.running {
        let tone = if job.at_work == Some(false) { Tone::Attention } else { Tone::Good };
        table.add_row(row(job, tone, words::ago(job.created_at, now), worker(job, now)));
    }
    for job in &view.queued {
        let due = match (&job.waits_for, job.goes_on_at) {
            _ if job.paused == Some(true) => None,
            (Some(_), Some(at)) => Some(format!("held, goes on {}", words::ago(at, now))),
            (Some(_), None) => Some("held".to_owned()),
            (None, _) => job.due_at.map(|at| format!("due {}", words::ago(at, now))),
        };
        let left =
            job.agent_lives.map(|lives| format!("nobody (its agent {})", words::lives_on(lives)));
        table.add_row(row(job, Tone::Quiet, due.unwrap_or_default(), left.unwrap_or_default()));
    }
    output::data("");
    output::data(table.trim_fmt());
}

/// Who has a job that is under way, and what is seen of it.
fn worker(job: &JobView, now: Timestamp) -> String {
    let Some(lease) = &job.lease else { return String::new() };
    let owner = words::one_line(&lease.owner);
    let agent = |lives| format!("; its agent {}", words::lives_on(lives));
    if job.at_work == Some(false) {
        let agent = job.agent_lives.map(agent).unwrap_or_default();
        return format!("nobody ({owner} is gone{agent})");
    }
    // That it lives is what everybody expects.
    let agent = job.agent_lives.filter(|lives| !lives).map(agent).unwrap_or_default();
    format!("{owner} (lease ends {}{agent})", words::ago(lease.expires_at, now))
}

fn row(job: &JobView, tone: Tone, since: String, worker: String) -> Vec<Cell> {
    let error: String =
        words::one_line(job.last_error.as_deref().unwrap_or("")).chars().take(60).collect();
    // As lists of pipelines say it, also while the lease of a process that is gone has not run out.
    let is_paused = job.paused == Some(true) && job.at_work != Some(true);
    let state = if is_paused { "paused" } else { job.state.as_str() };
    vec![
        tone.cell(state),
        Cell::new(&job.work),
        Cell::new(format!("{} #{}", job.stage, job.attempt)),
        Cell::new(job.agent.as_ref().map(ToString::to_string).unwrap_or_default()),
        Cell::new(since),
        Cell::new(worker),
        Cell::new(job.failures),
        Cell::new(error),
        Cell::new(job.pipeline),
    ]
}
