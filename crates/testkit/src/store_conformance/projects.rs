//! Projects and definitions.

use domain::definition::Definition;
use ports::{ProjectRecord, Store};

use super::fixtures::{definition, definition_hash, project};

pub async fn a_project_is_remembered_with_its_newest_place(store: &dyn Store) {
    let old = ProjectRecord { key: project("ET"), repository: "/old".to_owned() };
    let new = ProjectRecord { repository: "/new".to_owned(), ..old.clone() };
    let other = ProjectRecord { key: project("AB"), repository: "/other".to_owned() };
    for record in [&old, &new, &other] {
        store.save_project(record).await.unwrap();
    }
    assert_eq!(store.find_project(&project("ET")).await.unwrap(), Some(new.clone()));
    assert_eq!(store.find_project(&project("XX")).await.unwrap(), None);
    assert_eq!(store.list_projects().await.unwrap(), [other, new]);
}

pub async fn a_definition_stays_what_it_was_first(store: &dyn Store) {
    let first = definition();
    let second = Definition { description: "Another.".to_owned(), ..definition() };
    assert_eq!(store.find_definition(&definition_hash()).await.unwrap(), None);
    store.save_definition(&definition_hash(), &first).await.unwrap();
    store.save_definition(&definition_hash(), &second).await.unwrap();
    assert_eq!(store.find_definition(&definition_hash()).await.unwrap(), Some(first));
}
