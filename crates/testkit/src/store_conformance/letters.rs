//! The outbox: every event that was promised, in order, to one process at a time.

use domain::{
    id::LetterId,
    name::DestinationName,
    outbox::{Letter, LetterInput, LetterState, LetterStateTag},
    pipeline::{EventKind, Pipeline},
};
use ports::{Applied, LetterCount, LetterFilter, NewLetter, Step, Store};

use super::fixtures::{at, destination, done, pipeline, step, take, taken};

/// A letter that nobody has written yet.
fn new(id: u128, to: &str, event: usize) -> NewLetter {
    NewLetter { id: LetterId::from_u128(id), destination: destination(to), event }
}

/// Tells one event for each letter.
async fn post(
    store: &dyn Store,
    pipeline: &Pipeline,
    second: i64,
    letters: &[(u128, &str)],
) -> Pipeline {
    let events = vec![EventKind::Paused; letters.len()];
    let letters = letters.iter().enumerate().map(|(event, (id, to))| new(*id, to, event)).collect();
    done(store, Step { at: at(second), events, letters, ..step(pipeline) }).await
}

fn numbers(letters: &[Letter]) -> Vec<LetterId> {
    letters.iter().map(|letter| letter.id).collect()
}

fn letter_ids(numbers: &[u128]) -> Vec<LetterId> {
    numbers.iter().map(|number| LetterId::from_u128(*number)).collect()
}

fn to(names: &[&str]) -> Vec<DestinationName> {
    names.iter().map(|name| destination(name)).collect()
}

async fn load(store: &dyn Store, id: u128) -> Letter {
    store.find_letter(LetterId::from_u128(id)).await.unwrap().expect("the letter is remembered")
}

/// Has something happen to a letter as it is remembered.
async fn happens(store: &dyn Store, id: u128, input: &LetterInput, second: i64) -> Letter {
    let next = load(store, id).await.decide(input, at(second)).expect("its state allows it");
    assert!(store.settle_letter(&next).await.unwrap());
    next
}

fn delivered() -> LetterInput {
    LetterInput::Delivered { remote: Some("7".to_owned()) }
}

fn failed() -> LetterInput {
    LetterInput::Failed { why: "it is away".to_owned(), retry_after: None, jitter: 0.5 }
}

pub async fn a_letter_is_written_with_its_event_or_not_at_all(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let events = vec![EventKind::Started, EventKind::Paused];
    let letters = vec![new(1, "log", 1), new(2, "chat", 1), new(3, "chat", 0)];
    let step = Step { at: at(7), events, letters, ..step(&made) };
    let moved = done(store, step.clone()).await;
    let event = store.list_events(Some(made.id), 0, 10).await.unwrap().remove(1);
    let expected = Letter {
        id: LetterId::from_u128(1),
        destination: destination("log"),
        item: made.item.key.clone(),
        title: made.item.title.clone(),
        event,
        version: 0,
        failures: 0,
        lost: 0,
        state: LetterState::Queued { available_at: at(7) },
        last_error: None,
    };
    assert_eq!(load(store, 1).await, expected);
    let nothing_new = async |why: &str| {
        let all = store.list_letters(&LetterFilter::default()).await.unwrap();
        assert_eq!(numbers(&all), letter_ids(&[2, 1, 3]), "{why}");
    };
    assert_eq!(store.apply(&step).await.unwrap(), Applied::Duplicate);
    nothing_new("an input that comes again").await;
    let late = Step { input: "late".to_owned(), letters: vec![new(9, "log", 0)], ..step.clone() };
    assert_eq!(store.apply(&late).await.unwrap(), Applied::Stale);
    nothing_new("a step that came too late").await;
    let about_nothing = Step { letters: vec![new(9, "log", 2)], ..super::fixtures::step(&moved) };
    assert!(store.apply(&about_nothing).await.is_err(), "it tells of no event");
    nothing_new("a step that cannot be written").await;
    assert_eq!(store.find_pipeline(made.id).await.unwrap(), Some(moved));
}

pub async fn an_event_is_told_to_a_destination_once(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let letters = vec![new(1, "log", 0), new(2, "log", 0)];
    let twice = Step { events: vec![EventKind::Started], letters, ..step(&made) };
    assert!(store.apply(&twice).await.is_err());
    assert_eq!(store.list_letters(&LetterFilter::default()).await.unwrap(), []);
    assert_eq!(store.list_events(None, 0, 10).await.unwrap(), []);
}

