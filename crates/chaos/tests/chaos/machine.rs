//! The machine is switched off, and nobody comes back to it.

use std::fs;

use testkit::gatewright::Gatewright;

use crate::world::{PROGRAM, World};

/// A reboot: everything is gone at once, and process numbers mean nothing any more. The run is lost, which nobody is
/// charged for, and what it had done is where the next one begins (A8: sessions that are zombies after a reboot).
#[test]
fn after_a_reboot_work_goes_on_where_it_was_and_no_retry_is_spent() {
    let gatewright = Gatewright::new(PROGRAM);
    let half = gatewright.bell("half");
    let script = format!(
        "if [ -e work.txt ]; then echo second half >> work.txt; exit; fi
         echo first half > work.txt; echo half > {}; sleep 1000",
        half.path()
    );
    let world = World::with(gatewright, |_| script);
    let running = world.begin(&[]);
    assert_eq!(half.listen().next(), "half");
    world.gatewright.kill_everything();
    drop(running.finish());
    let lost = world.next_launch();
    let noted = world.gatewright.data_dir().join(format!("runs/{lost}/agent/pid.json"));
    let text = fs::read_to_string(&noted).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(&noted, text.replace(boot.trim(), "an earlier boot")).unwrap();

    let finished = world.resume(&[]).finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert_eq!(world.repository.show("main:work.txt"), "first half\nsecond half\n");
    assert_eq!(world.launched().len(), 1);
    let remembered = world.remembered();
    assert_eq!(remembered.runs.len(), 2);
    remembered.assert_nothing_was_charged("after a reboot");
}

/// Nobody resumes: the agent ends at its own limit, by its shim, and that is on record for whoever comes one day
/// (A4: 80 orphans that froze a host).
#[test]
fn an_agent_that_nobody_comes_back_for_ends_by_its_own_limit() {
    let world = World::of_agent("sleep 1000");
    world.gatewright.configure(
        &fs::read_to_string(world.gatewright.home().join(".config/gatewright/gatewright.toml"))
            .unwrap()
            .replace("kind = \"command\"", "kind = \"command\"\ntime_limit = \"2s\""),
    );
    let running = world.begin(&[]);
    let run = world.next_launch();
    running.kill();
    drop(running.finish());
    world.gatewright.wait_for_sandboxes();
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
    let record = world.gatewright.data_dir().join(format!("runs/{run}/agent/exit.json"));
    let record = fs::read_to_string(record).unwrap();
    assert!(record.contains("\"stopped\"") && record.contains("\"time_limit\""), "{record}");
}
