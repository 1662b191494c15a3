//! Which specifications make sense, before anything is done with them.

use camino::Utf8Path;
use ports::{SandboxError, SandboxSpec};

use crate::order::Wall;

/// Refuses what no backend, or not this one, can do.
pub(crate) fn check_spec(spec: &SandboxSpec, wall: &Wall) -> Result<(), SandboxError> {
    check_name(&spec.name)?;
    match spec.argv.first() {
        None => return Err(invalid("argv is empty")),
        Some(program) if program.is_empty() => return Err(invalid("the program in argv is empty")),
        Some(_) => {}
    }
    for argument in &spec.argv {
        check_nul("an argument", argument)?;
    }
    for (key, value) in &spec.env {
        check_nul("an environment variable", key)?;
        check_nul("the value of an environment variable", value)?;
        if key.is_empty() || key.contains('=') {
            return Err(invalid(format!("`{key}` cannot name an environment variable")));
        }
    }
    check_path("cwd", &spec.cwd)?;
    if let Some(stdin) = &spec.stdin {
        check_path("stdin", stdin)?;
    }
    for mount in &spec.mounts {
        check_path("a mount's place on the host", &mount.from)?;
        check_path("a mount's place inside", &mount.to)?;
        if *wall == Wall::None && mount.from != mount.to {
            let reason = format!(
                "{} cannot be shown at {} by the backend `process`, which has no file system of its own; bubblewrap can",
                mount.from, mount.to
            );
            return Err(invalid(reason));
        }
        if mount.to == "/" {
            return Err(invalid(format!("{} cannot be mounted over the root", mount.from)));
        }
    }
    Ok(())
}

/// Refuses a directory that means something else in another process.
pub(crate) fn check_dir(dir: &Utf8Path) -> Result<(), SandboxError> {
    check_path("the sandbox's directory", dir)
}

fn check_name(name: &str) -> Result<(), SandboxError> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if first && rest && name.len() <= 63 {
        return Ok(());
    }
    Err(invalid(format!(
        "the name {name:?} is not 1 to 63 letters, digits, `_`, `.` or `-` that begin with a letter or digit"
    )))
}

fn check_path(what: &str, path: &Utf8Path) -> Result<(), SandboxError> {
    check_nul(what, path.as_str())?;
    if !path.is_absolute() {
        return Err(invalid(format!("{what} is not an absolute path: `{path}`")));
    }
    if path.components().any(|part| part.as_str() == "..") {
        return Err(invalid(format!("{what} goes upwards: `{path}`")));
    }
    Ok(())
}

fn check_nul(what: &str, text: &str) -> Result<(), SandboxError> {
    // The value is not shown: it may be a secret.
    if text.contains('\0') { Err(invalid(format!("{what} contains a NUL byte"))) } else { Ok(()) }
}

fn invalid(reason: impl Into<String>) -> SandboxError {
    SandboxError::Invalid { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use domain::definition::Network;
    use ports::{Mount, SandboxLimits};

    use super::*;

    fn spec() -> SandboxSpec {
        SandboxSpec {
            name: "run-1".into(),
            argv: vec!["true".into()],
            env: BTreeMap::new(),
            cwd: "/".into(),
            stdin: None,
            mounts: Vec::new(),
            network: Network::None,
            limits: SandboxLimits {
                time: Duration::from_secs(1),
                silence: None,
                log_bytes: 1,
                stop_grace: Duration::from_secs(1),
            },
        }
    }

    fn bubblewrap() -> Wall {
        Wall::Bubblewrap { program: "/usr/bin/bwrap".into() }
    }

    fn reason(spec: &SandboxSpec, wall: &Wall) -> String {
        check_spec(spec, wall).unwrap_err().to_string()
    }

    #[test]
    fn names_that_could_be_paths_or_options_are_refused() {
        for name in ["", "-x", ".hidden", "a/b", "a b", "a\0", "ü", "../x", &"a".repeat(64)] {
            let spec = SandboxSpec { name: name.to_owned(), ..spec() };
            assert!(reason(&spec, &Wall::None).contains("the name"), "{name:?} was taken");
        }
        for name in ["a", "0", "run_01J.x-2", &"a".repeat(63)] {
            check_spec(&SandboxSpec { name: name.to_owned(), ..spec() }, &Wall::None).unwrap();
        }
    }

    #[test]
    fn commands_and_variables_that_the_kernel_would_misread_are_refused() {
        let wall = Wall::None;
        assert!(
            reason(&SandboxSpec { argv: Vec::new(), ..spec() }, &wall).contains("argv is empty")
        );
        assert!(
            reason(&SandboxSpec { argv: vec![String::new()], ..spec() }, &wall).contains("program")
        );
        assert!(
            reason(&SandboxSpec { argv: vec!["a".into(), "b\0c".into()], ..spec() }, &wall)
                .contains("NUL")
        );
        for key in ["", "A=B", "A\0"] {
            let env = BTreeMap::from([(key.to_owned(), "x".to_owned())]);
            assert!(
                check_spec(&SandboxSpec { env, ..spec() }, &wall).is_err(),
                "{key:?} was taken"
            );
        }
        let env = BTreeMap::from([("TOKEN".to_owned(), "hush\0".to_owned())]);
        assert!(!reason(&SandboxSpec { env, ..spec() }, &wall).contains("hush"));
    }

    #[test]
    fn paths_must_be_absolute_and_go_down() {
        assert!(reason(&SandboxSpec { cwd: "work".into(), ..spec() }, &Wall::None).contains("cwd"));
        assert!(
            reason(&SandboxSpec { stdin: Some("in".into()), ..spec() }, &Wall::None)
                .contains("stdin")
        );
        for (from, to) in
            [("a", "/a"), ("/a", "a"), ("/a/../b", "/a"), ("/a", "/a/../../b"), ("/a", "/")]
        {
            let mounts = vec![Mount { from: from.into(), to: to.into(), writable: false }];
            assert!(
                check_spec(&SandboxSpec { mounts, ..spec() }, &bubblewrap()).is_err(),
                "{from} at {to} was taken"
            );
        }
    }

    #[test]
    fn without_a_wall_a_place_cannot_be_shown_elsewhere() {
        let spec = SandboxSpec {
            mounts: vec![Mount { from: "/data".into(), to: "/work".into(), writable: true }],
            ..spec()
        };
        assert!(reason(&spec, &Wall::None).contains("/data cannot be shown at /work"));
        check_spec(&spec, &bubblewrap()).unwrap();
    }
}
