//! The shape of a definition file. Doc comments are the descriptions in its schema.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    definition::{Action, Mode, Network, Push, Then, WaveFailure, WorkspaceAccess},
    name::{DefinitionName, GateName, RoleName, StageName},
    path_rules::PathRules,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use strum::VariantNames;

use crate::time::TimeText;

/// A pipeline definition.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Gatewright pipeline definition")]
pub(super) struct DefinitionFile {
    /// Its name, the same as the file's.
    #[schemars(with = "String")]
    pub(super) name: DefinitionName,
    /// What it is for, one sentence.
    #[serde(default)]
    pub(super) description: String,
    /// The first stage. Default: the first one in the file.
    #[schemars(with = "Option<String>")]
    pub(super) start: Option<StageName>,
    /// Limits of a whole pipeline; each may be absent.
    #[serde(default)]
    pub(super) limits: LimitsTable,
    /// The stages in reading order.
    pub(super) stage: Vec<StageTable>,
}

/// Limits of a whole pipeline.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsTable {
    /// From start to end, waiting for people included.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    #[schemars(with = "Option<TimeText>")]
    pub(super) wall_time: Option<Duration>,
    /// All tokens of all runs, cached ones included.
    pub(super) tokens: Option<u64>,
    /// US dollars, where agents report them.
    pub(super) cost_usd: Option<f64>,
}

/// A stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StageTable {
    /// Its name.
    #[schemars(with = "String")]
    pub(super) name: StageName,
    /// How its roles work together. Default: `single`.
    #[serde(default)]
    #[schemars(schema_with = "modes")]
    pub(super) mode: Option<Mode>,
    /// Who works in it: one role in mode `single`, one role a wave in mode `waves`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) roles: Option<Vec<RoleName>>,
    /// The roles wave by wave, those of a wave side by side; in place of `roles`.
    #[schemars(with = "Option<Vec<Vec<String>>>")]
    pub(super) waves: Option<Vec<Vec<RoleName>>>,
    /// What a failing role does to the others of its wave. Default: `fail_fast`.
    #[serde(default)]
    #[schemars(schema_with = "one_of::<WaveFailure>")]
    pub(super) on_role_failure: Option<WaveFailure>,
    /// What the stage does itself, without roles.
    #[serde(default)]
    #[schemars(schema_with = "one_of::<Action>")]
    pub(super) action: Option<Action>,
    /// What agents find in their workspaces. Default: `write`.
    #[serde(default)]
    #[schemars(schema_with = "one_of::<WorkspaceAccess>")]
    pub(super) workspace: Option<WorkspaceAccess>,
    /// What agents can reach. Default: `model-only`.
    #[serde(default)]
    #[schemars(schema_with = "networks")]
    pub(super) network: Option<Network>,
    /// Where agents' commits may go. Default: `own-branch` where the workspace is `write`, else `none`.
    #[serde(default)]
    #[schemars(schema_with = "one_of::<Push>")]
    pub(super) push: Option<Push>,
    /// What agents may write; a role's own rules hold as well.
    pub(super) paths: Option<PathsTable>,
    /// Rules of one role in this stage, in place of `paths`.
    #[schemars(with = "Option<BTreeMap<String, PathsTable>>")]
    pub(super) role_paths: Option<BTreeMap<RoleName, PathsTable>>,
    /// An attempt may end without a commit. Default: false.
    pub(super) may_change_nothing: Option<bool>,
    /// Longest run of one agent.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    #[schemars(with = "Option<TimeText>")]
    pub(super) time_limit: Option<Duration>,
    /// Longest silence of one agent.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    #[schemars(with = "Option<TimeText>")]
    pub(super) stall_limit: Option<Duration>,
    /// What must hold to leave it, cheapest first.
    #[serde(default)]
    pub(super) gates: Vec<GateTable>,
    /// The next stage. Default: the pipeline ends.
    #[schemars(with = "Option<String>")]
    pub(super) on_pass: Option<StageName>,
    /// Where a failed gate leads. Default: a person is asked at once.
    pub(super) on_fail: Option<RouteTable>,
}

/// Which paths may be written: patterns relative to the repository, `{item}` is the item's key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PathsTable {
    /// What may be written; empty allows everything that is not denied.
    write: Vec<String>,
    /// What may not be written, whatever `write` says.
    deny: Vec<String>,
}

impl From<PathsTable> for PathRules {
    fn from(table: PathsTable) -> Self {
        Self { write: table.write, deny: table.deny }
    }
}

/// Where a failed gate leads.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteTable {
    /// The stage that mends it.
    #[schemars(with = "String")]
    pub(super) to: StageName,
    /// How often a pipeline may take this route. Default: 3.
    pub(super) max: Option<u32>,
    /// What happens after that. Default: `escalate`, which asks a person.
    #[serde(default)]
    #[schemars(schema_with = "one_of::<Then>")]
    pub(super) then: Option<Then>,
}

/// A gate. Which keys it takes depends on its kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GateTable {
    /// Its name, unique in its stage.
    #[schemars(with = "String")]
    pub(super) name: GateName,
    /// What it looks at.
    #[schemars(schema_with = "gate_kinds")]
    pub(super) kind: String,
    /// `command`: the shell line that exits 0. Default: what the project says for a gate of this name.
    pub(super) run: Option<String>,
    /// `command`: the longest time that it may take. Default: 10m.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    #[schemars(with = "Option<TimeText>")]
    pub(super) time_limit: Option<Duration>,
    /// `command`: patterns of files that the branch must not delete. Default, for the gate `tests`: what usually holds tests.
    pub(super) keep: Option<Vec<String>>,
    /// `artifacts`: patterns that must each match a file.
    pub(super) all_of: Option<Vec<String>>,
    /// `artifacts`: patterns of which one must match a file.
    pub(super) any_of: Option<Vec<String>>,
    /// `absent`, `questions`, `verdict`, `report`: the file.
    pub(super) path: Option<String>,
    /// `approval`: what the person is asked.
    pub(super) question: Option<String>,
    /// `approval`: files to show.
    pub(super) show: Option<Vec<String>>,
    /// Its own route in place of the stage's.
    pub(super) on_fail: Option<RouteTable>,
}

fn one_of<E: VariantNames>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": E::VARIANTS })
}

fn modes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Mode::VARIANTS, "x-planned": ["concurrent", "slices"] })
}

fn networks(_: &mut SchemaGenerator) -> Schema {
    let later = "allow-list";
    let now: Vec<&str> = Network::VARIANTS.iter().copied().filter(|it| *it != later).collect();
    json_schema!({ "type": "string", "enum": now, "x-planned": [later] })
}

fn gate_kinds(_: &mut SchemaGenerator) -> Schema {
    let later = [
        "budget",
        "ci",
        "consensus",
        "contract",
        "forge_review",
        "image_fresh",
        "reviews",
        "security",
        "staging",
    ];
    json_schema!({ "type": "string", "enum": domain::definition::GateKind::VARIANTS, "x-planned": later })
}
