//! Keeps secrets out of what is remembered of others' words: programs print what they were given, and quote it when they
//! fail.

use std::{collections::BTreeSet, fmt::Write as _};

use crate::limits::LOG_CUT;

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
        let mut secrets = Vec::new();
        for (value, mark) in values {
            // Whoever repeats one repeats it without the newline of the file that it came from.
            let value = value.trim();
            if value.len() < SECRET_BYTES_MIN || PLAIN.contains(&value) {
                continue;
            }
            let spelled = spellings(value).into_iter();
            secrets.extend(spelled.map(|value| Secret { value, mark: mark.clone() }));
        }
        Self { secrets }
    }

    /// The text without them.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        text_without(text, self.found_in(text))
    }

    /// The same for a text that was cut off: its end may be the beginning of one.
    #[must_use]
    pub fn hide_in_beginning(&self, text: &str) -> String {
        // A character that was cut in two.
        let text = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        let mut hidden = self.found_in(text);
        let begun = self.secrets.iter().filter_map(|it| begun_at_end(text, &it.value)).min();
        hidden.extend(begun.map(|start| Hidden { start, end: text.len(), mark: "" }));
        text_without(text, hidden)
    }

    /// From where on nothing can be shown yet, because more may come: the beginning of one, or such a beginning and what
    /// may become the words that stand where a log was cut. The end itself where nothing has to wait.
    fn unsettled_from(&self, text: &[u8]) -> usize {
        let cut = (0..LOG_CUT.len()).filter(|&it| text.ends_with(&LOG_CUT.as_bytes()[..it]));
        let before_cut = cut.filter_map(|it| self.begun_before_cut(&text[..text.len() - it]));
        before_cut.chain(self.begun_at_end(text, 1)).min().unwrap_or(text.len())
    }

    /// Where what may be the beginning of one stands at the end, of at least that many bytes.
    fn begun_at_end(&self, text: &[u8], bytes_min: usize) -> Option<usize> {
        let begun = self.secrets.iter().filter_map(|Secret { value, .. }| {
            let all_but_one = value.len() - 1;
            let lengths = bytes_min.min(all_but_one)..=all_but_one.min(text.len());
            let length = lengths.rev().find(|&it| text.ends_with(&value.as_bytes()[..it]))?;
            Some(text.len() - length)
        });
        begun.min()
    }

    /// The same at the end of what was kept of a log that was cut. Its last line is ended where it was not.
    fn begun_before_cut(&self, text: &[u8]) -> Option<usize> {
        let ends = [Some(text), text.strip_suffix(b"\n")].into_iter().flatten();
        ends.filter_map(|it| self.begun_at_end(it, SECRET_BYTES_MIN)).min()
    }

    /// Everywhere that one stands, also where they overlap; and where a log was cut in the middle of one.
    fn found_in(&self, text: impl AsRef<[u8]>) -> Vec<Hidden<'_>> {
        let text = text.as_ref();
        let all = self.secrets.iter().flat_map(|Secret { value, mark }| {
            let starts = starts_of(text, value);
            starts.map(move |start| Hidden { start, end: start + value.len(), mark })
        });
        let cut = starts_of(text, LOG_CUT).filter_map(|cut| {
            let kept = &text[..cut];
            let end = kept.strip_suffix(b"\n").unwrap_or(kept).len();
            self.begun_before_cut(kept).map(|start| Hidden { start, end, mark: "" })
        });
        all.chain(cut).collect()
    }
}

fn starts_of<'a>(text: &'a [u8], part: &'a str) -> impl Iterator<Item = usize> + 'a {
    (0..text.len()).filter(move |&start| text[start..].starts_with(part.as_bytes()))
}

/// A text that comes in pieces, without secrets. What may be the beginning of one is held back until more has come.
#[derive(Clone, Default)]
pub struct HiddenStream {
    secrets: Secrets,
    held: Vec<u8>,
}

impl HiddenStream {
    /// A stream without those.
    #[must_use]
    pub const fn new(secrets: Secrets) -> Self {
        Self { secrets, held: Vec::new() }
    }

