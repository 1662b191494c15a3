//! `go test`: `--- FAIL: Name (0.00s)`, and the indented lines after it.

use domain::verdict::Finding;

use super::{Failures, failures::Lines};

/// Reads the output of `go test`.
#[derive(Default)]
pub(crate) struct Go {
    failures: Failures,
    open: Option<(String, Lines)>,
}

impl Go {
    pub(crate) fn line(&mut self, line: &str) {
        if let Some(rest) = line.trim_start().strip_prefix("--- FAIL: ") {
            let name = rest.split_once(" (").map_or(rest, |(name, _)| name);
            // A test that only failed because a part of it did has nothing to say.
            self.open.take_if(|(outer, lines)| {
                lines.text().is_empty() && name.starts_with(&format!("{outer}/"))
            });
            self.close();
            self.open = Some((name.to_owned(), Lines::default()));
        } else if line.starts_with([' ', '\t']) && !line.trim_start().starts_with("--- ") {
            if let Some((_, lines)) = &mut self.open {
                lines.push(line);
            }
        } else {
            self.close();
        }
    }

    pub(crate) fn finish(mut self) -> Failures {
        self.close();
        self.failures
    }

    fn close(&mut self) {
        if let Some((name, lines)) = self.open.take() {
            // No path: Go names files without their package.
            let message = format!("{name} failed:\n{}", lines.text());
            self.failures.push(Finding {
                rule: Some(name),
                ..Finding::blocking(message.trim_end_matches([':', '\n']))
            });
        }
    }
}
