//! The log: numbered without a gap, read in pages.

use domain::pipeline::{Actor, EventKind, EventKindTag, Pipeline};
use ports::{Applied, Step, Store};

use super::fixtures::{at, done, pipeline, step};

fn telling(pipeline: &Pipeline, count: usize) -> Step {
    Step { events: vec![EventKind::Paused; count], ..step(pipeline) }
}

pub async fn events_are_numbered_without_a_gap(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let one = done(store, telling(&one, 2)).await;
    let two = done(store, telling(&two, 1)).await;
    let stale = Step { input: "late".to_owned(), pipeline: one.clone(), ..telling(&one, 3) };
    assert_eq!(store.apply(&stale).await.unwrap(), Applied::Stale);
    done(store, telling(&one, 1)).await;
    done(store, telling(&two, 2)).await;
    let events = store.list_events(None, 0, 100).await.unwrap();
    let numbers: Vec<_> = events
        .iter()
        .map(|event| (event.seq, event.pipeline, event.number, event.version))
        .collect();
    let (a, b) = (one.id, two.id);
    assert_eq!(
        numbers,
        [(1, a, 1, 1), (2, a, 2, 1), (3, b, 1, 1), (4, a, 3, 2), (5, b, 2, 2), (6, b, 3, 2)]
    );
}

pub async fn an_event_tells_when_and_by_whom(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let actor = Actor::Person { name: "Zoë".to_owned() };
    let kind = EventKind::Cancelled { reason: "\"never\" mind\n".to_owned() };
    done(
        store,
        Step { actor: actor.clone(), at: at(7), events: vec![kind.clone()], ..step(&made) },
    )
    .await;
    let event = store.list_events(Some(made.id), 0, 1).await.unwrap().remove(0);
    assert_eq!((event.actor, event.at, event.kind), (actor, at(7), kind));
}

pub async fn a_reader_that_pages_misses_no_event(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let one = done(store, telling(&one, 3)).await;
    done(store, telling(&two, 2)).await;
    done(store, telling(&one, 2)).await;
    for (of, expected) in [(None, vec![1, 2, 3, 4, 5, 6, 7]), (Some(one.id), vec![1, 2, 3, 6, 7])] {
        let (mut after, mut seen) = (0, Vec::new());
        loop {
            let page = store.list_events(of, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.seq;
            seen.extend(page.iter().map(|event| event.seq));
        }
        assert_eq!(seen, expected);
    }
}

pub async fn a_step_that_tells_nothing_names_the_last_event_of_all(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    assert_eq!(store.apply(&telling(&one, 0)).await.unwrap(), Applied::Done { seq: 0 });
    assert_eq!(store.apply(&telling(&two, 4)).await.unwrap(), Applied::Done { seq: 4 });
    let one = store.find_pipeline(one.id).await.unwrap().unwrap();
    assert_eq!(store.apply(&telling(&one, 0)).await.unwrap(), Applied::Done { seq: 4 });
}

pub async fn the_last_event_of_a_kind_is_found(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let last = async |of: &Pipeline, kind| {
        store.find_last_event(of.id, kind).await.unwrap().map(|event| event.seq)
    };
    assert_eq!(last(&one, EventKindTag::Paused).await, None);
    let one = done(store, telling(&one, 2)).await;
    done(store, telling(&two, 1)).await;
    let resumed = Step { events: vec![EventKind::Resumed; 3], ..step(&one) };
    let one = done(store, resumed).await;
    assert_eq!(last(&one, EventKindTag::Paused).await, Some(2));
    assert_eq!(last(&one, EventKindTag::Resumed).await, Some(6));
    assert_eq!(last(&two, EventKindTag::Paused).await, Some(3));
    assert_eq!(last(&two, EventKindTag::Resumed).await, None);
}
