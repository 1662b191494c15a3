//! Histories repeat themselves.

mod deaths;
mod moves;
mod mutations;
mod plans;

use super::{History, Plan};

#[test]
fn the_same_seed_gives_the_same_history_call_by_call() {
    for seed in 0..4 {
        let plan = Plan::of_seed(seed, 1);
        let (first, second) = (History::of(&plan), History::of(&plan));
        assert_eq!(first.trace, second.trace, "seed {seed}");
        assert_eq!(first.trace_hash, second.trace_hash, "seed {seed}");
    }
}

#[test]
fn a_plan_can_be_kept() {
    for seed in 0..50 {
        let plan = Plan::of_seed(seed, 1);
        let kept = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&kept).unwrap(), plan);
    }
}