/// Ids count for nothing, nor does whose pipeline it is: only the order of commits.
pub async fn letters_are_given_out_in_the_order_of_their_events(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let one = post(store, &one, 0, &[(5, "log"), (3, "log")]).await;
    post(store, &two, 0, &[(4, "log")]).await;
    post(store, &one, 0, &[(1, "log")]).await;
    for expected in [5, 3, 4, 1] {
        assert_eq!(numbers(&taken(store, &take(at(1), &["log"])).await), letter_ids(&[expected]));
        happens(store, expected, &delivered(), 2).await;
    }
    assert_eq!(taken(store, &take(at(1), &["log"])).await, []);
}

pub async fn a_letter_under_way_holds_back_those_behind_it_and_no_other_destination(
    store: &dyn Store,
) {
    let made = pipeline(store, 1, "ET").await;
    post(store, &made, 0, &[(1, "log"), (2, "log"), (3, "chat")]).await;
    let first = taken(store, &take(at(0), &["log"])).await.remove(0);
    assert_eq!(
        first.state,
        LetterState::Sending { owner: "worker".to_owned(), expires_at: at(30) }
    );
    assert_eq!(load(store, 1).await, first);
    assert_eq!(
        numbers(&taken(store, &take(at(1), &["chat", "log"])).await),
        letter_ids(&[3]),
        "whoever hangs holds up nobody else"
    );
    assert_eq!(store.next_letter(&to(&["log"])).await.unwrap(), Some(at(30)));
    assert_eq!(store.next_letter(&to(&["chat", "log"])).await.unwrap(), Some(at(30)));
    assert_eq!(store.next_letter(&to(&["nobody"])).await.unwrap(), None);
    assert_eq!(store.next_letter(&[]).await.unwrap(), None);
}

pub async fn a_letter_that_waits_for_its_next_try_holds_back_those_behind_it(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    post(store, &made, 0, &[(1, "log"), (2, "log")]).await;
    taken(store, &take(at(0), &["log"])).await;
    let waits = happens(store, 1, &failed(), 1).await;
    assert_eq!(waits.state, LetterState::Queued { available_at: at(6) });
    assert_eq!(load(store, 1).await, waits, "and why the try failed is remembered");
    assert_eq!(store.next_letter(&to(&["log"])).await.unwrap(), Some(at(6)));
    assert_eq!(taken(store, &take(at(5), &["log"])).await, []);
    assert_eq!(numbers(&taken(store, &take(at(6), &["log"])).await), letter_ids(&[1]));
}

/// F13: what is given up must not lock the queue that it stood in.
pub async fn a_letter_that_died_or_was_dropped_lets_those_behind_it_pass(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    post(store, &made, 0, &[(1, "log"), (2, "log"), (3, "log")]).await;
    taken(store, &take(at(0), &["log"])).await;
    happens(store, 1, &LetterInput::Refused { why: "no".to_owned() }, 1).await;
    let (by, reason) = ("ann".to_owned(), "old".to_owned());
    happens(store, 2, &LetterInput::Drop { by, reason }, 1).await;
    assert_eq!(store.next_letter(&to(&["log"])).await.unwrap(), Some(at(0)));
    assert_eq!(numbers(&taken(store, &take(at(1), &["log"])).await), letter_ids(&[3]));
}

/// F7: a process that was stopped for longer than its lease, and goes on.
pub async fn a_process_that_lost_its_letter_changes_nothing(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    post(store, &made, 0, &[(1, "log")]).await;
    let first = taken(store, &take(at(0), &["log"])).await.remove(0);
    assert_eq!(taken(store, &take(at(29), &["log"])).await, []);
    let second = taken(store, &take(at(30), &["log"])).await.remove(0);
    assert_eq!((second.version, second.lost), (first.version + 1, 1));
    let late = first.decide(&failed(), at(31)).unwrap();
    assert!(!store.settle_letter(&late).await.unwrap());
    assert_eq!(load(store, 1).await, second);
    happens(store, 1, &delivered(), 32).await;
    assert!(!store.settle_letter(&second.decide(&failed(), at(33)).unwrap()).await.unwrap());
    assert_eq!(
        load(store, 1).await.state,
        LetterState::Delivered { at: at(32), remote: Some("7".to_owned()) }
    );
    let unknown = Letter { id: LetterId::from_u128(99), ..late };
    assert!(!store.settle_letter(&unknown).await.unwrap());
}

