//! Plays histories with something broken on purpose.

use std::{error::Error, process::ExitCode};

use testkit::simulation::{Catch, Hunt, Mutation};

use crate::{arguments::Arguments, plans};

/// The fault of this name.
pub(crate) fn mutation(name: &str) -> Result<Mutation, Box<dyn Error>> {
    let named = Mutation::ALL.iter().find(|mutation| format!("{mutation:?}") == name);
    Ok(*named.ok_or_else(|| format!("`{name}` is none of {:?}", Mutation::ALL))?)
}

/// Looks for a fault, and keeps a plan that shows it where that is wanted.
#[expect(clippy::print_stdout, reason = "what was found is this program's output")]
pub(crate) fn hunt(mutation: Mutation, arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let histories = arguments.histories.unwrap_or(1000);
    let nodes = arguments.nodes.unwrap_or(1);
    let hunt = Hunt { mutation, seed: arguments.seed.unwrap_or(0), histories, nodes };
    let found = match &arguments.keep {
        None => hunt.find(),
        Some(file) => match hunt.find_kept() {
            None => None,
            Some((found, orders)) => {
                plans::write(&found.plan, file)?;
                println!("{file}: {} acts, shown in {orders} of 10 orders", found.plan.acts.len());
                Some(found)
            }
        },
    };
    let Some(Catch { histories, violation, .. }) = found else {
        println!("{mutation:?}: not found in {histories} histories");
        return Ok(ExitCode::FAILURE);
    };
    println!("{mutation:?}: found after {histories} histories: {}", violation.invariant);
    println!("  {}", violation.what);
    Ok(ExitCode::SUCCESS)
}
