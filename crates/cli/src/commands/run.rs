//! `gatewright run`

use clap::Args;
use domain::{
    id::PipelineId,
    name::{AgentName, DefinitionName},
    pipeline::Delivery,
    revision::BranchName,
};

use crate::{
    commands::run::{foreground::Foreground, prepare::Prepared},
    context::Context,
    error::CliError,
    exit::ExitStatus,
};

pub(crate) mod foreground;
mod prepare;
pub(crate) mod result;

pub(crate) use prepare::{definition_error, role_book, target_files};

/// Take work items through a pipeline, in the foreground, to their end
///
/// Each TITLE becomes a work item of the repository, on a branch of its own. Agents work in sandboxes on clones: your
/// working tree is not touched. Without --merge the finished branch is left in the repository.
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
    /// Go on with a pipeline that was interrupted, answered or settled
    #[arg(long, value_name = "ID", conflicts_with_all = ["description", "repo", "pipeline", "agent", "check", "target", "merge"])]
    resume: Option<String>,
}

impl Run {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let Prepared { store, bench, pipelines } = match &self.resume {
            Some(wanted) => self.take_up(context, wanted).await?,
            None => self.begin(context).await?,
        };
        let foreground = Foreground {
            context,
            engine: bench.engine,
            store,
            yes: self.yes,
            person: context.person.clone(),
        };
        let interrupted = foreground.work(&pipelines).await?;
        self.tell(context, &foreground, &pipelines, interrupted).await
    }

    async fn tell(
        &self,
        context: &Context,
        foreground: &Foreground<'_>,
        pipelines: &[PipelineId],
        interrupted: bool,
    ) -> Result<ExitStatus, CliError> {
        let mut worst = ExitStatus::Success;
        for id in pipelines {
            let result = result::load(&*foreground.store, *id).await?;
            if context.global.json {
                if let [_] = pipelines {
                    crate::output::json(&result);
                } else {
                    crate::output::json_line(&result);
                }
            } else {
                result::print(&result, context);
            }
            worst = worst.max(result.exit_status());
        }
        if interrupted {
            worst = ExitStatus::Interrupted;
        }
        Ok(worst)
    }

    const fn delivery(&self) -> Delivery {
        if self.merge { Delivery::Merge } else { Delivery::Branch }
    }
}
