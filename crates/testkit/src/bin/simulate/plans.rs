//! Plans in files, an act a line.

use std::{error::Error, fs};

use testkit::simulation::Plan;

pub(crate) fn read(file: &str) -> Result<Plan, Box<dyn Error>> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("could not read {file}: {error}"))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?)
}

pub(crate) fn write(plan: &Plan, file: &str) -> Result<(), Box<dyn Error>> {
    let acts: Result<Vec<_>, _> = plan.acts.iter().map(serde_json::to_string).collect();
    let acts = format!("\"acts\":[\n  {}\n]", acts?.join(",\n  "));
    let around = serde_json::to_string(&Plan { acts: Vec::new(), ..plan.clone() })?;
    let text = around.replace("\"acts\":[]", &acts);
    Ok(fs::write(file, text + "\n").map_err(|error| format!("could not write {file}: {error}"))?)
}
