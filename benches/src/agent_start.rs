//! From a committed job to an agent that runs, on an idle system.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use camino::Utf8Path;
use domain::definition::Network;
use ports::{Mount, OutputStream, Sandbox, SandboxLimits, SandboxSpec};
use sandbox::Backend;
use tokio::time;

use crate::{
    effort::Effort,
    idle_engine::{IdleEngine, STAGES, WorkspaceIs},
    place::Place,
    product_binary::ProductBinary,
    recorder::Recorder,
    samples::Samples,
    stamp,
    table::{Table, number},
    workshop,
};

/// How long the system is left alone before each start.
pub(crate) const IDLE: Duration = Duration::from_millis(20);
/// Jobs that wait already where that is what is measured.
const WAITING: u32 = 1_000;
/// No start takes that long.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// Measures bare spawns, launches under the shim, and the whole way through the engine.
pub(crate) async fn measure(
    place: &Place,
    product: &ProductBinary,
    effort: &Effort,
    table: &mut Table,
) -> Result<()> {
    let starts = effort.starts;
    let options = || sandbox::Options { shim: product.shim(), bubblewrap: None };
    let (process, _) = sandbox::select(Backend::Process, options()).await?;
    let bubblewrap = sandbox::select(Backend::Bubblewrap, options()).await;

    table.group("Start of an agent, idle system");
    let spawn = bare_spawns(starts)?;
    table.add(
        "bare spawn of the agent's command",
        &spawn,
        "ms",
        "posix_spawn, to its first instruction",
    );
    for (waiting, words) in [(0, ""), (WAITING, ", 1,000 jobs waiting")] {
        let engine = engine_part(place, starts, waiting).await?;
        let figure = format!("job commit -> launch asked for{words}");
        table.add(figure, &engine, "ms", "the engine's own part");
    }
    let polling = polling_queue(place, starts.div_ceil(5))?;
    let words = "a plain queue in Python's sqlite3 that looks once a second";
    table.add("the same, 1,000 jobs waiting, by polling", &polling, "ms", words);
    let beside = |samples: &Samples| {
        format!("{} ms over the bare spawn", number(samples.median() - spawn.median()))
    };
    let launch = launches(place, &*process, starts).await?;
    table.add("launch, shim", &launch, "ms", beside(&launch));
    let mut backends = vec![("process", process)];
    let mut pipelines = Vec::new();
    match bubblewrap {
        Ok((sandbox, _)) => {
            let launch = launches(place, &*sandbox, starts).await?;
            table.add("launch, shim + bubblewrap", &launch, "ms", beside(&launch));
            backends.push(("bubblewrap", sandbox));
        }
        Err(error) => table.note("launch, shim + bubblewrap", &format!("not measured: {error}")),
    }
    for (name, sandbox) in backends {
        let mut idle = IdleEngine::start(place, Arc::clone(&sandbox), 0).await?;
        for (workspace, words) in [(WorkspaceIs::New, "new"), (WorkspaceIs::Kept, "kept")] {
            let whole = whole_starts(&mut idle, &*sandbox, workspace, starts).await?;
            let figure = format!("job commit -> agent runs, {name}, {words} workspace");
            table.add(figure, &whole, "ms", beside(&whole));
        }
        let mut pipeline = Samples::default();
        for _ in 0..starts.div_ceil(10) {
            pipeline.push_time(idle.run_pipeline().await?);
        }
        idle.stop().await?;
        pipelines.push((name, pipeline));
    }
    for (name, pipeline) in pipelines {
        let over = pipeline.median() - f64::from(STAGES) * spawn.median();
        let beside = format!("{} ms over {STAGES} bare spawns", number(over));
        let figure = format!("{STAGES} stages, agents that do nothing, {name}");
        table.add(figure, &pipeline, "ms", beside);
    }
    Ok(())
}

