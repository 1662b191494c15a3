//! Cuts a plan down to what it takes to break the same rule.

use super::{History, Plan};

/// Histories that are played for it at most: a good plan today is better than the best one tomorrow.
const HISTORIES_MAX: u32 = 600;

/// The plan without acts that the violation of `invariant` does not need.
#[must_use]
pub fn shrink(plan: &Plan, invariant: &str) -> Plan {
    let mut shrinking = Shrinking { best: plan.clone(), invariant, left: HISTORIES_MAX };
    let mut size = plan.acts.len().div_ceil(2);
    while size > 0 {
        if !shrinking.drop_acts(size) || size > shrinking.best.acts.len() {
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    shrinking.best
}

struct Shrinking<'a> {
    best: Plan,
    invariant: &'a str,
    left: u32,
}

impl Shrinking<'_> {
    /// Drops runs of so many acts, wherever that changes nothing. Says whether anything could be dropped.
    fn drop_acts(&mut self, size: usize) -> bool {
        let (mut at, mut any) = (0, false);
        while at < self.best.acts.len() {
            let mut plan = self.best.clone();
            plan.acts.drain(at..(at + size).min(plan.acts.len()));
            if self.still_breaks(&plan) {
                self.best = plan;
                any = true;
            } else {
                at += size;
            }
        }
        any
    }

    fn still_breaks(&mut self, plan: &Plan) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        History::of(plan).violation.is_some_and(|it| it.invariant == self.invariant)
    }
}
