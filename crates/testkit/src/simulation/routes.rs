//! Which destinations are told of what in a simulation.

use domain::{name::DestinationName, outbox::Route, pipeline::EventKindTag};

use super::plan::Plan;

/// What a log wants to hear: a letter with most steps.
const LOG: &[EventKindTag] = &[
    EventKindTag::Started,
    EventKindTag::StageEntered,
    EventKindTag::JobRetried,
    EventKindTag::DecisionOpened,
    EventKindTag::Blocked,
    EventKindTag::Succeeded,
    EventKindTag::Failed,
    EventKindTag::Cancelled,
];

/// The destinations of a plan, in the order in which its acts count them.
pub(super) fn routes_of(plan: &Plan) -> Vec<Route> {
    let all = [("log", LOG), ("chat", Route::EVENTS)];
    let route = |(name, events): (&str, &[EventKindTag])| Route {
        destination: DestinationName::new(name).expect("a name"),
        events: events.to_vec(),
        projects: Vec::new(),
    };
    all.into_iter().take(plan.destinations.into()).map(route).collect()
}
