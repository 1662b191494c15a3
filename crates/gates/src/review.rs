//! Findings in the prose of a review: list items, headings and table rows that begin with `P0` to `P3`.

use domain::verdict::{Finding, Severity};

use crate::place::Place;

/// A line that begins a finding, and how far the finding goes.
#[derive(Clone, Copy)]
enum Extent {
    /// To the next heading of the same or a higher level.
    Heading { level: usize },
    /// To the next item at the same or a lesser depth, or to a paragraph at that depth.
    Item { indent: usize },
    /// To the next blank line.
    Paragraph,
    /// One line.
    Row,
}

struct Block<'a> {
    severity: Severity,
    extent: Extent,
    lines: Vec<&'a str>,
}

/// The marked findings of `body`, word for word, in order. `P0` and `P1` block.
pub(crate) fn marked(body: &str) -> Vec<Finding> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    let mut in_code = false;
    for line in body.lines() {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        let begins = if in_code || is_fence { None } else { begin(line) };
        in_code ^= is_fence;
        if let Some((severity, extent)) = begins {
            blocks.push(Block { severity, extent, lines: vec![line] });
            open = true;
        } else if let Some(block) = blocks.last_mut().filter(|_| open) {
            open = in_code || is_fence || block.goes_on(line);
            if open {
                block.lines.push(line);
            }
        }
    }
    let titles: Vec<bool> =
        (0..blocks.len()).map(|at| is_title(&blocks[at], blocks.get(at + 1))).collect();
    let blocks =
        blocks.into_iter().zip(titles).filter(|(block, is_title)| !is_title && !block.says_none());
    blocks.map(|(block, _)| block.into_finding()).collect()
}

impl Block<'_> {
    fn goes_on(&self, line: &str) -> bool {
        match self.extent {
            Extent::Heading { level } => heading_level(line).is_none_or(|it| it > level),
            Extent::Item { indent } => {
                let after_blank = self.lines.last().is_some_and(|it| it.trim().is_empty());
                let outside = indent_of(line) <= indent && !line.trim().is_empty();
                heading_level(line).is_none()
                    && !(outside && (after_blank || item_text(line.trim_start()).is_some()))
            }
            Extent::Paragraph => !line.trim().is_empty(),
            Extent::Row => false,
        }
    }

    /// Whether it only says that there is no such finding.
    fn says_none(&self) -> bool {
        let words = self.lines.join(" ").to_ascii_lowercase();
        let words: Vec<&str> =
            words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|it| !it.is_empty()).collect();
        matches!(
            words[..],
            [_, "none" | "nothing"] | [_, "n", "a"] | [_, "findings" | "issues", "none"]
        )
    }

    fn into_finding(self) -> Finding {
        let message = self.lines.join("\n").trim().to_owned();
        let place = Place::find(self.lines[0]);
        let (path, line) =
            place.map_or((None, None), |Place { path, line }| (Some(path), Some(line)));
        Finding { severity: self.severity, path, line, message, rule: None }
    }
}

/// Whether a block is the title of a list of findings that carry their own marks: `### P1` above `- [P1] …`.
fn is_title(block: &Block<'_>, next: Option<&Block<'_>>) -> bool {
    let is_bare = block.lines[1..].iter().all(|line| line.trim().is_empty());
    let heads = |next: &Block<'_>| !matches!(next.extent, Extent::Heading { .. });
    matches!(block.extent, Extent::Heading { .. })
        && is_bare
        && Place::find(block.lines[0]).is_none()
        && next.is_some_and(heads)
}

fn begin(line: &str) -> Option<(Severity, Extent)> {
    let text = line.trim_start();
    let (words, extent) = if let Some(level) = heading_level(line) {
        (&text[level..], Extent::Heading { level })
    } else if let Some(item) = item_text(text) {
        (item, Extent::Item { indent: indent_of(line) })
    } else if text.starts_with('|') {
        (text, Extent::Row)
    } else if text.starts_with("**") || text.starts_with('[') {
        (text, Extent::Paragraph)
    } else {
        return None;
    };
    Some((mark(words)?, extent))
}

