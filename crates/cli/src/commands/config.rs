//! `gatewright config`

use api::SettingView;
use camino::Utf8PathBuf;
use clap::{Args, Subcommand};
use comfy_table::Cell;
use config::{ConfigError, DestinationSettings, Loaded, Setting};
use domain::name::DestinationName;
use serde_json::json;

use super::data::root;
use crate::{
    called::gatewright, context::Context, error::CliError, exit::ExitStatus, output, wiring, words,
};

/// Show and check the configuration, and print its JSON Schema
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print the JSON Schema of gatewright.toml, for editors
    Schema,
    /// Check a configuration file; says everything that is wrong, each with its line
    Check(Check),
    /// Show the values that hold here and where each comes from; secrets are masked
    Show,
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The file [default: the one that holds here]
    file: Option<Utf8PathBuf>,
}

impl Config {
    #[expect(clippy::unused_async, reason = "every command is run the same way")]
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        match self {
            Self::Schema => {
                output::json(&config::schema());
                Ok(ExitStatus::Success)
            }
            Self::Check(command) => check(context, command.file.as_ref()),
            Self::Show => show(context),
        }
    }
}

fn check(context: &Context, file: Option<&Utf8PathBuf>) -> Result<ExitStatus, CliError> {
    let loaded = match file {
        None => context.load_config(&root(context))?,
        Some(file) => match config::load(&context.absolute(file), &context.surroundings()) {
            Ok(loaded) => {
                if !context.global.quiet {
                    loaded.warnings.iter().for_each(output::warn);
                }
                loaded
            }
            Err(ConfigError::Invalid(problems)) if context.global.json => {
                output::json(
                    &json!({ "valid": false, "problems": words::problem_views(&problems) }),
                );
                return Ok(ExitStatus::Usage);
            }
            Err(ConfigError::Invalid(problems)) => {
                return Err(crate::context::problems_error(&problems));
            }
            Err(error) => return Err(CliError::usage(crate::error::chain(&error))),
        },
    };
    let obstacles: Vec<String> = obstacles(context, &loaded);
    if !context.global.quiet {
        obstacles.iter().for_each(output::warn);
    }
    if context.global.json {
        let warnings: Vec<String> =
            loaded.warnings.iter().map(ToString::to_string).chain(obstacles).collect();
        output::json(
            &json!({ "valid": true, "file": loaded.file, "problems": [], "warnings": warnings }),
        );
    } else if loaded.file.exists() {
        output::data(format_args!("{} is right", loaded.file));
    } else {
        output::data(format_args!(
            "there is no configuration file: defaults hold (`{} init` writes one)",
            gatewright()
        ));
    }
    Ok(ExitStatus::Success)
}

/// Destinations that cannot be used as things are. Their letters wait until that is mended.
fn obstacles(context: &Context, loaded: &Loaded) -> Vec<String> {
    let obstacle = |(name, settings): (&DestinationName, &DestinationSettings)| {
        let why = wiring::obstacle(context, loaded, settings)?;
        Some(format!("destination `{name}` cannot be used as things are: {why}"))
    };
    loaded.config.destinations.iter().filter_map(obstacle).collect()
}

fn show(context: &Context) -> Result<ExitStatus, CliError> {
    let loaded = context.load_config(&root(context))?;
    let view = |setting: &Setting| SettingView {
        key: setting.key.clone(),
        value: setting.value.clone(),
        origin: setting.origin.to_string(),
    };
    let views: Vec<SettingView> = loaded.settings().iter().map(view).collect();
    if context.global.json {
        output::json(&views);
        return Ok(ExitStatus::Success);
    }
    let mut table = words::table(&["key", "value", "from"]);
    for view in &views {
        table.add_row(vec![
            Cell::new(&view.key),
            Cell::new(words::one_line(&view.value)),
            Cell::new(&view.origin),
        ]);
    }
    output::data(table.trim_fmt());
    Ok(ExitStatus::Success)
}
