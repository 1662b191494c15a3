//! Putting a kept workspace onto a commit, in the sandbox.

use std::fs;

use ports::Git;

use crate::world::{BRANCH, World, branch, commit, head, read, run, sandbox, trap, try_run, write};

fn salvaged(dir: &camino::Utf8Path) -> Vec<String> {
    let text = run(dir, ["for-each-ref", "--format=%(refname:short)", "refs/heads/salvage/"]);
    text.lines().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_fresh_workspace_needs_no_preparation() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let argv = world.git.prepare_command(&workspace, &branch(BRANCH), &world.target().await);
    assert!(sandbox(&argv).status.success());
}

#[tokio::test]
async fn uncommitted_work_is_salvaged_and_ignored_files_stay() {
    let world = World::synced().await;
    let repository = world.open().await.repository;
    write(&repository, "README", "half\n");
    write(&repository, "new file", "x");
    write(&repository, "cache/objects", "built");
    let next = world.change("next", "n").await;
    assert!(world.prepare(&next).await.status.success());
    assert_eq!(head(&repository), next);
    assert_eq!(run(&repository, ["status", "--porcelain", "--branch"]), format!("## {BRANCH}\n"));
    assert_eq!(read(&repository, "README"), "hello\n");
    assert_eq!(read(&repository, "cache/objects"), "built");
    assert!(!repository.join("new file").exists());
    let salvaged = salvaged(&repository);
    assert_eq!(salvaged.len(), 1);
    assert_eq!(run(&repository, ["show", &format!("{}:new file", salvaged[0])]), "x");
}

#[tokio::test]
async fn commits_that_are_not_in_the_head_are_salvaged_and_those_that_are_need_not_be() {
    let world = World::synced().await;
    let repository = world.open().await.repository;
    write(&repository, "a", "a");
    let lost = commit(&repository, "never handed in");
    run(&repository, ["checkout", "--quiet", "--detach"]);
    let detached = commit(&repository, "on no branch");
    let base = world.target().await;
    assert!(world.prepare(&base).await.status.success());
    assert_eq!(head(&repository), base);
    let mut expected = vec![format!("salvage/{lost}"), format!("salvage/{detached}")];
    expected.sort();
    assert_eq!(salvaged(&repository), expected);
    assert!(world.prepare(&base).await.status.success());
    assert_eq!(salvaged(&repository).len(), 2);
}

#[tokio::test]
async fn a_killed_git_and_its_half_done_merge_are_no_hindrance() {
    let world = World::synced().await;
    let repository = world.open().await.repository;
    run(&repository, ["checkout", "--quiet", "-b", "other"]);
    write(&repository, "README", "theirs\n");
    commit(&repository, "theirs");
    run(&repository, ["checkout", "--quiet", BRANCH]);
    write(&repository, "README", "ours\n");
    commit(&repository, "ours");
    assert!(!try_run(&repository, ["rebase", "other"]).status.success());
    write(&repository, ".git/index.lock", "");
    write(&repository, ".git/HEAD.lock", "");
    write(&repository, &format!(".git/refs/heads/{BRANCH}.lock"), "");
    let base = world.target().await;
    let output = world.prepare(&base).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(run(&repository, ["status"]).contains("nothing to commit"));
    assert!(!run(&repository, ["status"]).contains("rebas"));
    assert_eq!(salvaged(&repository).len(), 2);
}

#[tokio::test]
async fn an_index_that_was_cut_short_is_made_again() {
    let world = World::synced().await;
    let repository = world.open().await.repository;
    write(&repository, "README", "half\n");
    fs::write(repository.join(".git/index"), "DIRC").expect("a broken index");
    let base = world.target().await;
    assert!(world.prepare(&base).await.status.success());
    assert_eq!(read(&repository, "README"), "hello\n");
    assert_eq!(salvaged(&repository).len(), 1);
}

#[tokio::test]
async fn a_repository_that_is_beyond_repair_says_so() {
    let world = World::synced().await;
    let repository = world.open().await.repository;
    // The directory above is a repository too; it must not be taken for the agent's.
    run(&world.root, ["init", "--quiet"]);
    fs::remove_dir_all(repository.join(".git")).expect("removed");
    let base = world.target().await;
    let output = world.prepare(&base).await;
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("is not a git repository any more"), "{stderr}");
}

#[tokio::test]
async fn the_agents_own_hooks_do_not_run_and_its_switches_do_not_count() {
    let world = World::synced().await;
    let repository = world.open().await.repository;
    let marker = world.root.join("marker");
    for hook in ["post-checkout", "pre-commit", "reference-transaction"] {
        let place = repository.join(".git/hooks").join(hook);
        trap(&place, &marker);
        fs::write(&place, format!("#!/bin/sh\ntouch '{marker}'\nexit 1\n")).expect("a hook");
    }
    for (key, value) in
        [("commit.gpgSign", "true"), ("gpg.program", "/nonexistent"), ("core.worktree", "/")]
    {
        run(&repository, ["config", key, value]);
    }
    write(&repository, "README", "half\n");
    let next = world.change("next", "n").await;
    let output = world.prepare(&next).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!marker.exists());
    assert_eq!(read(&repository, "next"), "n");
}
