//! The queue: jobs claimed and completed, with nothing to do between the two.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use domain::{
    definition::Definition,
    job::{JobInput, Work},
    name::RoleName,
    pipeline::{Input, Report},
};
use engine::{Cause, Engine, JobReport, Outcome};
use jiff::Timestamp;
use ports::{Claim, Store};
use store_sqlite::SqliteStore;
use testkit::store_conformance::fixtures;
use tokio::task::JoinSet;

use crate::{
    disk::Disk,
    effort::Effort,
    place::Place,
    recorder::Recorder,
    samples::{Samples, rate},
    table::{Table, number},
    walk,
    workshop::{PROJECT, Workshop, no_caps, store},
};

const WORKERS: u32 = 10;
/// Jobs that are queued with one step.
const BATCH: u32 = 500;

/// Measures claims and completions.
pub(crate) async fn measure(
    place: &Place,
    effort: &Effort,
    disk: &Disk,
    table: &mut Table,
) -> Result<()> {
    let definition = Arc::new(walk::definition()?);
    let mut single = Samples::default();
    let mut in_tens = Samples::default();
    let mut whole = Samples::default();
    let mut times = Samples::default();
    let mut plain = Samples::default();
    for _ in 0..effort.rounds {
        plain.push(plain_queue(place, effort.jobs / 5)?);
        single.push(drain(place, effort.jobs, 1, &mut times).await?);
        in_tens.push(drain(place, effort.jobs, 10, &mut Samples::default()).await?);
        whole.push(work(place, &definition, effort.jobs).await?);
    }
    table.group("Job queue, 10 workers");
    table.add(
        "a plain queue in Python's sqlite3",
        &plain,
        "jobs per s",
        "the same, as it is often done",
    );
    let beside = |rates: &Samples| {
        let (plain, disk) =
            (rates.median() / plain.median(), rates.median() / disk.append.median());
        format!("{}x the plain queue, {}x the disk", number(plain), number(disk))
    };
    table.add("claim + complete", &single, "jobs per s", beside(&single));
    table.add("claim + complete, one job", &times, "ms", "");
    table.add("claim ten + complete each", &in_tens, "jobs per s", beside(&in_tens));
    table.add("claim + report: a whole step", &whole, "jobs per s", beside(&whole));
    Ok(())
}

/// The same work by a program of forty lines. Jobs a second.
fn plain_queue(place: &Place, jobs: u32) -> Result<f64> {
    let database = place.dir("plain")?.join("database");
    let mut command = Command::new("python3");
    command.args(["-c", include_str!("../peers/plain_queue.py"), database.as_str()]);
    command.args([jobs.to_string(), WORKERS.to_string()]);
    let output = command.output().context("could not start python3")?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().with_context(|| {
        format!("the plain queue failed: {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Claims and completes until nothing is left. Jobs a second.
async fn drain(place: &Place, jobs: u32, at_a_time: u32, times: &mut Samples) -> Result<f64> {
    let store = Arc::new(store(&place.dir("queue")?)?);
    fill(&store, jobs).await?;
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let store = Arc::clone(&store);
        workers.spawn(async move { complete_all(&store, at_a_time).await });
    }
    let mut done = 0;
    while let Some(worker) = workers.join_next().await {
        let (count, its_times) = worker??;
        done += count;
        times.append(&its_times);
    }
    if done != jobs {
        bail!("{done} of {jobs} jobs were done");
    }
    Ok(rate(done, start.elapsed()))
}

async fn fill(store: &SqliteStore, jobs: u32) -> Result<()> {
    let mut pipeline = fixtures::pipeline(store, 1, PROJECT).await;
    let role = RoleName::new("developer")?;
    for first in (0..jobs).step_by(BATCH as usize) {
        let numbers = first..jobs.min(first + BATCH);
        let batch = numbers
            .map(|number| fixtures::job(&pipeline, number, Work::Agent { role: role.clone() }));
        let batch = batch.collect();
        pipeline = fixtures::queue(store, &pipeline, batch).await;
    }
    Ok(())
}

async fn complete_all(store: &SqliteStore, at_a_time: u32) -> Result<(u32, Samples)> {
    let mut count = 0;
    let mut times = Samples::default();
    loop {
        let begun = Instant::now();
        let jobs = store.claim(&claim(at_a_time)).await?;
        if jobs.is_empty() {
            return Ok((count, times));
        }
        for job in jobs {
            if !store.settle_job(&fixtures::completed(&job)).await? {
                bail!("{} was lost", job.id);
            }
            count += 1;
        }
        times.push_time(begun.elapsed());
    }
}

fn claim(limit: u32) -> Claim {
    Claim { caps: no_caps(), limit, ..fixtures::claim(Timestamp::now()) }
}

/// Moves pipelines as the engine's workers do: claim a job, report it through the one door. Jobs a second.
async fn work(place: &Place, definition: &Arc<Definition>, jobs: u32) -> Result<f64> {
    let workshop = Workshop::new(&place.dir("work")?, Arc::new(Recorder::default()))?;
    walk::prepare(&*workshop.store, definition).await?;
    let pipelines = jobs / walk::JOBS;
    for id in 0..pipelines {
        let id = walk::create(&*workshop.store, definition, id.into()).await?;
        let _moved = workshop.engine.apply(id, &Input::Start, &walk::cause(id, 0)).await?;
    }
    let left = Arc::new(AtomicU32::new(pipelines));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (engine, store) = (Arc::clone(&workshop.engine), Arc::clone(&workshop.store));
        let (definition, left) = (Arc::clone(definition), Arc::clone(&left));
        workers.spawn(async move { report_all(&engine, &store, &definition, &left).await });
    }
    let mut done = 0;
    while let Some(worker) = workers.join_next().await {
        done += worker??;
    }
    Ok(rate(done, start.elapsed()))
}

/// Claims and reports until every pipeline has ended and was cleaned up.
async fn report_all(
    engine: &Engine,
    store: &SqliteStore,
    definition: &Definition,
    left: &AtomicU32,
) -> Result<u32> {
    let mut count = 0;
    while left.load(Ordering::Relaxed) > 0 {
        for job in store.claim(&claim(1)).await? {
            let input = if job.slot.work == Work::Cleanup {
                left.fetch_sub(1, Ordering::Relaxed);
                Input::JobDone { slot: job.slot.clone(), report: Report::CleanedUp }
            } else {
                let pipeline = store.find_pipeline(job.pipeline).await?;
                let pipeline = pipeline.context("a job without its pipeline")?;
                let input = walk::next_input(&pipeline, definition)?;
                input.context("a job of a pipeline that has ended")?
            };
            let key = format!("job/{}/{}", job.id, job.claims);
            let token = fixtures::token(&job);
            let id = job.pipeline;
            let report = JobReport { job, input: JobInput::Complete { token }, expired_by: None };
            let cause = Cause { key, job: Some(report), ..walk::cause(id, 0) };
            let outcome = engine.apply(id, &input, &cause).await?;
            ensure!(matches!(outcome, Outcome::Moved(_)), "{id} did not move: {outcome:?}");
            count += 1;
        }
    }
    Ok(count)
}
