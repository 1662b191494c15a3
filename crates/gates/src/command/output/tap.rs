//! The Test Anything Protocol: `not ok 3 - name`, and the YAML block after it.

use domain::verdict::Finding;

use super::{Failures, failures::Lines};

/// Reads TAP, also of subtests, which are indented.
#[derive(Default)]
pub(crate) struct Tap {
    failures: Failures,
    open: Option<(String, Lines)>,
    in_block: bool,
}

impl Tap {
    pub(crate) fn line(&mut self, line: &str) {
        let text = line.trim();
        if self.in_block {
            if let Some((_, lines)) = &mut self.open {
                lines.push(line);
            }
            if text == "..." {
                self.close();
            }
        } else if text == "---" && self.open.is_some() {
            self.in_block = true;
        } else {
            self.close();
            self.open = failed_test(text).map(|name| (name.to_owned(), Lines::default()));
        }
    }

    pub(crate) fn finish(mut self) -> Failures {
        self.close();
        self.failures
    }

    fn close(&mut self) {
        self.in_block = false;
        let Some((name, lines)) = self.open.take() else { return };
        let details = lines.text().strip_suffix("...").unwrap_or(lines.text()).trim_end();
        // What Node says of a test that only failed because a part of it did.
        if !details.contains("failureType: 'subtestsFailed'") {
            let message = format!("not ok: {name}\n{details}").trim_end().to_owned();
            self.failures.push(Finding { rule: Some(name), ..Finding::blocking(message) });
        }
    }
}

/// The name of a failed test; `not ok` that was expected is no failure.
fn failed_test(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("not ok")?;
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    let rest = rest.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let name = rest[digits..].trim_start();
    if digits == 0 && !name.is_empty() && !name.starts_with("- ") {
        return None;
    }
    let (name, directive) = name.split_once(" # ").unwrap_or((name, ""));
    let directive = directive.get(..4).unwrap_or_default();
    let is_expected =
        directive.eq_ignore_ascii_case("todo") || directive.eq_ignore_ascii_case("skip");
    let name = name.trim_start_matches("- ").trim();
    (!is_expected).then(|| if name.is_empty() { rest.trim() } else { name })
}
