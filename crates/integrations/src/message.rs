//! A letter as others read it: one line of JSON. Its names are part of the interface.

use domain::{
    id::{LetterId, PipelineId},
    outbox::Letter,
    pipeline::EventKindTag,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// What stands in the line. Nothing in it differs between two deliveries of the same letter.
#[derive(Serialize)]
struct Message<'a> {
    key: String,
    letter: LetterId,
    destination: &'a str,
    project: &'a str,
    item: String,
    title: &'a str,
    pipeline: PipelineId,
    seq: u64,
    number: u64,
    version: u64,
    at: Timestamp,
    actor: String,
    event: String,
    data: Value,
}

/// The line, without its end. JSON has no line breaks but escaped ones.
pub(crate) fn line(letter: &Letter) -> Result<String, serde_json::Error> {
    let event = &letter.event;
    let mut data = serde_json::to_value(&event.kind)?;
    // It has a place of its own.
    if let Some(fields) = data.as_object_mut() {
        fields.remove("event");
    }
    serde_json::to_string(&Message {
        key: letter.key(),
        letter: letter.id,
        destination: letter.destination.as_str(),
        project: letter.item.project.as_str(),
        item: letter.item.to_string(),
        title: &letter.title,
        pipeline: event.pipeline,
        seq: event.seq,
        number: event.number,
        version: event.version,
        at: event.at,
        actor: event.actor.to_string(),
        event: EventKindTag::from(&event.kind).to_string(),
        data,
    })
}
