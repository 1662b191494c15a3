//! Places in a repository, as people, compilers and test runners write them.

/// A file and a line in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: u32,
}

impl Place {
    /// Reads `path:line`, with whatever stands around and behind it: `` `src/a.rs:10:5`, ``.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let word = word.trim_start_matches(['`', '"', '\'', '(', '[', '*']);
        let (path, rest) = word.split_once(':')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let line = rest[..digits].parse().ok().filter(|&line| line > 0)?;
        is_inside(path).then(|| Self { path: path.to_owned(), line })
    }

    /// The first place among the words of `text`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::parse)
    }
}

/// Whether `path` looks like a file of the repository, named from its root.
pub(crate) fn is_inside(path: &str) -> bool {
    (1..=500).contains(&path.len())
        && !path.starts_with('/')
        && path.contains(['.', '/'])
        && path.chars().all(|c| c.is_alphanumeric() || "._-+@/ ".contains(c))
        && path.split('/').all(|part| part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_through_its_decoration() {
        for text in ["src/a.rs:10", "`src/a.rs:10`", "(src/a.rs:10:5):", "**src/a.rs:10-12** —"] {
            assert_eq!(
                Place::find(text),
                Some(Place { path: "src/a.rs".to_owned(), line: 10 }),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_place_in_the_repository_is_none() {
        for text in [
            "/etc/passwd:1",
            "../x.rs:3",
            "note:3",
            "src/a.rs",
            "src/a.rs:x",
            "a.rs:0",
            "http://x.y:80/z",
            "10:30",
        ] {
            assert_eq!(Place::find(text), None, "{text}");
        }
    }
}