    /// Takes the next piece, and gives what can be shown by now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let hidden = self.secrets.found_in(&self.held);
        let mut cut = self.secrets.unsettled_from(&self.held);
        // One that reaches into what is held back is hidden together with it.
        while let Some(part) = hidden.iter().find(|it| it.start < cut && it.end > cut) {
            cut = part.start;
        }
        let hidden = hidden.into_iter().filter(|it| it.end <= cut).collect();
        let shown = without(&self.held[..cut], hidden);
        self.held.drain(..cut);
        shown
    }

    /// Gives what is left: nothing more is read. What it ends with may be the beginning of one: whoever prints may still be
    /// at it, or was stopped in the middle.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let (mut hidden, end) = (self.secrets.found_in(&self.held), self.held.len());
        let begun = self.secrets.begun_at_end(&self.held, SECRET_BYTES_MIN);
        hidden.extend(begun.map(|start| Hidden { start, end, mark: "" }));
        without(&self.held, hidden)
    }
}

/// A value as it is, as it stands in JSON, and as it stands in JSON that is told as a string of JSON.
fn spellings(value: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([value.to_owned()]);
    for once in Json::ALL.map(|it| it.escape(value)) {
        // Another program may have put it into the second.
        all.extend(Json::ALL.map(|it| it.escape(&once)));
        all.insert(once);
    }
    all
}

/// What a writer of JSON escapes that need not be.
struct Json {
    /// `/`, as PHP does.
    slash: bool,
    /// What means something in HTML, as Go does.
    html: bool,
    /// Whatever is not ASCII, as Python does.
    ascii: bool,
}

impl Json {
    const ALL: [Self; 8] = [
        Self { slash: false, html: false, ascii: false },
        Self { slash: false, html: false, ascii: true },
        Self { slash: false, html: true, ascii: false },
        Self { slash: false, html: true, ascii: true },
        Self { slash: true, html: false, ascii: false },
        Self { slash: true, html: false, ascii: true },
        Self { slash: true, html: true, ascii: false },
        Self { slash: true, html: true, ascii: true },
    ];

    fn escape(&self, value: &str) -> String {
        let mut text = String::with_capacity(value.len());
        for c in value.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '\u{8}' => text.push_str("\\b"),
                '\u{c}' => text.push_str("\\f"),
                '/' if self.slash => text.push_str("\\/"),
                c if self.is_numbered(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // A string takes everything.
                        let _written = write!(text, "\\u{unit:04x}");
                    }
                }
                c => text.push(c),
            }
        }
        text
    }

    const fn is_numbered(&self, c: char) -> bool {
        match c {
            '\0'..='\u{1f}' => true,
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if self.html => true,
            '\u{7f}'.. => self.ascii,
            _ => false,
        }
    }
}

/// Where the text ends with the beginning of `secret`, the longest that there is.
fn begun_at_end(text: &str, secret: &str) -> Option<usize> {
    let lengths = secret.char_indices().rev().map(|(length, _)| length).filter(|&it| it > 0);
    let found = lengths.into_iter().find(|&length| text.ends_with(&secret[..length]));
    found.map(|length| text.len() - length)
}

/// The text without these parts. What overlaps is hidden as one, under the mark of the longest that begins it.
fn without(text: &[u8], mut hidden: Vec<Hidden<'_>>) -> Vec<u8> {
    hidden.sort_by_key(|it| (it.start, std::cmp::Reverse(it.end)));
    let (mut kept, mut end) = (Vec::with_capacity(text.len()), 0);
    for part in hidden {
        if part.start >= end {
            kept.extend_from_slice(&text[end..part.start]);
            kept.extend_from_slice(part.mark.as_bytes());
        }
        end = end.max(part.end);
    }
    kept.extend_from_slice(&text[end..]);
    kept
}

