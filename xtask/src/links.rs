//! Links between our own documents.

use std::collections::{BTreeMap, BTreeSet};

use crate::{complaint::Complaint, tree::TextFile};

/// Finds links of one document that lead to no file, or to no heading of it.
///
/// `documents` are all Markdown files; `exists` answers for every other path, relative to the workspace.
pub fn complaints(
    file: &TextFile,
    documents: &[TextFile],
    exists: impl Fn(&str) -> bool,
) -> Vec<Complaint> {
    let headings: BTreeMap<_, _> =
        documents.iter().map(|document| (document.path.as_str(), document)).collect();
    let mut found = Vec::new();
    for (line, target) in targets(&file.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) =
            target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let path = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
        let document = headings.get(path.as_str());
        let complaint = if document.is_none() && !exists(&path) {
            Some(format!("`{target}` leads to no file"))
        } else {
            let missing = anchor
                .zip(document)
                .filter(|(anchor, document)| !anchors(&document.text).contains(*anchor));
            missing.map(|(anchor, _)| format!("`{path}` has no heading `#{anchor}`"))
        };
        found.extend(complaint.map(|what| Complaint::at(&file.path, line, what)));
    }
    found
}

/// The targets of inline links and of reference definitions, with their lines; code is skipped.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // Every second piece between backticks is code.
        for piece in line.split('`').step_by(2) {
            let inline = piece.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
            found.extend(inline.map(|target| (number, target)));
        }
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            found.push((number, target.trim()));
        }
    }
    found
}

/// The lines outside code blocks, from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside_block = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        inside_block ^= fence;
        (!inside_block && !fence).then_some((index + 1, line))
    })
}

/// The anchors of the headings, as forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text).filter(|(_, line)| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|count| format!("{anchor}-{count}"));
        let free =
            std::iter::once(anchor.clone()).chain(again).find(|anchor| !found.contains(anchor));
        found.extend(free);
    }
    found
}

/// A target seen from the document that names it, as a path of the workspace.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." if parts.pop().is_some() => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> Vec<String> {
        let documents = [
            TextFile::new("docs/dev/here.md", text),
            TextFile::new(
                "README.md",
                "# Gatewright\n## How it works, in short\n## Twice\n## Twice\n",
            ),
        ];
        let found = complaints(&documents[0], &documents, |path| path == "scripts/test");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let text = "# Here\n[a](../../README.md) [b](../../README.md#how-it-works-in-short) [c](#here) \
                    [d](../../scripts/test) [e](https://example.invalid/x.md) [f](../../README.md#twice-1)\n\n[g]: here.md";
        assert_eq!(wrong(text), [""; 0]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        assert_eq!(wrong("\n[a](gone.md)"), ["docs/dev/here.md:2: `gone.md` leads to no file"]);
        assert_eq!(
            wrong("[a](../../../README.md)"),
            ["docs/dev/here.md:1: `../../../README.md` leads to no file"]
        );
        assert_eq!(
            wrong("[a](../../README.md#gone)"),
            ["docs/dev/here.md:1: `README.md` has no heading `#gone`"]
        );
        assert_eq!(wrong("[a]: gone.md"), ["docs/dev/here.md:1: `gone.md` leads to no file"]);
    }

    #[test]
    fn code_holds_no_links() {
        assert_eq!(wrong("`[a](gone.md)`\n```\n[a](gone.md)\n# no heading\n```\n"), [""; 0]);
    }
}