/// The weight that `words` begin with, whatever brackets, stars or coloured circles stand before it.
fn mark(words: &str) -> Option<Severity> {
    let words = words.trim_start_matches(|c: char| !c.is_alphanumeric());
    let mut chars = words.chars();
    let severity = match (chars.next()?, chars.next()?) {
        ('P' | 'p', '0' | '1') => Severity::Blocking,
        ('P' | 'p', '2' | '3') => Severity::Advisory,
        _ => return None,
    };
    chars.next().is_none_or(|c| !c.is_alphanumeric() && c != '_').then_some(severity)
}

fn heading_level(line: &str) -> Option<usize> {
    let level = line.bytes().take_while(|&byte| byte == b'#').count();
    ((1..=6).contains(&level) && line[level..].starts_with([' ', '\t'])).then_some(level)
}

/// The text of a list item, `- x`, `* x`, `+ x`, `1. x`, `1) x`, with its check box if it has one.
fn item_text(line: &str) -> Option<&str> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let marker_len = match line.as_bytes().get(digits)? {
        b'-' | b'*' | b'+' if digits == 0 => 1,
        b'.' | b')' if (1..=9).contains(&digits) => digits + 1,
        _ => return None,
    };
    let text = line[marker_len..].strip_prefix([' ', '\t'])?.trim_start();
    Some(["[ ]", "[x]", "[X]"].iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text))
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> String {
        let shown = |it: Finding| {
            format!(
                "{} {:?} {:?}\n{}\n",
                it.severity,
                it.path.unwrap_or_default(),
                it.line,
                it.message
            )
        };
        marked(body).into_iter().map(shown).collect::<Vec<_>>().join("--\n")
    }

    #[test]
    fn marked_items_headings_and_rows_are_taken_word_for_word() {
        insta::assert_snapshot!(shown(
            "# Review\n\nSome prose about P0 things.\n\n\
             - [P1] `src/a.rs:10` drops the error\n  of the last write\n  - even twice\n- **P2**: naming\n- fine otherwise\n\n\
             1. P0 - src/b.rs:3 deletes everything\n\n   ```\n   - [P0] not an item\n   ```\n\nNot part of it.\n\n\
             ### P0: no test\nbecause the file is empty\n\n#### Detail\nmore\n### Other\n\n\
             | P1 | src/c.rs:4 | leaks |\n| P2x | - | - |\n\n**[P3]** style\ngoes on\n\nend\n"
        ), @r#"
        blocking "src/a.rs" Some(10)
        - [P1] `src/a.rs:10` drops the error
          of the last write
          - even twice
        --
        advisory "" None
        - **P2**: naming
        --
        blocking "src/b.rs" Some(3)
        1. P0 - src/b.rs:3 deletes everything

           ```
           - [P0] not an item
           ```
        --
        blocking "" None
        ### P0: no test
        because the file is empty

        #### Detail
        more
        --
        blocking "src/c.rs" Some(4)
        | P1 | src/c.rs:4 | leaks |
        --
        advisory "" None
        **[P3]** style
        goes on
        "#);
    }

    #[test]
    fn a_title_above_marked_items_and_an_empty_section_are_no_findings() {
        let body = "## P0\n\nNone.\n\n## P1 findings\n\n- [ ] P1 broken\n- P0: none\n";
        assert_eq!(shown(body), "blocking \"\" None\n- [ ] P1 broken\n");
    }

    #[test]
    fn two_bare_headings_in_a_row_are_both_findings() {
        assert_eq!(marked("### P0: a.py crashes\n### P1: b.py leaks\n").len(), 2);
    }

    #[test]
    fn marks_in_code_and_longer_words_do_not_count() {
        assert_eq!(marked("```\n- [P0] sample\n```\n- P10 printer\n- P1x\n- AP1\n-P1\n"), []);
    }
}
