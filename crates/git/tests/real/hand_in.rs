//! What an honest agent hands in, however untidily.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
};

use ports::{ChangeKind, Git, HandIn, PathChange};

use crate::world::{
    BRANCH, MESSAGE, World, branch, commit, head, read, run, sandbox, try_run, write,
};

fn messages(answer: HandIn) -> Vec<String> {
    let (HandIn::Nothing { findings } | HandIn::Refused { findings }) = answer else {
        panic!("accepted: {answer:?}")
    };
    findings.into_iter().map(|it| it.message).collect()
}

#[tokio::test]
async fn commits_and_left_overs_are_accepted_and_kept_in_the_mirror() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "README", "changed\n");
    commit(&workspace.repository, "by the agent");
    write(&workspace.repository, "new", "left over");
    fs::remove_file(workspace.repository.join("src/lib.txt")).expect("removed");
    let answer = world.hand_in(&workspace).await;
    let HandIn::Accepted { head, changed } = answer else { panic!("{answer:?}") };
    let change = |path: &str, kind| PathChange { path: path.to_owned(), kind };
    let expected = [
        change("README", ChangeKind::Modified),
        change("new", ChangeKind::Added),
        change("src/lib.txt", ChangeKind::Deleted),
    ];
    assert_eq!(changed, expected);
    let log = run(&world.mirror(), ["log", "-2", "--format=%an: %s", head.as_str()]);
    assert_eq!(log, format!("Gatewright: {MESSAGE}\nAnn: by the agent\n"));
    assert_eq!(world.kept(), [format!("refs/gatewright/hand-in/{head}")]);
    run(&world.mirror(), ["fsck", "--full", "--strict"]);
}

#[tokio::test]
async fn an_agent_that_did_nothing_hands_in_nothing() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "cache/built", "ignored");
    assert_eq!(world.hand_in(&workspace).await, HandIn::Nothing { findings: Vec::new() });
    assert!(world.kept().is_empty());
}

#[tokio::test]
async fn asking_again_gives_the_same_answer() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "new", "x");
    let first = world.hand_in(&workspace).await;
    let kept = world.kept();
    assert_eq!(world.collect(&workspace, &[]).await, first);
    // A script that ran twice, because the first answer was lost.
    assert_eq!(world.hand_in(&workspace).await, first);
    assert_eq!(world.kept(), kept);
    let refused = world.collect(&workspace, &["new"]).await;
    assert_eq!(world.collect(&workspace, &["new"]).await, refused);
}

#[tokio::test]
async fn a_workspace_goes_on_from_what_was_accepted() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "one", "1");
    let HandIn::Accepted { head: first, .. } = world.hand_in(&workspace).await else {
        panic!("refused")
    };
    assert!(world.prepare(&first).await.status.success());
    assert!(!workspace.outbox.join("hand-in").exists());
    write(&workspace.repository, "two", "2");
    let HandIn::Accepted { head: second, .. } = world.hand_in(&workspace).await else {
        panic!("refused")
    };
    assert_eq!(world.show(&second, "one") + &world.show(&second, "two"), "12");
    assert!(salvage_is_empty(&world));
}

fn salvage_is_empty(world: &World) -> bool {
    world.kept().iter().all(|it| !it.contains("/salvage/"))
}

#[tokio::test]
async fn history_that_was_rewritten_is_refused_and_kept() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "README", "changed\n");
    run(&workspace.repository, ["commit", "--quiet", "--all", "--amend", "--message", "rewritten"]);
    let messages = messages(world.hand_in(&workspace).await);
    assert!(
        messages[0].starts_with("history was rewritten: `gw/ET-1` no longer contains"),
        "{messages:?}"
    );
    assert_eq!(world.kept(), ["refs/gatewright/salvage/run-1/heads/gw/ET-1"]);
}

#[tokio::test]
async fn going_back_behind_the_start_is_rewriting_too() {
    let world = World::new();
    write(&world.people(), "more", "x");
    commit(&world.people(), "second");
    world.git.sync(&world.project).await.expect("synced");
    let workspace = world.open().await;
    run(&workspace.repository, ["reset", "--quiet", "--hard", "HEAD~1"]);
    let messages = messages(world.hand_in(&workspace).await);
    assert!(messages[0].starts_with("history was rewritten"), "{messages:?}");
}

