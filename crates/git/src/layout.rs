//! Making a repository without git.
//!
//! The layout of a repository is small and settled; writing it saves the process that `git init` would be and
//! leaves no room for templates and configuration of the machine.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::{BranchName, CommitSha};

use crate::commit::Author;

/// How objects are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectFormat {
    /// 40 digits.
    Sha1,
    /// 64 digits.
    Sha256,
}

impl ObjectFormat {
    /// The format that an object id is written in.
    pub(crate) const fn of(object_id: &str) -> Self {
        if object_id.len() == 64 { Self::Sha256 } else { Self::Sha1 }
    }
}

/// What `HEAD` says.
#[derive(Clone, Debug)]
pub(crate) enum Head {
    /// A branch that does not exist yet.
    Unborn,
    /// A branch at a commit.
    Branch(BranchName, CommitSha),
    /// A commit, on no branch.
    Detached(CommitSha),
}

/// A repository to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewRepository {
    /// Its git directory, which must not exist.
    pub(crate) git_dir: Utf8PathBuf,
    /// How it names objects.
    pub(crate) format: ObjectFormat,
    /// Where it stands.
    pub(crate) head: Head,
    /// Objects that it borrows.
    pub(crate) borrowed: Option<Utf8PathBuf>,
    /// Who commits in it, where somebody does: then it has a work tree.
    pub(crate) author: Option<Author>,
}

impl NewRepository {
    /// Writes it.
    pub(crate) fn create(&self) -> io::Result<()> {
        let at = |path: &str| self.git_dir.join(path);
        for dir in ["objects/info", "objects/pack", "refs/heads"] {
            fs::create_dir_all(at(dir))?;
        }
        fs::write(at("config"), self.config())?;
        if let Some(objects) = &self.borrowed {
            fs::write(at("objects/info/alternates"), format!("{objects}\n"))?;
        }
        let head = match &self.head {
            Head::Unborn => "ref: refs/heads/main".to_owned(),
            Head::Branch(branch, commit) => {
                let file = at(&branch.full_ref());
                fs::create_dir_all(file.parent().unwrap_or(Utf8Path::new("/")))?;
                fs::write(file, format!("{commit}\n"))?;
                format!("ref: {}", branch.full_ref())
            }
            Head::Detached(commit) => commit.to_string(),
        };
        fs::write(at("HEAD"), format!("{head}\n"))
    }

    fn config(&self) -> String {
        let (version, extensions) = match self.format {
            ObjectFormat::Sha1 => (0, ""),
            ObjectFormat::Sha256 => (1, "[extensions]\n\tobjectFormat = sha256\n"),
        };
        let bare = self.author.is_none();
        let mut config = format!(
            "[core]\n\trepositoryformatversion = {version}\n\tfilemode = true\n\tbare = {bare}\n\
             {extensions}[gc]\n\tauto = 0\n"
        );
        if let Some(Author { name, email }) = &self.author {
            let (name, email) = (quote(name), quote(email));
            config = format!("{config}[user]\n\tname = {name}\n\temail = {email}\n");
        }
        config
    }
}

fn quote(value: &str) -> String {
    let escaped = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    format!("\"{escaped}\"")
}
