//! Words from outside, made fit to be shown: nothing acts on a terminal, nothing is invisible, nothing is endless.

use std::{borrow::Cow, iter::Peekable, str::Chars};

/// `text` without terminal escape sequences, with its control, invisible and bidirectional characters written out.
/// Newlines and tabs stay; a lone carriage return starts a line, as its author saw it.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                let mut ahead = chars.clone();
                if skip_escape(&mut ahead) {
                    chars = ahead;
                } else {
                    shown.extend(c.escape_unicode());
                }
            }
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    shown.push('\n');
                }
            }
            '\n' | '\t' => shown.push(c),
            c if c.is_control() || is_invisible(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Moves past the rest of an escape sequence; `false` where it does not end on its line, so that it can hide nothing.
fn skip_escape(chars: &mut Peekable<Chars<'_>>) -> bool {
    match chars.next() {
        Some('[') => skip_until(
            chars,
            |c| matches!(c, '\u{40}'..='\u{7e}'),
            |c| matches!(c, '\u{20}'..='\u{3f}'),
        ),
        // Strings for the terminal: titles, links, device control.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                match c {
                    '\u{7}' => return true,
                    '\u{1b}' => return chars.next() == Some('\\'),
                    '\n' => return false,
                    _ => {}
                }
            }
            false
        }
        Some('\u{20}'..='\u{2f}') => skip_until(
            chars,
            |c| matches!(c, '\u{30}'..='\u{7e}'),
            |c| matches!(c, '\u{20}'..='\u{2f}'),
        ),
        Some('\u{30}'..='\u{7e}') => true,
        _ => false,
    }
}

fn skip_until(
    chars: &mut Peekable<Chars<'_>>,
    is_end: fn(char) -> bool,
    is_inside: fn(char) -> bool,
) -> bool {
    for c in chars {
        if is_end(c) {
            return true;
        }
        if !is_inside(c) {
            return false;
        }
    }
    false
}

/// Characters that change how others are read, or that nobody sees.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// The beginning of `text`, at most `max` bytes and a mark that says so.
pub(crate) fn head(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let kept = &text[..text.floor_char_boundary(max)];
    Cow::Owned(format!("{kept}\n[cut: {} more bytes]", text.len() - kept.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_titles_and_links_disappear_and_their_text_stays() {
        assert_eq!(
            visible(
                "\u{1b}[1;31mred\u{1b}[0m \u{1b}]0;title\u{7}\u{1b}]8;;http://x\u{1b}\\link\u{1b}(B\u{1b}=."
            ),
            "red link."
        );
    }

    #[test]
    fn an_escape_sequence_that_does_not_end_hides_nothing() {
        assert_eq!(visible("a\u{1b}]0;evil\nsecond"), "a\\u{1b}]0;evil\nsecond");
        assert_eq!(visible("a\u{1b}["), "a\\u{1b}[");
        assert_eq!(visible("\u{1b}[31\u{2028}m"), "\\u{1b}[31\\u{2028}m");
    }

    #[test]
    fn control_and_bidirectional_characters_are_written_out() {
        assert_eq!(
            visible("a\u{8}b\u{202e}c\u{200b}d\0\u{9b}é"),
            "a\\u{8}b\\u{202e}c\\u{200b}d\\u{0}\\u{9b}é"
        );
    }

    #[test]
    fn a_progress_bar_becomes_lines() {
        assert_eq!(visible("10%\r20%\r\ndone\r\n"), "10%\n20%\ndone\n");
    }

    #[test]
    fn a_cut_never_splits_a_character_and_says_how_much_is_gone() {
        assert_eq!(head("aé", 2), "a\n[cut: 2 more bytes]");
        assert_eq!(head("aé", 3), "aé");
    }
}
