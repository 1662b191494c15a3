//! Which pipeline, which question does a person mean?

#[cfg(test)]
mod tests;

use domain::{
    decision::{Decision, DecisionState},
    id::{DecisionId, PipelineId},
    item::ItemKey,
    pipeline::Pipeline,
};
use ports::{PipelineFilter, Store, StoreError};

use crate::{called::gatewright, error::CliError, words};

/// How many candidates an error names.
const CANDIDATES_MAX: usize = 5;

/// The pipeline that `text` means: an id, the beginning of exactly one, or an item's key.
pub(crate) async fn resolve(store: &dyn Store, text: &str) -> Result<Pipeline, CliError> {
    if let Some(id) = find_id(store, text).await? {
        return store.find_pipeline(id).await?.ok_or_else(|| no_pipeline(text));
    }
    let all = store.list_pipelines(&PipelineFilter::default()).await?;
    choose(text, &all).cloned()
}

/// The id of the pipeline that `text` means, also if the pipeline cannot be read: then it has to be the whole id, or the
/// item's key.
pub(crate) async fn resolve_id(store: &dyn Store, text: &str) -> Result<PipelineId, CliError> {
    match find_id(store, text).await? {
        Some(id) => match store.find_pipeline(id).await {
            Ok(None) => Err(no_pipeline(text)),
            Ok(Some(_)) | Err(StoreError::Inconsistent { .. }) => Ok(id),
            Err(error) => Err(error.into()),
        },
        None => Ok(resolve(store, text).await?.id),
    }
}

/// The id that `text` is, or that of the pipeline whose item it names: nothing of the pipeline itself is read for it.
pub(super) async fn find_id(
    store: &dyn Store,
    text: &str,
) -> Result<Option<PipelineId>, StoreError> {
    if let Ok(id) = text.parse::<PipelineId>() {
        return Ok(Some(id));
    }
    match text.parse::<ItemKey>() {
        Ok(item) => store.find_pipeline_of(&item).await,
        Err(_) => Ok(None),
    }
}

fn no_pipeline(text: &str) -> CliError {
    let error = if text.trim().is_empty() {
        CliError::usage(
            "no pipeline is named: it takes an id, the beginning of one, or an item's key",
        )
    } else {
        CliError::new(format!("there is no pipeline `{}`", words::one_line(text)))
    };
    error.help(format!("`{} pipeline list` shows what there is", gatewright()))
}

fn choose<'a>(text: &str, all: &'a [Pipeline]) -> Result<&'a Pipeline, CliError> {
    if let Some(found) = all.iter().find(|it| it.item.key.to_string().eq_ignore_ascii_case(text)) {
        return Ok(found);
    }
    let begins = |it: &&Pipeline| begins_with(&it.id.to_string(), PipelineId::PREFIX, text);
    let found: Vec<&Pipeline> = all.iter().filter(begins).collect();
    match found.as_slice() {
        [] => Err(no_pipeline(text)),
        [one] => Ok(one),
        several => {
            let names = several.iter().map(|it| format!("{} ({})", it.item.key, it.id));
            Err(ambiguous(text, "pipelines", names))
        }
    }
}

/// Whether `text` is the beginning of an id, with or without its prefix, and not just of the prefix.
pub(crate) fn begins_with(id: &str, prefix: &str, text: &str) -> bool {
    let digits = id.strip_prefix(prefix).and_then(|it| it.strip_prefix('_')).unwrap_or(id);
    let text = text.strip_prefix(prefix).and_then(|it| it.strip_prefix('_')).unwrap_or(text);
    !text.is_empty() && digits.starts_with(text)
}

fn ambiguous(text: &str, what: &str, names: impl ExactSizeIterator<Item = String>) -> CliError {
    let count = names.len();
    let mut shown: Vec<String> = names.take(CANDIDATES_MAX).collect();
    if count > shown.len() {
        shown.push("…".to_owned());
    }
    CliError::usage(format!("`{}` is the beginning of {count} {what}", words::one_line(text)))
        .help(format!("name one of them: {}", shown.join(", ")))
}

/// The question that `text` means: its id, the beginning of exactly one, or a pipeline that waits for exactly one.
pub(crate) async fn resolve_decision(store: &dyn Store, text: &str) -> Result<Decision, CliError> {
    let help = || format!("`{} decisions` lists the open ones", gatewright());
    let none =
        || CliError::new(format!("there is no question `{}`", words::one_line(text))).help(help());
    if text.trim().is_empty() {
        return Err(CliError::usage(
            "no question is named: it takes its id, or the pipeline or item that waits for one answer",
        )
        .help(help()));
    }
    if let Ok(id) = text.parse::<DecisionId>() {
        return store.find_decision(id).await?.ok_or_else(none);
    }
    if text.starts_with(DecisionId::PREFIX) {
        let all = store.list_decisions(None, false).await?;
        let begins = |it: &&Decision| begins_with(&it.id.to_string(), DecisionId::PREFIX, text);
        let found: Vec<&Decision> = all.iter().filter(begins).collect();
        return match found.as_slice() {
            [] => Err(none()),
            [one] => Ok((*one).clone()),
            several => {
                Err(ambiguous(text, "questions", several.iter().map(|it| it.id.to_string())))
            }
        };
    }
    let pipeline = resolve(store, text).await?;
    let open = store.list_decisions(Some(pipeline.id), true).await?;
    only_one(&pipeline, open)
}

fn only_one(pipeline: &Pipeline, open: Vec<Decision>) -> Result<Decision, CliError> {
    let mut open: Vec<Decision> =
        open.into_iter().filter(|it| it.state == DecisionState::Open).collect();
    let key = &pipeline.item.key;
    match (open.pop(), open.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) => Err(CliError::new(format!("{key} waits for no answer"))
            .help(format!("`{} pipeline show {key}` says where it is", gatewright()))),
        (Some(last), more) => Err(CliError::usage(format!("{key} waits for {} answers", more + 1))
            .help(format!("name the question, for example {}", last.id))),
    }
}
