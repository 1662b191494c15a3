//! The command line that starts the init behind its wall.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use domain::definition::Network;
use nix::unistd::Uid;
use ports::{Mount, SandboxSpec};

use crate::{
    files,
    order::{Order, Wall},
};

/// Where the shim's program is seen inside.
const SHIM_INSIDE: &str = "/run/gatewright/shim";

/// Parts of the system outside `/usr`: links into it on most systems, directories on others.
const SYSTEM: [&str; 6] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// What of `/etc` programs need to run at all. Nothing in here is secret; `shadow`, `sudoers`, `ssh` and the configuration of
/// tools that may hold tokens (git, npm, pip) are not, and must not come.
const ETC: [&str; 18] = [
    "alternatives",
    "ca-certificates",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "protocols",
    "services",
    "ssl/certs",
];

/// What name resolution needs besides, where there is a network to resolve names for.
const ETC_NETWORK: [&str; 2] = ["gai.conf", "resolv.conf"];

/// Whether a command shares the host's network. Otherwise it has a loopback of its own and nothing else.
///
/// Only [`Network::None`] is closed today: what lies between closed and open is enforced by the gateway, and a command without
/// network could not reach its model.
fn shares_host_network(network: Network) -> bool {
    match network {
        Network::None => false,
        Network::ModelOnly | Network::AllowList | Network::Open => true,
    }
}

/// The command line of the init, which gets `init_argument` as its last word; or why there is none.
pub(super) fn command_line(order: &Order, init_argument: &str) -> Result<Vec<String>, String> {
    check_links(&order.spec)?;
    let (program, rest) = order.shim.split_first().ok_or("the order names no shim")?;
    let rest = rest.iter().cloned().chain([init_argument.to_owned()]);
    match &order.wall {
        Wall::None => Ok([program.clone()].into_iter().chain(rest).collect()),
        Wall::Bubblewrap { program: bubblewrap } => {
            let mut words = vec![bubblewrap.to_string()];
            words.extend(bubblewrap_arguments(&order.spec, program));
            words.extend(["--".to_owned(), SHIM_INSIDE.to_owned()]);
            words.extend(rest);
            Ok(words)
        }
    }
}

/// Refuses places on the host whose way leads over a link that a former agent may have made.
fn check_links(spec: &SandboxSpec) -> Result<(), String> {
    let writable = || spec.mounts.iter().filter(|it| it.writable);
    let refuse = |what: &str, link: Utf8PathBuf| {
        Err(format!("{what} leads over {link}, a link in a place that the command can write"))
    };
    for place in writable() {
        if let Some(link) =
            spec.stdin.as_ref().and_then(|stdin| files::link_below(&place.from, stdin))
        {
            return refuse("the standard input", link);
        }
        for Mount { from, to, writable: _ } in &spec.mounts {
            // Where a mount lies inside another one, its mount point is a path in that one.
            let mount_point = to.strip_prefix(&place.to).map(|rest| place.from.join(rest));
            let link = files::link_below(&place.from, from)
                .or_else(|| files::link_below(&place.from, &mount_point.ok()?));
            if let Some(link) = link {
                return refuse(&format!("the mount of {from} at {to}"), link);
            }
        }
    }
    Ok(())
}

