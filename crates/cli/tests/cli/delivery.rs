//! Agents whose work is delivered, however they leave it.

use crate::world::World;

#[test]
fn work_that_passes_its_gate_is_merged() {
    let world =
        World::of_agent("echo new > new.txt && git add new.txt && git commit -qm 'add a file'");
    let told = world.deliver();
    world.assert_merged(&told);
    assert_eq!(world.repository.show("main:new.txt"), "new\n");
    assert_eq!(world.repository.git(&["log", "--format=%s", "-1", "main^2"]), "add a file");
    assert_eq!(world.gatewright.sandboxed(), Vec::<String>::new());
}

#[test]
fn without_merge_the_finished_branch_is_left_in_the_repository() {
    let world =
        World::of_agent("echo new > new.txt && git add new.txt && git commit -qm 'add a file'");
    let finished = world.call(&["run", "Add a file"]);
    assert_eq!(finished.code(), Some(0), "{finished:#?}");
    assert!(
        finished.stdout.contains("git merge --no-ff feature/IT-001-add-a-file"),
        "{finished:#?}"
    );
    assert_eq!(world.repository.show("feature/IT-001-add-a-file:new.txt"), "new\n");
    assert_eq!(world.repository.git(&["log", "--format=%s", "main"]), "greet: say hello");
}

#[test]
fn work_that_was_not_committed_is_committed_and_delivered() {
    let world = World::of_agent("echo new > new.txt; echo '# more' >> greet.sh");
    let told = world.deliver();
    world.assert_merged(&told);
    let message = world.repository.git(&["log", "--format=%s", "-1", "main^2"]);
    assert!(message.starts_with("wip(solo): work left by run_"), "{message}");
    assert_eq!(world.repository.show("main:new.txt"), "new\n");
    assert!(world.repository.show("main:greet.sh").ends_with("# more\n"));
}

#[test]
fn what_the_tests_found_reaches_the_next_attempt_which_mends_it() {
    // It follows its brief: the first time there is nothing to mend in it.
    let world = World::of_agent(
        "if grep -q 'Mend this first'; then name=world; else name=nobody; fi
         printf '#!/bin/sh\\necho \"Hello, ${1:-%s}!\"\\n' $name > greet.sh; git commit -qam 'greet anew'",
    );
    let told = world.deliver_with(&["--description", "Greet anew."]);
    world.assert_merged(&told);
    assert_eq!(told.result["sent_back"], 1);
    let briefs = world.briefs();
    assert_eq!(briefs.len(), 2);
    assert!(
        briefs[1].contains("not ok: expected 'Hello, nobody!', got 'Hello, world!'")
            || briefs[1].contains("expected 'Hello, world!'"),
        "{}",
        briefs[1]
    );
}
