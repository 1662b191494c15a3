//! `[destinations.NAME]`

use std::{borrow::Cow, collections::BTreeMap};

use camino::Utf8PathBuf;
use domain::{
    name::{DestinationName, ProjectKey},
    outbox::Route,
    pipeline::EventKindTag,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use strum::VariantArray as _;

/// Somewhere outside that is told what happens, event by event, in order, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DestinationSettings {
    /// How it is told.
    pub kind: DestinationKind,
    /// The file of the kind `file`; relative to this file. One line of JSON is added for each event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub path: Option<Utf8PathBuf>,
    /// The program of the kind `command` and its arguments. It runs as you, outside of any sandbox, with the event as JSON
    /// on its standard input; no shell reads the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// The events that it is told. Default: what a person wants to hear who is not looking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<EventName>>,
    /// The keys of the projects whose events it is told. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub projects: Vec<ProjectKey>,
    /// Environment variables for the command; besides `PATH` it sees no others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Names of secrets that become environment variables of the same name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_from: Vec<String>,
}

/// The kinds of destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DestinationKind {
    /// A line of JSON is added to a file.
    File,
    /// A program is given each event.
    Command,
}

/// The name of an event, as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventName(pub EventKindTag);

impl EventName {
    /// All that can be sent.
    fn all() -> Vec<String> {
        let sent = EventKindTag::VARIANTS.iter().filter(|event| Route::can_carry(**event));
        sent.map(ToString::to_string).collect()
    }
}

impl Serialize for EventName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl JsonSchema for EventName {
    fn schema_name() -> Cow<'static, str> {
        "EventName".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::all() })
    }
}

impl DestinationSettings {
    /// What the destination wants to hear.
    #[must_use]
    pub fn route(&self, name: &DestinationName) -> Route {
        let events =
            self.events.as_ref().map(|events| events.iter().map(|event| event.0).collect());
        Route {
            destination: name.clone(),
            events: events.unwrap_or_else(|| Route::EVENTS.to_vec()),
            projects: self.projects.clone(),
        }
    }
}
