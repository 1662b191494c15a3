//! Words of an agent, made fit for people: bounded, and nothing in them that cannot be seen.
//!
//! They are shown in terminals and pages. An escape sequence or a bidirectional override in them would let an
//! agent write over what we say ourselves.

/// Bytes of one text event.
const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Characters of a tool call's arguments.
const INPUT_CHARS_MAX: usize = 200;
/// Characters of an agent's last words, and of an error's.
const SUMMARY_CHARS_MAX: usize = 500;
/// Characters of a conversation's name.
const SESSION_CHARS_MAX: usize = 128;

/// Whether a character would not be seen, or would change how others are seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

/// Several lines, at most 4 KiB.
pub(crate) fn text(words: &str) -> String {
    let mut shown = String::new();
    for c in words.chars() {
        if shown.len() >= TEXT_BYTES_MAX {
            shown.push('…');
            break;
        }
        if is_hidden(c) && c != '\n' && c != '\t' {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn one_line(words: &str, chars_max: usize) -> String {
    let mut shown = String::new();
    let mut chars = 0;
    let mut gap = false;
    for c in words.chars() {
        if c.is_whitespace() {
            gap = chars > 0;
            continue;
        }
        if chars >= chars_max {
            shown.push('…');
            break;
        }
        if gap {
            shown.push(' ');
            chars += 1;
            gap = false;
        }
        chars += 1;
        if is_hidden(c) { shown.extend(c.escape_debug()) } else { shown.push(c) }
    }
    shown
}

/// A tool call's arguments on one line of at most 200 characters.
pub(crate) fn input(words: &str) -> String {
    one_line(words, INPUT_CHARS_MAX)
}

/// Last words or an error on one line of at most 500 characters.
pub(crate) fn summary(words: &str) -> String {
    one_line(words, SUMMARY_CHARS_MAX)
}

/// The last line that says something.
pub(crate) fn last_line(words: &str) -> Option<&str> {
    words.lines().map(str::trim).rfind(|line| !line.is_empty())
}

/// A conversation's name, if it is one. It comes out of an agent's stream and goes onto a command line later:
/// nothing that could be read as an option or a path.
pub(crate) fn session(name: &str) -> Option<String> {
    let fits = name.len() <= SESSION_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    fits.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_direction_overrides_are_shown_not_obeyed() {
        assert_eq!(text("a\u{1b}[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c\nd");
        assert_eq!(input("rm\t-rf\n\u{7}x"), "rm -rf \\u{7}x");
    }

    #[test]
    fn long_words_are_cut_where_a_character_ends() {
        assert!(text(&"é".repeat(10_000)).len() <= TEXT_BYTES_MAX + '…'.len_utf8() + 1);
        assert_eq!(input(&"é".repeat(500)).chars().count(), INPUT_CHARS_MAX + 1);
        assert_eq!(input("short"), "short");
    }

    #[test]
    fn a_session_that_could_be_an_option_or_a_path_is_none() {
        assert!(session("01a1faae-f612-7a50-b62b-f919def0c16f").is_some());
        for bad in ["", "--model", "../x", "a b", "a\n", &"a".repeat(129)] {
            assert_eq!(session(bad), None, "{bad:?}");
        }
    }
}
