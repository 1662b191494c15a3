//! Other people's words, fit to be printed.

/// Characters of one line that are shown; the rest is in the JSON.
const LINE_CHARS_MAX: usize = 500;

/// Whether a character would not be seen, or would change how others are seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Somebody else's words with their control, invisible and bidirectional characters written out: an agent, a
/// repository or a tracker must not write over what we say. Lines and tabs stay.
pub(crate) fn safe(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\t' => shown.push(c),
            c if is_hidden(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// The same on one line, cut where nobody reads on.
pub(crate) fn one_line(text: &str) -> String {
    let line = safe(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_direction_overrides_are_shown_not_obeyed() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202e}c\u{200b}d"), r"a\u{1b}[2Jb\u{202e}c\u{200b}d");
    }

    #[test]
    fn a_lone_carriage_return_cannot_hide_what_stood_before_it() {
        assert_eq!(safe("rm -rf /\rls"), r"rm -rf /\u{d}ls");
        assert_eq!(safe("one\r\ntwo\tthree"), "one\ntwo\tthree");
    }

    #[test]
    fn one_line_is_one_line_and_ends_at_a_character() {
        assert_eq!(one_line(" a\n\n b\u{7} "), r"a b\u{7}");
        assert_eq!(one_line(&"é".repeat(1000)).chars().count(), LINE_CHARS_MAX + 1);
    }
}
