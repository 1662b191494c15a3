//! Reads a request for a message.

use serde_json::Value;

use crate::model_server::conversation::Conversation;

/// What the client can do for the model.
pub(in crate::model_server) struct Tools {
    /// The name of its shell tool.
    pub(super) shell: Option<String>,
}

/// `None` where it is no such request.
pub(in crate::model_server) fn read(body: &Value) -> Option<(Conversation, Tools)> {
    let messages = body["messages"].as_array()?;
    let is_from_model = |message: &Value| message["role"] == "assistant";
    let opening = messages
        .iter()
        .take_while(|it| !is_from_model(it))
        .filter(|it| it["role"] == "user")
        .map(text);
    let tools = body["tools"].as_array().map_or(&[][..], Vec::as_slice);
    let conversation = Conversation {
        opening: opening.collect::<Vec<_>>().join("\n"),
        turns_taken: messages.iter().filter(|it| is_from_model(it)).count(),
        offers_tools: !tools.is_empty(),
        streamed: body["stream"] == true,
        model: body["model"].as_str()?.to_owned(),
    };
    let names = tools.iter().filter_map(|tool| tool["name"].as_str());
    let shell = names.into_iter().find(|name| name.eq_ignore_ascii_case("bash")).map(str::to_owned);
    Some((conversation, Tools { shell }))
}

/// The content is a text, or a list of blocks some of which are text.
fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            blocks.iter().filter_map(|it| it["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_conversation_is_read_from_its_messages() {
        let body = json!({
            "model": "some-model",
            "stream": true,
            "tools": [{ "name": "Read" }, { "name": "Bash" }],
            "messages": [
                { "role": "user", "content": [{ "type": "text", "text": "a reminder" }, { "type": "text", "text": "the brief" }] },
                { "role": "system", "content": "what else there is" },
                { "role": "assistant", "content": [{ "type": "tool_use", "id": "1", "name": "Bash", "input": {} }] },
                { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "1", "content": "out" }] },
                { "role": "assistant", "content": "done" },
                { "role": "user", "content": "go on" },
            ],
        });
        let (conversation, tools) = read(&body).unwrap();
        assert_eq!(conversation.opening, "a reminder\nthe brief");
        assert_eq!(conversation.turns_taken, 2);
        assert!(conversation.offers_tools && conversation.streamed);
        assert_eq!(tools.shell.as_deref(), Some("Bash"));
    }

    #[test]
    fn anything_else_is_not_taken_for_a_conversation() {
        assert!(read(&json!({ "model": "some-model" })).is_none());
        assert!(read(&json!([])).is_none());
    }
}
