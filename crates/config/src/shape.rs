//! Compares a document with a JSON Schema, the one that is published for editors, and tells every difference.
//!
//! Knows the part of JSON Schema that our own types make. Three annotations are ours: `x-format = "time"` marks a
//! length of time, `x-planned` lists values that a later version will take, `x-hint` is the help of an error.

use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    document::Document,
    key_path::KeyPath,
    nearest::{did_you_mean, listed},
    problem::Problem,
    time,
};

/// A difference between a value and what it should be.
#[derive(Clone, Debug)]
pub(crate) struct Mismatch {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// What a document should look like.
#[derive(Clone, Debug)]
pub(crate) struct Shape(Value);

impl Shape {
    /// The shape of what deserializes as `T`.
    pub(crate) fn of<T: JsonSchema>() -> Self {
        let settings =
            SchemaSettings::draft2020_12().for_deserialize().with_transform(without_null);
        Self(SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value())
    }

    pub(crate) fn into_schema(self) -> Value {
        self.0
    }

    /// Everything in `document` that does not fit.
    pub(crate) fn check(&self, document: &Document<'_>) -> Vec<Problem> {
        let mut found = Vec::new();
        self.table(document.root(), 0..0, &self.0, &KeyPath::default(), &mut found);
        let problem = |it: Mismatch| document.problem(it.span, it.message).with_help_if(it.help);
        found.into_iter().map(problem).collect()
    }

    /// What is wrong with one value.
    pub(crate) fn check_value(
        &self,
        value: &Spanned<DeValue<'_>>,
        path: &KeyPath,
        schema: &Value,
    ) -> Vec<Mismatch> {
        let mut found = Vec::new();
        self.value(value, schema, path, &mut found);
        found
    }

