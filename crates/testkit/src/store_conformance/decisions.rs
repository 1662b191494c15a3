//! Questions to people: asked once, answered once.

use domain::decision::{Decision, DecisionState};
use ports::{Step, Store};

use super::fixtures::{approved, at, decision, done, pipeline, step};

pub async fn a_question_is_answered_once(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let asked = decision(&made, 1);
    let made = done(store, Step { opened: vec![asked.clone()], ..step(&made) }).await;
    assert_eq!(store.find_decision(asked.id).await.unwrap(), Some(asked.clone()));
    let made = done(store, Step { closed: vec![(asked.id, approved("ann"))], ..step(&made) }).await;
    let late =
        vec![(asked.id, approved("ben")), (asked.id, DecisionState::Withdrawn { at: at(9) })];
    done(store, Step { closed: late, ..step(&made) }).await;
    let answered = Decision { state: approved("ann"), ..asked };
    assert_eq!(store.find_decision(answered.id).await.unwrap(), Some(answered));
}

pub async fn questions_are_listed_oldest_first(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let young = Decision { opened_at: at(9), ..decision(&one, 1) };
    let (old, other) = (decision(&one, 2), decision(&two, 3));
    let one = done(store, Step { opened: vec![young.clone(), old.clone()], ..step(&one) }).await;
    done(store, Step { opened: vec![other.clone()], ..step(&two) }).await;
    done(
        store,
        Step { closed: vec![(old.id, DecisionState::Withdrawn { at: at(9) })], ..step(&one) },
    )
    .await;
    let cases = [
        (None, false, vec![old.id, other.id, young.id]),
        (None, true, vec![other.id, young.id]),
        (Some(one.id), false, vec![old.id, young.id]),
        (Some(one.id), true, vec![young.id]),
    ];
    for (of, only_open, expected) in cases {
        let found = store.list_decisions(of, only_open).await.unwrap();
        assert_eq!(
            found.iter().map(|decision| decision.id).collect::<Vec<_>>(),
            expected,
            "{of:?} {only_open}"
        );
    }
}