#[tokio::test]
async fn commits_on_another_branch_are_told_and_kept() {
    let world = World::synced().await;
    let workspace = world.open().await;
    run(&workspace.repository, ["checkout", "--quiet", "-b", "main"]);
    write(&workspace.repository, "a", "a");
    let stray = commit(&workspace.repository, "stray");
    let answer = world.hand_in(&workspace).await;
    assert!(matches!(answer, HandIn::Nothing { .. }));
    assert_eq!(
        messages(answer),
        [format!("committed to `main`, not to its branch `gw/ET-1`: {stray}")]
    );
    assert_eq!(world.kept(), ["refs/gatewright/salvage/run-1/heads/main"]);
}

#[tokio::test]
async fn left_overs_on_a_detached_head_are_told_and_kept() {
    let world = World::synced().await;
    let workspace = world.open().await;
    run(&workspace.repository, ["checkout", "--quiet", "--detach"]);
    write(&workspace.repository, "a", "a");
    let answer = world.hand_in(&workspace).await;
    let stray = head(&workspace.repository);
    assert_eq!(
        messages(answer),
        [format!("committed to a detached HEAD, not to its branch `gw/ET-1`: {stray}")]
    );
    assert_eq!(world.kept(), [format!("refs/gatewright/salvage/run-1/commits/{stray}")]);
}

#[tokio::test]
async fn commits_of_the_agents_branch_count_even_where_others_are_beside_it() {
    let world = World::synced().await;
    let workspace = world.open().await;
    run(&workspace.repository, ["checkout", "--quiet", "-b", "try"]);
    write(&workspace.repository, "a", "a");
    commit(&workspace.repository, "a try");
    run(&workspace.repository, ["checkout", "--quiet", BRANCH]);
    write(&workspace.repository, "b", "b");
    let answer = world.hand_in(&workspace).await;
    let HandIn::Accepted { head, changed } = answer else { panic!("{answer:?}") };
    assert_eq!(changed.len(), 1);
    let salvaged = "refs/gatewright/salvage/run-1/heads/try".to_owned();
    assert_eq!(world.kept(), [format!("refs/gatewright/hand-in/{head}"), salvaged]);
}

#[tokio::test]
async fn a_merge_under_way_is_committed_as_it_stands() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let repository = &workspace.repository;
    run(repository, ["checkout", "--quiet", "-b", "other"]);
    write(repository, "README", "theirs\n");
    commit(repository, "theirs");
    run(repository, ["checkout", "--quiet", BRANCH]);
    write(repository, "README", "ours\n");
    commit(repository, "ours");
    assert!(!try_run(repository, ["merge", "other"]).status.success());
    write(repository, ".git/index.lock", "");
    let answer = world.hand_in(&workspace).await;
    let HandIn::Accepted { head, .. } = answer else { panic!("{answer:?}") };
    assert!(world.show(&head, "README").contains("<<<<<<<"));
}

#[tokio::test]
async fn a_rebase_under_way_leaves_the_branch_where_it_was() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let repository = &workspace.repository;
    run(repository, ["checkout", "--quiet", "-b", "other"]);
    write(repository, "README", "theirs\n");
    commit(repository, "theirs");
    run(repository, ["checkout", "--quiet", BRANCH]);
    write(repository, "README", "ours\n");
    let ours = commit(repository, "ours");
    assert!(!try_run(repository, ["rebase", "other"]).status.success());
    let answer = world.hand_in(&workspace).await;
    assert!(matches!(&answer, HandIn::Accepted { head, .. } if *head == ours), "{answer:?}");
    assert_eq!(world.kept().len(), 3);
}

#[tokio::test]
async fn a_branch_without_history_is_told() {
    let world = World::synced().await;
    let workspace = world.open().await;
    run(&workspace.repository, ["checkout", "--quiet", "--orphan", "fresh"]);
    let messages = messages(world.hand_in(&workspace).await);
    assert!(messages[0].starts_with("committed to `fresh`"), "{messages:?}");
}

