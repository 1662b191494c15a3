//! Measures what `docs/dev/performance.md` reports, and prints it as one table.
//!
//! Every figure stands beside what it is to be compared with, measured in the same run on the same disk: absolute
//! figures of one machine say little about another. Nothing here is a test; no figure makes anything fail.

mod effort;
mod machine;
mod place;
mod product_binary;
mod samples;
mod table;

mod disk;
mod system;
mod workshop;

mod agent_start;
mod idle_engine;
mod job_queue;
mod product;
mod recorder;
mod recovery;
mod stamp;
mod steps;
mod walk;
mod workspaces;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Result, bail};

use crate::{
    disk::Disk, effort::Effort, place::Place, product_binary::ProductBinary, table::Table,
};

const USAGE: &str = "usage: cargo run --release -p benches [-- --quick | --store]

  --quick   fewer rounds: shows that everything still works, not how fast it is
  --store   only what the database decides: steps, job queue, start over live pipelines
";

/// What is measured.
#[derive(Clone, Copy)]
enum Scope {
    Everything,
    Store,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // First, so that a process that is started to be measured does nothing else.
    let outcome = match *arguments {
        [stamp::ARGUMENT] => stamp::print(),
        [recovery::ARGUMENT, data_dir] => recovery::recover(data_dir),
        [] => measure(&Effort::FULL, Scope::Everything),
        ["--quick"] => measure(&Effort::QUICK, Scope::Everything),
        ["--store"] => measure(&Effort::FULL, Scope::Store),
        _ => io::stderr()
            .write_all(USAGE.as_bytes())
            .map_err(Into::into)
            .and_then(|()| bail!("unknown arguments")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nobody else to tell.
            let _unheard = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(effort: &Effort, scope: Scope) -> Result<()> {
    let place = Place::new()?;
    let product = match scope {
        Scope::Everything => Some(ProductBinary::build()?),
        Scope::Store => None,
    };
    let (mut disk, mut table) = (Disk::default(), Table::default());
    let before = machine::load();
    let outcome = measure_all(&place, product.as_ref(), effort, &mut disk, &mut table);
    // What was measured until something failed is worth seeing.
    let mut out = io::stdout().lock();
    writeln!(out, "{}\n", machine::describe(&place, &disk, &before))?;
    write!(out, "{table}")?;
    outcome
}

fn measure_all(
    place: &Place,
    product: Option<&ProductBinary>,
    effort: &Effort,
    disk: &mut Disk,
    table: &mut Table,
) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    say("disk and steps")?;
    runtime.block_on(steps::measure(place, effort, disk, table))?;
    say("job queue")?;
    runtime.block_on(job_queue::measure(place, effort, disk, table))?;
    say("recovery")?;
    runtime.block_on(recovery::measure(place, effort, table))?;
    let Some(product) = product else { return Ok(()) };
    say("agent start")?;
    runtime.block_on(agent_start::measure(place, product, effort, table))?;
    say("workspaces")?;
    runtime.block_on(workspaces::measure(place, effort, table))?;
    say("the product itself")?;
    product::measure(place, product, effort, table)
}

fn say(what: &str) -> Result<()> {
    Ok(writeln!(io::stderr(), "measuring: {what}")?)
}
