//! A process dies at every call of every port, before and after its effect, and no rule is broken by that.

use std::collections::BTreeSet;

use super::moves::{CANCEL, DROP, LONG, SHORT, agent_fails, asks, plan};
use crate::{
    simulation::{Act, Ask, Conduct, History, Lack, Plan, Shape, Trouble, places::CALLS},
    world::Side,
};

/// The ports that are asked for something that takes time, as they are written. Whoever waits for a clock or for a wake-up
/// may die at any time, and does.
const PORTS: &[(&str, &str)] = &[
    ("destination", include_str!("../../../../ports/src/destination.rs")),
    ("files", include_str!("../../../../ports/src/files.rs")),
    ("gates", include_str!("../../../../ports/src/gates.rs")),
    ("git", include_str!("../../../../ports/src/git.rs")),
    ("machine", include_str!("../../../../ports/src/machine.rs")),
    ("sandbox", include_str!("../../../../ports/src/sandbox.rs")),
    ("store", include_str!("../../../../ports/src/store.rs")),
];

/// Asked of a job that is overdue though nothing keeps it.
pub(super) const FIND_DAMAGE: &str = "store.find_damage";

/// Where no process of a simulation dies, with the reason.
const NOBODY_DIES_AT: &[(&str, &str)] = &[
    ("git.checkout", "gates ask, and those of a simulation are made up"),
    ("git.diff", "gates ask, and those of a simulation are made up"),
    ("git.find_head", "the mirror asks itself"),
    ("git.list_changes", "gates ask, and those of a simulation are made up"),
    ("git.list_files", "gates ask, and those of a simulation are made up"),
    ("git.move_branch", "the mirror asks itself"),
    ("git.read_file", "gates ask, and those of a simulation are made up"),
    ("store.count_letters", "people ask, of a store that nobody works on"),
    (
        FIND_DAMAGE,
        "asked, and only read, where a clock was set on: when what happens in a history is over",
    ),
    ("store.find_last_event", "people ask, and nothing is done about the answer"),
    ("store.find_merging", "people ask, and nothing is done about the answer"),
    ("store.find_pipeline_of", "people ask, and nothing is done about the answer"),
    ("store.list_decisions", "people ask, and nothing is done about the answer"),
    ("store.list_projects", "people ask, and nothing is done about the answer"),
    ("store.list_verdicts", "people ask, and nothing is done about the answer"),
    ("store.save_project", "it is done once, before anything works"),
];

/// Every verb of the ports, like `store.apply`.
fn verbs() -> BTreeSet<String> {
    let verbs = |(port, text): &(&str, &str)| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("async fn "));
        lines.map(|line| format!("{port}.{}", line.split('(').next().unwrap())).collect()
    };
    PORTS.iter().flat_map(verbs).collect()
}

#[test]
fn every_verb_of_a_port_is_a_call_at_which_a_process_can_die() {
    let listed = CALLS.iter().chain(NOBODY_DIES_AT.iter().map(|(call, _)| call));
    let listed: BTreeSet<_> = listed.map(|call| (*call).to_owned()).collect();
    assert_eq!(
        listed,
        verbs(),
        "a verb belongs into `CALLS`, or is said here why nobody dies at it"
    );
    assert_eq!(listed.len(), CALLS.len() + NOBODY_DIES_AT.len(), "one list or the other");
}

/// A plan, and where in it a process begins to be doomed: at first, or when one has died already.
struct Story {
    plan: Plan,
    at: usize,
}

impl Story {
    fn of(shape: Shape, before: &[Act], after: &[Act]) -> Self {
        Self { plan: plan(shape, before, after), at: 0 }
    }

    /// A process has died right after this call, and is gone for so long while these things happen.
    fn without_process(shape: Shape, (call, seconds): (&str, u16), then: &[Act]) -> Self {
        let death = doom(call, Side::After, seconds);
        let acts = [[death, SHORT, asks(Ask::ApproveUnseen), LONG].as_slice(), then].concat();
        let plan = plan(shape, &[], &acts);
        Self { at: plan.acts.len() - then.len(), plan }
    }
}

fn doom(call: &str, side: Side, seconds: u16) -> Act {
    let after = side == Side::After;
    Act::CrashAt { node: 0, call: call.to_owned(), after, times: 1, seconds }
}

