//! Plays histories and says what they found: what `cargo xtask simulate` runs.

use std::{error::Error, fs, process::ExitCode, thread, time::Duration};

use testkit::simulation::{Campaign, Coverage, Findings, History, Mutation, Plan, Side, shrink};

const USAGE: &str = "usage: cargo xtask simulate [OPTIONS]

  --histories N   how many histories (1000; without a limit where --minutes is given)
  --seed S        the first one's seed; alone it plays that one history (chosen anew each time)
  --minutes M     stop after so long
  --threads T     how many at the same time (as many as there are cores)
  --nodes 1|2     orchestrators on one store (1)
  --plan FILE     play the history of this plan, as it was printed for one that broke a rule
  --mutation NAME a single deliberate fault: how many histories it takes until it is found
  --trace         show the last calls of a single history";

/// Lines of a trace that are shown without being asked for.
const LINES: usize = 40;
/// Where a plan that was cut down is kept.
const SHRUNK: &str = "target/simulation-plan.json";

#[derive(Default)]
struct Arguments {
    histories: Option<u64>,
    seed: Option<u64>,
    minutes: Option<u64>,
    threads: Option<usize>,
    nodes: Option<u8>,
    plan: Option<String>,
    mutation: Option<String>,
    trace: bool,
}

#[expect(clippy::print_stderr, reason = "a program says on standard error why it fails")]
fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
    let mut found = Arguments::default();
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{flag}` needs a value"));
        match flag.as_str() {
            "--histories" => found.histories = Some(number(&value()?)?),
            "--seed" => found.seed = Some(number(&value()?)?),
            "--minutes" => found.minutes = Some(number(&value()?)?),
            "--threads" => found.threads = Some(number(&value()?)?),
            "--nodes" => found.nodes = Some(number(&value()?)?),
            "--plan" => found.plan = Some(value()?),
            "--mutation" => found.mutation = Some(value()?),
            "--trace" => found.trace = true,
            _ => return Err(format!("`{flag}` is not known").into()),
        }
    }
    if !(1..=2).contains(&found.nodes.unwrap_or(1)) {
        return Err("`--nodes` is 1 or 2".into());
    }
    Ok(found)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let nodes = arguments.nodes.unwrap_or(1);
    if let Some(file) = &arguments.plan {
        let text =
            fs::read_to_string(file).map_err(|error| format!("could not read {file}: {error}"))?;
        let plan = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        return Ok(alone(&plan, arguments.trace));
    }
    if let (Some(seed), None, None) = (arguments.seed, arguments.histories, arguments.minutes) {
        return Ok(alone(&Plan::of_seed(seed, nodes), arguments.trace));
    }
    if let Some(name) = &arguments.mutation {
        return mutated(
            name,
            arguments.seed.unwrap_or(0),
            arguments.histories.unwrap_or(1000),
            nodes,
        );
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
    println!("base seed {seed}, {nodes} on one store, {} threads", campaign.threads);
    let Findings { histories, took, coverage, broken } = campaign.play();
    let per_minute = u128::from(histories) * 60_000 / took.as_millis().max(1);
    println!("{histories} histories in {:.1} s: {per_minute} a minute", took.as_secs_f64());
    print_coverage(&coverage);
    let Some((seed, history)) = broken else {
        println!("no rule was broken");
        return Ok(ExitCode::SUCCESS);
    };
    println!("\nthe history of seed {seed} breaks a rule");
    print_broken(&history, LINES);
    let invariant = history.violation.map_or("", |violation| violation.invariant);
    let plan = Plan::of_seed(seed, nodes);
    let small = shrink(&plan, invariant);
    println!("\n{} acts of {} suffice:", small.acts.len(), plan.acts.len());
    small.acts.iter().for_each(|act| println!("  {act:?}"));
    fs::write(SHRUNK, serde_json::to_string_pretty(&small)?)
        .map_err(|error| format!("could not write {SHRUNK}: {error}"))?;
    println!("\nto play it again:  cargo xtask simulate --seed {seed} --nodes {nodes} --trace");
    println!("the shorter one:   cargo xtask simulate --plan {SHRUNK} --trace");
    Ok(ExitCode::FAILURE)
}

/// Plays histories with something broken on purpose, until that is found.
#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
fn mutated(name: &str, seed: u64, histories: u64, nodes: u8) -> Result<ExitCode, Box<dyn Error>> {
    let named = Mutation::ALL.iter().find(|mutation| format!("{mutation:?}") == name);
    let mutation = *named.ok_or_else(|| format!("`{name}` is none of {:?}", Mutation::ALL))?;
    for number in 0..histories {
        let plan = Plan::of_seed(seed + number, nodes);
        if let Some(violation) = History::mutated(&plan, mutation).violation {
            println!("{name}: found after {} histories: {}", number + 1, violation.invariant);
            println!("  {}", violation.what);
            return Ok(ExitCode::SUCCESS);
        }
    }
    println!("{name}: not found in {histories} histories");
    Ok(ExitCode::FAILURE)
}

/// A seed that nobody chose.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id()) % 1_000_000_000_000
}

#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
fn alone(plan: &Plan, trace: bool) -> ExitCode {
    let history = History::of(plan);
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