/// The same for text, of which whole characters are hidden.
fn text_without(text: &str, hidden: Vec<Hidden<'_>>) -> String {
    String::from_utf8_lossy(&without(text.as_bytes(), hidden)).into_owned()
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

    /// A log is read in pieces, and each byte can be the last of one.
    #[test]
    fn a_secret_that_comes_in_pieces_is_hidden_wherever_it_is_split() {
        let secrets = secrets(&["hunter2", "2much-ado", "sésame", "a\"b\nc"]);
        let text =
            "say hunter2much-ado, hunter, sésame and {\"key\":\"a\\\"b\\nc\"} or a\"b\nc, hunter2";
        let expected = "say ***, hunter, *** and {\"key\":\"***\"} or ***, ***";
        assert_eq!(secrets.hide(text), expected);
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut stream = HiddenStream::new(secrets.clone());
                let mut shown = stream.push(&bytes[..first]);
                shown.extend(stream.push(&bytes[first..second]));
                shown.extend(stream.push(&bytes[second..]));
                shown.extend(stream.finish());
                assert_eq!(String::from_utf8_lossy(&shown), expected, "{first} {second}");
            }
        }
        let mut by_byte = HiddenStream::new(secrets);
        let mut shown: Vec<u8> = bytes.iter().flat_map(|byte| by_byte.push(&[*byte])).collect();
        shown.extend(by_byte.finish());
        assert_eq!(String::from_utf8_lossy(&shown), expected);
    }

    /// `logs` reads while the agent prints, and shows what was kept of an agent that was stopped in the middle.
    #[test]
    fn a_stream_that_ends_in_the_middle_of_a_secret_shows_nothing_of_it() {
        for (text, expected) in [
            ("key hunter2-hunte", "key "),
            ("key hunter2-hunter", "key ***"),
            ("key hun", "key hun"),
            ("key h", "key h"),
        ] {
            let mut stream = HiddenStream::new(secrets(&["hunter2-hunter"]));
            let mut shown = stream.push(text.as_bytes());
            shown.extend(stream.finish());
            assert_eq!(String::from_utf8_lossy(&shown), expected, "{text}");
        }
    }

    #[test]
    fn a_log_that_was_cut_in_the_middle_of_a_secret_shows_nothing_of_it() {
        let secrets = secrets(&["hunter2-hunter", "begin\nmiddle\nend"]);
        for (kept, expected) in [
            ("key hunter2-hunte\n", "key \n"),
            ("key begin\nmiddle\n", "key \n"),
            ("key begin\nmid\n", "key \n"),
            ("all is well\n", "all is well\n"),
        ] {
            let words = format!("{LOG_CUT}9 bytes reached]\n");
            let (text, expected) = (format!("{kept}{words}"), format!("{expected}{words}"));
            for split in 0..=text.len() {
                let mut stream = HiddenStream::new(secrets.clone());
                let mut shown = stream.push(&text.as_bytes()[..split]);
                shown.extend(stream.push(&text.as_bytes()[split..]));
                shown.extend(stream.finish());
                assert_eq!(String::from_utf8_lossy(&shown), expected, "{split}");
            }
        }
    }

    #[test]
    fn a_secret_is_found_however_json_is_written() {
        let secrets = secrets(&["a/b&sésame"]);
        for spelled in [
            r"a/b&sésame",
            r"a\/b&sésame",
            r"a/b\u0026sésame",
            r"a/b&s\u00e9same",
            r"a\/b\u0026s\u00e9same",
            r"a\\/b&sésame",
            r"a/b\\u0026s\\u00e9same",
        ] {
            let text = format!("{{\"key\":\"{spelled}\"}}");
            assert_eq!(secrets.hide(&text), "{\"key\":\"***\"}", "{spelled}");
        }
    }

    /// A person who follows a log sees a line as soon as it is there.
    #[test]
    fn what_cannot_be_a_secret_is_held_back_by_nobody() {
        let mut stream = HiddenStream::new(secrets(&["hunter2"]));
        assert_eq!(stream.push(b"a line\n"), b"a line\n");
        assert_eq!(stream.push(b"hunt"), b"");
        assert_eq!(stream.push(b"ing\n"), b"hunting\n");
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
