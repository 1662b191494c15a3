//! How we are called, in the commands that people are advised to type: they find the same data again, from anywhere.

use std::sync::{PoisonError, RwLock};

use camino::Utf8Path;
use config::Loaded;

use crate::context::{Context, resolved};

/// Settled with the command line, on which it depends, and read wherever an error becomes words: those are made where
/// nobody knows the command line any more. Until then it is our name.
static CALLED: RwLock<Option<String>> = RwLock::new(None);

/// Settles it by the command line.
pub(crate) fn settle(context: &Context) {
    let data_dir = context.global.data_dir.as_ref().map(|dir| resolved(&context.absolute(dir)));
    settle_at(context, data_dir.as_deref());
}

/// The same once a configuration has named the data directory. What stands in a repository's own holds there alone.
pub(crate) fn settle_by(context: &Context, loaded: &Loaded) {
    if context.is_known_there_alone(loaded) {
        settle_at(context, Some(&context.data_dir(loaded)));
    }
}

/// The same for a command that has a data directory of its own.
pub(crate) fn settle_at(context: &Context, data_dir: Option<&Utf8Path>) {
    let config = context.global.config.as_ref().map(|file| resolved(&context.absolute(file)));
    let called = words(context.called(), config.as_deref(), data_dir);
    *CALLED.write().unwrap_or_else(PoisonError::into_inner) = Some(called);
}

/// `gatewright`, with the flags without which it would not find the same data again.
pub(crate) fn gatewright() -> String {
    let called = CALLED.read().unwrap_or_else(PoisonError::into_inner);
    called.clone().unwrap_or_else(|| "gatewright".to_owned())
}

fn words(called: &str, config: Option<&Utf8Path>, data_dir: Option<&Utf8Path>) -> String {
    let flags = [("--config", config), ("--data-dir", data_dir)];
    let flags = flags.into_iter().filter_map(|(flag, path)| Some((flag, path?)));
    flags.fold(quoted(called), |words, (flag, path)| {
        format!("{words} {flag} {}", quoted(path.as_str()))
    })
}

/// A word as a shell takes it for one.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ':' | '@' | ',');
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_advised_can_be_typed_whatever_the_directory_is_called() {
        let data_dir = Utf8Path::new("/srv/it's here");
        assert_eq!(
            words("gatewright", Some(Utf8Path::new("/etc/g.toml")), Some(data_dir)),
            r"gatewright --config /etc/g.toml --data-dir '/srv/it'\''s here'"
        );
        assert_eq!(words("/opt/a b/gatewright", None, None), "'/opt/a b/gatewright'");
    }
}
