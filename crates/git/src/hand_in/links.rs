//! Whether a symbolic link stays inside the repository.

/// Whether a link at `path` with this target can only lead to a place inside the repository.
///
/// `..` is accepted at the beginning only, where it is counted from the directory that holds the link, and that is
/// a real one. Behind a name it would be counted from wherever that name leads, which another link may decide.
pub(super) fn stays_inside(path: &str, target: &[u8]) -> bool {
    let Ok(target) = std::str::from_utf8(target) else {
        // The system takes any byte; ours is the only name that matters here, and it is plain.
        return stays_inside(path, String::from_utf8_lossy(target).as_bytes());
    };
    // A backslash separates directories where people check this out on another system.
    let parts: Vec<&str> =
        target.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
    let depth = path.split('/').count() - 1;
    let ups = parts.iter().take_while(|part| **part == "..").count();
    let is_absolute = target.starts_with(['/', '\\']) || target.get(1..2) == Some(":");
    let rest = &parts[ups..];
    let enters_git = rest.iter().any(|part| part.eq_ignore_ascii_case(".git"));
    !is_absolute && ups <= depth && !rest.contains(&"..") && !enters_git
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_within_the_repository_are_fine() {
        for (path, target) in
            [("a", "b"), ("d/a", "../b"), ("d/e/a", "../../x/y"), ("d/a", "./e/f"), ("a", "é")]
        {
            assert!(stays_inside(path, target.as_bytes()), "{path} -> {target} was refused");
        }
    }

    #[test]
    fn links_that_may_lead_out_are_not() {
        for (path, target) in [
            ("a", ".."),
            ("a", "/etc/passwd"),
            ("d/a", "../../x"),
            ("a", "d/../../x"),
            // `d/root -> ..` makes `d/root/..` a place outside.
            ("d/a", "root/../x"),
            ("a", ".git/config"),
            ("d/a", "../.GIT/hooks"),
            ("a", "..\\x"),
            ("a", "C:\\x"),
        ] {
            assert!(!stays_inside(path, target.as_bytes()), "{path} -> {target} was accepted");
        }
        assert!(!stays_inside("a", b"../\xff"));
    }
}
