//! What pipelines have left on the disk that nobody sees to.

use std::collections::BTreeMap;

use api::CheckView;
use camino::Utf8Path;
use config::Loaded;
use domain::name::AgentName;
use ports::{ProjectRecord, Store, StoreError};

use super::warning;
use crate::{
    called::gatewright,
    commands::workspaces::{Unkept, list_clean_ups, list_left_behind, list_unkept},
    context::{Context, try_open_for_reading},
    error::CliError,
    wiring,
};

/// Directories that are named; there may be many.
const DIRS_MAX: usize = 5;

/// A warning for each workspace that was left behind, for each that holds what is not kept, and for clean-ups that nobody
/// does. Where the database cannot be asked, its own check says so.
pub(super) async fn checks(context: &Context, loaded: &Loaded) -> Vec<CheckView> {
    let data_dir = context.data_dir(loaded);
    let Ok(store) = try_open_for_reading(&data_dir) else { return Vec::new() };
    let Ok(left) = list_left_behind(&*store, &data_dir).await else { return Vec::new() };
    let mend = format!(
        "{} run --resume all removes it; where it stays, its removal never came to an end: remove it yourself",
        gatewright()
    );
    let told = left.iter().map(|(item, dir)| {
        warning("workspaces", format!("{dir} is left of {item}, which has ended"), mend.clone())
    });
    let mut checks = some_of(told.collect());
    // A process that is there sees to the rest.
    if !matches!(store_sqlite::find_holder(&data_dir), Ok(None)) {
        return checks;
    }
    if let Ok(unkept) = unkept(context, &*store, &data_dir).await {
        checks.extend(some_of(unkept));
    }
    if let Ok(Some(found)) = abandoned(&*store).await {
        checks.push(warning("workspaces", found, format!("{} run --resume all", gatewright())));
    }
    checks
}

/// The first of them, and how many more there are.
fn some_of(mut checks: Vec<CheckView>) -> Vec<CheckView> {
    let more = checks.len().saturating_sub(DIRS_MAX);
    if let Some(next) = checks.get_mut(DIRS_MAX) {
        next.found = format!("{more} more");
        next.mend = Some("see to those above: then they are named".to_owned());
        checks.truncate(DIRS_MAX + 1);
    }
    checks
}

/// The workspaces of agents that nobody waits for any more, with what was not handed in.
async fn unkept(
    context: &Context,
    store: &dyn Store,
    data_dir: &Utf8Path,
) -> Result<Vec<CheckView>, StoreError> {
    let mut configurations = BTreeMap::new();
    let mut checks = Vec::new();
    for Unkept { pipeline, run, dir, way_out } in list_unkept(store, data_dir).await? {
        let found =
            format!("{dir} holds work of {} for {} that was not kept", run.id, pipeline.item.key);
        if let Some(way_out) = way_out {
            let found = format!("{found}: trying to has ended the process time and again");
            checks.push(warning("workspaces", found, way_out));
            continue;
        }
        let keep = format!("{} run --resume all keeps it", gatewright());
        // Whoever keeps it goes by the configuration of its own repository.
        let mend = match store.find_project(&pipeline.project).await? {
            None => format!("the project `{}` is not known any more", pipeline.project),
            Some(ProjectRecord { repository, .. }) => {
                let loaded = configurations
                    .entry(repository)
                    .or_insert_with_key(|it| context.load_config(Utf8Path::new(it)));
                match loaded {
                    Ok(loaded) => match lack(context, loaded, &run.agent) {
                        Some(lack) => format!("{lack}; then {keep}"),
                        None => keep,
                    },
                    Err(error) => format!("{}; once that is mended, {keep}", in_words(error)),
                }
            }
        };
        checks.push(warning("workspaces", found, mend));
    }
    Ok(checks)
}

/// What is to be done before an agent can be started, or what it left be kept.
fn lack(context: &Context, loaded: &Loaded, agent: &AgentName) -> Option<String> {
    if loaded.config.find_agent(agent).is_none() {
        return Some(format!("configure agent `{agent}`, which left it, in {}", loaded.file));
    }
    wiring::check_agent(context, loaded, agent).err().map(|error| in_words(&error))
}

fn in_words(error: &CliError) -> String {
    let CliError { message, help, .. } = error;
    let help = help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{message}{help}")
}

/// The clean-ups that have not come to their end.
async fn abandoned(store: &dyn Store) -> Result<Option<String>, StoreError> {
    let mut items = Vec::new();
    for id in list_clean_ups(store).await? {
        match store.find_pipeline(id).await {
            Ok(pipeline) => items.extend(pipeline.map(|it| it.item.key.to_string())),
            // It is parked, and named by whoever lists what is damaged.
            Err(StoreError::Inconsistent { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let count = items.len();
    items.truncate(DIRS_MAX);
    let more = count.checked_sub(DIRS_MAX + 1).map(|more| format!("{} more", more + 1));
    let named = items.into_iter().chain(more).collect::<Vec<_>>().join(", ");
    let found = format!("nobody cleans up behind what has ended: {named}");
    Ok((count > 0).then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_about_one_workspace_is_not_given_about_others() {
        let told: Vec<CheckView> = (0..7)
            .map(|it| warning("workspaces", format!("dir {it}"), format!("see to {it}")))
            .collect();
        let some = some_of(told.clone());
        assert_eq!(some[..DIRS_MAX], told[..DIRS_MAX]);
        let [rest] = &some[DIRS_MAX..] else { panic!("{some:#?}") };
        assert_eq!(rest.found, "2 more");
        let mend = rest.mend.as_deref().unwrap();
        assert!(told.iter().all(|it| it.mend.as_deref() != Some(mend)), "{mend}");
        assert_eq!(some_of(told[..DIRS_MAX].to_vec()), told[..DIRS_MAX]);
    }
}
