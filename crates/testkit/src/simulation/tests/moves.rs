//! Every move that the domain allows is made by some history, or it is said why none can make it.

use std::collections::BTreeSet;

use super::deaths::FIND_DAMAGE;
use crate::simulation::{
    Act, Ask, AskOfLetter, Conduct, Coverage, GateKind, History, Plan, Reply, Saying, Shape,
    Trouble, Welcome,
    places::{allowed, unreachable_for},
};

/// Histories of seeds, for what happens all the time.
const SEEDS: u64 = 60;
/// Longer than a node is gone.
pub(super) const LONG: Act = Act::Wait { seconds: 61 };
/// Long enough for what takes no time.
pub(super) const SHORT: Act = Act::Wait { seconds: 1 };
/// What people ask.
const PAUSE: Act = asks(Ask::Pause);
const RESUME: Act = asks(Ask::Resume);
pub(super) const CANCEL: Act = asks(Ask::Cancel);
const RETRY: Act = asks(Ask::Retry);
const RESTART: Act = asks(Ask::Restart { stage: 0 });
/// News of a letter.
pub(super) const DROP: Act = Act::Letter { back: 0, asks: AskOfLetter::Drop };

/// What the domain allows, as it was reviewed.
const TABLE: &str = include_str!(
    "../../../../domain/src/pipeline/tests/snapshots/domain__pipeline__tests__table__transition_table.snap"
);

pub(super) const fn asks(asks: Ask) -> Act {
    Act::Person { pipeline: 0, asks }
}

fn dies_at(call: &str, times: u8, seconds: u16) -> Act {
    Act::CrashAt { node: 0, call: call.to_owned(), after: false, times, seconds }
}

pub(super) const fn agent_fails(class: Trouble) -> Act {
    Act::Agent(Conduct::Fails { class, seconds: 0, tokens: 0 })
}

const fn gate_fails() -> Act {
    Act::Gate { gate: GateKind::Tests, says: Saying::Fails }
}

/// A pipeline whose letters arrive late, and what happens to it.
pub(super) fn plan(shape: Shape, before: &[Act], after: &[Act]) -> Plan {
    let late = Act::Destination { destination: 0, does: Welcome::Fails, tries: 9 };
    let create = Act::Create { project: 0, shape, start: true, human_gates: true, merge: true };
    let mut acts = vec![late];
    acts.extend_from_slice(before);
    acts.push(create);
    acts.extend_from_slice(after);
    Plan {
        seed: 1,
        nodes: 1,
        projects: 1,
        cap: 4,
        project_cap: None,
        agent_cap: None,
        returns: false,
        destinations: 1,
        people_answer: true,
        acts,
    }
}

/// While the node is gone that was at this call, somebody asks for something.
fn meanwhile(shape: Shape, call: &str, act: Act) -> Plan {
    plan(shape, &[], &[dies_at(call, 1, 30), Act::Wait { seconds: 10 }, act, LONG, RESUME])
}

/// The node dies at this call until nobody tries any more.
fn again_and_again(shape: Shape, call: &str, first: &[Act]) -> Plan {
    let mut acts = first.to_vec();
    acts.extend([dies_at(call, 6, 1), Act::Wait { seconds: 300 }]);
    plan(shape, &[], &acts)
}

