//! An error in words, for a line of the log, a failure, or a person.

/// An error and what led to it, in one line. What one of them says already is not said again.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    // What git says may take several.
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Said {
        words: &'static str,
        #[source]
        why: Option<Box<Said>>,
    }

    #[test]
    fn each_cause_is_said_once_and_all_of_them_on_one_line() {
        let why = |words, why| Some(Box::new(Said { words, why }));
        let last = why("no room\n  on the disk\n", None);
        let error = Said { words: "could not open it: busy", why: why("busy", last) };
        assert_eq!(chain(&error), "could not open it: busy: no room; on the disk");
    }
}
