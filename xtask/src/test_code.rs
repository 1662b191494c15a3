//! What a test must not do.

use std::ops::Range;

use crate::{complaint::Complaint, rust_source::RustSource, tree::TextFile};

/// Finds tests that never run.
pub fn ignored(file: &TextFile) -> Vec<Complaint> {
    let source = RustSource::parse(&file.text);
    let at = source.code.match_indices("#[ignore").map(|(at, _)| at);
    at.map(|at| {
        Complaint::at(
            &file.path,
            source.line_of(at),
            "an ignored test proves nothing: mend it or drop it",
        )
    })
    .collect()
}

/// Finds tests that sleep: too short on a slow machine, too long on every other.
pub fn sleeping(file: &TextFile) -> Vec<Complaint> {
    let source = RustSource::parse(&file.text);
    let test_code = test_code(file, &source);
    let sleeps = source.find_word("sleep").filter(|at| {
        // A method called `sleep` is the clock's, which tests move by hand.
        let before = source.code[..*at].trim_end();
        let called = source.code[at + "sleep".len()..].starts_with('(');
        let defined = before.ends_with("fn") || before.ends_with('.');
        before.ends_with("::") || (called && !defined)
    });
    let in_tests = sleeps.filter(|at| test_code.iter().any(|range| range.contains(at)));
    in_tests
        .map(|at| {
            Complaint::at(
                &file.path,
                source.line_of(at),
                "a test must not sleep: wait for the event, or move the clock",
            )
        })
        .collect()
}

/// Finds tests that start a real coding agent and cannot be left out by name.
pub fn unnamed_agents(file: &TextFile) -> Vec<Complaint> {
    let source = RustSource::parse(&file.text);
    let parts: Vec<_> = file.path.split('/').collect();
    // The file of a test binary gives its tests no module path.
    let module = parts.windows(2).any(|pair| {
        pair[0] == "real_agents" || (pair[0] != "tests" && pair[1] == "real_agents.rs")
    });
    if module || source.code.contains("mod real_agents {") {
        return Vec::new();
    }
    let starts = ["agent_cli::claude", "agent_cli::codex"]
        .iter()
        .flat_map(|name| source.code.match_indices(name));
    let what = "starts a real agent: move it into a module `real_agents`, so that it can be left out by name";
    starts.map(|(at, _)| Complaint::at(&file.path, source.line_of(at), what)).collect()
}

fn test_code(file: &TextFile, source: &RustSource) -> Vec<Range<usize>> {
    let whole = file.path.split('/').any(|name| matches!(name, "tests" | "tests.rs"));
    if whole { std::iter::once(0..source.code.len()).collect() } else { source.test_modules() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeping_lines(path: &str, text: &str) -> Vec<Option<usize>> {
        sleeping(&TextFile::new(path, text)).iter().map(|complaint| complaint.line).collect()
    }

    #[test]
    fn sleeps_in_tests_are_found() {
        let text = "use tokio::time::sleep;\nfn a() {\n    std::thread::sleep(SECOND);\n    sleep(SECOND);\n}";
        assert_eq!(sleeping_lines("crates/a/tests/b.rs", text), [Some(1), Some(3), Some(4)]);
        assert_eq!(sleeping_lines("crates/a/src/b/tests.rs", text).len(), 3);
        assert_eq!(
            sleeping_lines(
                "crates/a/src/b.rs",
                "fn a() {}\nmod tests {\n    fn b() { time::sleep(c); }\n}"
            ),
            [Some(3)]
        );
    }

    #[test]
    fn sleeps_elsewhere_and_the_clock_are_not() {
        let text = "fn sleep(clock: &Clock) { clock.sleep(SECOND); run(\"sleep 1\"); }";
        assert_eq!(sleeping_lines("crates/a/tests/b.rs", text), []);
        assert_eq!(sleeping_lines("crates/a/src/b.rs", "fn a() { thread::sleep(SECOND); }"), []);
    }

    #[test]
    fn ignored_tests_are_found() {
        let file = TextFile::new(
            "a.rs",
            "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n// #[ignore] is not for us",
        );
        assert_eq!(
            ignored(&file),
            [Complaint::at("a.rs", 2, "an ignored test proves nothing: mend it or drop it")]
        );
    }

    #[test]
    fn tests_of_real_agents_outside_their_modules_are_found() {
        let text = "fn a() {\n    run(agent_cli::codex());\n}";
        for (path, complaints) in [
            ("crates/a/tests/b/codex.rs", 1),
            ("crates/a/tests/real_agents.rs", 1),
            ("crates/a/tests/b/real_agents.rs", 0),
            ("crates/a/tests/b/real_agents/codex.rs", 0),
        ] {
            assert_eq!(unnamed_agents(&TextFile::new(path, text)).len(), complaints, "{path}");
        }
        let module =
            TextFile::new("crates/a/tests/b.rs", &format!("mod real_agents {{\n{text}\n}}"));
        assert_eq!(unnamed_agents(&module), []);
    }
}
