//! What the work that was delivered since a backup means for what goes on from it.

use camino::Utf8PathBuf;

use crate::world::{Told, World};

/// The backup file of a world.
fn file(world: &World) -> Utf8PathBuf {
    world.gatewright.home().join("gatewright.backup")
}

/// A world with a backup that was made while its agent was at work; the agent has ended since, and its branch was left.
fn delivered_since() -> World {
    let world = World::new();
    let (started, end) = (world.gatewright.bell("started"), world.gatewright.bell("end"));
    world.gatewright.configure_agent(&format!(
        "echo started > {}; read now < {}; echo before > work.txt",
        started.path(),
        end.path()
    ));
    let running = world.gatewright.start(world.dir(), &["run", "Add a file", "--json"]);
    assert_eq!(started.listen().next(), "started");
    let backup = world.call(&["backup", file(&world).as_str()]);
    assert_eq!(backup.code(), Some(0), "{backup:#?}");
    end.ring();
    let told = Told::of(&running.finish());
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
    world.gatewright.configure_agent("echo after > work.txt");
    world
}

const BRANCH: &str = "feature/IT-001-add-a-file";

/// It cannot pass by itself: it is tried once, and a person is told which branch and what to do with it.
#[test]
fn work_that_was_delivered_since_the_backup_is_a_question_and_is_kept() {
    let world = delivered_since();
    let before = world.repository.head(BRANCH);
    let restored = world.call(&["restore", file(&world).as_str(), "--force"]);
    assert_eq!(restored.code(), Some(0), "{restored:#?}");

    let told = Told::of(&world.resume().finish());
    told.assert_blocked(&format!("the repository has another branch `{BRANCH}`"));
    let reason = told.text("reason");
    let (short, head) = (before.short(), told.text("head"));
    assert!(reason.contains(short) && reason.contains(&head[..short.len()]), "{told:#?}");
    assert!(reason.contains("rename or delete that branch"), "{told:#?}");
    assert_eq!(world.repository.head(BRANCH), before, "nobody's work is overwritten");
    let events = world.call(&["events", "IT-001", "--json"]);
    let mut lines = events.stdout.lines().filter(|line| line.contains("job_retried"));
    assert!(!lines.any(|line| line.contains("\"publish\"")), "it is tried once: {events:#?}");

    world.repository.git(&["branch", "--move", BRANCH, "delivered-before"]);
    let retried = world.call(&["pipeline", "retry", "IT-001"]);
    assert_eq!(retried.code(), Some(0), "{retried:#?}");
    let told = Told::of(&world.resume().finish());
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
    assert_eq!(world.repository.show(&format!("{BRANCH}:work.txt")), "after\n");
    assert_eq!(world.repository.show("delivered-before:work.txt"), "before\n");
}
