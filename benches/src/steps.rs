//! Whole steps a second: decide, state, effects, events, and a durable commit before the answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use domain::definition::Definition;
use engine::{Engine, Outcome};
use ports::Store;
use tokio::task::JoinSet;

use crate::{
    disk::Disk,
    effort::Effort,
    place::Place,
    recorder::Recorder,
    samples::{Samples, rate},
    table::{Table, number},
    walk,
    workshop::Workshop,
};

/// Pipelines that move at once.
const AT_ONCE: [u32; 3] = [1, 16, 64];

/// Measures the bare disk and the steps in turns, so that both see the same neighbours.
pub(crate) async fn measure(
    place: &Place,
    effort: &Effort,
    disk: &mut Disk,
    table: &mut Table,
) -> Result<()> {
    let definition = Arc::new(walk::definition()?);
    let mut rates: [Samples; 3] = Default::default();
    let mut times: [Samples; 3] = Default::default();
    for _ in 0..effort.rounds {
        disk.sample(place, effort.round)?;
        for (at, pipelines) in AT_ONCE.into_iter().enumerate() {
            let (rate, time) = round(place, &definition, pipelines, effort.round).await?;
            rates[at].push(rate);
            times[at].append(&time);
        }
    }
    table.group("Durable steps (SQLite, synchronous = FULL)");
    table.add("append 4 KiB + fdatasync", &disk.append, "per s", "the disk itself");
    table.add(
        "SQLite, one row of 1 kB a commit",
        &disk.commit,
        "per s",
        "the unbatched commit rate",
    );
    for (at, pipelines) in AT_ONCE.into_iter().enumerate() {
        let beside = format!(
            "{}x the unbatched commit rate, {}x the disk",
            number(rates[at].median() / disk.commit.median()),
            number(rates[at].median() / disk.append.median()),
        );
        table.add(format!("steps, {}", at_once(pipelines)), &rates[at], "per s", beside);
    }
    for (at, pipelines) in AT_ONCE.into_iter().enumerate() {
        table.add(format!("one step, {}", at_once(pipelines)), &times[at], "ms", "");
    }
    Ok(())
}

fn at_once(pipelines: u32) -> String {
    if pipelines == 1 { "1 pipeline".to_owned() } else { format!("{pipelines} pipelines at once") }
}

/// Steps a second, and how long each took.
async fn round(
    place: &Place,
    definition: &Arc<Definition>,
    pipelines: u32,
    time: Duration,
) -> Result<(f64, Samples)> {
    let workshop = Workshop::new(&place.dir("steps")?, Arc::new(Recorder::default()))?;
    walk::prepare(&*workshop.store, definition).await?;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..pipelines {
        let (engine, store) = (Arc::clone(&workshop.engine), Arc::clone(&workshop.store));
        let definition = Arc::clone(definition);
        let ids = u128::from(number) << 64;
        tasks.spawn(
            async move { walk_until(&engine, &*store, &definition, ids, start + time).await },
        );
    }
    let mut all = Samples::default();
    let mut count = 0;
    while let Some(walked) = tasks.join_next().await {
        let (steps, times) = walked??;
        count += steps;
        all.append(&times);
    }
    Ok((rate(count, start.elapsed()), all))
}

/// Takes one pipeline after the other through all of its steps. Making them costs time and is no step.
async fn walk_until(
    engine: &Engine,
    store: &dyn Store,
    definition: &Definition,
    ids: u128,
    end: Instant,
) -> Result<(u32, Samples)> {
    let mut steps = 0;
    let mut times = Samples::default();
    for id in ids.. {
        let id = walk::create(store, definition, id).await?;
        let Some(mut pipeline) = store.find_pipeline(id).await? else { bail!("{id} is gone") };
        while let Some(input) = walk::next_input(&pipeline, definition)? {
            let begun = Instant::now();
            if begun >= end {
                return Ok((steps, times));
            }
            let outcome = engine.apply(id, &input, &walk::cause(id, pipeline.version)).await?;
            let Outcome::Moved(moved) = outcome else { bail!("{id} did not move: {outcome:?}") };
            times.push_time(begun.elapsed());
            steps += 1;
            pipeline = *moved;
        }
    }
    Ok((steps, times))
}
