//! Which letter does a person mean?

use domain::{id::LetterId, outbox::Letter};
use ports::{LetterFilter, Store};

use crate::{called::gatewright, commands::pipeline::begins_with, error::CliError, words};

/// The letter that `text` means: an id, or the beginning of exactly one.
pub(super) async fn find(store: &dyn Store, text: &str) -> Result<Letter, CliError> {
    let missing = || {
        let error = if text.trim().is_empty() {
            CliError::usage("no letter is named: it takes an id, or the beginning of one")
        } else {
            CliError::new(format!("there is no letter `{}`", words::one_line(text)))
        };
        error.help(format!("`{} outbox list --state all` shows what there is", gatewright()))
    };
    if let Ok(id) = text.parse::<LetterId>() {
        return store.find_letter(id).await?.ok_or_else(missing);
    }
    let mut all = store.list_letters(&LetterFilter::default()).await?;
    all.retain(|letter| begins_with(&letter.id.to_string(), LetterId::PREFIX, text));
    match all.len() {
        0 => Err(missing()),
        1 => all.pop().ok_or_else(missing),
        several => Err(CliError::usage(format!(
            "`{}` is the beginning of {several} letters",
            words::one_line(text)
        ))
        .help("give more of the id")),
    }
}
