//! Start-up over many live pipelines: how long until the process can work, and what it costs in memory.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use camino::Utf8Path;
use domain::{definition::Definition, limits::JOB_LOST_MAX, pipeline::Input};
use engine::{Engine, Outcome};
use ports::{Claim, Store};
use testkit::store_conformance::fixtures;
use tokio::task::JoinSet;

use crate::{
    effort::Effort,
    place::Place,
    product,
    recorder::Recorder,
    samples::Samples,
    table::Table,
    walk,
    workshop::{Workshop, no_caps, program, store},
};

/// The argument that makes this program a process that recovers a data directory, and then waits.
pub(crate) const ARGUMENT: &str = "recover";

/// Pipelines that are made at once.
const MAKERS: u128 = 64;
/// Jobs that a machine of a few cores has at work when it dies.
const FEW: u32 = 8;
/// A job that is lost more often is a question to a person.
const ROUNDS: u32 = JOB_LOST_MAX;

/// Measures the start over nothing, and over as many live pipelines as it is told.
pub(crate) async fn measure(place: &Place, effort: &Effort, table: &mut Table) -> Result<()> {
    table.group("Start over live pipelines, their process killed");
    for pipelines in effort.live_pipelines {
        // Caps leave a few at work; the worst case is that all are.
        let mut at_work = vec![FEW.min(pipelines), pipelines];
        at_work.dedup();
        for at_work in at_work {
            let data_dir = place.dir("recovery")?;
            fill(&data_dir, pipelines).await?;
            let (mut times, mut memory) = (Samples::default(), Samples::default());
            for _ in 0..ROUNDS {
                take_as_another(&data_dir, at_work).await?;
                let (time, resident) = start(&data_dir)?;
                times.push_time(time);
                memory.push(resident);
            }
            let figure = format!("{pipelines} pipelines, {at_work} jobs at work");
            let beside =
                "spawn to ready: open, take back, first look for work; target: below 2,000";
            table.add(format!("ready, {figure}"), &times, "ms", beside);
            table.add(format!("memory, {figure}"), &memory, "MiB", "VmRSS; target: below 150");
        }
    }
    Ok(())
}

/// The process that is measured: recovers, says so, and waits until nobody listens any more.
pub(crate) fn recover(data_dir: &str) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let workshop = Workshop::new(Utf8Path::new(data_dir), Arc::new(Recorder::default()))?;
        workshop.engine.recover().await?;
        let found = workshop.store.list_stranded().await?.len();
        let due = workshop.store.next_due(&BTreeMap::new()).await?.job.is_some();
        writeln!(io::stdout(), "ready {found} {due}")?;
        io::stdin().read_to_end(&mut Vec::new())?;
        Ok(())
    })
}

/// From the start of such a process until it is ready, and its memory then in MiB.
fn start(data_dir: &Utf8Path) -> Result<(Duration, f64)> {
    let begun = Instant::now();
    let mut child = Command::new(program()?)
        .args([ARGUMENT, data_dir.as_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("it has an output")?).read_line(&mut line)?;
    let time = begun.elapsed();
    ensure!(line.starts_with("ready 0 "), "the process that recovers said `{}`", line.trim());
    let [resident, _] = product::memory(child.id())?;
    drop(child.stdin.take());
    ensure!(child.wait()?.success(), "the process that recovers failed");
    Ok((time, resident.median()))
}

/// Makes pipelines that have begun, each with its first job queued.
async fn fill(data_dir: &Utf8Path, pipelines: u32) -> Result<()> {
    let definition = Arc::new(walk::definition()?);
    let workshop = Workshop::new(data_dir, Arc::new(Recorder::default()))?;
    walk::prepare(&*workshop.store, &definition).await?;
    let mut makers = JoinSet::new();
    for maker in 0..MAKERS {
        let (engine, store) = (Arc::clone(&workshop.engine), Arc::clone(&workshop.store));
        let definition = Arc::clone(&definition);
        let ids = (maker..u128::from(pipelines)).step_by(MAKERS as usize);
        makers.spawn(async move {
            for id in ids {
                begin(&engine, &*store, &definition, id).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(made) = makers.join_next().await {
        made??;
    }
    Ok(())
}

async fn begin(
    engine: &Engine,
    store: &dyn Store,
    definition: &Definition,
    id: u128,
) -> Result<()> {
    let id = walk::create(store, definition, id).await?;
    match engine.apply(id, &Input::Start, &walk::cause(id, 0)).await? {
        Outcome::Moved(_) => Ok(()),
        other => bail!("{id} did not start: {other:?}"),
    }
}

/// Takes jobs under a name that nobody has, as a process that was killed has left them.
async fn take_as_another(data_dir: &Utf8Path, jobs: u32) -> Result<()> {
    let store = store(data_dir)?;
    let claim = Claim {
        owner: "killed".to_owned(),
        caps: no_caps(),
        limit: jobs,
        ..fixtures::claim(jiff::Timestamp::now())
    };
    let taken = store.claim(&claim).await?.len();
    ensure!(taken == usize::try_from(jobs)?, "{taken} of {jobs} jobs were taken");
    Ok(())
}
