//! What a command behind bubblewrap cannot do.

mod common;

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            fs::{MetadataExt, PermissionsExt, chown, symlink},
            net::{SocketAddr, UnixListener},
        },
    },
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{Env, options};
use domain::definition::Network;
use nix::unistd::Uid;
use ports::{ExitRecord, Mount, SandboxEnd, SandboxError, SandboxSpec};
use sandbox::{Backend, Options};

/// Where the shim is seen inside; the test's shim can do more than the product's.
const SHIM_INSIDE: &str = "/run/gatewright/shim";

async fn env() -> Env {
    Env::new(Backend::Bubblewrap).await
}

/// A process of the host, which does not outlive the test.
struct Host(Child);

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn places_that_are_not_mounted_are_not_there() {
    let env = env().await;
    for place in ["data", "other-workspace"] {
        fs::create_dir(env.root.join(place)).unwrap();
        fs::write(env.root.join(place).join("secret"), "hush").unwrap();
    }
    let places = [
        env.root.join("data").as_str(),
        env.root.join("other-workspace").as_str(),
        env.dir().as_str(),
        env!("CARGO_MANIFEST_DIR"),
        "/root",
        "/home",
        "/etc/shadow",
        "/etc/sudoers",
        "/etc/ssh",
        "/etc/gitconfig",
        "/sys",
        "/var/lib",
        "/dev/vda",
        "/dev/mem",
    ]
    .join(" ");
    let output = env
        .output_of(&env.script(&format!(
            "for p in {places}; do [ -e $p ] && echo sees $p; done; ls {}",
            env.root
        )))
        .await;
    assert_eq!(output, "work\n");
}

#[tokio::test]
async fn nothing_can_be_written_but_the_workspace_and_private_places() {
    let env = env().await;
    fs::create_dir(env.root.join("notes")).unwrap();
    let mut spec = env.script(&format!(
        "for p in / /usr /usr/bin /etc /var /opt {root}/notes /proc/sys/kernel; do touch $p/x 2>/dev/null && echo wrote $p; done
         for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /etc/passwd {SHIM_INSIDE}; do
           [ -e $f ] && ( : >> $f ) 2>/dev/null && echo opened $f
         done
         for p in /tmp /run {root} {root}/work; do touch $p/{marker} || echo no $p; done",
        root = env.root,
        marker = env.marker(),
    ));
    spec.mounts.push(Mount {
        from: env.root.join("notes"),
        to: env.root.join("notes"),
        writable: false,
    });
    assert_eq!(env.output_of(&spec).await, "");
    assert!(env.work().join(env.marker()).exists());
    // What is seen around a mount is not the host's.
    assert!(!env.root.join(env.marker()).exists());
    assert!(!fs::exists(format!("/tmp/{}", env.marker())).unwrap());
    assert!(!fs::exists(format!("/run/{}", env.marker())).unwrap());
}

