//! pytest: the lines of its short summary, `FAILED path::test - message`.

use domain::verdict::Finding;

use super::Failures;

/// Reads the output of pytest.
#[derive(Default)]
pub(crate) struct Pytest {
    failures: Failures,
}

impl Pytest {
    pub(crate) fn line(&mut self, line: &str) {
        let Some(summary) = line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR "))
        else {
            return;
        };
        let test = test_name(summary);
        let path = test.split_once("::").map_or(test, |(path, _)| path);
        let is_python = std::path::Path::new(path).extension().is_some_and(|it| it == "py");
        if is_python && crate::place::is_inside(path) {
            self.failures
                .push(Finding { rule: Some(test.to_owned()), ..Finding::blocking(line).at(path) });
        }
    }

    pub(crate) fn finish(self) -> Failures {
        self.failures
    }
}

/// The test's name in `path::test[parameters] - message`; the parameters may hold ` - ` as well.
fn test_name(summary: &str) -> &str {
    let end = summary.find(" - ").unwrap_or(summary.len());
    let end = if summary[..end].contains('[') {
        summary.find("] - ").map_or(summary.len(), |it| it + 1)
    } else {
        end
    };
    summary[..end].trim()
}
