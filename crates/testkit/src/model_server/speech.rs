//! What the model says in an answer that is not an error.

/// A turn of the script, reduced to what a protocol has words for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// A call of the shell tool.
    Run(String),
    /// Text, and the end of the run.
    Say(String),
    /// The beginning of a text.
    BreakOff,
}

impl Speech {
    /// Every CLI has a shell, and only some have a tool that writes files.
    pub(super) fn write_file(path: &str, content: &str) -> Self {
        Self::Run(write_command(path, content))
    }

    /// The same, or words about the missing tool where the client did not offer a shell.
    pub(super) fn with_tool<T>(self, tool: Option<T>) -> (Self, Option<T>) {
        match (&self, &tool) {
            (Self::Run(command), None) => {
                (Self::Say(format!("No shell tool is offered to run: {command}")), None)
            }
            (Self::Run(_) | Self::Say(_) | Self::BreakOff, _) => (self, tool),
        }
    }
}

fn write_command(path: &str, content: &str) -> String {
    let write = format!("printf '%s' {} > {}", quote(content), quote(path));
    match path.rsplit_once('/') {
        Some((directory, _)) if !directory.is_empty() => {
            format!("mkdir -p {} && {write}", quote(directory))
        }
        Some(_) | None => write,
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_written_file_has_the_content_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in [
            ("plain.txt", "one\ntwo\n"),
            ("a dir/it's $HOME.txt", "no newline, 100 % 'quoted' \"twice\" $(rm) `x` \\n"),
            ("empty", ""),
        ] {
            let status = Command::new("sh")
                .arg("-c")
                .arg(write_command(path, content))
                .current_dir(dir.path())
                .status();
            assert!(status.unwrap().success());
            assert_eq!(std::fs::read_to_string(dir.path().join(path)).unwrap(), content);
        }
    }
}
