//! The git of stories passes them.

use std::sync::Arc;

use domain::name::ProjectKey;
use ports::ProjectRef;

use super::{a_branch_is_published_where_nothing_is_lost, a_target_is_moved_once_from_where_it_is};
use crate::{store_model::ModelStore, world::World};

fn founded() -> (World, ProjectRef) {
    let world = World::on(Arc::new(ModelStore::default()));
    let key = ProjectKey::new("ET").unwrap();
    world.git.found(&key);
    (world, ProjectRef { key, repository: "/people/ET".to_owned() })
}

#[tokio::test]
async fn the_git_of_stories_publishes_a_branch_where_nothing_is_lost() {
    let (world, project) = founded();
    a_branch_is_published_where_nothing_is_lost(&*world.git, &project).await;
}

#[tokio::test]
async fn the_git_of_stories_moves_a_target_once_from_where_it_is() {
    let (world, project) = founded();
    a_target_is_moved_once_from_where_it_is(&*world.git, &project).await;
}
