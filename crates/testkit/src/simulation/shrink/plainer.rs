//! What may stand in a plan in the place of something else: it says the same with fewer numbers, so that it still means
//! that when calls come in another order.

use crate::{
    simulation::{Act, Plan},
    world::Side,
};

/// Times that may stand for a number of calls: at once, and longer than things take.
const WAITS: [u16; 5] = [1, 5, 11, 31, 61];

/// Plans that differ from this one in a single thing, which is plainer. Processes died at these calls in it.
pub(super) fn plainer(plan: &Plan, deaths: &[(&'static str, Side)]) -> Vec<Plan> {
    let mut plans = usual(plan);
    for at in 0..plan.acts.len() {
        match &plan.acts[at] {
            Act::Crash { node, seconds, .. } => {
                for (call, side) in deaths {
                    let (node, seconds) = (*node, *seconds);
                    let (call, after) = ((*call).to_owned(), *side == Side::After);
                    let named = Act::CrashAt { node, call, after, times: 1, seconds };
                    plans.extend((at..plan.acts.len()).map(|to| moved(plan, at, to, &named)));
                }
            }
            Act::CrashAt { node, call, after, times, seconds } if *times > 1 => {
                let (node, call, after, seconds) = (*node, call.clone(), *after, *seconds);
                let once = Act::CrashAt { node, call, after, times: 1, seconds };
                plans.push(moved(plan, at, at, &once));
            }
            Act::Calls(_) => {
                let waits = WAITS.map(|seconds| moved(plan, at, at, &Act::Wait { seconds }));
                plans.extend(waits);
            }
            _ => {}
        }
    }
    plans
}

/// The same acts in a world that has nothing unusual, one thing after the other.
fn usual(plan: &Plan) -> Vec<Plan> {
    let same = || plan.clone();
    let plans = [
        Plan { seed: 1, ..same() },
        Plan { projects: 1, ..same() },
        Plan { project_cap: None, ..same() },
        Plan { agent_cap: None, ..same() },
        Plan { cap: 4, ..same() },
        Plan { returns: false, ..same() },
        Plan { people_answer: true, ..same() },
        Plan { destinations: 0, ..same() },
    ];
    plans.into_iter().filter(|it| it != plan).collect()
}

/// The plan without the act at one place, and with another one at that place or a later one.
fn moved(plan: &Plan, from: usize, to: usize, act: &Act) -> Plan {
    let mut plan = plan.clone();
    plan.acts.remove(from);
    plan.acts.insert(to, act.clone());
    plan
}
