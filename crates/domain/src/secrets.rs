//! Keeps secrets out of what is remembered of others' words: programs print what they were given, and quote it when they
//! fail.

/// Values below this are settings and not secrets: `1`, a number of seconds. To hide them would mangle every word.
const SECRET_BYTES_MIN: usize = 4;
/// Longer values that are no secrets either, and words that anybody uses.
const PLAIN: [&str; 2] = ["true", "false"];

/// What must not be repeated, and what stands in its place. Has no `Debug`.
#[derive(Clone, Default)]
pub struct Secrets {
    secrets: Vec<Secret>,
}

#[derive(Clone)]
struct Secret {
    value: String,
    mark: String,
}

/// A part of a text that is hidden.
struct Hidden<'a> {
    start: usize,
    end: usize,
    mark: &'a str,
}

impl Secrets {
    /// Those values, each with the mark that takes its place.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let secrets = values.into_iter().filter_map(|(value, mark)| {
            // Whoever repeats one repeats it without the newline of the file that it came from.
            let value = value.trim();
            let is_secret = value.len() >= SECRET_BYTES_MIN && !PLAIN.contains(&value);
            is_secret.then(|| Secret { value: value.to_owned(), mark })
        });
        Self { secrets: secrets.collect() }
    }

    /// The text without them.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        without(text, self.found_in(text))
    }

    /// The same for a text that was cut off: its end may be the beginning of one.
    #[must_use]
    pub fn hide_in_beginning(&self, text: &str) -> String {
        // A character that was cut in two.
        let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let mut hidden = self.found_in(text);
        let begun = self.secrets.iter().filter_map(|it| begun_at_end(text, &it.value)).min();
        hidden.extend(begun.map(|start| Hidden { start, end: text.len(), mark: "" }));
        without(text, hidden)
    }

    /// Everywhere that one stands, also where they overlap.
    fn found_in(&self, text: &str) -> Vec<Hidden<'_>> {
        let all = self.secrets.iter().flat_map(|Secret { value, mark }| {
            let starts = (0..text.len())
                .filter(|&start| text.as_bytes()[start..].starts_with(value.as_bytes()));
            starts.map(move |start| Hidden { start, end: start + value.len(), mark })
        });
        all.collect()
    }
}

/// Where the text ends with the beginning of `secret`, the longest that there is.
fn begun_at_end(text: &str, secret: &str) -> Option<usize> {
    let lengths = secret.char_indices().rev().map(|(length, _)| length).filter(|&it| it > 0);
    let found = lengths.into_iter().find(|&length| text.ends_with(&secret[..length]));
    found.map(|length| text.len() - length)
}

/// The text without these parts. What overlaps is hidden as one, under the mark of the longest that begins it.
fn without(text: &str, mut hidden: Vec<Hidden<'_>>) -> String {
    hidden.sort_by_key(|it| (it.start, std::cmp::Reverse(it.end)));
    let (mut kept, mut end) = (String::new(), 0);
    for part in hidden {
        if part.start >= end {
            kept.push_str(&text[end..part.start]);
            kept.push_str(part.mark);
        }
        end = end.max(part.end);
    }
    kept.push_str(&text[end..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&'static str]) -> Secrets {
        Secrets::new(values.iter().map(|&value| (value, "***".to_owned())))
    }

    #[test]
    fn one_secret_may_be_a_part_of_another() {
        for values in [["sesame", "sesame-open"], ["sesame-open", "sesame"]] {
            let hidden = secrets(&values).hide("sesame-open is not sesame");
            assert_eq!(hidden, "*** is not ***");
        }
        assert_eq!(secrets(&["abcd", "cdef"]).hide("-abcdef-"), "-***-", "they overlap");
        assert_eq!(secrets(&["aaaa"]).hide("-aaaaa-"), "-***-", "it overlaps itself");
    }

    #[test]
    fn what_is_too_short_for_a_secret_mangles_nothing() {
        assert_eq!(secrets(&["", " ", "a", "abc", "true"]).hide("a true abc"), "a true abc");
        assert_eq!(secrets(&["öö"]).hide("löööl"), "l***l");
    }

    #[test]
    fn a_newline_behind_a_secret_does_not_keep_it_from_being_found() {
        assert_eq!(secrets(&["hunter2\n"]).hide("401 for hunter2: no"), "401 for ***: no");
    }

    #[test]
    fn a_text_that_was_cut_ends_with_no_part_of_a_secret() {
        let secrets = secrets(&["hunter2hunt", "open sésame"]);
        for (text, expected) in [
            ("401 for hunter2", "401 for "),
            ("401 for hunter2hun", "401 for "),
            ("401 for hunter2hunt", "401 for ***"),
            ("401 for hunter2hunter", "401 for ***"),
            ("401 for open s\u{fffd}", "401 for "),
            ("401 for open sés", "401 for "),
            ("all is well", "all is well"),
            ("", ""),
        ] {
            assert_eq!(secrets.hide_in_beginning(text), expected, "{text}");
        }
    }
}
