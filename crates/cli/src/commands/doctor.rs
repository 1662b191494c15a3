//! `gatewright doctor`

mod database;
mod machine;
mod outbox;
mod project;
mod unfinished;
mod workspaces;

use api::{CheckState, CheckView};
use clap::Args;
use comfy_table::Cell;
use config::Loaded;

use super::data::root;
use crate::{
    called::{self, gatewright},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output,
    words::{self, Tone},
};

/// Say what is installed, what is missing, and what mends it; exit 1 if no work can be done
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// In place of all that, why this pipeline is where it is, and what will move it: as `pipeline show --why`
    #[arg(long, value_name = "PIPELINE")]
    explain: Option<String>,
}

impl Doctor {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        if let Some(id) = &self.explain {
            return super::pipeline::explain(context, id).await;
        }
        let (loaded, configuration) = configuration(context)?;
        called::settle_by(context, &loaded);
        let mut checks = vec![machine::git(context).await];
        checks.extend(machine::sandbox(context, &loaded).await);
        checks.push(configuration);
        checks.push(machine::data_dir(context, &loaded));
        checks.extend(database::checks(context, &loaded).await);
        checks.extend(workspaces::checks(context, &loaded).await);
        checks.extend(project::agents(context, &loaded).await);
        checks.extend(project::held(context, &loaded).await);
        checks.extend(unfinished::checks(context).await);
        checks.extend(outbox::checks(context, &loaded).await);
        checks.extend(project::repository(context, &loaded).await);
        let count = |state| checks.iter().filter(|it| it.state == state).count();
        let (fails, warns) = (count(CheckState::Missing) > 0, count(CheckState::Warning));
        if context.global.json {
            output::json(&checks);
        } else {
            print(&checks);
            output::say(match (fails, warns) {
                (true, _) => "something that is needed is missing".to_owned(),
                (false, 0) => "ready to work".to_owned(),
                (false, 1) => "ready to work, with one thing to see to".to_owned(),
                (false, warns) => format!("ready to work, with {warns} things to see to"),
            });
        }
        Ok(if fails { ExitStatus::Failure } else { ExitStatus::Success })
    }
}

fn print(checks: &[CheckView]) {
    let mut table = words::table(&["what", "state", "found", "what mends it"]);
    for check in checks {
        let (state, tone) = match check.state {
            CheckState::Ok => ("ok", Tone::Good),
            CheckState::Warning => ("warning", Tone::Attention),
            CheckState::Missing => ("missing", Tone::Bad),
        };
        table.add_row(vec![
            Cell::new(words::one_line(&check.name)),
            tone.cell(state),
            Cell::new(words::one_line(&check.found)),
            Cell::new(words::one_line(check.mend.as_deref().unwrap_or(""))),
        ]);
    }
    output::data(table.trim_fmt());
}

/// The configuration that holds here; where it is broken, the one that would hold without it.
fn configuration(context: &Context) -> Result<(Loaded, CheckView), CliError> {
    let root = root(context);
    match context.load_config(&root) {
        Ok(loaded) if loaded.file.exists() => {
            let check = ok("configuration", loaded.file.to_string());
            Ok((loaded, check))
        }
        Ok(loaded) => Ok((
            loaded,
            warning(
                "configuration",
                "no gatewright.toml: defaults hold",
                format!("{} init", gatewright()),
            ),
        )),
        Err(error) => {
            let loaded = config::parse("", &root.join("gatewright.toml"), &context.surroundings());
            let loaded = loaded.map_err(|problems| crate::context::problems_error(&problems))?;
            Ok((
                loaded,
                missing(
                    "configuration",
                    error.to_string(),
                    format!("{} config check", gatewright()),
                ),
            ))
        }
    }
}

fn ok(name: &str, found: impl Into<String>) -> CheckView {
    CheckView { name: name.to_owned(), state: CheckState::Ok, found: found.into(), mend: None }
}

fn warning(name: &str, found: impl Into<String>, mend: impl Into<String>) -> CheckView {
    CheckView {
        name: name.to_owned(),
        state: CheckState::Warning,
        found: found.into(),
        mend: Some(mend.into()),
    }
}

fn missing(name: &str, found: impl Into<String>, mend: impl Into<String>) -> CheckView {
    CheckView {
        name: name.to_owned(),
        state: CheckState::Missing,
        found: found.into(),
        mend: Some(mend.into()),
    }
}
