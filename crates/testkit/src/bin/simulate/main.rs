//! Plays histories and says what they found: what `cargo xtask simulate` runs.

mod arguments;
mod faults;
mod plans;

use std::{
    error::Error,
    io::{IsTerminal as _, stderr},
    process::ExitCode,
    thread,
    time::Duration,
};

use testkit::simulation::{
    Campaign, Coverage, Findings, History, Mutation, News, Plan, Side, shrink,
};

use crate::arguments::{Arguments, USAGE};

/// Lines of a trace that are shown without being asked for.
const LINES: usize = 40;
/// What a person calls this program.
const COMMAND: &str = "cargo xtask simulate";
/// Where a plan that was cut down is kept.
const SHRUNK: &str = "target/simulation-plan.json";

#[expect(clippy::print_stderr, reason = "a program says on standard error why it fails")]
fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let nodes = arguments.nodes.unwrap_or(1);
    let mutation = arguments.mutation.as_deref().map(faults::mutation).transpose()?;
    if let Some(file) = &arguments.plan {
        return Ok(alone(&plans::read(file)?, mutation, arguments.trace));
    }
    if let Some(mutation) = mutation {
        return faults::hunt(mutation, arguments);
    }
    if let (Some(seed), None, None) = (arguments.seed, arguments.histories, arguments.minutes) {
        return Ok(alone(&Plan::of_seed(seed, nodes), None, arguments.trace));
    }
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let endless = if arguments.minutes.is_some() { u64::MAX } else { 1000 };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let campaign = Campaign {
        seed,
        histories: arguments.histories.unwrap_or(endless),
        time: arguments.minutes.map(|minutes| Duration::from_secs(minutes * 60)),
        threads: arguments.threads.unwrap_or(threads),
        nodes,
    };
    play(&campaign, arguments.progress || stderr().is_terminal())
}

/// Plays many histories.
#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
#[expect(clippy::print_stderr, reason = "how far it is belongs to nobody's output")]
fn play(campaign: &Campaign, progress: bool) -> Result<ExitCode, Box<dyn Error>> {
    let Campaign { seed, nodes, threads, .. } = *campaign;
    println!("base seed {seed}, {nodes} on one store, {threads} threads");
    let Findings { histories, took, coverage, broken } = campaign.play(&|news| match news {
        News::Played(histories) if progress => eprintln!("{histories} histories"),
        News::Played(_) => {}
        News::Broken { seed, violation } => {
            println!("the history of seed {seed} breaks a rule: {}", violation.invariant);
            println!("  {}", violation.what);
            println!("  to play it again:  {COMMAND} --seed {seed} --nodes {nodes} --trace");
        }
    });
    let per_minute = u128::from(histories) * 60_000 / took.as_millis().max(1);
    println!("{histories} histories in {:.1} s: {per_minute} a minute", took.as_secs_f64());
    print_coverage(&coverage);
    let Some((seed, history)) = broken else {
        println!("no rule was broken");
        return Ok(ExitCode::SUCCESS);
    };
    println!("\nthe last calls of seed {seed}");
    print_broken(&history, LINES);
    let invariant = history.violation.map_or("", |violation| violation.invariant);
    cut_down(&Plan::of_seed(seed, nodes), invariant)?;
    Ok(ExitCode::FAILURE)
}

/// Cuts a plan down to what breaks this rule, and writes it to a file.
#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
fn cut_down(plan: &Plan, invariant: &str) -> Result<(), Box<dyn Error>> {
    let small = shrink(plan, &|plan| {
        let history = History::of(plan);
        history.violation.as_ref().is_some_and(|it| it.invariant == invariant).then_some(history)
    });
    println!("\n{} acts of {} suffice:", small.acts.len(), plan.acts.len());
    small.acts.iter().for_each(|act| println!("  {act:?}"));
    plans::write(&small, SHRUNK)?;
    println!("\nthe shorter one:   {COMMAND} --plan {SHRUNK} --trace");
    Ok(())
}

/// A seed that nobody chose.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id()) % 1_000_000_000_000
}

#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
fn alone(plan: &Plan, mutation: Option<Mutation>, trace: bool) -> ExitCode {
    let history = mutation.map_or_else(|| History::of(plan), |it| History::mutated(plan, it));
    if trace {
        history.trace.iter().for_each(|line| println!("{line}"));
    }
    if history.violation.is_none() {
        println!("no rule was broken");
        return ExitCode::SUCCESS;
    }
    print_broken(&history, if trace { 0 } else { LINES });
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
fn print_broken(history: &History, lines: usize) {
    let skipped = history.trace.len().saturating_sub(lines);
    history.trace.iter().skip(skipped).for_each(|line| println!("  {line}"));
    if let Some(violation) = &history.violation {
        println!("broken: {}\n  {}", violation.invariant, violation.what);
    }
}

#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
fn print_coverage(coverage: &Coverage) {
    let moves: u64 = coverage.moves.values().sum();
    let crashes: u64 = coverage.crashes.values().sum();
    println!(
        "{moves} moves of {} kinds, {crashes} crashes at {} places",
        coverage.moves.len(),
        coverage.crashes.len()
    );
    for (state, input) in coverage.never_moved() {
        println!("  never: {state} + {input}");
    }
    for place in coverage.unlisted() {
        println!("  not in the lists: {place}");
    }
    for (call, side) in coverage.never_crashed() {
        let side = if side == Side::Before { "before" } else { "after" };
        println!("  never crashed {side} {call}");
    }
}
