//! The mirrors of a backup: unpacked, and asked whether they have what its unfinished work goes on from.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use domain::{
    name::ProjectKey,
    pipeline::{Pipeline, Step},
    revision::CommitSha,
};
use ports::{PipelineFilter, Store as _};

use crate::{
    commands::backup::cannot,
    context::{Context, open_for_reading},
    error::{CliError, chain},
    output, wiring,
};

/// Makes mirrors of the bundles that were unpacked, of those projects that the database speaks of: that of a project
/// whose own row is lost may be what its pipelines go on from.
pub(super) async fn unpack(
    context: &Context,
    file: &Utf8Path,
    staging: &Utf8Path,
    keys: &[ProjectKey],
) -> Result<(), CliError> {
    let git = wiring::patient_git(context, staging).await?;
    let store = open_for_reading(staging)?;
    let pipelines = store.list_pipelines(&PipelineFilter::default()).await?;
    for key in keys {
        let bundle = staging.join(format!("mirrors/{key}.bundle"));
        // A project that was made while the backup was. Whoever made one of that name would be given the commits of another.
        let is_of_a_pipeline = pipelines.iter().any(|pipeline| pipeline.project == *key);
        if !is_of_a_pipeline && let Ok(None) = store.find_project(key).await {
            output::warn(format_args!(
                "the mirror of {key} in {file} is left out: its database knows no such project"
            ));
            std::fs::remove_file(&bundle).map_err(cannot("remove", &bundle))?;
            continue;
        }
        git.unpack_mirror(key, &bundle).await.map_err(|error| {
            CliError::new(format!(
                "the mirror of {key} in {file} cannot be used: {}",
                chain(&error)
            ))
            .help("use another backup; nothing was changed")
        })?;
        std::fs::remove_file(&bundle).map_err(cannot("remove", &bundle))?;
    }
    Ok(())
}

/// Refuses mirrors that lack a commit that unfinished work goes on from, unless that is `accepted`.
pub(super) async fn check(
    context: &Context,
    file: &Utf8Path,
    staging: &Utf8Path,
    keys: &[ProjectKey],
    accepted: bool,
) -> Result<(), CliError> {
    let git = wiring::patient_git(context, staging).await?;
    let store = open_for_reading(staging)?;
    let mut unfinished: BTreeMap<ProjectKey, Vec<Pipeline>> = BTreeMap::new();
    for pipeline in store.list_pipelines(&PipelineFilter::default()).await? {
        if !pipeline.state.is_terminal() {
            unfinished.entry(pipeline.project.clone()).or_default().push(pipeline);
        }
    }
    for (key, pipelines) in unfinished {
        let needed: BTreeSet<CommitSha> = pipelines.iter().flat_map(goes_on_from).collect();
        let needed: Vec<CommitSha> = needed.into_iter().collect();
        let missing =
            if keys.contains(&key) { git.list_missing(&key, &needed).await? } else { needed };
        for pipeline in pipelines {
            let Some(commit) = goes_on_from(&pipeline).find(|it| missing.contains(it)) else {
                continue;
            };
            let words = format!(
                "the mirror of {key} in {file} lacks {}, from which {} goes on",
                commit.short(),
                pipeline.item.key
            );
            if !accepted {
                return Err(CliError::new(words).help("use another backup, or accept it with --damaged: what lacks its commits cannot go on, the rest does; nothing was changed"));
            }
            output::warn(words);
        }
    }
    Ok(())
}

/// The commits without which a pipeline cannot take its next step.
fn goes_on_from(pipeline: &Pipeline) -> impl Iterator<Item = CommitSha> + use<> {
    let mut commits: Vec<CommitSha> = pipeline.base.iter().chain(&pipeline.head).cloned().collect();
    if let Some(attempt) = pipeline.state.attempt() {
        commits.extend(attempt.candidate.iter().map(|candidate| candidate.commit.clone()));
        match &attempt.step {
            Step::Working { roles, .. } => {
                commits.extend(roles.iter().filter_map(|role| role.head.clone()));
            }
            Step::Joining { heads, .. } => {
                commits.extend(heads.iter().map(|(_, head)| head.clone()));
            }
            Step::Gating { commit, .. } => commits.push(commit.clone()),
            Step::Opening | Step::Acting | Step::Integrating { .. } | Step::Landing { .. } => {}
        }
    }
    commits.into_iter()
}
