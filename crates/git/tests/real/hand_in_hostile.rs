//! What stands in the outbox when somebody wants to hurt us.

use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    process::{Command, Stdio},
};

use camino::Utf8Path;
use ports::{HandIn, Workspace};

use crate::world::{BRANCH, World, git_binary, run, write};

/// The one finding of a refusal.
fn refusal(answer: HandIn) -> String {
    let HandIn::Refused { findings } = answer else { panic!("not refused: {answer:?}") };
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings[0].message.clone()
}

/// A workspace with one change that is in the outbox.
async fn packed() -> (World, Workspace) {
    let world = World::synced().await;
    let workspace = world.open().await;
    write(&workspace.repository, "new", "x");
    world.pack(&workspace).await;
    (world, workspace)
}

#[tokio::test]
async fn an_empty_outbox_is_refused() {
    let world = World::synced().await;
    let workspace = world.open().await;
    let message = refusal(world.collect(&workspace, &[]).await);
    assert_eq!(message, "nothing was handed in: there is no `hand-in`");
}

#[tokio::test]
async fn links_in_the_outbox_are_not_followed() {
    for name in ["hand-in", "bundle"] {
        let (world, workspace) = packed().await;
        let (file, moved) = (workspace.outbox.join(name), world.root.join(name));
        fs::rename(&file, &moved).expect("moved");
        symlink(&moved, &file).expect("a link");
        let message = refusal(world.collect(&workspace, &[]).await);
        assert_eq!(message, format!("`{name}` is a symbolic link, which is not followed"));
    }
}

#[tokio::test]
async fn a_link_in_place_of_the_outbox_is_not_followed() {
    let (world, workspace) = packed().await;
    fs::rename(&workspace.outbox, world.root.join("moved")).expect("moved");
    symlink(world.root.join("moved"), &workspace.outbox).expect("a link");
    let message = refusal(world.collect(&workspace, &[]).await);
    assert!(message.starts_with("`outbox` "), "{message}");
}

#[tokio::test]
async fn a_pipe_or_a_directory_in_place_of_a_file_is_refused_at_once() {
    for name in ["hand-in", "bundle"] {
        let (world, workspace) = packed().await;
        let file = workspace.outbox.join(name);
        fs::remove_file(&file).expect("removed");
        assert!(Command::new("mkfifo").arg(&file).status().expect("mkfifo runs").success());
        assert!(refusal(world.collect(&workspace, &[]).await).contains("not a regular file"));
        fs::remove_file(&file).expect("removed");
        fs::create_dir(&file).expect("a directory");
        assert!(refusal(world.collect(&workspace, &[]).await).contains("not a regular file"));
        // Whatever stands there is cleared away by the next hand-in.
        let answer = world.hand_in(&workspace).await;
        assert!(matches!(answer, HandIn::Accepted { .. }), "{answer:?}");
    }
}

#[tokio::test]
async fn garbage_and_half_a_bundle_are_refused() {
    let (world, workspace) = packed().await;
    let bundle = workspace.outbox.join("bundle");
    let whole = fs::read(&bundle).expect("a bundle");
    let mut flipped = whole.clone();
    let middle = whole.len() - 40;
    flipped[middle] ^= 0xff;
    for broken in [b"garbage".to_vec(), Vec::new(), whole[..whole.len() - 10].to_vec(), flipped] {
        fs::write(&bundle, broken).expect("written");
        refusal(world.collect(&workspace, &[]).await);
    }
    assert!(world.kept().is_empty());
    fs::write(&bundle, whole).expect("written");
    assert!(matches!(world.collect(&workspace, &[]).await, HandIn::Accepted { .. }));
}