#[tokio::test]
async fn processes_of_the_host_are_neither_seen_nor_reached() {
    let env = env().await;
    let marker = env.marker();
    let mut host = Host(Command::new("sleep").arg(&marker).stdout(Stdio::null()).spawn().unwrap());
    let script = format!(
        "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; kill -9 {pid} && echo rea''ched",
        pid = host.0.id()
    );
    let output = env.output_of(&env.script(&script)).await;
    assert!(
        !output.contains(&format!("sleep {marker}")) && !output.contains("reached"),
        "{output}"
    );
    assert!(host.0.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn the_init_cannot_be_looked_into_nor_ended() {
    let env = env().await;
    let script = "for f in /proc/1/fd/* /proc/1/root /proc/1/cwd /proc/1/exe; do readlink $f; done; ls /proc/1/root/ 2>/dev/null; cat /proc/1/environ /proc/1/fd/* /proc/1/mem 2>/dev/null; kill -9 1; kill -STOP 1; echo alive";
    let mut spec = env.script(script);
    // Whoever can open the init's files waits for what comes out of them.
    (spec.limits.time, spec.limits.stop_grace) = (Duration::from_secs(10), Duration::ZERO);
    let record = env.run(&spec).await;
    assert_eq!(env.log(ports::OutputStream::Out).await, "alive\n");
    assert_eq!(record.end, SandboxEnd::Exited { code: 0 });
}

#[tokio::test]
async fn a_closed_network_reaches_no_service_of_the_host() {
    let env = env().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo connected || echo refused"
    );
    let closed = env.spec(&["bash", "-c", &script]);
    assert_eq!(env.output_of(&closed).await, "refused\n");
    env.sandbox.remove(&env.dir()).await.unwrap();
    let open = SandboxSpec { network: Network::Open, ..closed };
    assert_eq!(env.output_of(&open).await, "connected\n");
}

#[tokio::test]
async fn abstract_sockets_of_the_host_are_out_of_reach_even_with_its_network() {
    let env = env().await;
    let name = format!("gatewright-test-{}", env.marker());
    let _listener =
        UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let connect =
        SandboxSpec { network: Network::Open, ..env.spec(&[SHIM_INSIDE, "connect", &name]) };
    let output = env.output_of(&connect).await;
    let landlock = sandbox::probe(&options()).await.landlock;
    let version: u32 = landlock.strip_prefix("version ").map_or(0, |it| it.parse().unwrap());
    // Older kernels cannot.
    assert_eq!(output.contains("connected"), version < 6, "{output}");
}

#[tokio::test]
async fn privileges_are_gone_for_good() {
    let env = env().await;
    let output = env.output_of(&env.script("grep -E '^(Cap|NoNewPrivs)' /proc/self/status; hostname; mount -t tmpfs x /tmp && echo mounted")).await;
    let expected = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
        .map(|it| format!("{it}:\t0000000000000000\n"))
        .concat();
    assert!(output.starts_with(&(expected + "NoNewPrivs:\t1\nsandbox\n")), "{output}");
    assert!(!output.contains("mounted"), "{output}");
}

#[tokio::test]
async fn the_environment_is_exactly_what_was_given() {
    let env = env().await;
    let mut spec = env.spec(&["env"]);
    spec.env = BTreeMap::from([
        ("PATH".into(), "/usr/bin".into()),
        ("TOKEN".into(), "with = and\nline".into()),
    ]);
    assert_eq!(env.output_of(&spec).await, "PATH=/usr/bin\nTOKEN=with = and\nline\n");
}

#[tokio::test]
async fn secrets_of_the_environment_are_on_no_command_line_and_stay_in_no_file() {
    let env = env().await;
    let mut spec = env.script("echo ready; sleep 600");
    let token = format!("token-{}", env.marker());
    spec.env.insert("TOKEN".into(), token.clone());
    env.launch(&spec).await;
    env.ready().await;
    let lines = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|it| fs::read(it.ok()?.path().join("cmdline")).ok());
    assert!(!lines.into_iter().any(|line| String::from_utf8_lossy(&line).contains(&token)));
    let files = fs::read_dir(env.dir()).unwrap().map(|it| it.unwrap().path());
    let holders: Vec<_> = files
        .filter(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).contains(&token))
        .collect();
    assert!(holders.is_empty(), "a key is kept in {holders:?}");
    env.sandbox.stop(&env.dir()).await.unwrap();
    env.end().await;
}

#[tokio::test]
async fn mounts_are_seen_where_they_were_asked_for_and_files_belong_to_their_user() {
    let env = env().await;
    fs::create_dir(env.root.join("notes")).unwrap();
    fs::write(env.root.join("notes/a"), "note\n").unwrap();
    let mount = |from: &str, to: &str, writable| Mount {
        from: env.root.join(from),
        to: to.into(),
        writable,
    };
    let spec = SandboxSpec {
        mounts: vec![mount("work", "/workspace", true), mount("notes", "/workspace/.notes", false)],
        cwd: "/workspace".into(),
        ..env
            .script("cat .notes/a; echo made > made; echo x 2>/dev/null > .notes/b || echo refused")
    };
    assert_eq!(env.output_of(&spec).await, "note\nrefused\n");
    let made = fs::metadata(env.work().join("made")).unwrap();
    assert_eq!(made.uid(), Uid::effective().as_raw());
}

