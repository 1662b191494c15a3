//! Pipeline definitions.

use domain::{
    definition::{
        Action, Check, Definition, DefinitionHash, Gate, GateKind, Mode, Network, PipelineLimits,
        Route, Stage, Then, WorkspaceAccess,
    },
    name::{DefinitionName, GateName, RoleName, StageName},
};
use serde::Serialize;

/// Where a failed gate leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteView {
    /// The stage that mends it.
    pub to: StageName,
    /// How often a pipeline may take this route.
    pub max: u32,
    /// What happens after that.
    pub then: Then,
}

impl From<&Route> for RouteView {
    fn from(route: &Route) -> Self {
        let Route { to, max, then } = route.clone();
        Self { to, max, then }
    }
}

/// A gate of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateView {
    /// Its name.
    pub name: GateName,
    /// Its stage.
    pub stage: StageName,
    /// What kind it is: `command`, `approval`.
    pub kind: String,
    /// What it looks at, in words.
    pub checks: String,
    /// Its own route in place of the stage's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_fail: Option<RouteView>,
}

impl GateView {
    /// The view of a gate in its stage.
    #[must_use]
    pub fn new(stage: &StageName, gate: &Gate) -> Self {
        let Gate { name, check, on_fail } = gate;
        Self {
            name: name.clone(),
            stage: stage.clone(),
            kind: GateKind::from(check).to_string(),
            checks: checks(check),
            on_fail: on_fail.as_ref().map(RouteView::from),
        }
    }
}

fn checks(check: &Check) -> String {
    match check {
        Check::Artifacts { all_of, any_of } => match (all_of.as_slice(), any_of.as_slice()) {
            (all, []) => all.join(", "),
            ([], any) => format!("one of {}", any.join(", ")),
            (all, any) => format!("{}, and one of {}", all.join(", "), any.join(", ")),
        },
        Check::Absent { path } | Check::Questions { path } => format!("no {path}"),
        Check::Command { run, .. } if run.is_empty() => "the project's own command".to_owned(),
        Check::Command { run, .. } => run.clone(),
        Check::Verdict { path } => format!("{path} says `verdict: APPROVED`"),
        Check::Report { path } => format!("{path} says `result: PASS`"),
        Check::Approval { question, .. } => question.clone(),
    }
}

/// A stage of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageDefinitionView {
    /// Its name.
    pub name: StageName,
    /// How its roles work together.
    pub mode: Mode,
    /// The roles, wave by wave.
    pub waves: Vec<Vec<RoleName>>,
    /// What it does itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What its agents find in their workspaces.
    pub workspace: WorkspaceAccess,
    /// What its agents can reach.
    pub network: Network,
    /// What must hold to leave it, in order.
    pub gates: Vec<GateView>,
    /// Where it leads; absent where it ends the pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_pass: Option<StageName>,
    /// Where a failed gate leads; absent where a person is asked at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_fail: Option<RouteView>,
}

impl From<&Stage> for StageDefinitionView {
    fn from(stage: &Stage) -> Self {
        Self {
            name: stage.name.clone(),
            mode: stage.mode,
            waves: stage.waves.clone(),
            action: stage.action,
            workspace: stage.workspace,
            network: stage.network,
            gates: stage.gates.iter().map(|gate| GateView::new(&stage.name, gate)).collect(),
            on_pass: stage.on_pass.clone(),
            on_fail: stage.on_fail.as_ref().map(RouteView::from),
        }
    }
}

/// Limits of a whole pipeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitsView {
    /// From start to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_time_ms: Option<u64>,
    /// All tokens of all runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

impl From<&PipelineLimits> for LimitsView {
    fn from(limits: &PipelineLimits) -> Self {
        let PipelineLimits { wall_time, tokens, cost_usd } = limits;
        let millis = |it: std::time::Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        Self { wall_time_ms: wall_time.map(millis), tokens: *tokens, cost_usd: *cost_usd }
    }
}

/// A pipeline definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefinitionView {
    /// Its name.
    pub name: DefinitionName,
    /// What it is for.
    pub description: String,
    /// Its hash.
    pub hash: DefinitionHash,
    /// Where it was found.
    pub found_in: String,
    /// The first stage.
    pub start: StageName,
    /// Limits of the whole pipeline.
    pub limits: LimitsView,
    /// The stages in reading order.
    pub stages: Vec<StageDefinitionView>,
}

impl DefinitionView {
    /// The view of a definition that was found somewhere.
    #[must_use]
    pub fn new(definition: &Definition, hash: &DefinitionHash, found_in: String) -> Self {
        let Definition { name, description, start, limits, stages } = definition;
        Self {
            name: name.clone(),
            description: description.clone(),
            hash: hash.clone(),
            found_in,
            start: start.clone(),
            limits: LimitsView::from(limits),
            stages: stages.iter().map(StageDefinitionView::from).collect(),
        }
    }
}
