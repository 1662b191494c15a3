//! What this machine gives, for `doctor`.

use std::fs;

use nix::libc;

use crate::{
    bubblewrap::{self, Knobs},
    select::Options,
};

/// What isolation can be had here, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Where bubblewrap is and which version, or why not.
    pub bubblewrap: String,
    /// Whether it is there, whatever it can do.
    pub has_bubblewrap: bool,
    /// Whether users can make namespaces, or what keeps them from it.
    pub user_namespaces: String,
    /// Which version of control groups there is.
    pub control_groups: String,
    /// What the kernel says about Landlock.
    pub landlock: String,
}

/// Looks at this machine. What it finds is what the kernel offers; that it works is what [`ports::Sandbox::check`] proves.
pub async fn probe(options: &Options) -> Probe {
    let found = bubblewrap::find(options.bubblewrap.as_deref());
    let has_bubblewrap = found.is_ok();
    let bubblewrap = match found {
        Ok(program) => {
            bubblewrap::version(&program).await.map(|version| format!("{program} {version}"))
        }
        Err(error) => Err(error),
    };
    Probe {
        bubblewrap: bubblewrap.unwrap_or_else(|error| error.to_string()),
        has_bubblewrap,
        user_namespaces: Knobs::read().mend().unwrap_or("available").to_owned(),
        control_groups: control_groups(),
        landlock: landlock(),
    }
}

fn control_groups() -> String {
    if let Ok(controllers) = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers") {
        return format!("version 2 with {}", controllers.trim());
    }
    match fs::read_to_string("/proc/self/cgroup") {
        Ok(groups) if !groups.trim().is_empty() => "version 1".to_owned(),
        _ => "none".to_owned(),
    }
}

#[expect(unsafe_code, reason = "the version can only be asked for with a bare system call")]
fn landlock() -> String {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the kernel looks at neither pointer nor size and makes nothing.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0_usize,
            VERSION,
        )
    };
    if version > 0 { format!("version {version}") } else { "none".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_program_is_told_and_not_an_error() {
        let options =
            Options { shim: vec!["/bin/true".into()], bubblewrap: Some("/nowhere/bwrap".into()) };
        let found = probe(&options).await;
        assert!(!found.has_bubblewrap);
        assert!(found.bubblewrap.contains("apt-get install bubblewrap"), "{found:?}");
        assert!(
            [found.user_namespaces, found.control_groups, found.landlock]
                .iter()
                .all(|text| !text.is_empty())
        );
    }
}
