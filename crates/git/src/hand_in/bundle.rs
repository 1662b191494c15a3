//! The head of a bundle: which refs are in it, and where its pack begins.
//!
//! Read here and not by `git fetch`, because git before 2.46 unpacks a bundle without checking its objects; and so
//! that no ref of an agent's choosing is ever created.

use std::{collections::BTreeSet, io::BufRead};

use domain::revision::{BranchName, CommitSha};

/// Bytes of a head that are read. A line of it is short; there are as many as branches and merges.
const HEAD_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Refs of a bundle; an agent with more branches than this is up to something.
const REFS_MAX: usize = 1000;

/// Which ref of the agent's clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// `HEAD`, wherever it was.
    Head,
    /// A branch.
    Branch(BranchName),
    /// A branch whose name git takes and we do not, as far as it can be shown.
    OddBranch(String),
}

/// A ref of the agent's clone and its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    /// Which ref.
    pub(super) place: Place,
    /// Where it was. Not known to be a commit yet.
    pub(super) commit: CommitSha,
}

/// What the head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bundle {
    /// Its refs.
    pub(super) tips: Vec<Tip>,
    /// Where its pack begins.
    pub(super) pack_offset: u64,
}

impl Bundle {
    /// Reads the head of a bundle. The error says what is wrong with it.
    pub(super) fn parse(from: impl BufRead) -> Result<Self, String> {
        let mut from = from.take(HEAD_BYTES_MAX);
        let mut bundle = Self { tips: Vec::new(), pack_offset: 0 };
        let mut places = BTreeSet::new();
        let signature = bundle.next_line(&mut from)?;
        if !matches!(signature.as_slice(), b"# v2 git bundle" | b"# v3 git bundle") {
            return Err("it is not a git bundle".to_owned());
        }
        loop {
            let line = bundle.next_line(&mut from)?;
            match line.first() {
                None if clash(&places) => {
                    return Err("one of its refs is a directory of another".to_owned());
                }
                None => return Ok(bundle),
                // A prerequisite: what is missing is noticed when the pack is unpacked.
                Some(b'-') => {}
                Some(b'@') if line.starts_with(b"@object-format=") => {}
                Some(b'@') => return Err("it asks for something that we do not do".to_owned()),
                Some(_) => {
                    let tip = tip(&line).ok_or("one of its refs is not one")?;
                    if !matches!(tip.place, Place::OddBranch(_))
                        && !places.insert(tip.place.clone())
                    {
                        return Err("one of its refs is there twice".to_owned());
                    }
                    bundle.tips.push(tip);
                }
            }
            if bundle.tips.len() > REFS_MAX {
                return Err(format!("it has more than {REFS_MAX} refs"));
            }
        }
    }

    fn next_line(&mut self, from: &mut impl BufRead) -> Result<Vec<u8>, String> {
        let mut line = Vec::new();
        let read = from
            .read_until(b'\n', &mut line)
            .map_err(|error| format!("it cannot be read: {error}"))?;
        if line.pop() != Some(b'\n') {
            return Err("its head has no end".to_owned());
        }
        self.pack_offset += read as u64;
        Ok(line)
    }
}

/// Whether `a` and `a/b` are both there, which no repository can hold.
fn clash(places: &BTreeSet<Place>) -> bool {
    let is_there =
        |name: &str| BranchName::new(name).is_ok_and(|it| places.contains(&Place::Branch(it)));
    places.iter().any(|place| match place {
        Place::Branch(name) => {
            name.as_str().match_indices('/').any(|(end, _)| is_there(&name.as_str()[..end]))
        }
        Place::Head | Place::OddBranch(_) => false,
    })
}

/// `<object id> <ref>`
fn tip(line: &[u8]) -> Option<Tip> {
    let space = line.iter().position(|&byte| byte == b' ')?;
    let commit = CommitSha::new(std::str::from_utf8(&line[..space]).ok()?).ok()?;
    let reference = &line[space + 1..];
    let place = if reference == b"refs/hand-in/head" {
        Place::Head
    } else {
        let name = reference.strip_prefix(b"refs/heads/")?;
        let odd = || Place::OddBranch(String::from_utf8_lossy(name).chars().take(100).collect());
        let text = std::str::from_utf8(name).ok();
        text.and_then(|it| BranchName::new(it).ok()).map_or_else(odd, Place::Branch)
    };
    Some(Tip { place, commit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Bundle, String> {
        Bundle::parse(text.as_bytes())
    }

    #[test]
    fn the_pack_begins_after_the_empty_line() {
        let id = "a".repeat(40);
        let text = format!("# v2 git bundle\n-{id} why\n{id} refs/heads/x\n\nPACK");
        let bundle = parse(&text).expect("a bundle");
        assert_eq!(&text[usize::try_from(bundle.pack_offset).expect("small")..], "PACK");
        assert_eq!(bundle.tips[0].place, Place::Branch(BranchName::new("x").expect("a name")));
    }

    #[test]
    fn heads_that_no_script_of_ours_has_written_are_refused() {
        let id = "a".repeat(40);
        for bad in [
            String::new(),
            "garbage".to_owned(),
            "# v2 git bundle\n".to_owned(),
            "# v3 git bundle\n@filter=blob:none\n\n".to_owned(),
            format!("# v2 git bundle\n{id} refs/heads/x\n{id} refs/heads/x\n\n"),
            format!("# v2 git bundle\n{id} refs/gatewright/hand-in/x\n\n"),
            format!("# v2 git bundle\n{id} HEAD\n\n"),
            format!("# v2 git bundle\n{id} refs/heads/a/b/c\n{id} refs/heads/a\n\n"),
            format!("# v2 git bundle\n{}\n\n", "x".repeat(5 * 1024 * 1024)),
        ] {
            assert!(parse(&bad).is_err(), "{:?} was accepted", &bad[..bad.len().min(80)]);
        }
    }

    #[test]
    fn a_branch_with_a_name_that_we_do_not_accept_is_carried_along() {
        let line = format!("{} refs/heads/{}", "a".repeat(40), "x".repeat(300));
        assert!(matches!(tip(line.as_bytes()).expect("a tip").place, Place::OddBranch(_)));
    }
}
