//! People decide: their answers are final, and their words reach the agent as they are.

use std::fs;

use crate::world::{Told, World};

/// An agent that writes down its brief, in a stage that a person has to approve.
fn asking() -> World {
    let mut world = World::of_agent("cat > brief.md; date +%N >> work.txt");
    world.define(
        "asking",
        "on_fail = { to = \"develop\", max = 2 }\n\n[[stage.gates]]\nname = \"approval\"\nkind = \"approval\"\nquestion = \"Is this what you want?\"",
    );
    world
}

fn asked(world: &World) -> Told {
    let told = world.deliver_with(&["--pipeline", "asking"]);
    assert_eq!(told.outcome(), ("awaiting_human", Some(3)), "{told:#?}");
    assert!(told.text("reason").contains("Is this what you want?"), "{told:#?}");
    world.assert_untouched();
    told
}

#[test]
fn an_approved_pipeline_goes_on_and_the_answer_is_final() {
    let world = asking();
    let told = asked(&world);
    let approved = world.call(&["approve", told.text("decision"), "--comment", "fine"]);
    assert_eq!(approved.code(), Some(0), "{approved:#?}");
    let rejected = world.call(&["reject", told.text("decision"), "--reason", "no, wait"]);
    assert_eq!(rejected.code(), Some(1), "{rejected:#?}");
    assert!(rejected.stderr.contains("error: "), "{rejected:#?}");
    let told = Told::of(&world.resume().finish());
    world.assert_merged(&told);
}

#[test]
fn the_reason_of_a_rejection_reaches_the_agent_word_for_word() {
    let world = asking();
    let told = asked(&world);
    let reason = "The greeting is \"rude\" – say `Hello`,\nnot $HOME; and {{ item }} is no word.";
    let rejected = world.call(&["reject", told.text("decision"), "--reason", reason]);
    assert_eq!(rejected.code(), Some(0), "{rejected:#?}");
    let again = Told::of(&world.resume().finish());
    assert_eq!(again.outcome(), ("awaiting_human", Some(3)), "{again:#?}");
    assert_ne!(again.text("decision"), told.text("decision"));
    let briefs = world.briefs();
    assert_eq!(briefs.len(), 2);
    for line in reason.lines() {
        assert!(briefs[1].contains(line), "`{line}` is not in: {}", briefs[1]);
    }
}

#[test]
fn a_rejection_without_a_reason_is_no_answer() {
    let world = asking();
    let told = asked(&world);
    for reason in [&["--reason", "  "][..], &[]] {
        let rejected = world.call(&[&["reject", told.text("decision")], reason].concat());
        assert_eq!(rejected.code(), Some(2), "{rejected:#?}");
    }
    let told = Told::of(&world.resume().finish());
    assert_eq!(told.outcome(), ("awaiting_human", Some(3)), "{told:#?}");
}

#[test]
fn yes_approves_what_asks_for_approval() {
    let world = asking();
    let told = world.deliver_with(&["--pipeline", "asking", "--yes"]);
    world.assert_merged(&told);
    let told = asked_again_with_yes();
    assert_eq!(told.outcome(), ("succeeded", Some(0)), "{told:#?}");
}

/// Left waiting without `--yes`, taken up with it.
fn asked_again_with_yes() -> Told {
    let world = asking();
    let told = asked(&world);
    Told::of(&world.call(&["run", "--resume", told.text("pipeline"), "--yes", "--json"]))
}

#[test]
fn yes_answers_nothing_but_approvals() {
    let world = World::of_agent("exit 1");
    world.deliver_with(&["--yes"]).assert_blocked("exited with code 1");
}

#[test]
fn resuming_everything_names_who_waits_for_a_person_and_says_so() {
    let world = asking();
    let told = asked(&world);
    let listed = world.call(&["decisions", "--json"]).json();
    assert_eq!(listed[0]["item"], "IT-001", "{listed:#}");
    let resumed = world.call(&["run", "--resume", "all"]);
    assert_eq!(resumed.code(), Some(3), "{resumed:#?}");
    assert!(resumed.stderr.contains("nothing was interrupted"), "{resumed:#?}");
    for words in ["IT-001", "waits for a person", told.text("decision")] {
        assert!(resumed.stdout.contains(words), "`{words}` is not in {resumed:#?}");
    }
    let resumed = Told::of(&world.call(&["run", "--resume", "all", "--json"]));
    assert_eq!(resumed.outcome(), ("awaiting_human", Some(3)), "{resumed:#?}");
    assert_eq!(resumed.text("decision"), told.text("decision"));
}

/// One process at a time changes anything; an answer waits for as long as another takes.
#[test]
fn answers_that_find_another_one_being_given_are_taken_after_it() {
    let world = asking();
    let arguments = ["run", "One", "Another", "--merge", "--json", "--pipeline", "asking"];
    let told = world.call(&arguments);
    assert_eq!(told.code(), Some(3), "{told:#?}");
    let decisions: Vec<String> = told
        .json_lines()
        .iter()
        .map(|it| it["decision"].as_str().expect("a question").to_owned())
        .collect();
    assert_eq!(decisions.len(), 2);
    let lock = world.gatewright.data_dir().join("lock");
    for decision in decisions {
        // As long as this test likes, the other answer is being given.
        let other = fs::OpenOptions::new().write(true).open(&lock).unwrap();
        other.lock().unwrap();
        let answer = world.gatewright.start(world.dir(), &["approve", &decision]);
        answer.wait_for("waiting for it");
        drop(other);
        let answered = answer.finish();
        assert_eq!(answered.code(), Some(0), "{answered:#?}");
    }
    assert_eq!(world.call(&["decisions", "--json"]).json(), serde_json::json!([]));
}
