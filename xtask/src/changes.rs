//! The notes that become the changelog: one file for each change that a user can see.

use std::path::Path;

use crate::{complaint::Complaint, tree::TextFile};

const KINDS: &[&str] = &["added", "changed", "fixed"];

/// Finds what is wrong with a file of `changes/`. `README.md`, which explains the format, is none of them.
pub fn complaints(file: &TextFile) -> Vec<Complaint> {
    let wrong = [name(&file.path), text(&file.text)];
    wrong
        .into_iter()
        .filter_map(Result::err)
        .map(|what| Complaint::about(&file.path, what))
        .collect()
}

fn name(path: &str) -> Result<(), String> {
    let slug = Path::new(path)
        .file_name()
        .and_then(|name| name.to_str())
        .and_then(|name| name.strip_suffix(".md"));
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let well_formed = slug.is_some_and(|slug| slug.split('-').all(word));
    if well_formed {
        Ok(())
    } else {
        Err("is not named like `short-words-and-dashes.md`".to_owned())
    }
}

fn text(text: &str) -> Result<(), String> {
    let rest = text.strip_prefix("---\n").ok_or("does not start with `---`")?;
    let (front, body) = rest.split_once("\n---\n").ok_or("has no second `---`")?;
    let kind = front.strip_prefix("kind: ").filter(|kind| KINDS.contains(kind));
    kind.ok_or_else(|| {
        format!("has `{front}` between its `---` lines, not `kind: {}`", KINDS.join("|"))
    })?;
    let body = body.trim();
    if body.is_empty() || body.starts_with('#') {
        return Err("needs a sentence for users, without a heading".to_owned());
    }
    if body.ends_with(['.', '`', '|', ')']) {
        Ok(())
    } else {
        Err("does not end like a sentence".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(path: &str, text: &str) -> usize {
        complaints(&TextFile::new(path, text)).len()
    }

    #[test]
    fn a_note_has_a_kind_and_a_sentence() {
        assert_eq!(wrong("changes/first-path.md", "---\nkind: added\n---\n\nIt runs.\n"), 0);
    }

    #[test]
    fn everything_else_is_found() {
        for text in [
            "It runs.",
            "---\nkind: added\nIt runs.",
            "---\nkind: new\n---\nIt runs.",
            "---\nkind: added\nby: me\n---\nIt runs.",
            "---\nkind: added\n---\n",
            "---\nkind: added\n---\n# It runs.",
            "---\nkind: added\n---\nIt runs, and",
        ] {
            assert_eq!(wrong("changes/a.md", text), 1, "{text}");
        }
        assert_eq!(wrong("changes/Two Words.md", "---\nkind: fixed\n---\nIt runs."), 1);
        assert_eq!(wrong("changes/a.txt", "---\nkind: fixed\n---\nIt runs."), 1);
    }
}
