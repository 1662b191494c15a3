//! Looks for a history that shows a deliberate fault, and makes a plan of it that can be kept.

use super::{History, Mutation, Plan, Violation, shrink};

/// Orders of events in which a plan is tried, to see how little it depends on them.
const ORDERS: u64 = 10;
/// How many histories that show the fault are cut down for the best plan.
const CATCHES_MAX: usize = 5;

/// Where a fault is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Hunt {
    /// The fault.
    pub mutation: Mutation,
    /// The seed of the first history; the others follow.
    pub seed: u64,
    /// How many at most.
    pub histories: u64,
    /// How many orchestrators on one store.
    pub nodes: u8,
}

/// A plan that shows a fault.
#[derive(Clone, Debug)]
pub struct Catch {
    /// How many histories it took.
    pub histories: u64,
    /// The plan.
    pub plan: Plan,
    /// What the fault breaks.
    pub violation: Violation,
}

impl Hunt {
    /// The first history that shows it.
    #[must_use]
    pub fn find(&self) -> Option<Catch> {
        self.catches().next()
    }

    /// A plan to keep, which is cut down: the one of a few that shows the fault in most orders of events, and in how many
    /// of ten it does.
    #[must_use]
    pub fn find_kept(&self) -> Option<(Catch, usize)> {
        let mut best: Option<(Catch, usize)> = None;
        for found in self.catches().take(CATCHES_MAX) {
            let shows = |plan: &Plan| shown(plan, self.mutation, found.violation.invariant);
            let plan = shrink(&found.plan, &shows);
            let orders = (1..=ORDERS).map(|seed| Plan { seed, ..plan.clone() });
            let steady = orders.filter(|plan| shows(plan).is_some()).count();
            if best.as_ref().is_none_or(|(_, other)| steady > *other) {
                best = Some((Catch { plan, ..found }, steady));
            }
            if steady as u64 == ORDERS {
                break;
            }
        }
        best
    }

    fn catches(&self) -> impl Iterator<Item = Catch> {
        (0..self.histories).filter_map(|number| {
            let plan = Plan::of_seed(self.seed.wrapping_add(number), self.nodes);
            let violation = History::mutated(&plan, self.mutation).violation?;
            let is_to_blame = History::of(&plan).violation.is_none();
            is_to_blame.then_some(Catch { histories: number + 1, plan, violation })
        })
    }
}

/// The history of a plan in which the fault breaks this rule, where none is broken without the fault.
fn shown(plan: &Plan, mutation: Mutation, rule: &str) -> Option<History> {
    let history = History::mutated(plan, mutation);
    let breaks = history.violation.as_ref().is_some_and(|it| it.invariant == rule);
    (breaks && History::of(plan).violation.is_none()).then_some(history)
}
