//! Letters, told apart by a number.

use camino::{Utf8Path, Utf8PathBuf};
use domain::{
    id::{LetterId, PipelineId},
    item::ItemKey,
    name::{DestinationName, ProjectKey},
    outbox::{Letter, LetterState},
    pipeline::{Actor, Event, EventKind},
};
use jiff::Timestamp;

/// A letter about the so-many-th event of a pipeline.
pub(crate) fn letter(number: u64, title: &str) -> Letter {
    let at = Timestamp::UNIX_EPOCH;
    Letter {
        id: LetterId::from_u128(number.into()),
        destination: DestinationName::new("out").expect("a name"),
        item: ItemKey { project: ProjectKey::new("ET").expect("a name"), number: 1 },
        title: title.to_owned(),
        event: Event {
            seq: number + 10,
            pipeline: PipelineId::from_u128(1),
            number,
            version: number,
            at,
            actor: Actor::Person { name: "ann".to_owned() },
            kind: EventKind::Cancelled { reason: "no\nneed".to_owned() },
        },
        version: 1,
        failures: 0,
        lost: 0,
        state: LetterState::Sending { owner: "worker".to_owned(), expires_at: at },
        last_error: None,
    }
}

/// A directory that lives as long as the first value.
pub(crate) fn directory() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = Utf8Path::from_path(directory.path()).expect("a path in UTF-8").to_owned();
    (directory, path)
}