#[tokio::test]
async fn odd_names_survive() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let names: [&[u8]; 5] = [b"line\nbreak", b"\"quoted' \\ name", b"latin-\xe9", b"-rf", b" "];
    for name in names {
        fs::write(workspace.repository.as_std_path().join(OsStr::from_bytes(name)), "x")
            .expect("a file");
    }
    write(&workspace.repository, &format!("{}/{}", "d".repeat(150), "f".repeat(250)), "x");
    run(&workspace.repository, ["branch", &format!("{}/{}", "b".repeat(150), "c".repeat(150))]);
    let answer = world.hand_in(&workspace).await;
    let HandIn::Accepted { changed, .. } = answer else { panic!("{answer:?}") };
    let paths: Vec<&str> = changed.iter().map(|it| it.path.as_str()).collect();
    for expected in ["line\nbreak", "\"quoted' \\ name", "latin-\u{fffd}", "-rf", " "] {
        assert!(paths.contains(&expected), "{expected:?} is not in {paths:?}");
    }
    assert_eq!(paths.len(), 6);
}

#[tokio::test]
async fn paths_that_the_role_may_not_write_are_told_one_by_one() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, ".gatewright/pipelines/x.toml", "x");
    write(&workspace.repository, "src/lib.txt", "changed");
    write(&workspace.repository, "fine", "x");
    world.pack(&workspace).await;
    let answer = world.collect(&workspace, &["src/**"]).await;
    let HandIn::Refused { findings } = &answer else { panic!("{answer:?}") };
    let paths: Vec<&str> = findings.iter().filter_map(|it| it.path.as_deref()).collect();
    assert_eq!(paths, [".gatewright/pipelines/x.toml", "src/lib.txt"]);
    assert_eq!(world.kept(), ["refs/gatewright/salvage/run-1/heads/gw/ET-1"]);
}

#[tokio::test]
async fn a_forbidden_change_that_was_taken_back_is_none() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "src/lib.txt", "changed");
    write(&workspace.repository, "fine", "x");
    commit(&workspace.repository, "too much");
    write(&workspace.repository, "src/lib.txt", "one\ntwo\nthree\n");
    commit(&workspace.repository, "taken back");
    world.pack(&workspace).await;
    let answer = world.collect(&workspace, &["src/**"]).await;
    assert!(
        matches!(&answer, HandIn::Accepted { changed, .. } if changed.len() == 1),
        "{answer:?}"
    );
}

#[tokio::test]
async fn submodules_and_repositories_inside_are_refused() {
    let world = World::synced().await;
    let workspace = world.open().await;
    run(&workspace.repository, ["init", "--quiet", "nested"]);
    write(&workspace.repository, "nested/a", "a");
    commit(&workspace.repository.join("nested"), "nested");
    // Git cannot add this one at all; everything else must be handed in nevertheless.
    run(&workspace.repository, ["init", "--quiet", "without-commit"]);
    write(
        &workspace.repository,
        ".gitmodules",
        "[submodule \"x\"]\n\tpath = nested\n\turl = ./x\n",
    );
    write(&workspace.repository, "work", "x");
    world.pack(&workspace).await;
    assert_eq!(run(&workspace.repository, ["show", "HEAD:work"]), "x");
    let messages = messages(world.collect(&workspace, &[]).await);
    let expected =
        ["submodules may not be declared", "`nested` is a new submodule; add its files instead"];
    assert_eq!(messages, expected);
}

#[tokio::test]
async fn links_that_lead_out_are_refused_and_others_are_fine() {
    let world = World::synced().await;
    let workspace = world.open().await;
    symlink("../README", workspace.repository.join("src/fine")).expect("a link");
    symlink("/etc/passwd", workspace.repository.join("absolute")).expect("a link");
    symlink("../../x", workspace.repository.join("src/relative")).expect("a link");
    let messages = messages(world.hand_in(&workspace).await);
    let told =
        |path: &str| format!("`{path}` is a symbolic link that may lead out of the repository");
    assert_eq!(messages, [told("absolute"), told("src/relative")]);
}

#[tokio::test]
async fn a_repository_that_is_beyond_repair_is_not_handed_in() {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "a", "a");
    fs::remove_file(workspace.repository.join(".git/HEAD")).expect("removed");
    let start = world.target().await;
    let output = sandbox(&world.git.hand_in_command(&workspace, &branch(BRANCH), &start, MESSAGE));
    assert!(!output.status.success());
    assert!(matches!(world.collect(&workspace, &[]).await, HandIn::Refused { .. }));
    assert_eq!(read(&workspace.repository, "a"), "a");
}
