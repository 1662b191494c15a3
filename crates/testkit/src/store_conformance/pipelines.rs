//! Making and finding pipelines.

use domain::{
    item::ItemKey,
    pipeline::{NewPipeline, PipelineState, PipelineStateTag},
};
use ports::{PipelineFilter, Store};

use super::fixtures::{at, done, new_pipeline, pipeline, prepare, project, running, step_to};

pub async fn item_numbers_count_per_project(store: &dyn Store) {
    let mut numbers = Vec::new();
    for (id, key) in [(1, "ET"), (2, "ET"), (3, "AB"), (4, "ET")] {
        numbers.push(pipeline(store, id, key).await.item.key.to_string());
    }
    assert_eq!(numbers, ["ET-001", "ET-002", "AB-001", "ET-003"]);
}

pub async fn a_number_that_a_branch_has_already_is_left_out(store: &dyn Store) {
    prepare(store, "ET").await;
    let mut numbers = Vec::new();
    for (id, number_above) in [(1, 7), (2, 0), (3, 3)] {
        let new = NewPipeline { number_above, ..new_pipeline(id, "ET") };
        numbers.push(store.create_pipeline(&new).await.unwrap().item.key.number);
    }
    assert_eq!(numbers, [8, 9, 10]);
}

pub async fn a_pipeline_is_found_as_it_was_answered(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    assert_eq!((made.version, &made.state), (0, &PipelineState::Queued));
    assert_eq!(store.find_pipeline(made.id).await.unwrap(), Some(made.clone()));
    let moved = done(store, step_to(&made, running())).await;
    assert_eq!(store.find_pipeline(made.id).await.unwrap(), Some(moved));
    let unknown = new_pipeline(2, "ET").id;
    assert_eq!(store.find_pipeline(unknown).await.unwrap(), None);
}

pub async fn a_pipeline_is_found_by_its_item(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    for made in [&one, &two] {
        assert_eq!(store.find_pipeline_of(&made.item.key).await.unwrap(), Some(made.id));
    }
    let [number, project] = [(3, "ET"), (1, "AB")].map(|(number, key)| {
        let item = ItemKey { project: project(key), number };
        async move { store.find_pipeline_of(&item).await.unwrap() }
    });
    assert_eq!((number.await, project.await), (None, None));
}

pub async fn a_pipeline_that_belongs_to_nothing_is_refused(store: &dyn Store) {
    let nowhere = store.create_pipeline(&new_pipeline(1, "ET")).await;
    assert!(nowhere.is_err(), "{nowhere:?}");
    let made = pipeline(store, 1, "ET").await;
    let again = store.create_pipeline(&new_pipeline(1, "ET")).await;
    assert!(again.is_err(), "{again:?}");
    let untitled = NewPipeline { title: " ".to_owned(), ..new_pipeline(2, "ET") };
    assert!(store.create_pipeline(&untitled).await.is_err());
    assert_eq!(store.list_pipelines(&PipelineFilter::default()).await.unwrap(), [made]);
}

pub async fn pipelines_are_listed_newest_first(store: &dyn Store) {
    prepare(store, "ET").await;
    prepare(store, "AB").await;
    for (id, key, second) in [(1, "ET", 5), (2, "ET", 9), (3, "AB", 7), (4, "AB", 9)] {
        let new = NewPipeline { created_at: at(second), ..new_pipeline(id, key) };
        let made = store.create_pipeline(&new).await.unwrap();
        if id == 2 {
            done(store, step_to(&made, running())).await;
        }
    }
    let all = PipelineFilter::default();
    let of_project = PipelineFilter { project: Some(project("ET")), ..PipelineFilter::default() };
    let queued = PipelineFilter {
        states: vec![PipelineStateTag::Queued, PipelineStateTag::Failed],
        ..PipelineFilter::default()
    };
    let limited = PipelineFilter { limit: 2, ..queued.clone() };
    for (filter, expected) in [
        (all, vec![4, 2, 3, 1]),
        (of_project, vec![2, 1]),
        (queued, vec![4, 3, 1]),
        (limited, vec![4, 3]),
    ] {
        let found = store.list_pipelines(&filter).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|id| new_pipeline(id, "ET").id).collect();
        assert_eq!(
            found.iter().map(|pipeline| pipeline.id).collect::<Vec<_>>(),
            expected,
            "{filter:?}"
        );
    }
}
