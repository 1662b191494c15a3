//! Values from the environment and from flags, which win over the file.

use std::borrow::Cow;

use toml::{Spanned, de::DeValue};

use crate::{
    document::Document,
    key_path::KeyPath,
    nearest::nearest,
    problem::Problem,
    shape::{Mismatch, Shape},
    show::Origin,
};

/// A command-line flag that sets a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The flag as people write it: `--data-dir`.
    pub name: &'static str,
    /// The key that it sets: `data_dir`, `limits.max_concurrency`.
    pub key: &'static str,
    /// The value.
    pub value: String,
}

/// What our variables start with.
const PREFIX: &str = "GATEWRIGHT_";

/// Variables of ours that are no configuration: they must not be taken for slips.
const OTHERS: &[&str] = &[
    "ATTEMPT",
    "BRIEF",
    "CONFIG",
    "ITEM",
    "LOG",
    "PIPELINE",
    "PORT_BASE",
    "ROLE",
    "RUN",
    "SERVER",
    "SESSION_TOKEN",
    "STAGE",
    "TOKEN",
    "URL",
];

/// A value that wins over the file, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    pub(crate) path: KeyPath,
    pub(crate) origin: Origin,
}

/// What came of applying them.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) overrides: Vec<Override>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// Sets what the environment and the flags say; flags win.
pub(crate) fn apply<'t>(
    document: &mut Document<'t>,
    shape: &Shape,
    environment: &'t [(String, String)],
    flags: &'t [Flag],
) -> Applied {
    let mut applied = Applied::default();
    let scalars = shape.scalars();
    let variable = |keys: &[&str]| format!("{PREFIX}{}", keys.join("_").to_uppercase());
    for (keys, schema) in &scalars {
        let wanted = variable(keys);
        let set = environment.iter().find(|(name, _)| *name == wanted);
        let set =
            set.map(|(name, value)| (Origin::Environment(name.clone()), name.as_str(), value));
        let dotted = keys.join(".");
        let flag = flags.iter().find(|it| it.key == dotted);
        let flag = flag.map(|it| (Origin::Flag(it.name), it.name, &it.value));
        let Some((origin, name, text)) = flag.or(set) else { continue };
        let value = value(text, schema["type"].as_str());
        let path = keys.iter().fold(KeyPath::default(), |path, key| path.key(*key));
        let mismatches = shape.check_value(&Spanned::new(0..0, value.clone()), &path, schema);
        if mismatches.is_empty() {
            document.set(keys, value);
            applied.overrides.push(Override { path, origin });
        } else {
            let problem = |it: Mismatch| Problem::in_value(name, it.message).with_help_if(it.help);
            applied.problems.extend(mismatches.into_iter().map(problem));
        }
    }
    let known: Vec<String> = scalars.iter().map(|(keys, _)| variable(keys)).collect();
    applied.warnings = slips(environment, &known);
    applied
}

/// A text as the kind of value that is wanted; what does not parse stays a text and is told as such.
fn value<'t>(text: &'t str, kind: Option<&str>) -> DeValue<'t> {
    let as_text = || DeValue::String(Cow::Borrowed(text));
    if matches!(kind, Some("string") | None) {
        return as_text();
    }
    DeValue::parse(text.trim()).map_or_else(|_| as_text(), Spanned::into_inner)
}

/// Variables that look like ours and set nothing.
fn slips(environment: &[(String, String)], known: &[String]) -> Vec<Problem> {
    let ours = environment.iter().filter_map(|(name, _)| Some((name, name.strip_prefix(PREFIX)?)));
    let strange = ours.filter(|(name, rest)| !known.contains(name) && !OTHERS.contains(rest));
    let meant = strange.filter_map(|(name, rest)| {
        let found = nearest(rest, known.iter().filter_map(|it| it.strip_prefix(PREFIX)))?;
        Some(Problem::in_value(name, format!("sets nothing, did you mean `{PREFIX}{found}`?")))
    });
    meant.collect()
}
