//! Tells a program that this machine lacks from one that the commit lacks.

/// A program that the shell could not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A file of the repository: the commit's fault.
    InCommit(String),
    /// A program of the machine: nobody's fault who wrote code.
    OnMachine(String),
}

/// Lines of standard error that are looked at: a shell complains last.
const LINES: usize = 20;

/// The program that the exit code 126 or 127 is about, by the last complaint among `lines`, last one first.
pub(crate) fn find<'a>(code: i32, lines: impl Iterator<Item = &'a str>) -> Option<Missing> {
    let complaints: &[&str] = match code {
        126 => &["Permission denied", "Is a directory", "Exec format error"],
        127 => &["not found", "command not found", "No such file or directory"],
        _ => return None,
    };
    let name = lines.take(LINES).find_map(|line| {
        let (before, complaint) = line.trim_end().rsplit_once(": ")?;
        let name = before.rsplit(": ").next()?.trim_matches(['\'', '"', '`', '‘', '’']);
        (complaints.contains(&complaint) && !name.is_empty()).then(|| name.to_owned())
    })?;
    let is_of_repository = name.contains('/') && !name.starts_with('/');
    Some(if is_of_repository { Missing::InCommit(name) } else { Missing::OnMachine(name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_is_understood() {
        let make = Some(Missing::OnMachine("make".to_owned()));
        for line in [
            "/bin/sh: 1: make: not found",
            "/bin/sh: line 1: make: command not found",
            "env: 'make': No such file or directory",
        ] {
            assert_eq!(find(127, ["", line].into_iter()), make, "{line}");
        }
    }

    #[test]
    fn a_script_of_the_repository_is_the_commits_matter() {
        let script = Some(Missing::InCommit("./scripts/test".to_owned()));
        assert_eq!(find(127, ["/bin/sh: 1: ./scripts/test: not found"].into_iter()), script);
        assert_eq!(
            find(126, ["/bin/sh: 1: ./scripts/test: Permission denied"].into_iter()),
            script
        );
    }

    #[test]
    fn a_test_that_failed_is_not_a_missing_program() {
        assert_eq!(find(1, ["/bin/sh: 1: make: not found"].into_iter()), None);
        assert_eq!(find(127, ["assertion failed"].into_iter()), None);
    }
}
