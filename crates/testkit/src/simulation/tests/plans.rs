//! Histories that are kept: each showed something once, and breaks no rule now.

use crate::simulation::{History, Mutation, Plan};

fn plan(json: &str) -> Plan {
    serde_json::from_str(json).unwrap()
}

/// Somebody commits to the target while the process that was about to move it is gone.
#[test]
fn landing_without_comparing_is_found() {
    let plan = plan(include_str!("plans/a-commit-while-a-merge-lands.json"));
    assert_eq!(History::of(&plan).violation, None);
    let broken = History::mutated(&plan, Mutation::LandWithoutComparing);
    assert!(broken.violation.is_some(), "{:?}", broken.trace);
}
