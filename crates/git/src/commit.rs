//! Writing commits byte by byte, so that the same words at the same time give the same commit.

use domain::revision::{CommitSha, TreeSha};
use jiff::Timestamp;
use ports::GitError;

use crate::{command::Input, mirror::Mirror, revisions};

/// Who commits.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// A name.
    pub(crate) name: String,
    /// An address.
    pub(crate) email: String,
}

impl Author {
    /// Drops what would break a commit's header.
    pub(crate) fn new(name: &str, email: &str) -> Self {
        let clean = |text: &str| {
            let kept: String =
                text.chars().filter(|c| !c.is_control() && !"<>".contains(*c)).collect();
            kept.trim().to_owned()
        };
        Self { name: clean(name), email: clean(email) }
    }

    /// The author as a commit's header names it.
    pub(crate) fn line(&self, at: Timestamp) -> Vec<u8> {
        let Self { name, email } = self;
        format!("{name} <{email}> {} +0000", at.as_second().max(0)).into_bytes()
    }
}

/// A commit to be written.
#[derive(Clone, Debug)]
pub(crate) struct NewCommit<'a> {
    /// Its tree.
    pub(crate) tree: &'a TreeSha,
    /// Its parents, in order.
    pub(crate) parents: &'a [&'a CommitSha],
    /// Who wrote it, and when, as git writes it.
    pub(crate) author: &'a [u8],
    /// Who committed it, and when, as git writes it.
    pub(crate) committer: &'a [u8],
    /// How the message is encoded, where it is not UTF-8.
    pub(crate) encoding: Option<&'a [u8]>,
    /// The message.
    pub(crate) message: &'a [u8],
}

impl NewCommit<'_> {
    /// Writes it into the mirror, on no branch.
    pub(crate) async fn write(&self, mirror: &Mirror<'_>) -> Result<CommitSha, GitError> {
        let operation = "write a commit";
        let output = mirror
            .git(operation)
            .args(["hash-object", "-t", "commit", "-w", "--stdin"])
            .input(Input::Bytes(self.to_bytes()))
            .run()
            .await?;
        revisions::commit(operation, &output.text())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let Self { tree, parents, author, committer, encoding, message } = self;
        let mut bytes = format!("tree {tree}\n").into_bytes();
        for parent in *parents {
            bytes.extend_from_slice(format!("parent {parent}\n").as_bytes());
        }
        let headers =
            [("author", Some(*author)), ("committer", Some(*committer)), ("encoding", *encoding)];
        for (name, value) in headers {
            if let Some(value) = value {
                bytes.extend_from_slice(name.as_bytes());
                bytes.push(b' ');
                bytes.extend_from_slice(value);
                bytes.push(b'\n');
            }
        }
        bytes.push(b'\n');
        bytes.extend_from_slice(message);
        if !message.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        bytes
    }
}
