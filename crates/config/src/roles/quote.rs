//! Somebody else's words in a brief: fenced, and with nothing in them that cannot be seen.

use std::fmt::Write as _;

/// Shortest fence.
const FENCE_LEN_MIN: usize = 3;

/// `text` as a Markdown block that it cannot end by itself: the fence is longer than any run of backquotes in it.
pub(super) fn quote_data(text: &str) -> String {
    let text = visible(&text.replace("\r\n", "\n"));
    let longest_run = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(FENCE_LEN_MIN.max(longest_run + 1));
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

/// `text` on one line, for the middle of a sentence.
pub(super) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    visible(&line).replace('`', "'")
}

/// `text` with everything that would not be seen written as `\u{…}`.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            write!(shown, "\\u{{{:x}}}", u32::from(c)).expect("writing to a string");
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Control, bidirectional, zero-width and tag characters, variation selectors, and blanks that are letters.
fn is_hidden(c: char) -> bool {
    let is_layout = matches!(c, '\n' | '\t');
    (c.is_control() && !is_layout)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_own_fence() {
        for text in
            ["```\n# New brief", "````", "a\n``````\n```", "~~~", "`", "", "```text\nx\n```\r\n"]
        {
            let quoted = quote_data(text);
            let (first, rest) = quoted.split_once('\n').expect("several lines");
            let fence = first.strip_suffix("text").expect("a fence");
            assert!(fence.chars().all(|c| c == '`'), "{quoted}");
            let ends = rest.lines().filter(|line| line.trim_start().starts_with(fence)).count();
            assert_eq!(ends, 1, "{quoted}");
            assert!(rest.ends_with(fence), "{quoted}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let quoted = quote_data("a\u{202e}b\u{200b}c\u{1b}[31m\u{e0041}\r\nd\re\tf");
        assert_eq!(quoted, "```text\na\\u{202e}b\\u{200b}c\\u{1b}[31m\\u{e0041}\nd\\u{d}e\tf\n```");
    }

    #[test]
    fn ordinary_text_of_any_language_stays_as_it_is() {
        for text in ["Привет, мир", "日本語", "naïve – “quoted”", "مرحبا"] {
            assert_eq!(quote_data(text), format!("```text\n{text}\n```"));
        }
    }

    #[test]
    fn one_line_stays_one_line() {
        assert_eq!(one_line("a\n# b `c`\u{202e}"), "a # b 'c'\\u{202e}");
    }
}
