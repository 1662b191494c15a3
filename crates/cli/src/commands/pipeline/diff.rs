//! `gatewright pipeline diff`

use std::io::{self, IsTerminal as _};

use clap::Args;
use owo_colors::Stream;
use ports::{Git as _, ProjectRef, Store as _};
use serde_json::json;

use super::resolve;
use crate::{
    commands::data::Opened,
    context::Context,
    error::CliError,
    exit::ExitStatus,
    output, wiring,
    words::{Tone, paint, safe},
};

/// Bytes of a diff that are shown.
const DIFF_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Whose changes to show.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The pipeline
    id: String,
}

impl Diff {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        let data = Opened::read(context)?;
        let pipeline = resolve(&*data.store, &self.id).await?;
        let (Some(base), Some(head)) = (&pipeline.base, &pipeline.head) else {
            return Err(CliError::new(format!("{} has changed nothing yet", pipeline.item.key)));
        };
        let record = data.store.find_project(&pipeline.project).await?;
        let repository = record.map(|it| it.repository).unwrap_or_default();
        let project = ProjectRef { key: pipeline.project.clone(), repository };
        let git = wiring::git(context, &data.data_dir).await?;
        let diff = git.diff(&project, base, head, DIFF_BYTES_MAX).await?;
        if context.global.json {
            output::json(&json!({ "base": base, "head": head, "diff": diff }));
        } else if io::stdout().is_terminal() {
            for line in diff.lines() {
                output::data(paint(Stream::Stdout, tone(line), &safe(line)));
            }
        } else {
            // Whoever applies it needs it as it is.
            output::data(diff.trim_end_matches('\n'));
        }
        if diff.len() >= DIFF_BYTES_MAX {
            output::warn(format_args!("the diff was cut after {DIFF_BYTES_MAX} bytes"));
        }
        Ok(ExitStatus::Success)
    }
}

fn tone(line: &str) -> Tone {
    match line.as_bytes().first() {
        Some(b'+') => Tone::Good,
        Some(b'-') => Tone::Bad,
        Some(b'@') => Tone::Attention,
        _ => Tone::Plain,
    }
}
