//! `gatewright decisions resolve`, `approve`, `reject`

use api::DecisionView;
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use domain::{
    decision::{Choice, DecisionState},
    pipeline::{Pipeline, PipelineState},
};
use ports::Store as _;

use crate::{
    called::gatewright,
    commands::{data::Opened, landing, pipeline::resolve_decision, steering},
    context::Context,
    error::CliError,
    exit::ExitStatus,
    holder::HoldingCommand,
    output, words,
};

/// Which question, and the answer.
#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The question
    id: String,
    /// One of the choices that it offers
    #[arg(long, value_name = "CHOICE", value_parser = choices())]
    choice: Choice,
    /// In your words; some choices mean nothing without
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

/// Approve what waits for approval; the approval is for the commit that was shown
///
/// One process at a time changes anything. Another short command is waited for; while a `run` holds the data directory this
/// waits 2 s, then says which process it is. End that one with Ctrl-C, which keeps everything, and ask again.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The question, or the pipeline or item that waits for one answer
    id: String,
    /// In your words
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
}

/// Reject what waits for approval; the reason goes to the agent word for word
///
/// One process at a time changes anything. Another short command is waited for; while a `run` holds the data directory this
/// waits 2 s, then says which process it is. End that one with Ctrl-C, which keeps everything, and ask again.
#[derive(Debug, Args)]
pub(crate) struct Reject {
    /// The question, or the pipeline or item that waits for one answer
    id: String,
    /// Why, for the agent
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// All of them; a question offers a few.
const CHOICES: [&str; 7] = ["approve", "reject", "answer", "retry", "waive", "continue", "cancel"];

fn choices() -> impl TypedValueParser<Value = Choice> {
    PossibleValuesParser::new(CHOICES).try_map(|name| name.parse::<Choice>())
}

impl Resolve {
    pub(super) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        answer(context, HoldingCommand::DecisionsResolve, &self.id, self.choice, &self.comment)
            .await
    }
}

impl Approve {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        answer(context, HoldingCommand::Approve, &self.id, Choice::Approve, &self.comment).await
    }
}

impl Reject {
    pub(crate) async fn run(&self, context: &Context) -> Result<ExitStatus, CliError> {
        answer(context, HoldingCommand::Reject, &self.id, Choice::Reject, &self.reason).await
    }
}

async fn answer(
    context: &Context,
    command: HoldingCommand,
    id: &str,
    choice: Choice,
    comment: &str,
) -> Result<ExitStatus, CliError> {
    let data = Opened::write(context, command).await?;
    let decision = resolve_decision(&*data.store, id).await?;
    match &decision.state {
        DecisionState::Open => {}
        DecisionState::Resolved { choice, by, .. } => {
            let by = words::one_line(by);
            return Err(CliError::new(format!(
                "{} has been answered: {choice}, by {by}",
                decision.id
            )));
        }
        DecisionState::Withdrawn { .. } => {
            return Err(CliError::new(format!("nobody needs to answer {} any more", decision.id)));
        }
    }
    let before = data.store.find_pipeline(decision.pipeline).await?;
    let was_landing = before.is_some_and(|it| landing::is_in_doubt(&it.state));
    let engine = steering::engine(context, &data).await?;
    let _moved = engine.resolve(&decision, choice, comment, &context.person).await?;
    let decision = data.store.find_decision(decision.id).await?.unwrap_or(decision);
    let pipeline = data.store.find_pipeline(decision.pipeline).await?;
    let is_cancelled = |it: &&Pipeline| matches!(it.state, PipelineState::Cancelled { .. });
    if let Some(pipeline) = pipeline.as_ref().filter(is_cancelled).filter(|_| was_landing) {
        landing::warn(pipeline);
    }
    if context.global.json {
        let item = pipeline.as_ref().map(|it| &it.item.key);
        output::json(&DecisionView::new(&decision, item));
        return Ok(ExitStatus::Success);
    }
    let Some(pipeline) = pipeline else { return Ok(ExitStatus::Success) };
    output::data(format_args!(
        "{}: {choice}, by {}",
        pipeline.item.key,
        words::one_line(&context.person)
    ));
    if !pipeline.state.is_terminal() {
        output::data(format_args!("  go on:   {} run --resume {}", gatewright(), pipeline.id));
    }
    Ok(ExitStatus::Success)
}

#[cfg(test)]
mod tests {
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn every_choice_can_be_named() {
        let named: Vec<Choice> = CHOICES.iter().map(|it| it.parse().expect(it)).collect();
        assert_eq!(named, Choice::VARIANTS);
    }
}