    /// Every scalar whose path has fixed keys only, with its schema.
    pub(crate) fn scalars(&self) -> Vec<(Vec<&str>, &Value)> {
        let mut found = Vec::new();
        let mut open = vec![(Vec::new(), &self.0)];
        while let Some((path, schema)) = open.pop() {
            for (key, schema) in properties(schema) {
                let schema = self.resolve(schema);
                let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
                if schema["type"] == "object" {
                    open.push((path, schema));
                } else if schema["type"] != "array" {
                    found.push((path, schema));
                }
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let pointer = schema["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
        pointer.and_then(|it| self.0.pointer(it)).unwrap_or(schema)
    }

    fn value(
        &self,
        value: &Spanned<DeValue<'_>>,
        schema: &Value,
        path: &KeyPath,
        found: &mut Vec<Mismatch>,
    ) {
        let outer = schema["description"].as_str();
        let schema = self.resolve(schema);
        let hint = schema["x-hint"].as_str().map(str::to_owned);
        let help = hint.or_else(|| outer.or(schema["description"].as_str()).map(first_sentence));
        let mut wrong = |message: String, help: Option<String>| {
            found.push(Mismatch { span: value.span(), message, help });
        };
        match (schema["type"].as_str(), value.get_ref()) {
            (Some("object"), DeValue::Table(table)) => {
                self.table(table, value.span(), schema, path, found);
            }
            (Some("array"), DeValue::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &schema["items"], &path.index(index), found);
                }
            }
            (Some("integer"), DeValue::Integer(number)) => {
                let minimum = schema["minimum"].as_i64();
                let given = i64::from_str_radix(number.as_str(), number.radix()).ok();
                if let Some(minimum) =
                    minimum.filter(|minimum| given.is_some_and(|it| it < *minimum))
                {
                    wrong(format!("`{path}` must be at least {minimum}, not {number}"), help);
                }
            }
            (Some("string") | None, DeValue::String(text)) => {
                if let Some((message, better_help)) = text_mismatch(schema, text, path) {
                    wrong(message, better_help.or(help));
                }
            }
            (Some("number"), DeValue::Integer(_) | DeValue::Float(_))
            | (Some("boolean"), DeValue::Boolean(_)) => {}
            (kind @ Some("object" | "array"), _) => {
                let given = value.get_ref().type_str();
                wrong(
                    format!("`{path}` must be {}, not a value of type {given}", kind_words(kind)),
                    help,
                );
            }
            (kind, given) => wrong(
                format!("`{path}` must be {}, not {}", kind_words(kind), shown(given, path)),
                help,
            ),
        }
    }

    fn table(
        &self,
        table: &DeTable<'_>,
        span: Range<usize>,
        schema: &Value,
        path: &KeyPath,
        found: &mut Vec<Mismatch>,
    ) {
        let known: Vec<&str> = properties(schema).map(|(key, _)| key.as_str()).collect();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let path = path.key(name);
            if let Some(schema) = schema["properties"].get(name) {
                self.value(value, schema, &path, found);
            } else if schema["additionalProperties"].is_object() {
                self.value(value, &schema["additionalProperties"], &path, found);
            } else {
                let message =
                    format!("unknown key `{name}`{}", did_you_mean(name, known.iter().copied()));
                let help = Some(format!("known here: {}", listed(known.iter().copied())));
                found.push(Mismatch { span: key.span(), message, help });
            }
        }
        let required =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for key in required.filter(|key| !table.contains_key(*key)) {
            let message = match path.steps() {
                [] => format!("`{key}` is missing"),
                _ => format!("`{path}` has no `{key}`"),
            };
            let help = schema["properties"][key]["description"]
                .as_str()
                .map(|it| format!("`{key}`: {}", first_sentence(it)));
            found.push(Mismatch { span: span.clone(), message, help });
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// What is wrong with a text, if anything, and what helps more than the key's description.
fn text_mismatch(schema: &Value, text: &str, path: &KeyPath) -> Option<(String, Option<String>)> {
    let choices = choices(schema);
    let instead = || Some(format!("use one of {}", listed(choices.iter().copied())));
    let mut planned = schema["x-planned"].as_array().into_iter().flatten();
    if planned.any(|it| it == text) {
        return Some((
            format!("`{path} = \"{text}\"` is not available in this version"),
            instead(),
        ));
    }
    let shown = text.escape_debug();
    if schema["x-format"] == "time" {
        let help = "use something like \"90s\", \"10m\" or \"1h 30m\"".to_owned();
        return time::parse(text)
            .is_none()
            .then(|| (format!("`{path}` must be a length of time, not \"{shown}\""), Some(help)));
    }
    if choices.is_empty() || choices.contains(&text) {
        return None;
    }
    let meant = did_you_mean(text, choices.iter().copied());
    Some((format!("`{path}` cannot be \"{shown}\"{meant}"), instead()))
}

/// The values of an enumeration, with or without a description each.
fn choices(schema: &Value) -> Vec<&str> {
    let plain = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let described = schema["oneOf"].as_array().into_iter().flatten();
    let described = described.flat_map(|it| it["const"].as_str().into_iter().chain(choices(it)));
    plain.chain(described).collect()
}

fn kind_words(kind: Option<&str>) -> &'static str {
    match kind {
        Some("object") => "a table",
        Some("array") => "a list",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        _ => "a text in quotes",
    }
}

/// The value for a message; what may be a secret is not repeated.
fn shown(value: &DeValue<'_>, path: &KeyPath) -> String {
    match value {
        _ if crate::secret::is_secret(path) => "what is there".to_owned(),
        DeValue::String(text) => format!("\"{}\"", text.escape_debug()),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(it) => it.to_string(),
        DeValue::Datetime(it) => it.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// TOML has no null: an optional value is simply left out.
fn without_null(schema: &mut Schema) {
    schemars::transform::transform_subschemas(&mut without_null, schema);
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(any)) = object.get_mut("anyOf") {
        any.retain(|it| it["type"] != "null");
        if let [Value::Object(only)] = any.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

fn first_sentence(text: &str) -> String {
    let text = text.split_once("\n\n").map_or(text, |it| it.0).replace('\n', " ");
    text.split_once(". ").map_or(text.as_str(), |it| it.0).trim_end_matches('.').to_owned()
}
