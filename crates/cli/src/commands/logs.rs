//! `gatewright logs`

mod course;
mod follow;
mod render;
mod wait;

use camino::Utf8Path;
use clap::Args;
use course::Course;
use domain::{
    failure::FailureClass,
    id::RunId,
    run::{Run, RunOutcome},
    secrets::Secrets,
};
use engine::Layout;
use follow::Log;
use ports::Store as _;
use render::Renderer;

use crate::{
    called::gatewright,
    commands::{data::Opened, pipeline::resolve},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output,
    system::SystemClock,
    words::{self, one_line, safe},
};

/// Lines of standard error that are shown of a run that failed.
const STDERR_LINES: usize = 20;

/// Show what agents printed
///
/// Shows the newest run of the pipeline: what its agent said and which tools it called. With --json an object a line.
/// In place of what the agent's environment held stands the name of it: $KEY.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The pipeline
    pipeline: String,
    /// This run only
    #[arg(long, value_name = "RUN", conflicts_with = "all")]
    run: Option<RunId>,
    /// All runs, oldest first
    #[arg(long, conflicts_with = "follow")]
    all: bool,
    /// Go on until the run has ended, or its pipeline has, and say what comes next; where no agent has run yet or nobody
    /// is at work, say what is waited for, and wait
    #[arg(short, long)]
    follow: bool,
    /// Print what was printed, not what it means
    #[arg(long)]
    raw: bool,
}

impl Logs {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let data = Opened::read(context)?;
        let pipeline = resolve(&*data.store, &self.pipeline).await?;
        let mut runs = data.store.list_runs(pipeline.id).await?;
        if self.follow && self.run.is_none() && runs.is_empty() {
            runs.extend(wait::for_a_run(&data, &pipeline).await?);
        }
        let chosen: Vec<&Run> = match (self.run, self.all) {
            (Some(id), _) => runs.iter().filter(|run| run.id == id).collect(),
            (None, true) => runs.iter().collect(),
            (None, false) => runs.last().into_iter().collect(),
        };
        if chosen.is_empty() {
            let key = &pipeline.item.key;
            return Err(match self.run {
                Some(id) => CliError::new(format!("{key} has no run {id}"))
                    .help(format!("`{} pipeline show {key}` lists its runs", gatewright())),
                None if self.follow => {
                    CliError::new(format!("{key} has ended, and no agent has run for it"))
                }
                None => CliError::new(format!("no agent has run for {key} yet"))
                    .help(format!("`{} logs {key} --follow` waits for one", gatewright())),
            });
        }
        for run in chosen {
            self.show(context, &data, run).await?;
        }
        if self.follow {
            wait::say_what_comes(&data, pipeline.id).await?;
        }
        Ok(ExitStatus::Success)
    }

    async fn show(&self, context: &Context, data: &Opened, run: &Run) -> Result<(), CliError> {
        let json = context.global.json;
        if !json {
            output::say(format_args!(
                "{} #{}, {} ({}), {}",
                run.stage, run.attempt, run.role, run.agent, run.id
            ));
        }
        let dir = Layout::new(data.data_dir.clone()).agent_sandbox(run.id);
        let parser = if self.raw { None } else { self::parser(data, run) };
        let mut renderer = Renderer::new(run.id, parser, json);
        let (path, secrets) = (dir.join("stdout.log"), secrets(context, data, run));
        let mut log = Log::new(path.clone(), secrets.clone());
        let mut said = None;
        loop {
            // Asked before reading: whatever was printed until the end is read after it is known to have come.
            let course = if self.follow { course::look(data, run).await? } else { Course::Ended };
            log.read_on(&mut |line| renderer.line(line)).await?;
            match course {
                Course::Ended => break,
                Course::Over(words) => {
                    output::say(words::safe(&words));
                    break;
                }
                Course::NobodyAtWork(lines) if said.as_ref() != Some(&lines) => {
                    lines.iter().for_each(output::say);
                    said = Some(lines);
                }
                Course::NobodyAtWork(_) => {}
                Course::GoesOn => said = None,
            }
            SystemClock::default().pause(follow::POLL).await;
        }
        log.finish(&mut |line| renderer.line(line));
        if !path.exists() {
            output::say(format_args!(
                "what it printed is not here ({path} is missing): a backup holds no logs"
            ));
        }
        let run = data.store.find_run(run.id).await?.unwrap_or_else(|| run.clone());
        if !json {
            let stderr = follow::tail(&dir.join("stderr.log"), STDERR_LINES, secrets).await?;
            match &run.outcome {
                None => output::say(unrecorded(data, &run, &dir).await?),
                Some(outcome) => ending(&run, outcome, &stderr),
            }
        }
        Ok(())
    }
}

/// What the agent was given and must not be shown: its environment, as far as the configuration and ours still tell.
fn secrets(context: &Context, data: &Opened, run: &Run) -> Secrets {
    let config = &data.loaded.config;
    let mut values: Vec<(String, String)> = config.sandbox.env.clone().into_iter().collect();
    if let Some(settings) = config.find_agent(&run.agent) {
        for name in settings.env_from {
            match context.secret(&name) {
                Some(value) => values.push((name, value)),
                None if context.global.quiet => {}
                None => output::warn(format_args!(
                    "the secret {name} is not set here: where the agent has printed it, it cannot be hidden"
                )),
            }
        }
        values.extend(settings.env);
    }
    Secrets::new(values.iter().map(|(name, value)| (value.as_str(), format!("${name}"))))
}

/// The reader for this agent's stream, as far as the configuration still tells which kind it is.
fn parser(data: &Opened, run: &Run) -> Option<Box<dyn ports::StreamParser>> {
    let settings = data.loaded.config.find_agent(&run.agent)?;
    Some(agents::find(&settings.kind.to_string())?.parser())
}

/// What is known of the end of a run that nobody has recorded: its sandbox may tell that its agent has ended.
async fn unrecorded(data: &Opened, run: &Run, dir: &Utf8Path) -> Result<String, CliError> {
    // A record that cannot be read is told by whoever takes it up.
    if !sandbox::has_ended(dir).unwrap_or(false) {
        return Ok("its end is not recorded".to_owned());
    }
    Ok(match course::look(data, run).await? {
        Course::GoesOn => "its agent has ended, and what it left is taken up by now".to_owned(),
        Course::NobodyAtWork(_) => format!(
            "its agent has ended, and what it left is not taken up yet: `{} run --resume {}` does",
            gatewright(),
            run.pipeline
        ),
        Course::Ended | Course::Over(_) => "its agent has ended, which is not recorded".to_owned(),
    })
}

fn ending(run: &Run, outcome: &RunOutcome, stderr: &[String]) {
    match outcome {
        RunOutcome::Ended { summary } => {
            output::say(format_args!(
                "ended, {} tokens: {}",
                words::tokens(run.usage.tokens()),
                one_line(summary)
            ));
        }
        RunOutcome::Failed { failure } if failure.class == FailureClass::Lost => {
            output::say(format_args!("ended without a result: {}", one_line(&failure.message)));
        }
        RunOutcome::Failed { failure } => {
            output::say(format_args!("failed ({}): {}", failure.class, one_line(&failure.message)));
            for line in stderr {
                output::say(format_args!("stderr: {}", safe(line)));
            }
        }
    }
}
