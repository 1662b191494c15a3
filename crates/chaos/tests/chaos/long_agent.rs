//! One run of an agent under ten orchestrators: killed, drained, upgraded.

use std::fs;

use testkit::gatewright::Gatewright;

use crate::world::{PROGRAM, World};

const RESTARTS: usize = 10;

/// "A real agent run survives 10 restarts of the orchestrator and is counted as one run, its log complete and in order."
/// `cargo xtask chaos --long-agent` does the same with five minutes in between. Half of the restarts are kills, half are
/// drains, and each third one is an upgrade to another file, with the old one gone.
#[test]
fn a_run_outlives_ten_orchestrators_and_its_log_is_whole() {
    let mut gatewright = Gatewright::new(PROGRAM);
    let (pace, said) = (gatewright.bell("pace"), gatewright.bell("said"));
    let script = format!(
        "number=0; while [ $number -lt {RESTARTS} ]; do
             read now < {}; number=$((number + 1)); echo \"line $number\"; echo $number > {}
         done; echo new > new.txt",
        pace.path(),
        said.path()
    );
    let copy = |gatewright: &Gatewright, number: usize| {
        let program = gatewright.home().join(format!("gatewright-{number}"));
        fs::copy(PROGRAM, &program).unwrap();
        program
    };
    let mut program = copy(&gatewright, 0);
    gatewright.upgrade(program.as_str());
    let mut world = World::with(gatewright, |_| script);
    let said = said.listen();
    let mut running = world.begin(&[]);
    let run = world.next_launch();
    for number in 1..=RESTARTS {
        if number > 1 {
            running.wait_for("is still at work: taken up again");
        }
        pace.ring();
        assert_eq!(said.next(), number.to_string());
        if number % 2 == 0 {
            running.signal("TERM");
            assert_eq!(running.finish().code(), Some(130));
        } else {
            running.kill();
            assert_eq!(running.finish().code(), None);
        }
        if number % 3 == 0 {
            fs::remove_file(&program).unwrap();
            program = copy(&world.gatewright, number);
            world.gatewright.upgrade(program.as_str());
        }
        running = world.resume(&[]);
    }
    let finished = running.finish();
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    let remembered = world.remembered();
    assert_eq!(remembered.runs.iter().map(|it| it.id.to_string()).collect::<Vec<_>>(), [run]);
    assert_eq!(world.launched(), Vec::<String>::new());
    remembered.assert_nothing_was_charged("after ten restarts");
    let log = world.start(&["logs", "IT-001", "--raw"], &[]).finish();
    let lines: Vec<&str> = log.stdout.lines().filter(|line| line.starts_with("line ")).collect();
    let expected: Vec<String> = (1..=RESTARTS).map(|number| format!("line {number}")).collect();
    assert_eq!(lines, expected, "{log:#?}");
    let events = world.start(&["logs", "IT-001"], &[]).finish();
    let heard: Vec<&str> =
        events.stdout.lines().filter_map(|line| line.find("line ").map(|at| &line[at..])).collect();
    assert_eq!(heard, expected, "{events:#?}");
}
