//! Writes the events of a streamed response.

use serde_json::{Value, json};

/// What is streamed of an item: its long text.
struct LongText<'a> {
    /// The field of the item that it is in.
    field: &'static str,
    /// That field before the text has come.
    empty: Value,
    /// The stem of the events about it.
    events: &'static str,
    /// The field of the last of them that repeats it.
    done_field: &'static str,
    text: &'a Value,
}

impl<'a> LongText<'a> {
    fn of(item: &'a Value) -> Option<Self> {
        let input = |field, events| Self {
            field,
            empty: json!(""),
            events,
            done_field: field,
            text: &item[field],
        };
        match item["type"].as_str()? {
            "message" => Some(Self {
                field: "content",
                empty: json!([]),
                events: "response.output_text",
                done_field: "text",
                text: &item["content"][0]["text"],
            }),
            "function_call" => Some(input("arguments", "response.function_call_arguments")),
            "custom_tool_call" => Some(input("input", "response.custom_tool_call_input")),
            _ => None,
        }
    }
}

/// The events from the first one to the item's long text.
pub(super) fn beginning(created: &Value, item: &Value) -> Vec<Value> {
    let mut events = vec![json!({ "type": "response.created", "response": created })];
    let mut added = item.clone();
    added["status"] = json!("in_progress");
    let long = LongText::of(item);
    if let Some(LongText { field, empty, .. }) = &long {
        added[*field] = empty.clone();
    }
    events.push(json!({ "type": "response.output_item.added", "item": added }));
    if let Some(LongText { events: stem, text, .. }) = long {
        if item["type"] == "message" {
            let part = json!({ "type": "output_text", "text": "", "annotations": [] });
            events.push(json!({ "type": "response.content_part.added", "item_id": item["id"], "part": part }));
        }
        events
            .push(json!({ "type": format!("{stem}.delta"), "item_id": item["id"], "delta": text }));
    }
    events
}

/// The events after [`beginning`].
pub(super) fn end(completed: &Value, item: &Value) -> Vec<Value> {
    let mut events = Vec::new();
    if let Some(LongText { events: stem, done_field, text, .. }) = LongText::of(item) {
        events.push(
            json!({ "type": format!("{stem}.done"), "item_id": item["id"], done_field: text }),
        );
    }
    if item["type"] == "message" {
        let part = &item["content"][0];
        events.push(
            json!({ "type": "response.content_part.done", "item_id": item["id"], "part": part }),
        );
    }
    events.push(json!({ "type": "response.output_item.done", "item": item }));
    events.push(json!({ "type": "response.completed", "response": completed }));
    events
}

/// Gives every event its number and its place: there is one item, and it has one part.
pub(super) fn numbered(mut events: Vec<Value>) -> Vec<Value> {
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
        if event.get("item").or(event.get("item_id")).is_some() {
            event["output_index"] = json!(0);
        }
        if event.get("part").is_some()
            || event["type"].as_str().is_some_and(|it| it.contains("output_text"))
        {
            event["content_index"] = json!(0);
        }
    }
    events
}
