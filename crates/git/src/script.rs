//! Command lines for an agent's sandbox.
//!
//! What must happen inside a repository that an agent could write happens where the agent itself runs: there its
//! configuration, filters and attributes can do no more than the agent could.

use domain::revision::{BranchName, CommitSha};
use ports::Workspace;

use crate::commit::Author;

/// Puts a kept workspace onto a commit.
const PREPARE: &str =
    concat!(include_str!("scripts/common.sh"), include_str!("scripts/prepare.sh"));
/// Packs what is new into the outbox.
const HAND_IN: &str =
    concat!(include_str!("scripts/common.sh"), include_str!("scripts/hand-in.sh"));

/// See [`ports::Git::prepare_command`]. A fresh workspace needs no preparation.
pub(crate) fn prepare(
    author: &Author,
    workspace: &Workspace,
    branch: &BranchName,
    head: &CommitSha,
) -> Vec<String> {
    let script = if workspace.reused { PREPARE } else { "exit 0" };
    command("gatewright-prepare", script, author, workspace, branch, head)
}

/// See [`ports::Git::hand_in_command`].
pub(crate) fn hand_in(
    author: &Author,
    workspace: &Workspace,
    branch: &BranchName,
    start: &CommitSha,
    message: &str,
) -> Vec<String> {
    let mut command = command("gatewright-hand-in", HAND_IN, author, workspace, branch, start);
    command.push(message.to_owned());
    command
}

fn command(
    name: &str,
    script: &str,
    author: &Author,
    workspace: &Workspace,
    branch: &BranchName,
    commit: &CommitSha,
) -> Vec<String> {
    let words = [
        "/bin/sh",
        "-c",
        script,
        name,
        workspace.repository.as_str(),
        workspace.outbox.as_str(),
        branch.as_str(),
        commit.as_str(),
        &author.name,
        &author.email,
    ];
    words.map(ToOwned::to_owned).to_vec()
}
