//! Opening, checking out and removing.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use camino::Utf8Path;
use git::{MirrorGit, Options};
use ports::{Git, GitError, HandIn, MergeStrategy};

use crate::world::{BRANCH, World, commit, git_binary, options, read, run, trap, write};

#[tokio::test]
async fn a_fresh_workspace_is_a_clean_clone_that_borrows() {
    let world = World::synced().await;
    let workspace = world.open().await;
    assert!(!workspace.reused);
    let repository = &workspace.repository;
    assert_eq!(run(repository, ["status", "--porcelain", "--branch"]), format!("## {BRANCH}\n"));
    assert_eq!(run(repository, ["rev-parse", "HEAD"]).trim(), world.target().await.as_str());
    assert_eq!(run(repository, ["remote"]), "");
    assert_eq!(run(repository, ["count-objects"]), "0 objects, 0 kilobytes\n");
    assert_eq!(read(repository, "src/lib.txt"), "one\ntwo\nthree\n");
    assert!(workspace.outbox.is_dir() && workspace.home.is_dir());
}

#[tokio::test]
async fn an_existing_workspace_is_kept_to_the_byte() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "work", "half done");
    write(&workspace.home, "memory", "x");
    write(&workspace.repository, ".git/index.lock", "");
    let again = world.open().await;
    assert!(again.reused);
    assert_eq!(read(&again.repository, "work"), "half done");
    assert!(
        again.repository.join(".git/index.lock").exists() && again.home.join("memory").exists()
    );
}

#[tokio::test]
async fn what_a_crash_left_half_made_is_not_taken_for_a_workspace() {
    let world = World::synced().await;
    write(&world.data(), "workspaces/p1/.developer.unfinished/repository/.git/HEAD", "garbage");
    let workspace = world.open().await;
    assert!(!workspace.reused);
    assert_eq!(read(&workspace.repository, "README"), "hello\n");
    let names: Vec<String> = fs::read_dir(world.data().join("workspaces/p1"))
        .expect("a directory")
        .map(|it| it.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(names, ["developer"]);
}

#[tokio::test]
async fn a_workspace_stays_below_its_root() {
    let world = World::synced().await;
    let outside = world.root.join("outside");
    fs::create_dir_all(world.data().join("workspaces")).expect("a directory");
    fs::create_dir(&outside).expect("a directory");
    symlink(&outside, world.data().join("workspaces/linked")).expect("a link");
    for dir in
        ["workspaces/linked/developer", "workspaces/../x", "elsewhere/p1/developer", "workspaces"]
    {
        let result = world.try_open(dir).await;
        assert!(matches!(result, Err(GitError::Io { .. })), "{dir}: {result:?}");
    }
    assert_eq!(fs::read_dir(&outside).expect("a directory").count(), 0);
}

#[tokio::test]
async fn a_link_in_place_of_a_workspace_or_of_a_part_of_it_is_not_followed() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let dir = workspace.outbox.parent().expect("a parent").to_owned();
    for part in ["outbox", "home", "repository"] {
        let (path, moved) = (dir.join(part), world.root.join(part));
        fs::rename(&path, &moved).expect("moved");
        symlink(&moved, &path).expect("a link");
        let result = world.try_open("workspaces/p1/developer").await;
        assert!(matches!(result, Err(GitError::Io { .. })), "{part}: {result:?}");
        fs::remove_file(&path).expect("removed");
        fs::rename(&moved, &path).expect("moved back");
    }
    fs::rename(&dir, world.root.join("moved")).expect("moved");
    symlink(world.root.join("moved"), &dir).expect("a link");
    let result = world.try_open("workspaces/p1/developer").await;
    assert!(matches!(result, Err(GitError::Io { .. })), "{result:?}");
}

