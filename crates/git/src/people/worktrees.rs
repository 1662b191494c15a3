//! Where a branch is checked out.

use camino::Utf8PathBuf;
use domain::revision::BranchName;
use ports::GitError;

use super::local::LocalRepository;

/// The work trees that have `branch` checked out. One whose directory is gone does not count.
pub(super) async fn list_worktrees(
    repository: &LocalRepository<'_>,
    branch: &BranchName,
) -> Result<Vec<Utf8PathBuf>, GitError> {
    let call = repository.git("list the work trees of the repository");
    let output = call.args(["worktree", "list", "--porcelain", "-z"]).run().await?;
    Ok(parse(&String::from_utf8_lossy(&output.stdout), &branch.full_ref()))
}

/// Lines that end with a NUL; an empty one after each work tree.
fn parse(text: &str, reference: &str) -> Vec<Utf8PathBuf> {
    let of_one = |lines: &str| {
        let value = |name: &str| {
            lines.split('\0').find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        };
        let is_gone = lines
            .split('\0')
            .any(|line| line == "bare" || line.split(' ').next() == Some("prunable"));
        let path = value("worktree")?;
        (value("branch") == Some(reference) && !is_gone).then(|| Utf8PathBuf::from(path))
    };
    text.split("\0\0").filter_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_trees_that_are_there_and_on_the_branch_count() {
        let text = "worktree /a\0HEAD aa\0branch refs/heads/main\0\0\
                    worktree /b\0HEAD aa\0branch refs/heads/other\0\0\
                    worktree /c\0HEAD aa\0detached\0\0\
                    worktree /d\nx\0HEAD aa\0branch refs/heads/main\0locked why\0\0\
                    worktree /e\0HEAD aa\0branch refs/heads/main\0prunable gitdir file points to nothing\0\0";
        assert_eq!(parse(text, "refs/heads/main"), ["/a", "/d\nx"]);
    }
}
