//! Notes to self.

use crate::{
    complaint::Complaint,
    rust_source::{RustSource, words},
    tree::TextFile,
};

const WORDS: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

/// Finds promises that nobody keeps. In Rust only comments and code count; strings may name the words.
pub fn notes(file: &TextFile) -> Vec<Complaint> {
    let layers = if file.has_extension("rs") {
        let source = RustSource::parse(&file.text);
        vec![source.code, source.comments]
    } else {
        vec![file.text.clone()]
    };
    let mut found = Vec::new();
    for (word, layer) in WORDS.iter().flat_map(|word| layers.iter().map(move |layer| (word, layer)))
    {
        found.extend(words(layer, word).map(|at| {
            let line = layer[..at].matches('\n').count() + 1;
            Complaint::at(
                &file.path,
                line,
                format!("`{word}`: do it, or write it down in docs/dev/status.md"),
            )
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_in_comments_and_scripts_are_found() {
        let rust = TextFile::new("a.rs", "fn a() {}\n// TODO: b\nconst C: &str = \"TODO\";");
        let script = TextFile::new("scripts/a", "mktemp -t XXXXXX # FIXME");
        let at = |file: &TextFile| {
            notes(file).iter().map(|complaint| complaint.line).collect::<Vec<_>>()
        };
        assert_eq!(at(&rust), [Some(2)]);
        assert_eq!(at(&script), [Some(1)]);
    }
}