#[tokio::test]
async fn a_hand_in_of_an_earlier_start_is_refused() {
    let (world, workspace) = packed().await;
    let note = workspace.outbox.join("hand-in");
    let text = fs::read_to_string(&note).expect("a note");
    let start = world.target().await.to_string();
    fs::write(&note, text.replace(&start, &"a".repeat(40))).expect("written");
    let message = refusal(world.collect(&workspace, &[]).await);
    assert!(message.starts_with("what is in the outbox started from aaaa"), "{message}");
}

#[tokio::test]
async fn a_ref_to_something_that_is_not_a_commit_is_refused() {
    let (world, workspace) = packed().await;
    let bundle = workspace.outbox.join("bundle");
    let bytes = fs::read(&bundle).expect("a bundle");
    let own = run(&workspace.repository, ["rev-parse", BRANCH]);
    let tree = run(&workspace.repository, ["rev-parse", &format!("{BRANCH}^{{tree}}")]);
    let end = bytes.windows(2).position(|it| it == b"\n\n").expect("a head");
    let head =
        String::from_utf8(bytes[..end].to_vec()).expect("UTF-8").replace(own.trim(), tree.trim());
    fs::write(&bundle, [head.as_bytes(), &bytes[end..]].concat()).expect("written");
    let message = refusal(world.collect(&workspace, &[]).await);
    assert_eq!(message, "a ref in the bundle is not at a commit");
}

/// Makes a commit with a tree that git itself would not make, and puts the agent's branch on it.
fn commit_tree(repository: &Utf8Path, entry_name: &str) {
    write(repository, "payload", "x");
    let blob = run(repository, ["hash-object", "-w", "payload"]);
    fs::remove_file(repository.join("payload")).expect("removed");
    let mut mktree = Command::new(git_binary())
        .args(["mktree"])
        .current_dir(repository)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git runs");
    let line = format!("100644 blob {}\t{entry_name}\n", blob.trim());
    mktree.stdin.take().expect("a pipe").write_all(line.as_bytes()).expect("written");
    let tree =
        String::from_utf8(mktree.wait_with_output().expect("git runs").stdout).expect("UTF-8");
    let nested = format!("040000 tree {}\tdir\n", tree.trim());
    write(repository, "../nested", &nested);
    let command = "git mktree <../nested";
    let output = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(repository)
        .output()
        .expect("sh runs");
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    let commit = run(repository, ["commit-tree", tree.trim(), "-p", "HEAD", "-m", "hostile"]);
    run(repository, ["update-ref", "refs/heads/hostile", commit.trim()]);
    run(repository, ["update-ref", &format!("refs/heads/{BRANCH}"), commit.trim()]);
    // The work tree is left alone: nothing but the commit is to be handed in.
    run(repository, ["symbolic-ref", "HEAD", "refs/heads/elsewhere"]);
    run(repository, ["update-ref", "refs/heads/elsewhere", "gw/ET-1~1"]);
}

#[tokio::test]
async fn files_that_would_become_part_of_a_git_directory_are_refused() {
    for name in [".git", ".GIT", "git~1", ".g\u{200c}it", ".."] {
        let world = World::synced().await;
        let workspace = world.open().await;
        commit_tree(&workspace.repository, name);
        let message = refusal(world.hand_in(&workspace).await);
        assert!(message.starts_with("git refuses what was handed in"), "{name}: {message}");
        assert!(world.kept().is_empty());
    }
}

#[tokio::test]
async fn a_workspace_of_somebody_else_is_not_read() {
    let (world, workspace) = packed().await;
    let elsewhere = Workspace { outbox: world.people().join("outbox"), ..workspace };
    let request = ports::HandInRequest {
        project: world.project.clone(),
        workspace: elsewhere,
        branch: crate::world::branch(BRANCH),
        start: world.target().await,
        rules: domain::path_rules::PathRules::default().compile().expect("patterns"),
        salvage: "run-1".to_owned(),
    };
    let error = ports::Git::collect(&world.git, &request).await.expect_err("outside");
    assert!(matches!(error, ports::GitError::Io { .. }), "{error:?}");
}