/// The agent's command, started directly.
fn bare_spawns(count: usize) -> Result<Samples> {
    let program = workshop::program()?;
    let mut samples = Samples::default();
    for _ in 0..count {
        std::thread::sleep(IDLE);
        let start = stamp::since_epoch();
        let mut command = Command::new(&program);
        command.arg(stamp::ARGUMENT).env_clear().stdin(Stdio::null()).stderr(Stdio::null());
        samples.push_time(stamp::read(&command.output()?.stdout, start)?);
    }
    Ok(samples)
}

/// The agent's command in a sandbox, without an engine.
async fn launches(place: &Place, sandbox: &dyn Sandbox, count: usize) -> Result<Samples> {
    let (program, work) = (workshop::program()?, place.dir("launch")?);
    let program_dir = program.parent().unwrap_or(Utf8Path::new("/")).to_owned();
    let mount =
        |path: &Utf8Path, writable| Mount { from: path.to_owned(), to: path.to_owned(), writable };
    let spec = SandboxSpec {
        name: "launch".to_owned(),
        argv: vec![program.to_string(), stamp::ARGUMENT.to_owned()],
        env: BTreeMap::new(),
        cwd: work.clone(),
        stdin: None,
        mounts: vec![mount(&work, true), mount(&program_dir, false)],
        network: Network::ModelOnly,
        limits: SandboxLimits {
            time: TIME_LIMIT,
            silence: None,
            log_bytes: 1 << 20,
            stop_grace: Duration::from_secs(1),
        },
    };
    let mut samples = Samples::default();
    for number in 0..count {
        let dir = work.join(number.to_string());
        time::sleep(IDLE).await;
        let start = stamp::since_epoch();
        sandbox.launch(&dir, &spec).await?;
        samples.push_time(stamp_of(sandbox, &dir, start).await?);
    }
    fs::remove_dir_all(&work)?;
    Ok(samples)
}

/// When the agent in the sandbox in `dir` began.
async fn stamp_of(sandbox: &dyn Sandbox, dir: &Utf8Path, start: Duration) -> Result<Duration> {
    let status = sandbox.wait(dir).await?;
    let printed = sandbox.read_log(dir, OutputStream::Out, 0, 64).await?;
    stamp::read(&printed, start).with_context(|| format!("the agent did not run: {status:?}"))
}

/// From the enqueue of a job to its start, by a program that polls.
fn polling_queue(place: &Place, count: usize) -> Result<Samples> {
    let database = place.dir("polling")?.join("database");
    let mut command = Command::new("python3");
    command.args(["-c", include_str!("../peers/polling_queue.py"), database.as_str()]);
    command.args([count.to_string(), WAITING.to_string()]);
    let output = command.output().context("could not start python3")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut samples = Samples::default();
    for line in said.lines() {
        samples.push(line.parse().with_context(|| format!("`{line}` is no time"))?);
    }
    let failed =
        || format!("the polling queue failed: {}", String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), failed());
    Ok(samples)
}

/// From the commit to the call that launches the agent: claim, load, brief, record.
async fn engine_part(place: &Place, count: usize, waiting: u32) -> Result<Samples> {
    let recorder = Arc::new(Recorder::default());
    let mut samples = Samples::default();
    let mut idle = IdleEngine::start(place, Arc::clone(&recorder) as _, waiting).await?;
    for number in 0..count {
        let started = idle.start_agent(number, WorkspaceIs::Kept).await?;
        let launched = recorder.launched_at(&started.sandbox).context("no launch was asked for")?;
        samples.push_time(launched.saturating_duration_since(started.committed));
    }
    idle.stop().await?;
    Ok(samples)
}

/// From the commit to the agent's first instruction.
async fn whole_starts(
    idle: &mut IdleEngine,
    sandbox: &dyn Sandbox,
    workspace: WorkspaceIs,
    count: usize,
) -> Result<Samples> {
    let mut samples = Samples::default();
    for number in 0..count {
        let started = idle.start_agent(number, workspace).await?;
        samples.push_time(stamp_of(sandbox, &started.sandbox, started.committed_at).await?);
    }
    Ok(samples)
}
