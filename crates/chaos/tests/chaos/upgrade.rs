//! An upgrade in place: another file takes over what the old one started, which is gone from the disk meanwhile.

use std::fs;

use testkit::gatewright::Gatewright;

use crate::world::{PROGRAM, World};

/// The old shim goes on from a file that does not exist any more; the new binary takes its agent up and ends the work.
#[test]
fn another_binary_takes_up_the_agents_of_one_that_was_deleted() {
    let mut gatewright = Gatewright::new(PROGRAM);
    let end = gatewright.bell("end");
    let old = gatewright.home().join("gatewright");
    fs::copy(PROGRAM, &old).unwrap();
    gatewright.upgrade(old.as_str());
    let wait = format!("read now < {}; echo new > new.txt", end.path());
    let mut world = World::with(gatewright, |_| wait);
    let running = world.begin(&[]);
    drop(world.next_launch());
    running.signal("TERM");
    assert_eq!(running.finish().code(), Some(130));
    fs::remove_file(&old).unwrap();

    world.gatewright.upgrade(PROGRAM);
    let resumed = world.resume(&[]);
    resumed.wait_for("is still at work: taken up again");
    end.ring();
    let finished = resumed.finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert_eq!(world.launched(), Vec::<String>::new());
    let remembered = world.remembered();
    assert_eq!(remembered.runs.len(), 1);
    remembered.assert_nothing_was_charged("after an upgrade");
}

/// What a package manager does: the new file takes the place of the old one while the old one runs. The shims that the
/// running one starts from then on are the new one's.
#[test]
fn a_binary_that_is_replaced_while_it_runs_goes_on() {
    let mut gatewright = Gatewright::new(PROGRAM);
    let end = gatewright.bell("end");
    let (program, new) = (gatewright.home().join("gatewright"), gatewright.home().join("new"));
    fs::copy(PROGRAM, &program).unwrap();
    gatewright.upgrade(program.as_str());
    let wait = format!("read now < {}; echo new > new.txt", end.path());
    let world = World::with(gatewright, |_| wait);
    let running = world.begin(&[]);
    drop(world.next_launch());
    fs::copy(PROGRAM, &new).unwrap();
    fs::rename(&new, &program).unwrap();
    end.ring();
    let finished = running.finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    world.remembered().assert_nothing_was_charged("after a replacement");
}

/// The way back from an upgrade: an agent whose shim speaks a newer protocol is left alone, its pipeline waits, and the
/// others go on. The newer version, when it is back, finds it at work.
#[test]
fn an_agent_of_a_newer_version_is_parked_and_neither_killed_nor_doubled() {
    let gatewright = Gatewright::new(PROGRAM);
    let end = gatewright.bell("end");
    let wait = format!("read now < {}; echo new > $GATEWRIGHT_ITEM.txt", end.path());
    let world = World::with(gatewright, |_| wait);
    for _ in 0..2 {
        let running = world.begin(&[]);
        drop(world.next_launch());
        running.kill();
        drop(running.finish());
    }
    let first = world.remembered().runs.iter().map(|run| run.id).min().unwrap();
    let mark = world.gatewright.data_dir().join(format!("runs/{first}/agent/started"));
    let ours = fs::read(&mark).unwrap();
    fs::write(&mark, "99").unwrap();
    end.ring();
    end.ring();
    let finished = world.resume(&[]).finish();
    assert_eq!(finished.code(), Some(3), "{finished:#?}");
    let results = finished.json_lines();
    let state = |item: &str| {
        results.iter().find(|it| it["item"] == item).unwrap()["status"].as_str().unwrap().to_owned()
    };
    assert_eq!((&*state("IT-001"), &*state("IT-002")), ("paused", "succeeded"), "{finished:#?}");
    let events = world.start(&["events", "IT-001"], &[]).finish();
    assert!(events.stdout.contains("newer version (protocol 99"), "{events:#?}");

    fs::write(&mark, ours).unwrap();
    let finished = world.resume(&[]).finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert_eq!(world.launched(), Vec::<String>::new());
    let remembered = world.remembered();
    assert_eq!(remembered.runs.len(), 2);
    remembered.assert_nothing_was_charged("after the way back");
}
