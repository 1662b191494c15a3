//! The words for an agent.

use domain::{brief::BriefContext, name::RoleName};

/// Why a brief cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BriefError {
    /// No such role is known.
    #[error("there is no role `{role}`")]
    UnknownRole {
        /// The role.
        role: RoleName,
    },
    /// The role's template does not render.
    #[error("the template of role `{role}` does not render: {reason}")]
    Template {
        /// The role.
        role: RoleName,
        /// What the template engine said, with the line.
        reason: String,
    },
}

/// Renders a role's template.
pub trait Briefs: Send + Sync {
    /// The brief of `role` in `context`, Markdown.
    fn render(&self, role: &RoleName, context: &BriefContext) -> Result<String, BriefError>;
}
