//! `cargo xtask chaos`: kills the product again and again and counts what it did.

use std::{env, process::ExitCode};

use chaos::{LongRun, Report, Storm};

const USAGE: &str = "usage: cargo xtask chaos [--kills N] [--pipelines P] [--seed S]
       cargo xtask chaos --long-agent SECONDS

Lets agents work on P pipelines (50) and makes N faults (200): orchestrators, supervisors, inits and agents killed at
random, orchestrators dead at named points, drained, or stopped for longer than a lease. Then it counts effects. The same
seed makes the same choices; what they meet depends on the machine.

With --long-agent, one agent works for so many seconds while its orchestrator is replaced ten times: killed, drained,
upgraded. Then its log is read line by line.";

/// What is to be done.
enum Task {
    Storm(Storm),
    LongRun(LongRun),
}

impl Task {
    fn run(&self) -> Report {
        match self {
            Self::Storm(storm) => storm.run(),
            Self::LongRun(run) => run.run(),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the report is this program's output")]
#[expect(clippy::print_stderr, reason = "a program says on standard error why it fails")]
fn main() -> ExitCode {
    match parse(env::args().skip(1)) {
        Ok(task) => {
            if let Task::Storm(storm) = &task {
                println!("seed {}", storm.seed);
            }
            let report = task.run();
            print!("{report}");
            if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            eprintln!("error: {problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Task, String> {
    let program = env::current_exe()
        .map_err(|error| error.to_string())?
        .with_file_name("gatewright-failpoints")
        .to_string_lossy()
        .into_owned();
    let mut storm =
        Storm { program, kills: 200, pipelines: 50, seed: u64::from(std::process::id()) };
    while let Some(flag) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        let number =
            || value.parse().map_err(|_| format!("`{flag}` needs a number, not `{value}`"));
        match flag.as_str() {
            "--long-agent" => {
                let (program, seconds) = (storm.program, number()?);
                return Ok(Task::LongRun(LongRun { program, seconds, restarts: 10 }));
            }
            "--kills" => storm.kills = number()?,
            "--pipelines" => storm.pipelines = number()?,
            "--seed" => storm.seed = number()?.into(),
            _ => return Err(format!("`{flag}` is unknown")),
        }
    }
    Ok(Task::Storm(storm))
}
