//! The `bwrap` program: where it is, which version, and what mends a machine where it does not work.

use std::{fs, process::Stdio, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use ports::SandboxError;
use tokio::{process::Command, time::timeout};

/// The backend's name.
pub(crate) const NAME: &str = "bubblewrap";

/// Where systems have it. Not `PATH`: a program from somebody's home would decide what the wall is.
const PLACES: [&str; 4] =
    ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap", "/run/current-system/sw/bin/bwrap"];

const INSTALL: &str = "it is not installed; install bubblewrap: apt-get install bubblewrap, or dnf install bubblewrap";

/// How long it may take to say its version.
const VERSION_WITHIN: Duration = Duration::from_secs(5);

/// Finds the program: the one that was named, or the system's.
pub(crate) fn find(named: Option<&Utf8Path>) -> Result<Utf8PathBuf, SandboxError> {
    match named {
        Some(program) if program.is_file() => Ok(program.to_owned()),
        Some(program) => Err(unavailable(format!("{program} is not there; {INSTALL}"))),
        None => PLACES
            .iter()
            .map(Utf8PathBuf::from)
            .find(|place| place.is_file())
            .ok_or_else(|| unavailable(INSTALL.to_owned())),
    }
}

/// Asks the program for its version.
pub(crate) async fn version(program: &Utf8Path) -> Result<String, SandboxError> {
    let call = Command::new(program)
        .arg("--version")
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    match timeout(VERSION_WITHIN, call).await {
        Ok(Ok(output)) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(text.trim().trim_start_matches("bubblewrap ").to_owned())
        }
        Ok(Ok(output)) => {
            Err(unavailable(format!("`{program} --version` ended with {}", output.status)))
        }
        Ok(Err(error)) => Err(unavailable(format!("{program} cannot be run: {error}"))),
        Err(_) => Err(unavailable(format!(
            "`{program} --version` did not end within {} s",
            VERSION_WITHIN.as_secs()
        ))),
    }
}

pub(crate) fn unavailable(reason: String) -> SandboxError {
    SandboxError::Unavailable { backend: NAME, reason }
}

/// The kernel's settings that keep users from making namespaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Knobs {
    /// `kernel.unprivileged_userns_clone` (Debian, Arch).
    clone: Option<u64>,
    /// `user.max_user_namespaces`.
    max: Option<u64>,
    /// `kernel.apparmor_restrict_unprivileged_userns` (Ubuntu).
    apparmor: Option<u64>,
}

impl Knobs {
    /// Reads them.
    pub(crate) fn read() -> Self {
        let knob =
            |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok();
        Self {
            clone: knob("kernel/unprivileged_userns_clone"),
            max: knob("user/max_user_namespaces"),
            apparmor: knob("kernel/apparmor_restrict_unprivileged_userns"),
        }
    }

    /// What to change; `None` where they are all as they have to be.
    pub(crate) fn mend(self) -> Option<&'static str> {
        if self.max == Some(0) {
            Some("user namespaces are switched off; sysctl user.max_user_namespaces=10000")
        } else if self.clone == Some(0) {
            Some(
                "user namespaces are kept from ordinary users; sysctl kernel.unprivileged_userns_clone=1",
            )
        } else if self.apparmor == Some(1) {
            Some(
                "AppArmor restricts user namespaces; give bwrap a profile with `userns,`, or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
            )
        } else {
            None
        }
    }
}

/// Why it did not work, from what it said, and what mends it.
pub(crate) fn explain(message: &str, knobs: Knobs) -> String {
    let in_container = "inside a container it needs user namespaces and an unmasked /proc: \
        docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined";
    match knobs.mend() {
        Some(mend) => format!("{message}; {mend}"),
        None if message.contains("namespace")
            || message.contains("mount proc")
            || message.contains("Operation not permitted") =>
        {
            format!("{message}; {in_container}")
        }
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_with_what_installs_it() {
        let error = find(Some(Utf8Path::new("/nowhere/bwrap"))).unwrap_err().to_string();
        assert!(
            error.contains("/nowhere/bwrap") && error.contains("apt-get install bubblewrap"),
            "{error}"
        );
    }

    #[test]
    fn each_knob_is_mended_by_its_own_setting() {
        let mends = [
            (Knobs { max: Some(0), ..Knobs::default() }, "user.max_user_namespaces="),
            (Knobs { clone: Some(0), ..Knobs::default() }, "kernel.unprivileged_userns_clone=1"),
            (
                Knobs { apparmor: Some(1), ..Knobs::default() },
                "kernel.apparmor_restrict_unprivileged_userns=0",
            ),
        ];
        for (knobs, expected) in mends {
            assert!(explain("setting up uid map: Permission denied", knobs).contains(expected));
        }
        let fine = Knobs { max: Some(1000), clone: Some(1), apparmor: Some(0) };
        assert!(explain("No permissions to create a new namespace", fine).contains("docker run"));
        assert_eq!(explain("something else", fine), "something else");
    }
}