#[tokio::test]
async fn a_workspace_of_a_small_repository_costs_one_git_process() {
    let mut world = World::synced().await;
    let (log, wrapper) = (world.root.join("log"), world.root.join("git"));
    let script = format!("#!/bin/sh\necho call >>'{log}'\nexec '{}' \"$@\"\n", git_binary());
    fs::write(&wrapper, script).expect("a script");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("a mode");
    let target = world.target().await;
    world.git = MirrorGit::new(Options { git: wrapper, ..options(&world.data()) });
    let spec = ports::WorkspaceSpec {
        project: world.project.clone(),
        dir: world.data().join("workspaces/p1/developer"),
        branch: crate::world::branch(BRANCH),
        head: target,
    };
    world.git.open_workspace(&spec).await.expect("a workspace");
    assert_eq!(fs::read_to_string(&log).expect("a log"), "call\n");
}

#[tokio::test]
async fn nothing_that_an_agent_plants_runs_on_the_host() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let (marker, payload) = (world.root.join("marker"), workspace.home.join("payload"));
    trap(&payload, &marker);
    let repository = &workspace.repository;
    for hook in
        ["post-checkout", "pre-commit", "reference-transaction", "post-merge", "post-index-change"]
    {
        trap(&repository.join(".git/hooks").join(hook), &marker);
    }
    for (key, value) in [
        ("core.fsmonitor", payload.as_str()),
        ("core.sshCommand", payload.as_str()),
        ("core.hooksPath", ".git/hooks"),
        ("core.pager", payload.as_str()),
        ("diff.external", payload.as_str()),
        ("filter.evil.clean", payload.as_str()),
        ("filter.evil.smudge", payload.as_str()),
        ("merge.evil.driver", payload.as_str()),
        ("diff.evil.textconv", payload.as_str()),
        ("uploadpack.packObjectsHook", payload.as_str()),
        ("core.alternateRefsCommand", payload.as_str()),
        ("gpg.program", payload.as_str()),
        ("commit.gpgSign", "true"),
    ] {
        run(repository, ["config", key, value]);
    }
    write(repository, ".gitattributes", "* filter=evil diff=evil merge=evil\n");
    write(repository, "README", "changed\n");
    let HandIn::Accepted { head, .. } = world.hand_in(&workspace).await else { panic!("refused") };
    assert!(world.open().await.reused);
    world.prepare(&head).await;
    let target = world.target().await;
    world.git.diff(&world.project, &target, &head, 1000).await.expect("a diff");
    world
        .git
        .integrate(&world.merge(&head, MergeStrategy::Rebase), crate::world::time())
        .await
        .expect("integrated");
    let checkout = world.data().join("checkouts/c1");
    world.git.checkout(&world.project, &head, &checkout).await.expect("checked out");
    assert!(!marker.exists(), "something ran outside the sandbox");
    // The trap is set: this is what git in there would have done.
    run(repository, ["status"]);
    assert!(marker.exists(), "the trap does not work");
}

#[tokio::test]
async fn a_checkout_is_detached_and_new() {
    let world = World::synced().await;
    let (head, dir) = (world.change("a", "a").await, world.data().join("checkouts/c1"));
    world.git.checkout(&world.project, &head, &dir).await.expect("checked out");
    assert_eq!(run(&dir, ["status", "--porcelain", "--branch"]), "## HEAD (no branch)\n");
    assert_eq!(read(&dir, "a"), "a");
    let error = world.git.checkout(&world.project, &head, &dir).await.expect_err("it exists");
    assert!(matches!(error, GitError::Io { .. }), "{error:?}");
}

#[tokio::test]
async fn a_repository_with_many_files_is_checked_out_whole() {
    let world = World::new();
    for number in 0..1500 {
        write(&world.people(), &format!("many/{}/{number}", number % 10), &number.to_string());
    }
    commit(&world.people(), "many");
    world.git.sync(&world.project).await.expect("synced");
    let workspace = world.open().await;
    assert_eq!(run(&workspace.repository, ["status", "--porcelain"]), "");
    assert_eq!(read(&workspace.repository, "many/9/1499"), "1499");
}

