//! Paths that exist on one machine only.

use crate::{complaint::Complaint, tree::TextFile};

/// Names that stand for nobody in particular.
const NOBODY: &[&str] = &["ada", "agent", "alice", "bob", "user", "you"];

/// Finds paths of somebody's home directory, and the `checkout` that this is.
pub fn complaints(file: &TextFile, checkout: &str) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let homes = ["/home/", "/Users/"]
            .iter()
            .flat_map(|parent| line.split(parent).skip(1).map(move |rest| (parent, rest)));
        let people = homes.filter_map(|(parent, rest)| {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
                .collect();
            (!name.is_empty() && !NOBODY.contains(&name.as_str()))
                .then(|| format!("{parent}{name}"))
        });
        let tools = ["/root/.cargo", "/root/.rustup"]
            .into_iter()
            .filter(|path| line.contains(path))
            .map(str::to_owned);
        // A checkout at the top of the file system has a name that may stand in any text.
        let deep = checkout.matches('/').count() > 1;
        let here = (deep && line.contains(checkout)).then(|| checkout.to_owned());
        let complaint = |path| {
            Complaint::at(&file.path, index + 1, format!("`{path}` exists on one machine only"))
        };
        found.extend(people.chain(tools).chain(here).map(complaint));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_and_the_checkout_are_found() {
        let text = "open('/home/agent/x')\nopen('/home/mary/x')\n/Users/mary\n/builds/here/target\n/root/.ssh";
        let found = complaints(&TextFile::new("a.py", text), "/builds/here");
        assert_eq!(
            found.iter().map(|complaint| complaint.line).collect::<Vec<_>>(),
            [Some(2), Some(3), Some(4)]
        );
    }

    #[test]
    fn a_checkout_with_an_everyday_name_is_not() {
        assert_eq!(complaints(&TextFile::new("a.md", "put it into /src"), "/src"), []);
    }
}