#[tokio::test]
async fn a_mount_over_a_planted_link_does_not_start() {
    let env = env().await;
    symlink("/root", env.work().join("trap")).unwrap();
    let mut spec = env.script("ls /notes");
    spec.mounts.push(Mount { from: env.work().join("trap"), to: "/notes".into(), writable: false });
    let SandboxEnd::LaunchFailed { message } = env.run(&spec).await.end else { panic!("it ran") };
    assert!(message.contains("trap"), "{message}");
}

#[tokio::test]
async fn a_mount_that_is_not_there_fails_the_launch_in_bubblewraps_words() {
    let env = env().await;
    let mut spec = env.script("true");
    spec.mounts.push(Mount { from: "/no/such/place".into(), to: "/notes".into(), writable: false });
    let SandboxEnd::LaunchFailed { message } = env.run(&spec).await.end else { panic!("it ran") };
    assert!(message.contains("/no/such/place"), "{message}");
}

/// As root, somebody without rights is the orchestrator; as an ordinary user all tests of this file are that already.
#[tokio::test]
async fn it_works_for_a_user_without_rights() {
    const NOBODY: u32 = 65534;
    let env = env().await;
    let program = env.root.join("shim");
    fs::copy(env!("CARGO_BIN_EXE_sandbox-test-shim"), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(
        env.root.join("spec"),
        serde_json::to_vec(&env.script("id -u; touch made; exit 5")).unwrap(),
    )
    .unwrap();
    let mut command = Command::new(&program);
    if Uid::effective().is_root() {
        for place in [&env.root, &env.work()] {
            chown(place, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        chown(env.root.join("spec"), Some(NOBODY), Some(NOBODY)).unwrap();
        command = Command::new("setpriv");
        let number = NOBODY.to_string();
        command.args(["--reuid", &number, "--regid", &number, "--clear-groups"]).arg(&program);
    }
    let output = command
        .args(["run", "bubblewrap", env.dir().as_str(), env.root.join("spec").as_str()])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    let record: ExitRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(record.end, SandboxEnd::Exited { code: 5 });
    let owner = fs::metadata(env.work().join("made")).unwrap().uid();
    assert_eq!(env.log(ports::OutputStream::Out).await, format!("{owner}\n"));
}

#[tokio::test]
async fn a_wall_that_was_asked_for_and_cannot_be_had_is_an_error_and_only_auto_goes_on() {
    let env = env().await;
    let broken = env.root.join("bwrap");
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && echo bubblewrap 9 && exit\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n";
    fs::write(&broken, script).unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    for (program, expected) in [
        ("/nowhere/bwrap", "apt-get install bubblewrap"),
        (broken.as_str(), "uid map: Permission denied"),
    ] {
        let options = Options { bubblewrap: Some(program.into()), ..options() };
        match sandbox::select(Backend::Bubblewrap, options.clone()).await {
            Err(SandboxError::Unavailable { backend, reason }) => {
                assert!(backend == "bubblewrap" && reason.contains(expected), "{reason}");
            }
            other => panic!("{:?}", other.map(|it| it.1)),
        }
        let (_, selection) = sandbox::select(Backend::Auto, options).await.unwrap();
        assert_eq!(selection.backend, "process");
        let warning = selection.warning.unwrap();
        assert!(warning.contains("without a wall") && warning.contains(expected), "{warning}");
    }
}

#[tokio::test]
async fn auto_takes_the_wall_where_it_works() {
    let (_, selection) = sandbox::select(Backend::Auto, options()).await.unwrap();
    assert_eq!(selection.backend, "bubblewrap", "install bubblewrap: apt-get install bubblewrap");
    assert!(
        selection.version.starts_with(|first: char| first.is_ascii_digit()),
        "{}",
        selection.version
    );
}
