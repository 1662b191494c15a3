//! Cuts a plan down to what it takes to show the same thing, and says the rest of it plainly.

mod plainer;

use self::plainer::plainer;
use super::{History, Plan};

/// Histories that are played for each of the two at most: a good plan today is better than the best one tomorrow.
const HISTORIES_MAX: u32 = 600;

/// The plan without what is not needed to show what it shows: `shows` plays one, and gives its history if that does.
#[must_use]
pub fn shrink(plan: &Plan, shows: &dyn Fn(&Plan) -> Option<History>) -> Plan {
    let mut shrinking = Shrinking { best: plan.clone(), shows, left: HISTORIES_MAX };
    shrinking.drop_all();
    shrinking.left = HISTORIES_MAX;
    if shrinking.say_plainly() {
        shrinking.drop_all();
    }
    shrinking.best
}

struct Shrinking<'a> {
    best: Plan,
    shows: &'a dyn Fn(&Plan) -> Option<History>,
    left: u32,
}

impl Shrinking<'_> {
    /// Drops whatever can be dropped: long runs of acts first.
    fn drop_all(&mut self) {
        let mut size = self.best.acts.len().div_ceil(2);
        while size > 0 {
            if !self.drop_acts(size) || size > self.best.acts.len() {
                size = if size == 1 { 0 } else { size.div_ceil(2) };
            }
        }
    }

    /// Drops runs of so many acts, wherever that changes nothing. Says whether anything could be dropped.
    fn drop_acts(&mut self, size: usize) -> bool {
        let (mut at, mut any) = (0, false);
        while at < self.best.acts.len() {
            let mut plan = self.best.clone();
            plan.acts.drain(at..(at + size).min(plan.acts.len()));
            if self.still_shows(&plan).is_some() {
                self.best = plan;
                any = true;
            } else {
                at += size;
            }
        }
        any
    }

    /// Puts plainer things in the place of others, one after the other. Says whether any could be put.
    fn say_plainly(&mut self) -> bool {
        let mut any = false;
        let Some(mut history) = self.still_shows(&self.best.clone()) else { return any };
        'again: loop {
            let deaths: Vec<_> = history.coverage.crashes.keys().copied().collect();
            for plan in plainer(&self.best, &deaths) {
                if let Some(shown) = self.still_shows(&plan) {
                    (self.best, history, any) = (plan, shown, true);
                    continue 'again;
                }
            }
            return any;
        }
    }

    fn still_shows(&mut self, plan: &Plan) -> Option<History> {
        self.left = self.left.checked_sub(1)?;
        (self.shows)(plan)
    }
}