/// Namespaces, a read-only system, private `/tmp` and `/run`, and the mounts of `spec`.
///
/// The environment is not among them: command lines can be read by everybody on the host. The init sets it.
fn bubblewrap_arguments(spec: &SandboxSpec, shim: &str) -> Vec<String> {
    let mut line = Line::default();
    // Always a user namespace, also for root: capabilities, if ever regained, then mean nothing on the host. The user's own
    // number is kept, so that what he writes into a mount belongs to him.
    line.add([
        "--unshare-user",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]);
    if !shares_host_network(spec.network) {
        line.add(["--unshare-net"]);
    }
    line.add([
        "--die-with-parent",
        "--new-session",
        "--as-pid-1",
        "--cap-drop",
        "ALL",
        "--clearenv",
        "--hostname",
        "sandbox",
    ]);
    add_system(&mut line, spec.network);
    line.add(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/run"]);
    line.add(["--dir", "/var", "--symlink", "/tmp", "/var/tmp", "--symlink", "/run", "/var/run"]);
    line.add(["--ro-bind", shim, SHIM_INSIDE]);
    for Mount { from, to, writable } in &spec.mounts {
        line.add([if *writable { "--bind" } else { "--ro-bind" }, from.as_str(), to.as_str()]);
    }
    if Uid::effective().is_root() {
        // The kernel lets root write /proc/sys and /proc/sysrq-trigger without any capability, and a user namespace that
        // maps root to root does not change that: one write to core_pattern would be the end of the wall.
        line.add(["--remount-ro", "/proc"]);
    }
    line.add(["--remount-ro", "/"]);
    line.words
}

fn add_system(line: &mut Line, network: Network) {
    line.add(["--ro-bind", "/usr", "/usr"]);
    for place in SYSTEM {
        match fs::read_link(place).ok().and_then(|target| Utf8PathBuf::from_path_buf(target).ok()) {
            Some(target) => line.add(["--symlink", target.as_str(), place]),
            None if Utf8Path::new(place).is_dir() => line.add(["--ro-bind", place, place]),
            None => {}
        }
    }
    let extra: &[&str] = if shares_host_network(network) { &ETC_NETWORK } else { &[] };
    for name in ETC.iter().chain(extra) {
        // A link (resolv.conf often is one, into /run) is shown as the file that it leads to; a dangling one not at all.
        let place = format!("/etc/{name}");
        if let Ok(target) = Utf8Path::new(&place).canonicalize_utf8() {
            line.add(["--ro-bind", target.as_str(), &place]);
        }
    }
}

/// A command line in the making.
#[derive(Default)]
struct Line {
    words: Vec<String>,
}

impl Line {
    fn add<const COUNT: usize>(&mut self, words: [&str; COUNT]) {
        self.words.extend(words.map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, os::unix::fs::symlink, time::Duration};

    use ports::SandboxLimits;

    use super::*;

    fn order(mounts: Vec<Mount>) -> Order {
        let limits = SandboxLimits {
            time: Duration::from_secs(1),
            silence: None,
            log_bytes: 1,
            stop_grace: Duration::ZERO,
        };
        let spec = SandboxSpec {
            name: "x".into(),
            argv: vec!["true".into()],
            env: BTreeMap::from([("TOKEN".into(), "hush".into())]),
            cwd: "/".into(),
            stdin: None,
            mounts,
            network: Network::None,
            limits,
        };
        let wall = Wall::Bubblewrap { program: "/usr/bin/bwrap".into() };
        Order { version: 1, wall, shim: vec!["/opt/gatewright".into(), "shim".into()], spec }
    }

    fn mount(from: impl Into<Utf8PathBuf>, to: impl Into<Utf8PathBuf>, writable: bool) -> Mount {
        Mount { from: from.into(), to: to.into(), writable }
    }

    #[test]
    fn without_a_wall_the_shim_is_started_as_it_is() {
        let order = Order { wall: Wall::None, ..order(Vec::new()) };
        assert_eq!(command_line(&order, "@3,4,5").unwrap(), ["/opt/gatewright", "shim", "@3,4,5"]);
    }

    #[test]
    fn the_environment_is_not_on_the_command_line() {
        let line = command_line(&order(Vec::new()), "@3,4,5").unwrap();
        assert!(line.ends_with(&["--".into(), SHIM_INSIDE.into(), "shim".into(), "@3,4,5".into()]));
        assert!(!line.iter().any(|word| word.contains("hush")));
    }

    #[test]
    fn only_a_closed_network_is_unshared() {
        assert!(!shares_host_network(Network::None));
        assert!(
            command_line(&order(Vec::new()), "@").unwrap().contains(&"--unshare-net".to_owned())
        );
        let mut open = order(Vec::new());
        open.spec.network = Network::Open;
        assert!(!command_line(&open, "@").unwrap().contains(&"--unshare-net".to_owned()));
    }

    #[test]
    fn mounts_keep_their_order_and_their_mode() {
        let line = command_line(
            &order(vec![mount("/srv/a", "/a", true), mount("/srv/b", "/a/b", false)]),
            "@",
        )
        .unwrap();
        let expected = ["--bind", "/srv/a", "/a", "--ro-bind", "/srv/b", "/a/b"];
        assert!(line.windows(6).any(|words| words == expected), "{line:?}");
    }

    #[test]
    fn a_link_planted_in_a_workspace_does_not_decide_what_is_mounted() {
        let dir = tempfile::tempdir().unwrap();
        let base = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        symlink("/root", base.join("trap")).unwrap();
        let workspace = mount(base.clone(), "/work", true);
        let from_inside = order(vec![workspace.clone(), mount(base.join("trap"), "/notes", false)]);
        assert!(command_line(&from_inside, "@").unwrap_err().contains("trap"));
        let onto_inside = order(vec![workspace.clone(), mount("/srv", "/work/trap/srv", false)]);
        assert!(command_line(&onto_inside, "@").unwrap_err().contains("trap"));
        let mut standard_input = order(vec![workspace]);
        standard_input.spec.stdin = Some(base.join("trap/.ssh/id_rsa"));
        assert!(command_line(&standard_input, "@").unwrap_err().contains("trap"));
    }
}
