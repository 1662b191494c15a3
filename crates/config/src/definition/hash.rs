//! What a running pipeline pins.

use std::fmt::Write as _;

use domain::definition::{Definition, DefinitionHash};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The hash of a definition: SHA-256 of its JSON with sorted keys and without white space.
#[must_use]
pub fn hash(definition: &Definition) -> DefinitionHash {
    let value = serde_json::to_value(definition).expect("a definition is plain data");
    let mut canonical = String::new();
    write_canonical(&value, &mut canonical);
    let mut text = String::new();
    for byte in Sha256::digest(canonical.as_bytes()) {
        write!(text, "{byte:02x}").expect("writing to a string");
    }
    DefinitionHash(text)
}

/// Does not rely on how the JSON library orders a map: that is a feature switch of somebody else.
fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (position, (key, value)) in entries.into_iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                text.push_str(&Value::String(key.clone()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                write_canonical(item, text);
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
