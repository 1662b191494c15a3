//! Reading and writing the mirror.

use std::os::unix::fs::symlink;

use ports::{ChangeKind, FileWrite, Git, GitError, PathChange};

use crate::world::{World, branch, commit, run, time, write};

#[tokio::test]
async fn a_branch_moves_only_from_where_it_is_expected() {
    let world = World::synced().await;
    let (git, project, name) = (&world.git, &world.project, branch("gw/x"));
    let base = world.target().await;
    let next = world.change("a", "a").await;
    git.move_branch(project, &name, None, &base).await.expect("created");
    git.move_branch(project, &name, None, &base).await.expect("already there");
    git.move_branch(project, &name, Some(&base), &next).await.expect("moved");
    git.move_branch(project, &name, Some(&base), &next).await.expect("already there");
    let error = git.move_branch(project, &name, None, &base).await.expect_err("it exists");
    let GitError::Moved { reference, expected, found } = error else { panic!("{error:?}") };
    assert_eq!(
        (reference.as_str(), expected.as_str(), found),
        ("refs/heads/gw/x", "no commit", next.to_string())
    );
    assert_eq!(git.find_head(project, &name).await.expect("looked up"), Some(next));
}

#[tokio::test]
async fn the_same_files_at_the_same_time_make_the_same_commit() {
    let world = World::synced().await;
    let parent = world.target().await;
    let files = [
        FileWrite { path: "README".to_owned(), content: b"new".to_vec() },
        FileWrite { path: "docs/ä \"x\"\n.md".to_owned(), content: vec![0, 255] },
        // A file in place of a directory.
        FileWrite { path: "src".to_owned(), content: Vec::new() },
    ];
    let write = || world.git.commit_files(&world.project, &parent, &files, "plan\n\nbody", time());
    let first = write().await.expect("a commit");
    assert_eq!(first, write().await.expect("a commit"));
    let read = |path| world.git.read_file(&world.project, &first, path, 100);
    assert_eq!(read("docs/ä \"x\"\n.md").await.expect("read"), Some(vec![0, 255]));
    assert_eq!(read("src").await.expect("read"), Some(Vec::new()));
    let format = "--format=%an <%ae> %at|%cn %ct|%B";
    let about = run(&world.mirror(), ["log", "-1", format, first.as_str()]);
    let who = "Gatewright <gatewright@localhost> 1700000000|Gatewright 1700000000";
    assert_eq!(about.trim_end(), format!("{who}|plan\n\nbody"));
}

#[tokio::test]
async fn files_are_not_written_where_git_lives() {
    let world = World::synced().await;
    let parent = world.target().await;
    for path in [".git/config", "a/../../b", "/etc/x", ".GIT/hooks/x"] {
        let files = [FileWrite { path: path.to_owned(), content: b"x".to_vec() }];
        let result = world.git.commit_files(&world.project, &parent, &files, "x", time()).await;
        assert!(matches!(result, Err(GitError::Command { .. })), "{path}: {result:?}");
    }
}

#[tokio::test]
async fn only_regular_files_are_read_and_no_more_of_them_than_asked_for() {
    let world = World::new();
    symlink("README", world.people().join("link")).expect("a link");
    commit(&world.people(), "link");
    world.git.sync(&world.project).await.expect("synced");
    let target = world.target().await;
    let read = |path, max| world.git.read_file(&world.project, &target, path, max);
    assert_eq!(read("README", 100).await.expect("read"), Some(b"hello\n".to_vec()));
    assert_eq!(read("README", 4).await.expect("read"), Some(b"hell".to_vec()));
    for none in ["src", "src/", "link", "absent", "", "../x", ":/README", "*"] {
        assert_eq!(read(none, 100).await.expect("read"), None, "{none}");
    }
    let files = world.git.list_files(&world.project, &target).await.expect("files");
    assert_eq!(files, [".gitignore", "README", "link", "src/lib.txt"]);
}

#[tokio::test]
async fn a_rename_is_a_deletion_and_an_addition() {
    let world = World::synced().await;
    let from = world.target().await;
    let people = world.people();
    run(&people, ["mv", "src/lib.txt", "src/other.txt"]);
    write(&people, "README", "changed\n");
    commit(&people, "rename");
    world.git.sync(&world.project).await.expect("synced");
    let to = world.target().await;
    let changes = world.git.list_changes(&world.project, &from, &to).await.expect("changes");
    let change = |path: &str, kind| PathChange { path: path.to_owned(), kind };
    let expected = [
        change("README", ChangeKind::Modified),
        change("src/lib.txt", ChangeKind::Deleted),
        change("src/other.txt", ChangeKind::Added),
    ];
    assert_eq!(changes, expected);
}

#[tokio::test]
async fn a_diff_is_cut_after_a_whole_line() {
    let world = World::synced().await;
    let from = world.target().await;
    let to = world.change("long", &"é line\n".repeat(10_000)).await;
    let whole = world.git.diff(&world.project, &from, &to, 1_000_000).await.expect("a diff");
    assert!(whole.starts_with("diff --git a/long b/long") && whole.lines().count() > 10_000);
    let cut = world.git.diff(&world.project, &from, &to, 1003).await.expect("a diff");
    assert!(cut.len() <= 1003 && cut.ends_with("+é line\n") && whole.starts_with(&cut));
}
