//! A Rust file taken apart: what the compiler reads, and what people read.
//!
//! Checks look for words. Without this, a word in a string or a comment would count as code, and this crate,
//! which has to spell the words that it forbids, would complain of itself.

use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// The text of a Rust file in layers of equal length: an offset means the same place in each.
#[derive(Debug)]
pub struct RustSource {
    /// The code; comments and literals are blanks.
    pub code: String,
    /// The comments; everything else is blanks.
    pub comments: String,
}

impl RustSource {
    /// Takes a file apart.
    pub fn parse(text: &str) -> Self {
        let kinds = classify(text.as_bytes());
        Self { code: layer(text, &kinds, Kind::Code), comments: layer(text, &kinds, Kind::Comment) }
    }

    /// The line of an offset, from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    /// The bodies of `mod tests { … }`.
    pub fn test_modules(&self) -> Vec<Range<usize>> {
        let starts = self.code.match_indices("mod tests {").map(|(at, found)| at + found.len() - 1);
        starts.map(|open| open..closing(&self.code, open)).collect()
    }

    /// Where `word` stands in the code, not as a part of a longer name.
    pub fn find_word<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        words(&self.code, word)
    }
}

/// Where `word` stands in `text`, not as a part of a longer name.
pub fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let matches = text.match_indices(word).map(|(at, _)| at);
    matches.filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

/// The offset of the bracket that closes the one at `open`; the end of the text where it is missing.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return open + at;
        }
    }
    code.len()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn layer(text: &str, kinds: &[Kind], wanted: Kind) -> String {
    let bytes = text.bytes().zip(kinds);
    let kept = bytes.map(|(byte, kind)| if byte == b'\n' || *kind == wanted { byte } else { b' ' });
    String::from_utf8(kept.collect()).expect("a character is kept or blanked as a whole")
}

fn classify(text: &[u8]) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(text.len());
    while kinds.len() < text.len() {
        let at = kinds.len();
        let (kind, length) = token(&text[at..], at.checked_sub(1).map(|before| text[before]));
        kinds.resize((at + length).min(text.len()), kind);
    }
    kinds
}

/// The kind and the length of what starts here.
fn token(rest: &[u8], before: Option<u8>) -> (Kind, usize) {
    if rest.starts_with(b"//") {
        return (Kind::Comment, rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if rest[0] == b'"' {
        return (Kind::Literal, string(rest));
    }
    let inside_name = before.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !inside_name && let Some(length) = raw_string(rest) {
        return (Kind::Literal, length);
    }
    if rest[0] == b'\''
        && let Some(length) = character(rest)
    {
        return (Kind::Literal, length);
    }
    (Kind::Code, 1)
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = rest.iter().take_while(|b| matches!(b, b'b' | b'c')).count();
    let hashes_start = prefix + 1;
    if prefix > 1 || rest.get(prefix) != Some(&b'r') {
        return None;
    }
    let hashes = rest[hashes_start..].iter().take_while(|b| **b == b'#').count();
    let open = hashes_start + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let end = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let length = rest[open + 1..].windows(end.len()).position(|window| window == end);
    Some(length.map_or(rest.len(), |length| open + 1 + length + end.len()))
}

/// The length of a character literal; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    let first = *rest.get(1)?;
    if first == b'\\' {
        // The character after the backslash may itself be a quote.
        let end = rest.iter().skip(3).position(|b| *b == b'\'')?;
        return Some(end + 4);
    }
    let width = match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        RustSource::parse(text).code
    }

    #[test]
    fn comments_and_literals_are_blank_in_the_code() {
        assert_eq!(code("a // b\nc"), "a     \nc");
        assert_eq!(code("a /* b /* c */ d */ e"), "a                   e");
        assert_eq!(code(r#"f("a\"b", c)"#), "f(      , c)");
        assert_eq!(code(r##"f(r#"a"b"#, br"c", d)"##), "f(        ,      , d)");
        assert_eq!(
            code("f('x', '\\'', '\u{e9}', '\\u{e9}', d)"),
            "f(   ,     ,     ,         , d)"
        );
    }

    #[test]
    fn lifetimes_and_raw_names_stay_code() {
        for text in ["fn f<'a>(a: &'a str)", "let r#type = 1;", "'outer: loop {}"] {
            assert_eq!(code(text), text);
        }
    }

    #[test]
    fn comments_are_what_is_left() {
        let source = RustSource::parse("a(\"// no\"); // yes\n/* also */ b");
        assert_eq!(source.comments.trim_start(), "// yes\n/* also */  ");
    }

    #[test]
    fn a_word_is_not_found_inside_a_longer_one() {
        let source = RustSource::parse("ignored ignore ignore_it");
        assert_eq!(source.find_word("ignore").collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn a_test_module_ends_at_its_own_bracket() {
        let source = RustSource::parse("fn a() {}\nmod tests { fn b() { \"}\" } }\nfn c() {}");
        let [body] = source.test_modules().try_into().expect("one module");
        assert_eq!(source.code[body].trim_end(), "{ fn b() {     }");
        assert_eq!(source.line_of(source.code.find("fn c").expect("there")), 3);
    }
}
