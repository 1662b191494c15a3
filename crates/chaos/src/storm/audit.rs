//! Counts what was done, and compares it with what is said.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Storm, faults::Tally, processes, report::Report, site::Site};

/// How soon what is shown must be what is.
const TRUE_WITHIN: Duration = Duration::from_secs(30);
/// How soon nothing may be left.
const GONE_WITHIN: Duration = Duration::from_mins(1);

/// Until they agree: every agent that is alive belongs to a pipeline that shows a run which has not ended.
pub(super) fn compare_display(site: &mut Site) {
    let began = Instant::now();
    loop {
        let before = live_agents(site);
        let hidden: BTreeSet<String> =
            before.into_iter().filter(|id| !is_shown_at_work(site, id)).collect();
        // Who has ended meanwhile was at work when it was not shown, or was shown when it was not: both are in between.
        let unseen: Vec<String> = live_agents(site).intersection(&hidden).cloned().collect();
        if unseen.is_empty() {
            return;
        }
        if began.elapsed() > TRUE_WITHIN {
            site.accuse(format!(
                "agents at work that are not shown after {TRUE_WITHIN:?}: {unseen:?}"
            ));
            return;
        }
        thread::sleep(Duration::from_millis(200));
        site.keep_at_work();
    }
}

/// The pipelines whose agents are alive.
fn live_agents(site: &Site) -> BTreeSet<String> {
    let all = processes::list(&site.gatewright.data_dir());
    let agents = all.iter().filter(|it| it.is_agent());
    agents.filter_map(|it| Some(it.pipeline()?.to_owned())).collect()
}

/// Whether `pipeline show` tells of a run that has not ended.
fn is_shown_at_work(site: &Site, id: &str) -> bool {
    let shown = show(site, id);
    shown["runs"].as_array().is_some_and(|runs| runs.iter().any(|it| it["state"] == "running"))
}

fn show(site: &Site, id: &str) -> Value {
    let shown = site.gatewright.run(site.repository.path(), &["pipeline", "show", id, "--json"]);
    if shown.code() == Some(0) { shown.json() } else { Value::Null }
}

/// Everything has ended: what was done, how often, and what is left?
pub(super) fn audit(mut site: Site, tally: &Tally, storm: &Storm, started: Instant) -> Report {
    let left = wait_for_nothing(&site);
    for orphan in &left {
        site.accuse(format!("an orphan after {GONE_WITHIN:?}: {orphan}"));
    }
    let effects = site.effects.heard();
    let mut launches: BTreeMap<String, u32> = BTreeMap::new();
    for line in effects.iter().filter_map(|line| line.strip_prefix("start ")) {
        let run = line.rsplit(' ').next().unwrap_or_default();
        *launches.entry(run.to_owned()).or_default() += 1;
    }
    for (run, count) in launches.iter().filter(|(_, count)| **count > 1) {
        site.accuse(format!("{run} was launched {count} times"));
    }
    let (mut known, mut lost, mut twice, mut delivered) = (BTreeSet::new(), 0, 0, 0);
    let files = site.repository.git(&["ls-tree", "--name-only", "main"]);
    let subjects = site.repository.git(&["log", "--merges", "--format=%s", "main"]);
    for pipeline in site.listed("") {
        let shown = show(&site, pipeline["id"].as_str().unwrap_or_default());
        let runs = shown["runs"].as_array().cloned().unwrap_or_default();
        known.extend(runs.iter().filter_map(|it| it["id"].as_str().map(str::to_owned)));
        let item = shown["pipeline"]["item"].as_str().unwrap_or_default().to_owned();
        let title = format!("Merge {item}:");
        let merged = subjects.lines().filter(|line| line.starts_with(&title)).count();
        let is_there = files.lines().any(|file| file == format!("{item}.txt"));
        delivered += u32::from(merged == 1 && is_there);
        lost += u32::from(merged == 0 || !is_there);
        twice += u32::from(merged > 1);
        let status = &shown["pipeline"]["status"];
        if merged != 1 || !is_there || status != "succeeded" {
            site.accuse(format!(
                "{item} is shown as {status}, merged {merged} times, its file there: {is_there}"
            ));
        }
    }
    let unaccounted: Vec<&String> = launches.keys().filter(|run| !known.contains(*run)).collect();
    if !unaccounted.is_empty() {
        site.accuse(format!("runs that nobody knows of: {unaccounted:?}"));
    }
    let mut report = Report::new(format!("seed {}", storm.seed));
    tally.rows().for_each(|(fault, count)| report.row(fault, &count));
    report.row("faults in all", &tally.total());
    report.row("orchestrators dead at their named point", &site.died_at_points);
    report.row("orchestrators started", &site.starts);
    report.row("pipelines", &site.pipelines);
    report.row("delivered", &delivered);
    report.row("agents launched", &launches.values().sum::<u32>());
    report.row("runs remembered", &known.len());
    report.row("gates run", &effects.iter().filter(|line| *line == "gate").count());
    report.row("retries that a person had to allow", &site.retries.values().sum::<u32>());
    site.retries.iter().for_each(|(reason, count)| report.row(format!("- {reason}"), count));
    report.row("results lost", &lost);
    report.row("merged twice", &twice);
    report.row("runs launched twice", &launches.values().filter(|count| **count > 1).count());
    report.row("runs unaccounted for", &unaccounted.len());
    report.row("orphans after 60 s", &left.len());
    report.row("seconds", &started.elapsed().as_secs());
    report.violations = site.violations;
    report
}

/// Waits until no process of the data directory is left, and says which one does not go.
fn wait_for_nothing(site: &Site) -> Vec<String> {
    let began = Instant::now();
    loop {
        let left = processes::list(&site.gatewright.data_dir());
        if left.is_empty() || began.elapsed() > GONE_WITHIN {
            return left.iter().map(|it| format!("{it:?}")).collect();
        }
        thread::sleep(Duration::from_millis(200));
    }
}