const fn works(seconds: u16, tokens: u16) -> Act {
    Act::Agent(Conduct::Works { seconds, tokens })
}

/// A clean-up that ends the process until nobody tries any more, and what follows.
fn left_behind(then: &[Act]) -> Story {
    let call = "git.remove_workspace".to_owned();
    let death = Act::CrashAt { node: 0, call, after: false, times: 4, seconds: 10 };
    let mut plan = plan(Shape::Ship, &[], &[death, Act::Wait { seconds: 31 }]);
    let at = plan.acts.len();
    plan.acts.extend_from_slice(then);
    Story { plan, at }
}

/// Pipelines that people cancel soon: some while a job is about to report, whose report is then refused.
fn cancelled_soon() -> Story {
    let mut plan = plan(Shape::Ship, &[], &[Act::Calls(24), CANCEL, LONG]);
    let create_and_pass = plan.acts[1..3].to_vec();
    for pipeline in 1..8 {
        plan.acts.extend_from_slice(&create_and_pass);
        plan.acts.extend([Act::Person { pipeline, asks: Ask::Cancel }, LONG]);
    }
    Story { plan, at: 0 }
}

/// A letter that ends the process each time, until it is given up.
fn hopeless() -> Story {
    let call = "destination.deliver".to_owned();
    let death = Act::CrashAt { node: 0, call, after: false, times: 9, seconds: 10 };
    let mut plan = plan(Shape::Ship, &[], &[death, Act::Wait { seconds: 85 }]);
    let at = plan.acts.len();
    plan.acts.extend([LONG, LONG]);
    Story { plan, at }
}

/// A few things that happen, so that every call is made in one of them.
fn stories() -> Vec<Story> {
    let mut branch = plan(Shape::Ask, &[], &[SHORT, asks(Ask::ApproveUnseen), LONG]);
    for act in &mut branch.acts {
        if let Act::Create { merge, .. } = act {
            *merge = false;
        }
    }
    let later = [Act::Wait { seconds: 300 }, LONG];
    vec![
        Story::of(Shape::Ship, &[works(5, 0)], &[SHORT, DROP, LONG]),
        Story::of(Shape::Waves, &[], &[LONG]),
        Story::of(Shape::Twice, &[], &[LONG]),
        Story { plan: branch, at: 0 },
        Story::of(Shape::Ship, &[agent_fails(Trouble::Credentials)], &[SHORT, Act::LogIn, LONG]),
        // Long enough for somebody to ask why nobody begins.
        Story::of(Shape::Ship, &[Act::Machine { lacks: Lack::Disk }], &later),
        Story::of(Shape::Ask, &[Act::Agent(Conduct::Digs { seconds: 270 })], &later),
        // Its wall time ends while it may have landed.
        Story::without_process(Shape::Ask, ("git.land", 300), &later),
        // A clean-up is given up, and what it left is swept up.
        left_behind(&later),
        // The agent of a process that is gone, and what was about to become one.
        Story::without_process(
            Shape::Ship,
            ("sandbox.wait_output", 120),
            &[CANCEL, later[0].clone()],
        ),
        Story::without_process(Shape::Ship, ("store.save_run", 120), &[CANCEL, later[0].clone()]),
        cancelled_soon(),
        hopeless(),
    ]
}

/// Plays the plan with a process that dies at that call. Says whether one did.
fn dies(story: &Story, call: &str, side: Side) -> bool {
    let mut plan = story.plan.clone();
    plan.acts.insert(story.at, doom(call, side, 1));
    let history = History::of(&plan);
    assert_eq!(history.violation, None, "{plan:?}");
    history.coverage.crashes.keys().any(|place| *place == (call, side))
}

#[test]
fn a_process_dies_at_every_call_and_nothing_is_broken() {
    let stories = stories();
    let mut calls = Vec::new();
    let mut missed = Vec::new();
    for call in CALLS {
        for side in [Side::Before, Side::After] {
            let mut made = (0..stories.len()).filter(|at| {
                if *at == calls.len() {
                    calls.push(History::of(&stories[*at].plan).coverage.calls);
                }
                calls[*at].contains(call)
            });
            if !made.any(|at| dies(&stories[at], call, side)) {
                missed.push((*call, side));
            }
        }
    }
    assert_eq!(missed, [], "a story in which the call is made lets a process die there");
}
