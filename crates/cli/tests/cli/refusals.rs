//! Agents whose work is not delivered: each is told why, a person is asked in the end, and `main` stays.

use crate::world::{Told, World};

/// The outcome of an agent that a person is asked about in the end.
fn refused(script: &str) -> (World, Told) {
    let world = World::of_agent(script);
    let told = world.deliver();
    world.assert_untouched();
    (world, told)
}

#[test]
fn an_agent_that_exits_with_1_is_tried_twice_and_quoted() {
    let (world, told) = refused(
        "echo new > new.txt; git add .; git commit -qm new; echo 'no idea how' >&2; exit 1",
    );
    told.assert_blocked("exited with code 1: no idea how");
    assert_eq!(world.briefs().len(), 2);
}

#[test]
fn an_agent_that_did_nothing_and_says_that_all_is_well_is_not_believed() {
    let (_, told) = refused("echo 'All done!'");
    told.assert_blocked("the agent ended without changing anything");
}

#[test]
fn work_whose_tests_fail_is_sent_back_as_often_as_the_route_allows() {
    let (world, told) = refused(
        "echo \"# $GATEWRIGHT_RUN\" > README.md; echo 'echo Hi' > greet.sh; git commit -qam 'break it'",
    );
    told.assert_blocked("gate `tests` failed as often as it may");
    assert_eq!(told.result["sent_back"], 3);
    assert_eq!(world.briefs().len(), 4);
}

#[test]
fn deleting_the_tests_does_not_pass_them() {
    let (_, told) = refused(
        "git rm -rq tests; mkdir tests; echo 'exit 0' > tests/run.sh; git add .; git commit -qm 'no tests'; git rm -q tests/run.sh; git commit -qm gone",
    );
    told.assert_blocked("tests/run.sh");
}

#[test]
fn work_outside_the_paths_of_its_stage_is_refused_as_a_whole() {
    let mut world = World::of_agent(
        "mkdir -p src; echo in > src/in.txt; echo out > out.txt; git add .; git commit -qm both",
    );
    world.define("narrow", "paths = { write = [\"src/**\"] }");
    let told = world.deliver_with(&["--pipeline", "narrow"]);
    told.assert_blocked("out.txt");
    world.assert_untouched();
    assert!(
        world.briefs()[1].contains("out.txt"),
        "the next brief does not say what was wrong: {}",
        world.briefs()[1]
    );
}

#[test]
fn no_agent_edits_the_rules_that_it_is_judged_by() {
    for file in [".gatewright/pipelines/solo.toml", "gatewright.toml"] {
        let (_, told) = refused(&format!(
            "mkdir -p .gatewright/pipelines; echo '# free' > {file}; git add .; git commit -qm rules"
        ));
        told.assert_blocked(file);
    }
}

#[test]
fn a_commit_on_main_of_its_clone_leads_nowhere() {
    let (_, told) = refused(
        "git checkout -q -B main; echo new > new.txt; git add .; git commit -qm 'straight to main'",
    );
    told.assert_blocked("main");
}

#[test]
fn a_rewritten_history_is_refused() {
    let (_, told) = refused("echo new > new.txt; git add .; git commit -q --amend -m 'all mine'");
    told.assert_blocked("handed in too often what cannot be taken");
}

#[test]
fn an_agent_that_breaks_its_own_repository_is_a_matter_for_a_person() {
    let (_, told) = refused("echo new > new.txt; rm -rf .git");
    told.assert_blocked("is not a git repository any more");
}

#[test]
fn hooks_and_filters_of_an_agent_do_nothing_on_the_host() {
    let world = World::new();
    let trace = world.gatewright.home().join("hooked");
    let script = format!(
        "for hook in post-commit pre-commit reference-transaction post-checkout post-merge; do
             printf '#!/bin/sh\\ntouch {trace}\\n' > .git/hooks/$hook; chmod +x .git/hooks/$hook
         done
         git config core.fsmonitor 'touch {trace}; false'
         echo '* filter=evil' > .git/info/attributes; git config filter.evil.clean 'touch {trace}; cat'
         echo new > new.txt"
    );
    world.gatewright.configure_agent(&script);
    let told = world.deliver();
    world.assert_merged(&told);
    assert!(!trace.exists());
}
