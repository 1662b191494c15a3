//! What an agent can reach from inside: its workspace, and nothing else of the machine.

use std::{fs, io, net::TcpListener};

use camino::Utf8Path;
use testkit::gatewright::{Finished, Running};

use crate::world::{World, assert_error};

/// Tries `attempt` and writes down whether it worked.
fn attempt(name: &str, attempt: &str) -> String {
    format!(
        "if ( {attempt} ) >/dev/null 2>&1; then echo '{name}: possible'; else echo '{name}: impossible'; fi >> report.txt\n"
    )
}

/// What the agent could do, line by line.
fn report(world: &World) -> Vec<String> {
    let told = world.deliver();
    world.assert_merged(&told);
    world.repository.show("main:report.txt").lines().map(str::to_owned).collect()
}

fn plant(dir: &Utf8Path, name: &str) -> camino::Utf8PathBuf {
    fs::create_dir_all(dir).unwrap();
    let file = dir.join(name);
    fs::write(&file, "secret\n").unwrap();
    file
}

#[test]
fn an_agent_reads_and_writes_nothing_but_its_workspace() {
    let world = World::new();
    let (home, data) = (world.gatewright.home(), world.gatewright.data_dir());
    let secret = plant(&home.join(".ssh"), "id_ed25519");
    // There is a data directory, and somebody else's work in it.
    world.gatewright.configure_agent("echo else > else.txt");
    let first = world.call(&["run", "Add something else", "--json"]);
    assert_eq!(first.code(), Some(0), "{first:#?}");
    let other = plant(&data.join("workspaces/pl_other/solo"), "work.txt");
    let repository = world.dir();
    let script = [
        attempt("read the home of the user", &format!("cat {secret}")),
        attempt("list the home of the user", &format!("ls {home}")),
        attempt("read the database", &format!("cat {data}/gatewright.db")),
        attempt("read another workspace", &format!("cat {other}")),
        attempt("list the data directory", &format!("ls {data} | grep gatewright.db")),
        attempt("read the branches of the mirror", &format!("cat {data}/mirrors/*/HEAD")),
        attempt("read the repository of the user", &format!("cat {repository}/greet.sh")),
        attempt("write to the repository of the user", &format!("echo x > {repository}/greet.sh")),
        attempt(
            "write to its mirror",
            "objects=$(cat .git/objects/info/alternates) && touch $objects/x",
        ),
        attempt("write to the system", "touch /usr/x || touch /etc/x || touch /x"),
        attempt("change its brief", "echo x >> $GATEWRIGHT_BRIEF"),
        attempt("read passwords", "cat /etc/shadow"),
        attempt(
            "see processes of the host",
            &format!(
                "test -e /proc/{}/cmdline && grep -q cli /proc/{}/cmdline",
                std::process::id(),
                std::process::id()
            ),
        ),
        attempt("mount", "mount -t tmpfs none /tmp"),
        attempt(
            "read the environment of the orchestrator",
            "tr '\\0' '\\n' < /proc/1/environ | grep GATEWRIGHT_DATA_DIR",
        ),
        attempt("work", "echo new > new.txt && mkdir -p ~/.cache && touch /tmp/x"),
    ];
    world.gatewright.configure_agent(&script.concat());
    let report = report(&world);
    let (possible, impossible): (Vec<String>, Vec<String>) =
        report.into_iter().partition(|line| line.ends_with(": possible"));
    assert_eq!(possible, ["work: possible"]);
    assert_eq!(impossible.len(), script.len() - 1);
    assert_eq!(
        fs::read_to_string(world.dir().join("greet.sh")).unwrap(),
        world.repository.show("main:greet.sh")
    );
}

/// Whether an agent in a stage with that network gets through to a listener of the host.
fn reaches_the_host(network: &str) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut world = World::of_agent(&attempt(
        "connect",
        &format!("exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}'"),
    ));
    world.define("networked", &format!("network = \"{network}\""));
    let told = world.deliver_with(&["--pipeline", "networked"]);
    world.assert_merged(&told);
    let connected = match listener.accept() {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            false
        }
    };
    let says = world.repository.show("main:report.txt");
    assert_eq!(says == "connect: possible\n", connected, "{says}");
    connected
}

#[test]
fn a_stage_without_network_reaches_nothing_not_even_the_host() {
    assert!(!reaches_the_host("none"));
    // This shows that the same attempt works where it may.
    assert!(reaches_the_host("open"));
}

#[test]
fn the_environment_of_the_caller_is_not_the_agents() {
    let world = World::of_agent("env > environment.txt");
    let mut command =
        world.gatewright.command(world.dir(), &["run", "Add a file", "--merge", "--json"]);
    command.env("AWS_SECRET_ACCESS_KEY", "made-up").env("SSH_AUTH_SOCK", "/nowhere");
    let finished = Running::start(&mut command).finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let environment = world.repository.show("main:environment.txt");
    let mut names: Vec<&str> =
        environment.lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !name.starts_with("GATEWRIGHT_") && !name.starts_with("GIT_"));
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH", "PWD"]);
    assert!(!environment.contains("GATEWRIGHT_DATA_DIR"), "{environment}");
}

/// What a call does where bubblewrap is no program.
fn call_without_bubblewrap(world: &World, arguments: &[&str]) -> Finished {
    let script =
        "for place in /usr/bin/bwrap /usr/local/bin/bwrap /run/current-system/sw/bin/bwrap; do
                      if [ -e $place ]; then mount --bind /dev/null $place || exit 99; fi
                  done
                  exec \"$@\"";
    let mut command = world.gatewright.command_in_namespace(world.dir(), script, arguments);
    Running::start(&mut command).finish()
}

#[test]
fn isolation_that_cannot_be_had_is_an_error_and_never_left_out() {
    let world = World::new();
    for backend in ["auto", "bubblewrap"] {
        let top = format!("sandbox.backend = \"{backend}\"");
        world.gatewright.configure_agent_with("echo new > new.txt", "", &top);
        let finished = call_without_bubblewrap(&world, &["run", "Add a file"]);
        assert_error(&finished, 1, "bubblewrap", "backend = \"process\"");
    }
    world.assert_nothing_was_begun();
}

/// Its agents are our own.
#[test]
fn the_demo_works_without_bubblewrap() {
    let finished = call_without_bubblewrap(&World::new(), &["demo", "--json"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert_eq!(finished.json()["status"], "succeeded");
}
