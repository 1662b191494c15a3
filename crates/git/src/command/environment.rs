//! What git sees of the world.

use std::{env, ffi::OsString, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};

use super::Call;

/// Settings of every call. Those of the command line win over those of any repository.
const SETTINGS: &[&str] = &[
    "protocol.ext.allow=never",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "color.ui=false",
    // The people's repository may belong to another user than we do.
    "safe.directory=*",
    // Wait for another git instead of failing at once.
    "core.filesRefLockTimeout=5000",
    "core.packedRefsTimeout=10000",
];

/// With whose eyes git looks at the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Ours: no configuration but that of the repository and of the command line.
    Own,
    /// The people who started us. A private remote is reached with their keys and credential helpers, and their
    /// checked-out tree is written with their line endings and large-file filters: all that stands below their
    /// home. Never used on anything that an agent has written.
    People,
}

/// Where git is, and what every call has in common.
#[derive(Debug)]
pub(crate) struct Runner {
    binary: Utf8PathBuf,
    time_limit: Duration,
    own: Vec<(OsString, OsString)>,
    people: Vec<(OsString, OsString)>,
}

impl Runner {
    /// Remembers what the process's environment says about the people who started it.
    pub(crate) fn new(binary: &Utf8Path, time_limit: Duration) -> Self {
        let beside = binary.parent().map_or("/usr/bin", Utf8Path::as_str);
        let own = pairs(&[
            ("PATH", &format!("{beside}:/usr/local/bin:/usr/bin:/bin")),
            ("HOME", "/nonexistent"),
            ("LANG", "C.UTF-8"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_LITERAL_PATHSPECS", "1"),
        ]);
        let mut people = pairs(&[
            ("LANG", "C.UTF-8"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            // A key with a passphrase must fail, not wait for somebody at a terminal.
            ("SSH_ASKPASS", "/bin/false"),
            ("SSH_ASKPASS_REQUIRE", "force"),
        ]);
        for name in ["PATH", "HOME", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK"] {
            people.extend(env::var_os(name).map(|value| (name.into(), value)));
        }
        Self { binary: binary.to_owned(), time_limit, own, people }
    }

    /// Begins a call; `operation` completes the sentence "could not …".
    pub(crate) fn git(&self, caller: Caller, operation: impl Into<String>) -> Call<'_> {
        let call = Call::new(self, caller, operation.into());
        SETTINGS.iter().fold(call, |call, setting| call.arg("-c").arg(setting))
    }

    /// Begins a call on a repository of ours.
    pub(crate) fn git_in(&self, git_dir: &Utf8Path, operation: impl Into<String>) -> Call<'_> {
        self.git(Caller::Own, operation).dir(git_dir).arg(format!("--git-dir={git_dir}"))
    }

    /// The command for `fetch --upload-pack`. It runs in the environment of the repository that is read, where
    /// settings of our command line are gone: they are given again.
    pub(crate) fn upload_pack(&self) -> String {
        let binary = self.binary.as_str().replace('\'', r"'\''");
        let settings = "-c 'safe.directory=*' -c uploadpack.allowAnySHA1InWant=true";
        format!("'{binary}' {settings} upload-pack")
    }

    pub(super) fn binary(&self) -> &Utf8Path {
        &self.binary
    }

    pub(super) const fn time_limit(&self) -> Duration {
        self.time_limit
    }

    pub(super) fn environment(&self, caller: Caller) -> &[(OsString, OsString)] {
        match caller {
            Caller::Own => &self.own,
            Caller::People => &self.people,
        }
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    list.iter().map(|&(name, value)| (name.into(), value.into())).collect()
}
