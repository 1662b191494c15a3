//! Limits of a call.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use git::{MirrorGit, Options};
use ports::{Git, GitError};

use crate::world::{World, git_binary, options};

fn program(world: &World, script: &str) -> camino::Utf8PathBuf {
    let place = world.root.join("git");
    fs::write(&place, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).expect("a mode");
    place
}

/// A process that is gone, or that nobody has waited for yet.
fn has_ended(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

#[tokio::test]
async fn git_that_takes_too_long_is_stopped_with_everything_it_started() {
    let mut world = World::synced().await;
    let pids = world.root.join("pids");
    let git = program(&world, &format!("sleep 1000 & echo $! >'{pids}'\nwait"));
    let time_limit = Duration::from_secs(1);
    world.git = MirrorGit::new(Options { git, time_limit, ..options(&world.data()) });
    let error = world.git.sync(&world.project).await.expect_err("too long");
    assert!(matches!(error, GitError::TimedOut { seconds: 1, .. }), "{error:?}");
    // On a very busy machine it was stopped before it had started anything.
    let pid = fs::read_to_string(&pids).unwrap_or_default();
    while !pid.is_empty() && !has_ended(pid.trim()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn git_sees_nothing_of_our_environment() {
    let mut world = World::synced().await;
    let seen = world.root.join("seen");
    let git = program(&world, &format!("env >'{seen}'\nexec '{}' \"$@\"", git_binary()));
    world.git = MirrorGit::new(Options { git, ..options(&world.data()) });
    world.git.sync(&world.project).await.expect("synced");
    let text = fs::read_to_string(&seen).expect("an environment");
    let mut names: Vec<&str> = text.lines().filter_map(|it| Some(it.split_once('=')?.0)).collect();
    names.sort_unstable();
    names.retain(|name| !name.starts_with("GIT_"));
    names.retain(|name| !["_", "PWD", "OLDPWD", "SHLVL"].contains(name));
    assert_eq!(names, ["HOME", "LANG", "PATH"]);
    assert!(text.contains("HOME=/nonexistent\n") && text.contains("GIT_CONFIG_GLOBAL=/dev/null\n"));
}

#[tokio::test]
async fn a_git_that_is_too_old_is_refused() {
    let version = git::version(&git_binary()).await.expect("new enough");
    assert!(version.to_string().starts_with("2."));
    let world = World::new();
    let old = program(&world, "echo git version 2.39.5");
    let error = git::version(&old).await.expect_err("too old");
    assert_eq!(error.to_string(), "could not use `git version 2.39.5`: 2.40 or newer is needed");
}

#[tokio::test]
async fn a_git_that_is_not_there_is_named() {
    let mut world = World::synced().await;
    let git = world.root.join("absent");
    world.git = MirrorGit::new(Options { git: git.clone(), ..options(&world.data()) });
    let error = world.git.sync(&world.project).await.expect_err("absent");
    assert!(matches!(&error, GitError::Io { path, .. } if *path == git), "{error:?}");
}
