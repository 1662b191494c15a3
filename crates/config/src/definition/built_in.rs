//! The definitions that come with the binary.

use domain::{
    definition::{Definition, Known},
    name::{DefinitionName, RoleName},
};

use super::parse::parse;
use crate::roles;

/// Their names and texts.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("delivery", include_str!("../../../../definitions/delivery.toml")),
    ("sdlc", include_str!("../../../../definitions/sdlc.toml")),
    ("solo", include_str!("../../../../definitions/solo.toml")),
];

/// The built-in definition of that name.
#[must_use]
pub fn built_in(name: &DefinitionName) -> Option<Definition> {
    let (name, text) = BUILT_IN.iter().find(|(it, _)| *it == name.as_str())?;
    let roles = roles::built_in()
        .iter()
        .map(|(role, _)| RoleName::new(*role).expect("built-in roles are tested"))
        .collect();
    let parsed = parse(text, &format!("{name}.toml"), &Known { roles: &roles });
    Some(parsed.expect("built-in definitions are tested"))
}