/// A removal that ends the process each time must not do so for ever.
#[tokio::test]
async fn what_was_left_behind_is_removed_a_few_times_and_not_for_ever() {
    let world = World::synced().await;
    let workspaces = world.data().join("workspaces");
    assert_eq!(world.git.list_workspaces(&workspaces).await.expect("there is none"), [""; 0]);
    let workspace = world.open().await;
    let dir = workspace.home.parent().and_then(Utf8Path::parent).expect("a parent").to_owned();
    assert_eq!(world.git.list_workspaces(&workspaces).await.expect("listed"), ["p1"]);
    // What two processes leave that are killed over it, and one that was killed behind it.
    fs::write(workspaces.join(".p1.swept"), "xx").expect("a tally");
    fs::write(workspaces.join(".p0.swept"), "x").expect("a tally");
    assert_eq!(world.git.list_workspaces(&workspaces).await.expect("listed"), ["p1"]);
    assert!(!workspaces.join(".p0.swept").exists(), "it counts for nothing");
    assert!(!world.git.sweep_workspace(&dir, 2).await.expect("counted"), "it was tried twice");
    assert!(workspace.repository.exists());
    assert!(world.git.sweep_workspace(&dir, 3).await.expect("removed"), "once more");
    assert_eq!(workspaces.read_dir_utf8().expect("a directory").count(), 0, "nor is a tally left");
    for kept in [world.people(), world.mirror(), workspaces] {
        let result = world.git.sweep_workspace(&kept, 3).await;
        assert!(matches!(result, Err(GitError::Io { .. })), "{kept}: {result:?}");
    }
}

/// Only a process that ended over it counts as a try: an error says each time what is wrong.
#[tokio::test]
async fn a_sweep_that_fails_is_tried_again() {
    let world = World::synced().await;
    // What stands beside it while it is made would have a name that is too long.
    let dir = world.data().join("workspaces").join("x".repeat(245));
    fs::create_dir_all(&dir).expect("a directory");
    for time in 0..4 {
        let result = world.git.sweep_workspace(&dir, 2).await;
        assert!(matches!(result, Err(GitError::Io { .. })), "the {time}th time: {result:?}");
    }
}

#[tokio::test]
async fn a_disk_without_room_keeps_nothing_from_being_removed() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let dir = workspace.home.parent().and_then(Utf8Path::parent).expect("a parent").to_owned();
    let workspaces = world.data().join("workspaces");
    symlink("/dev/full", workspaces.join(".p1.swept")).expect("a tally that cannot be written");
    assert!(world.git.sweep_workspace(&dir, 2).await.expect("removed"));
    assert_eq!(workspaces.read_dir_utf8().expect("a directory").count(), 0);
}

#[tokio::test]
async fn a_workspace_whose_agent_has_locked_it_is_opened() {
    let world = World::synced().await;
    let workspace = world.open().await;
    for locked in [&workspace.repository, &workspace.outbox, &workspace.home] {
        fs::set_permissions(locked, fs::Permissions::from_mode(0o000)).expect("a mode");
    }
    let again = world.open().await;
    assert!(again.reused);
    for open in [&again.repository, &again.outbox, &again.home] {
        let mode = fs::metadata(open).expect("a directory").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{open}");
    }
}

#[tokio::test]
async fn a_workspace_is_removed_and_nothing_else() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let dir = workspace.home.parent().expect("a parent").to_owned();
    symlink(world.people(), workspace.repository.join("link")).expect("a link");
    fs::set_permissions(workspace.repository.join("src"), fs::Permissions::from_mode(0o0))
        .expect("a mode");
    world.git.remove_workspace(&dir).await.expect("removed");
    world.git.remove_workspace(&dir).await.expect("absent is fine");
    assert!(!dir.exists() && world.people().join("README").exists());
    let data = world.data();
    for kept in [
        world.people(),
        data.join("mirrors"),
        world.mirror(),
        data.join("workspaces"),
        data.join("a/../../x"),
    ] {
        let result = world.git.remove_workspace(&kept).await;
        assert!(matches!(result, Err(GitError::Io { .. })), "{kept}: {result:?}");
    }
    assert!(Path::new(world.mirror().as_str()).exists());
}
