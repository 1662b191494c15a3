//! Arguments, as errors say them again: whoever hands in a whole file by mistake does not want it back.
//!
//! Help is not cut. A path in it is part of a command that is to be typed, and whatever else it repeats is a name, whose
//! length was checked.

use std::env;

/// Characters of an argument that are shown again.
const ARGUMENT_CHARS_MAX: usize = 200;

/// The same words, with long arguments of this process cut in them.
pub(crate) fn cut(words: &str) -> String {
    cut_each(words, env::args_os().skip(1).filter_map(|it| it.into_string().ok()))
}

fn cut_each(words: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut said = words.to_owned();
    for argument in arguments {
        // `--reason=…` is told as a flag and what it was given.
        let value = match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => value,
            _ => argument.as_str(),
        };
        if let Some((end, _)) = value.char_indices().nth(ARGUMENT_CHARS_MAX) {
            said = said.replace(value, &format!("{}…", &value[..end]));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_argument_is_cut_wherever_it_is_said_and_a_short_one_is_not() {
        let (long, short) = ("é".repeat(100_000), "x".repeat(ARGUMENT_CHARS_MAX));
        let words = format!("`{long}` and {short} and `{long}`");
        let shown = format!("`{0}…` and {short} and `{0}…`", "é".repeat(ARGUMENT_CHARS_MAX));
        let given = [long.clone(), short.clone()];
        assert_eq!(cut_each(&words, given.into_iter()), shown);
        let given = [format!("--reason={long}"), short.clone()];
        assert_eq!(cut_each(&words, given.into_iter()), shown);
    }
}
