//! Which places of the host must be seen inside a sandbox for a program to run there.
//!
//! As few as will do. A program below a home directory must not drag the home directory in: only its own file,
//! or the packages that it was installed with, or the interpreter that its first line names.

use std::{fs::File, io::Read};

use camino::{Utf8Path, Utf8PathBuf};

use crate::lookup::is_system;

/// Scripts whose interpreters are scripts: nobody goes further than this.
const INTERPRETERS_MAX: usize = 3;
/// Bytes of a first line that the kernel reads.
const FIRST_LINE_BYTES: u64 = 256;

/// The places that `program`, a real path, needs beyond the read-only system.
pub(crate) fn places(program: &Utf8Path, path: &str) -> Vec<Utf8PathBuf> {
    let mut places = Vec::new();
    let mut next = Some(program.to_owned());
    for _ in 0..INTERPRETERS_MAX {
        let Some(file) = next else { break };
        next = interpreter(&file, path);
        let place = packages(&file).unwrap_or(file);
        if !is_system(&place) && !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The outermost `node_modules` above a file. The whole of it, since a package finds its native program in another
/// package: beside its own, nested in it, or behind a link into a store that is in there as well.
fn packages(file: &Utf8Path) -> Option<Utf8PathBuf> {
    file.ancestors()
        .filter(|it| it.file_name() == Some("node_modules"))
        .last()
        .map(Utf8Path::to_owned)
}

/// The real path of the interpreter that a script names.
fn interpreter(file: &Utf8Path, path: &str) -> Option<Utf8PathBuf> {
    let mut start = Vec::new();
    File::open(file).ok()?.take(FIRST_LINE_BYTES).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = str::from_utf8(line).ok()?.split_whitespace();
    let named = words.next()?;
    let name = match Utf8Path::new(named).file_name() {
        Some("env") => words.find(|word| !word.starts_with('-') && !word.contains('='))?,
        _ => named,
    };
    let found = which::which_in(name, Some(path), "/").ok()?.canonicalize().ok()?;
    Utf8PathBuf::from_path_buf(found).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    struct Host {
        _dir: tempfile::TempDir,
        root: Utf8PathBuf,
    }

    impl Host {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
            Self { _dir: dir, root }
        }

        fn program(&self, path: &str, content: &str) -> Utf8PathBuf {
            let file = self.root.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
            file
        }
    }

    #[test]
    fn a_packaged_script_needs_its_packages_and_its_interpreter() {
        let host = Host::new();
        let node = host.program("node/bin/node", "\u{7f}ELF");
        let script =
            host.program("npm/node_modules/@openai/codex/bin/codex.js", "#!/usr/bin/env node\n");
        host.program("npm/node_modules/@openai/codex-linux-x64/vendor/codex", "\u{7f}ELF");
        symlink(&script, host.root.join("codex")).unwrap();

        let found = places(&script, host.root.join("node/bin").as_str());
        assert_eq!(found, [host.root.join("npm/node_modules"), node]);
    }

    #[test]
    fn a_package_nested_in_another_shows_the_outermost_packages() {
        let host = Host::new();
        let deep = host.program(
            "p/node_modules/.pnpm/claude@2/node_modules/@anthropic-ai/claude-code/claude",
            "\u{7f}ELF",
        );
        assert_eq!(places(&deep, ""), [host.root.join("p/node_modules")]);
    }

    #[test]
    fn a_single_program_in_a_home_shows_itself_and_nothing_else() {
        let host = Host::new();
        let claude = host.program("home/.local/share/claude/versions/2.1", "\u{7f}ELF");
        assert_eq!(places(&claude, ""), [claude]);
    }

    #[test]
    fn a_script_of_the_system_shell_needs_only_itself() {
        let host = Host::new();
        let script = host.program("agent.sh", "#!/bin/sh -e\nexit 0\n");
        assert_eq!(places(&script, "/usr/bin:/bin"), [script]);
    }

    #[test]
    fn interpreters_that_name_each_other_end() {
        let host = Host::new();
        let a = host.root.join("a");
        let b = host.program("b", &format!("#!{a}\n"));
        host.program("a", &format!("#!{b}\n"));
        assert_eq!(places(&a, ""), [a.clone(), b]);
    }

    #[test]
    fn a_program_of_the_system_needs_nothing_more() {
        assert!(places(Utf8Path::new("/usr/bin/env"), "/usr/bin").is_empty());
    }
}