/// What seeds come to seldom.
fn directed() -> Vec<Plan> {
    let mut plans = Vec::new();
    for act in [PAUSE, CANCEL, RESTART, DROP] {
        for call in
            ["git.join", "git.integrate", "gates.judge", "sandbox.launch", "git.commit_files"]
        {
            plans.push(meanwhile(Shape::Waves, call, act.clone()));
        }
        plans.push(meanwhile(Shape::Waves, "git.land", act.clone()));
        plans.push(meanwhile(Shape::Waves, "git.sync", act));
    }
    for call in [
        "git.sync",
        "git.commit_files",
        "git.join",
        "git.integrate",
        "git.land",
        "git.remove_workspace",
    ] {
        plans.push(again_and_again(Shape::Waves, call, &[]));
    }
    // Nobody knows whether the target was moved.
    for act in [PAUSE, RETRY, RESTART, CANCEL, DROP, asks(Ask::Answer(Reply::GoOn))] {
        let in_doubt = [dies_at("git.land", 6, 1), Act::Wait { seconds: 300 }, act, LONG, RESUME];
        plans.push(plan(Shape::Waves, &[], &in_doubt));
    }
    // Its wall time ends while the node is gone.
    for call in ["git.sync", "git.join", "git.integrate", "gates.judge", "git.commit_files"] {
        plans.push(plan(
            Shape::Waves,
            &[],
            &[dies_at(call, 1, 300), LONG, Act::Wait { seconds: 300 }],
        ));
    }
    let slow = Act::Agent(Conduct::Fails { class: Trouble::Permanent, seconds: 20, tokens: 0 });
    let cancelled = [slow.clone(), Act::Wait { seconds: 5 }, CANCEL];
    plans.push(again_and_again(Shape::Ship, "git.remove_workspace", &cancelled));
    plans.push(plan(Shape::Ship, &[], &[Act::Wait { seconds: 31 }, DROP, LONG]));
    plans.push(plan(Shape::Ship, &[], &[CANCEL, LONG, DROP, LONG]));
    let cancelled = [Act::Wait { seconds: 5 }, CANCEL, Act::Wait { seconds: 31 }, DROP, LONG];
    plans.push(plan(Shape::Ship, std::slice::from_ref(&slow), &cancelled));
    // Its wall time ends while it is paused.
    plans.push(plan(Shape::Ask, &[], &[SHORT, PAUSE, Act::Wait { seconds: 300 }, LONG, RESUME]));
    let fails = [gate_fails(), gate_fails(), gate_fails()];
    for act in [CANCEL, RETRY, DROP] {
        plans.push(plan(Shape::Strict, &fails, &[Act::Wait { seconds: 31 }, act, LONG]));
    }
    // Blocked, then paused, then asked for once more.
    let blocks = [agent_fails(Trouble::Permanent), agent_fails(Trouble::Permanent)];
    for act in [PAUSE, RETRY, RESTART, CANCEL, DROP, asks(Ask::Answer(Reply::GoOn))] {
        let blocked = [Act::Wait { seconds: 31 }, PAUSE, SHORT, act.clone(), LONG, RESUME];
        plans.push(plan(Shape::Ship, &blocks, &blocked));
        plans.push(plan(Shape::Ship, &blocks, &[Act::Wait { seconds: 31 }, act.clone(), LONG]));
        plans.push(plan(Shape::Ask, &[], &[Act::Wait { seconds: 31 }, act, LONG]));
    }
    // A job that is under way when the pause comes goes on and fails.
    for class in [Trouble::Permanent, Trouble::Transient] {
        let first = [agent_fails(class), slow.clone()];
        plans.push(plan(Shape::Ship, &first, &[Act::Wait { seconds: 15 }, PAUSE, LONG, RESUME]));
    }
    plans
}

#[test]
fn every_move_that_there_can_be_is_made() {
    let mut coverage = Coverage::default();
    let seeds = (0..SEEDS).map(|seed| Plan::of_seed(seed, 1));
    for plan in seeds.chain(directed()) {
        let history = History::of(&plan);
        assert_eq!(history.violation, None, "{plan:?}");
        coverage.add(history.coverage);
    }
    assert_eq!(coverage.never_moved(), [], "a plan of its own reaches it, or say why none can");
    let mut unlisted = coverage.unlisted();
    unlisted.retain(|call| call != FIND_DAMAGE);
    assert_eq!(unlisted, Vec::<String>::new(), "it can be: it belongs into the lists");
}

/// Samples of the table stand for all states of a kind: others of them may allow more, and none less.
#[test]
fn what_the_transition_table_allows_is_in_the_list_of_moves() {
    let listed: BTreeSet<_> = allowed().collect();
    let mut lines = 0;
    for line in TABLE.lines() {
        let Some((place, outcome)) = line.split_once(" -> ") else { continue };
        let (state, input) = place.split_once(" + ").unwrap();
        let input = input.split_whitespace().next().unwrap();
        if outcome.starts_with('(') {
            continue;
        }
        lines += 1;
        assert!(listed.contains(&(state.trim(), input)), "{line}");
    }
    assert!(lines >= 80, "the table could not be read: {lines}");
}

#[test]
fn what_is_said_to_be_impossible_is_allowed_all_the_same() {
    let cannot = allowed().filter(|place| unreachable_for(*place).is_some());
    assert!(cannot.count() > 1, "exceptions are about moves that are in the list");
}
