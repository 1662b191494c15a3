//! What can be wrong with a definition, and where.

use super::super::WorkspaceAccess;
use crate::{
    name::{GateName, RoleName, StageName},
    path_rules::PatternError,
};

/// Where an error is, by position: names may be doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The definition itself.
    Definition {
        /// The key.
        key: &'static str,
    },
    /// A stage.
    Stage {
        /// Its position.
        stage: usize,
        /// The key.
        key: &'static str,
    },
    /// A gate of a stage.
    Gate {
        /// The stage's position.
        stage: usize,
        /// The gate's position in it.
        gate: usize,
        /// The key.
        key: &'static str,
    },
}

/// Something wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flaw}")]
pub struct DefinitionError {
    /// Where.
    pub place: Place,
    /// What.
    pub flaw: Flaw,
}

/// What can be wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// No stage at all.
    #[error("the definition has no stage")]
    NoStage,
    /// Two stages of one name.
    #[error("there are two stages `{0}`")]
    DoubleStage(StageName),
    /// Two gates of one name in a stage.
    #[error("stage `{stage}` has two gates `{gate}`")]
    DoubleGate {
        /// The stage.
        stage: StageName,
        /// The gate.
        gate: GateName,
    },
    /// A stage is named that does not exist.
    #[error("there is no stage `{0}`")]
    UnknownStage(StageName),
    /// A role is named that does not exist.
    #[error("stage `{stage}`: there is no role `{role}`")]
    UnknownRole {
        /// The stage.
        stage: StageName,
        /// The role.
        role: RoleName,
    },
    /// Path rules for a role that does not work in the stage.
    #[error("stage `{stage}` has path rules for `{role}`, which is none of its roles")]
    ForeignRolePaths {
        /// The stage.
        stage: StageName,
        /// The role.
        role: RoleName,
    },
    /// No way leads there.
    #[error("stage `{0}` is never reached")]
    Unreachable(StageName),
    /// Nobody works, and the stage does nothing itself.
    #[error("stage `{0}` has neither roles nor an action")]
    NothingToDo(StageName),
    /// Both roles and an action.
    #[error("stage `{0}` has both roles and an action")]
    RolesAndAction(StageName),
    /// Mode `single` with several roles.
    #[error("stage `{stage}` has mode `single` and {found} roles")]
    NotSingle {
        /// The stage.
        stage: StageName,
        /// How many roles it has.
        found: usize,
    },
    /// A wave of nobody.
    #[error("stage `{stage}`: wave {wave} is empty")]
    EmptyWave {
        /// The stage.
        stage: StageName,
        /// Which one, from 1.
        wave: usize,
    },
    /// A role that would work twice.
    #[error("stage `{stage}` names the role `{role}` twice")]
    DoubleRole {
        /// The stage.
        stage: StageName,
        /// The role.
        role: RoleName,
    },
    /// Passing leads back to where it came from.
    #[error("passing leads round in a circle: {0}")]
    Circle(String),
    /// A route that can never be taken.
    #[error("stage `{stage}`: `max = 0` in `on_fail` sends nothing back")]
    RouteWithoutTries {
        /// The stage.
        stage: StageName,
    },
    /// A failed gate would lead to where a passed one leads.
    #[error(
        "stage `{stage}`: `on_fail` leads on to `{to}`, so that a failed gate would be passed by"
    )]
    FailureLeadsOn {
        /// The stage.
        stage: StageName,
        /// Where it leads.
        to: StageName,
    },
    /// A path or pattern that cannot be one.
    #[error("stage `{stage}`: {error}")]
    Pattern {
        /// The stage.
        stage: StageName,
        /// What is wrong with which pattern.
        error: PatternError,
    },
    /// Something in braces that nobody fills in.
    #[error("stage `{stage}`: nothing fills in `{{{placeholder}}}` in `{text}`")]
    Placeholder {
        /// The stage.
        stage: StageName,
        /// The word in braces.
        placeholder: String,
        /// The text that it is in.
        text: String,
    },
    /// An approval that asks nothing.
    #[error("gate `{gate}` of stage `{stage}` has no question")]
    NoQuestion {
        /// The stage.
        stage: StageName,
        /// The gate.
        gate: GateName,
    },
    /// An `artifacts` gate that looks for nothing.
    #[error("gate `{gate}` of stage `{stage}` names no file")]
    NoArtifact {
        /// The stage.
        stage: StageName,
        /// The gate.
        gate: GateName,
    },
    /// Commits are wanted from somebody who cannot make any.
    #[error("stage `{stage}` has push `own-branch`, but its workspace is `{workspace}`")]
    PushWithoutWorkspace {
        /// The stage.
        stage: StageName,
        /// What its agents find.
        workspace: WorkspaceAccess,
    },
}
