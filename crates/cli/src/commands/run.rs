//! `gatewright run`

use clap::Args;
use domain::{
    name::{AgentName, DefinitionName},
    pipeline::Delivery,
    revision::BranchName,
};

use crate::{
    commands::{
        damage,
        drive::Drive,
        run::{foreground::Foreground, prepare::Prepared},
    },
    context::Context,
    error::CliError,
    exit::ExitStatus,
};

pub(crate) mod foreground;
mod left_behind;
mod own_commands;
mod prepare;
pub(crate) mod result;
mod resume;

pub(crate) use prepare::{definition_error, role_book, target_files};

/// Take work items through a pipeline, in the foreground, to their end
///
/// Each TITLE becomes a work item of the repository, on a branch of its own. Agents work in sandboxes on clones: your
/// working tree is not touched. Without --merge the finished branch is left in the repository.
///
/// Ctrl-C stops the agents and keeps what they left. SIGTERM, and a terminal that is closed, leave them at work: within
/// five seconds this process is gone, and `run --resume` takes them up again, whatever they did meanwhile.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What is wanted, one line each
    #[arg(value_name = "TITLE", required_unless_present = "resume", conflicts_with = "resume")]
    titles: Vec<String>,
    /// More words about it; `-` reads them from standard input
    #[arg(short, long, value_name = "TEXT")]
    description: Option<String>,
    /// The repository [default: the one around the working directory]
    #[arg(long, value_name = "DIR")]
    repo: Option<camino::Utf8PathBuf>,
    /// The pipeline definition [default: the project's, else `solo`]
    #[arg(short, long, value_name = "NAME")]
    pipeline: Option<DefinitionName>,
    /// The agent of every role: a configured name, or a kind
    #[arg(short, long, value_name = "NAME")]
    agent: Option<AgentName>,
    /// The command that tests the work [default: the project's, else detected]
    #[arg(long, value_name = "COMMAND", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    check: Option<String>,
    /// The branch that the work is for [default: the project's, else the current one]
    #[arg(long, value_name = "BRANCH")]
    target: Option<BranchName>,
    /// Merge the finished work into the target branch
    #[arg(long)]
    merge: bool,
    /// Approve everything that asks for approval
    #[arg(short, long)]
    yes: bool,
    /// Go on with pipelines that were interrupted, answered or settled; `all`: with everything that was interrupted
    #[arg(long, value_name = "ID", num_args = 1.., conflicts_with_all = ["description", "repo", "pipeline", "agent", "check", "target", "merge"])]
    resume: Vec<String>,
}

impl Run {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        if !self.resume.is_empty() {
            return self.go_on(context).await;
        }
        let prepared = self.begin(context).await?;
        let is_one = prepared.pipelines.len() == 1;
        let drive = Drive::begin(context)?;
        let status = self.work(context, &drive, prepared, is_one).await?;
        Ok(drive.ended_with(status))
    }

    /// Works until only people can move what was prepared, and tells what came of it. `is_one`: of all that this call
    /// is about, so that a program gets one document and not a line for each.
    async fn work(
        &self,
        context: &Context,
        drive: &Drive,
        prepared: Prepared,
        is_one: bool,
    ) -> Result<ExitStatus, CliError> {
        let Prepared { store, bench, pipelines } = prepared;
        let foreground = Foreground {
            context,
            drive,
            engine: bench.engine,
            store,
            yes: self.yes,
            person: context.person.clone(),
        };
        foreground.work(&pipelines).await?;
        super::outbox::say_what_is_left(context, &*foreground.store).await?;
        let damaged = damage::load(&*foreground.store).await?;
        let mut worst = ExitStatus::Success;
        for id in &pipelines {
            let mut result = result::load(&*foreground.store, *id).await?;
            result.wait_for(foreground.engine.find_what_waits_for_a_person(*id).await?);
            result.park(&damaged);
            result::tell(&result, context, is_one);
            worst = worst.max(result.exit_status());
        }
        Ok(worst)
    }

    const fn delivery(&self) -> Delivery {
        if self.merge { Delivery::Merge } else { Delivery::Branch }
    }
}
