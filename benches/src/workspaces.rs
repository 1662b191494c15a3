//! Workspaces, beside what git offers for the same purpose.

use std::{fs, process::Command, time::Instant};

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use domain::revision::BranchName;
use git::MirrorGit;
use ports::{Git as _, WorkspaceSpec};
use testkit::repository::Repository;

use crate::{
    effort::Effort,
    place::Place,
    samples::Samples,
    table::{Table, number},
    workshop::{mirror_git, project},
};

/// Files of the small repository.
const FEW: usize = 100;

/// Measures both sizes.
pub(crate) async fn measure(place: &Place, effort: &Effort, table: &mut Table) -> Result<()> {
    for files in [FEW, effort.files] {
        let repository = Repository::empty().with_files(files);
        let figures = Figures::measure(place, &repository, effort.workspaces).await?;
        table.group(&format!("Workspace of {files} files"));
        let beside = |other: &Samples| number(other.median() / figures.workspace.median());
        let beside = format!(
            "{}x as fast as worktree add, {}x clone --shared, {}x clone --local",
            beside(&figures.worktree),
            beside(&figures.shared),
            beside(&figures.local)
        );
        table.add("workspace: a clone that borrows", &figures.workspace, "ms", beside);
        table.add("git worktree add", &figures.worktree, "ms", "");
        table.add("git clone --shared", &figures.shared, "ms", "");
        table.add("git clone --local", &figures.local, "ms", "");
    }
    Ok(())
}

/// Times of the four ways to a tree of one's own.
#[derive(Default)]
struct Figures {
    workspace: Samples,
    worktree: Samples,
    shared: Samples,
    local: Samples,
}

impl Figures {
    /// In turns, so that all of them see the same neighbours and the same dirty pages.
    async fn measure(place: &Place, repository: &Repository, rounds: usize) -> Result<Self> {
        let data_dir = place.dir("workspaces")?;
        let git = mirror_git(&data_dir)?;
        git.sync(&project(repository.path())?).await?;
        let mut figures = Self::default();
        for round in 0..rounds {
            flush()?;
            let dir = data_dir.join(format!("workspaces/pipeline/role-{round}"));
            open_workspace(&git, repository, &dir, &mut figures.workspace).await?;
            let arguments: [(&mut Samples, &[&str]); 3] = [
                (&mut figures.worktree, &["worktree", "add", "--quiet", "--detach"]),
                (&mut figures.shared, &["clone", "--quiet", "--shared", "."]),
                (&mut figures.local, &["clone", "--quiet", "--local", "."]),
            ];
            for (samples, arguments) in arguments {
                flush()?;
                let dir = data_dir.join(format!("{}-{round}", arguments[0]));
                run_git(repository, arguments, &dir, samples)?;
                fs::remove_dir_all(dir)?;
            }
            repository.git(&["worktree", "prune"]);
        }
        Ok(figures)
    }
}

async fn open_workspace(
    git: &MirrorGit,
    repository: &Repository,
    dir: &Utf8Path,
    samples: &mut Samples,
) -> Result<()> {
    let branch = BranchName::new("feature/benches")?;
    let head = repository.head("main");
    let spec =
        WorkspaceSpec { project: project(repository.path())?, dir: dir.to_owned(), branch, head };
    let start = Instant::now();
    let workspace = git.open_workspace(&spec).await?;
    samples.push_time(start.elapsed());
    ensure!(!workspace.reused, "{dir} was there already");
    Ok(git.remove_workspace(dir).await?)
}

fn run_git(
    repository: &Repository,
    arguments: &[&str],
    dir: &Utf8PathBuf,
    samples: &mut Samples,
) -> Result<()> {
    let mut command = repository.git_command();
    command.args(arguments).arg(dir);
    let start = Instant::now();
    let output = command.output()?;
    samples.push_time(start.elapsed());
    ensure!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Waits until the disk has everything: what one way leaves behind is not the next one's to wait for.
fn flush() -> Result<()> {
    let status = Command::new("sync").status().context("could not start sync")?;
    ensure!(status.success(), "sync ended with {status}");
    Ok(())
}