pub async fn a_letter_that_a_person_has_tried_again_goes_first(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    post(store, &made, 0, &[(1, "log"), (2, "log"), (3, "log")]).await;
    taken(store, &take(at(0), &["log"])).await;
    happens(store, 1, &LetterInput::Refused { why: "no".to_owned() }, 1).await;
    taken(store, &take(at(1), &["log"])).await;
    happens(store, 1, &LetterInput::Retry, 2).await;
    assert_eq!(taken(store, &take(at(2), &["log"])).await, [], "the second is under way");
    assert_eq!(store.next_letter(&to(&["log"])).await.unwrap(), Some(at(31)));
    happens(store, 2, &delivered(), 3).await;
    assert_eq!(numbers(&taken(store, &take(at(3), &["log"])).await), letter_ids(&[1]));
}

pub async fn the_end_of_a_letter_is_written_with_its_step_or_not_at_all(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = post(store, &made, 0, &[(1, "log")]).await;
    let first = taken(store, &take(at(0), &["log"])).await.remove(0);
    let second = taken(store, &take(at(30), &["log"])).await.remove(0);
    let dies = |letter: &Letter, input: &str| {
        let dead = letter.decide(&LetterInput::Refused { why: "no".to_owned() }, at(31)).unwrap();
        let events = vec![EventKind::Paused];
        Step { input: input.to_owned(), events, letter: Some(dead), ..step(&moved) }
    };
    assert_eq!(store.apply(&dies(&first, "late")).await.unwrap(), Applied::Fenced);
    assert_eq!(load(store, 1).await, second);
    assert_eq!(store.find_pipeline(made.id).await.unwrap().as_ref(), Some(&moved));
    let stale = Step { pipeline: moved.clone(), ..dies(&second, "stale") };
    assert_eq!(store.apply(&stale).await.unwrap(), Applied::Stale);
    assert_eq!(load(store, 1).await, second, "a step that is not written settles nothing");
    let in_time = dies(&second, "in time");
    done(store, in_time.clone()).await;
    assert_eq!(Some(load(store, 1).await), in_time.letter);
    assert_eq!(store.apply(&in_time).await.unwrap(), Applied::Duplicate);
}

pub async fn letters_are_listed_newest_first_and_counted(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = post(store, &made, 10, &[(1, "log"), (2, "log"), (3, "chat"), (4, "log")]).await;
    post(store, &moved, 20, &[(5, "log"), (6, "log")]).await;
    taken(store, &take(at(20), &["log"])).await;
    happens(store, 1, &LetterInput::Refused { why: "no".to_owned() }, 21).await;
    taken(store, &take(at(22), &["log"])).await;
    happens(store, 2, &delivered(), 23).await;
    taken(store, &take(at(24), &["log"])).await;
    let list = async |to: Option<&str>, state: Option<LetterStateTag>, limit: u32| {
        let filter =
            LetterFilter { pipeline: None, destination: to.map(destination), state, limit };
        numbers(&store.list_letters(&filter).await.unwrap())
    };
    assert_eq!(list(None, None, 0).await, letter_ids(&[6, 5, 4, 3, 2, 1]));
    assert_eq!(list(None, None, 2).await, letter_ids(&[6, 5]));
    assert_eq!(list(Some("chat"), None, 0).await, letter_ids(&[3]));
    assert_eq!(list(Some("log"), Some(LetterStateTag::Queued), 1).await, letter_ids(&[6]));
    assert_eq!(list(None, Some(LetterStateTag::Delivered), 0).await, letter_ids(&[2]));
    let count = |to: &str, state, count, oldest| LetterCount {
        destination: destination(to),
        state,
        count,
        oldest: at(oldest),
    };
    assert_eq!(
        store.count_letters().await.unwrap(),
        [
            count("chat", LetterStateTag::Queued, 1, 10),
            count("log", LetterStateTag::Queued, 2, 20),
            count("log", LetterStateTag::Sending, 1, 10),
            count("log", LetterStateTag::Dead, 1, 10),
        ],
        "what has come to its end is not counted"
    );
}

pub async fn the_letters_of_a_pipeline_are_listed_by_themselves(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let one = post(store, &one, 10, &[(1, "log"), (2, "chat")]).await;
    post(store, &two, 20, &[(3, "log")]).await;
    post(store, &one, 30, &[(4, "log")]).await;
    let list = async |state: Option<LetterStateTag>, limit: u32| {
        let filter = LetterFilter { pipeline: Some(one.id), destination: None, state, limit };
        numbers(&store.list_letters(&filter).await.unwrap())
    };
    assert_eq!(list(None, 0).await, letter_ids(&[4, 2, 1]));
    assert_eq!(list(Some(LetterStateTag::Queued), 2).await, letter_ids(&[4, 2]));
    assert_eq!(list(Some(LetterStateTag::Dead), 0).await, letter_ids(&[]));
}
