//! The effective values, and where each comes from: `config show`.

use std::fmt;

use camino::Utf8PathBuf;
use serde_json::Value;

use crate::{
    key_path::KeyPath,
    secret::{MASK, is_secret, without_credentials},
};

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file.
    File {
        /// The file.
        file: Utf8PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad("default"),
            Self::File { file, line } => f.pad(&format!("{file}:{line}")),
            Self::Environment(name) => f.pad(name),
            Self::Flag(name) => f.pad(name),
        }
    }
}

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key: `limits.max_concurrency`, `project[0].key`.
    pub key: String,
    /// Its value as TOML would have it, secrets masked.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// All values below `value`, one for each scalar and each list of scalars.
pub(crate) fn flatten(
    value: &Value,
    path: &KeyPath,
    origin: &impl Fn(&KeyPath) -> Origin,
    found: &mut Vec<Setting>,
) {
    let has_tables = |items: &[Value]| items.iter().any(Value::is_object);
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                flatten(value, &path.key(key), origin, found);
            }
        }
        Value::Array(items) if has_tables(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, &path.index(index), origin, found);
            }
        }
        Value::String(text) => {
            let text = if is_secret(path) { MASK.to_owned() } else { without_credentials(text) };
            found.push(Setting {
                key: path.to_string(),
                value: Value::String(text).to_string(),
                origin: origin(path),
            });
        }
        other => found.push(Setting {
            key: path.to_string(),
            value: other.to_string(),
            origin: origin(path),
        }),
    }
}
