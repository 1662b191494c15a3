//! The note beside the bundle: written by our script, but where an agent can write too.

use domain::revision::CommitSha;

/// Where the agent's branch was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OwnBranch {
    /// It was gone.
    Absent,
    /// At a commit.
    At(CommitSha),
}

/// What the script says about a hand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The commit that it started from.
    pub(super) start: CommitSha,
    /// Where the agent's branch was.
    pub(super) own: OwnBranch,
    /// Whether there is a bundle beside it.
    pub(super) bundled: bool,
}

impl Note {
    /// Reads a note. `None`: it is none, or not a whole one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        if value("gatewright")? != "hand-in 1" {
            return None;
        }
        let start = CommitSha::new(value("start")?).ok()?;
        // Which branch `HEAD` was on is for people who look in; in any bytes that git takes.
        value("at")?;
        let own = match value("branch")? {
            "none" => OwnBranch::Absent,
            commit => OwnBranch::At(CommitSha::new(commit).ok()?),
        };
        let bundled = match value("bundle")? {
            "yes" => true,
            "no" => false,
            _ => return None,
        };
        (lines.next() == Some("end") && lines.next().is_none()).then_some(Self {
            start,
            own,
            bundled,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_that_was_cut_short_is_none() {
        let commit = "c".repeat(40);
        let whole = format!(
            "gatewright hand-in 1\nstart {commit}\nat refs/heads/x\nbranch none\nbundle no\nend\n"
        );
        assert!(Note::parse(whole.as_bytes()).is_some());
        for end in 0..whole.len() - 1 {
            assert_eq!(Note::parse(&whole.as_bytes()[..end]), None, "cut at {end}");
        }
    }
}
