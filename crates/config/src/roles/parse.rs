//! Reads a role file: front matter between two `+++` lines, then the template.

use std::{io, ops::Range, sync::Arc, time::Duration};

use camino::Utf8PathBuf;
use domain::{
    brief::BriefContext,
    definition::Role,
    name::{AgentName, RoleName},
    path_rules::PathRules,
};
use miette::Diagnostic;
use minijinja::{Environment, value::Serde};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{filters::engine, sample};
use crate::{
    definition::PathsTable,
    document::Document,
    key_path::KeyPath,
    problem::{Problem, Problems},
    shape::Shape,
    time::TimeText,
};

/// Why there is no role.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum RoleFileError {
    /// The file or directory cannot be read.
    #[error("could not read {path}")]
    Read {
        /// The path.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What is in it is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] Problems),
}

/// The front matter of a role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    /// What the role does, one line.
    description: String,
    /// The agent that plays it. Default: the project's.
    #[schemars(with = "Option<String>")]
    agent: Option<AgentName>,
    /// The model in place of the agent's.
    model: Option<String>,
    /// What it may write wherever it works; a stage narrows it further.
    #[serde(default)]
    paths: PathsTable,
    /// Longest run, where the stage sets none.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    #[schemars(with = "Option<TimeText>")]
    time_limit: Option<Duration>,
}

const FENCE: &str = "+++";

/// Reads the `text` of the role file that is called `file`; its template is tried before it is taken.
pub fn parse(name: &RoleName, file: &str, text: &str) -> Result<Role, Problems> {
    let text = plain(text);
    let role = read(name, file, &text)?;
    try_template(name, file, &text, text.len() - role.template.len())?;
    Ok(role)
}

/// The text without what would hide its first line: a byte order mark, the line ends of Windows.
fn plain(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

/// Reads a role file, without trying its template.
pub(super) fn read(name: &RoleName, file: &str, text: &str) -> Result<Role, Problems> {
    let body = body(file, text)?;
    // The front matter is parsed where it stands, so that places in it are places in the file.
    let front = " ".repeat(FENCE.len()) + &text[FENCE.len()..body.front_end];
    let document = Document::parse(file, &front)?;
    Problems::check(Shape::of::<FrontMatter>().check(&document))?;
    let FrontMatter { description, agent, model, paths, time_limit } = document.read()?;
    let paths = PathRules::from(paths);
    if let Err(error) = paths.for_item("ITEM-001").compile() {
        return Err(document.problem_at(&KeyPath::from(["paths"]), error.to_string()).into());
    }
    let template = text[body.start..].to_owned();
    Ok(Role { name: name.clone(), description, agent, model, paths, time_limit, template })
}

struct Body {
    front_end: usize,
    start: usize,
}

fn body(file: &str, text: &str) -> Result<Body, Problems> {
    let first = text.lines().next().unwrap_or_default();
    let wrong = |what: &str| {
        let help = "a role starts with a line `+++`, then TOML, then a line `+++`";
        Problem::in_file(file, &Arc::from(text), 0..first.len(), what).with_help(help)
    };
    if first.trim_end() != FENCE {
        return Err(wrong("the front matter is missing").into());
    }
    let mut at = first.len() + 1;
    for line in text.get(at..).unwrap_or_default().split_inclusive('\n') {
        if line.trim_end() == FENCE {
            return Ok(Body { front_end: at, start: at + line.len() });
        }
        at += line.len();
    }
    Err(wrong("the front matter does not end").into())
}

/// Renders the template with everything and with nothing, and looks for words that were not quoted.
fn try_template(name: &RoleName, file: &str, text: &str, start: usize) -> Result<(), Problems> {
    let mut engine = engine();
    // Empty lines in place of the front matter: the engine's lines are the file's.
    let padding = "\n".repeat(text[..start].matches('\n').count());
    let at = |line: Option<usize>| line_span(text, line.unwrap_or(1));
    let added = engine.add_template_owned(file.to_owned(), padding + &text[start..]);
    let wrong = |error: &minijinja::Error| {
        let (line, reason) = cause(error, file);
        Problem::in_file(
            file,
            &Arc::from(text),
            at(line),
            format!("the template does not render: {reason}"),
        )
        .with_help(format!("the variables are {}", variables(name)))
    };
    added.map_err(|error| wrong(&error))?;
    for context in [sample::empty(name), sample::full(name)] {
        let rendered = render(&engine, file, &context).map_err(|error| wrong(&error))?;
        if let Some((variable, instead)) = sample::shown_bare(&rendered) {
            let line = text
                .lines()
                .position(|line| line.contains(variable) && line.contains("{{"))
                .map(|it| it + 1);
            let message = format!("`{variable}` holds somebody else's words and is not quoted");
            let problem = Problem::in_file(file, &Arc::from(text), at(line), message);
            return Err(problem.with_help(format!("write `{instead}`")).into());
        }
    }
    Ok(())
}

/// Renders a template of `engine`.
pub(super) fn render(
    engine: &Environment<'_>,
    template: &str,
    context: &BriefContext,
) -> Result<String, minijinja::Error> {
    let rendered = engine.get_template(template)?.render(Serde(context))?;
    Ok(format!("{}\n", rendered.trim()))
}

/// The innermost line of `file` that an error is about, and what was wrong there.
pub(super) fn cause(error: &minijinja::Error, file: &str) -> (Option<usize>, String) {
    let mut line = (error.name() == Some(file)).then(|| error.line()).flatten();
    let mut reason = reason(error);
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        let Some(inner) = source.downcast_ref::<minijinja::Error>() else { break };
        if inner.name() == Some(file) {
            line = inner.line();
        }
        reason = self::reason(inner);
        next = source.source();
    }
    (line, reason)
}

fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn variables(name: &RoleName) -> String {
    let value = serde_json::to_value(sample::full(name)).unwrap_or_default();
    let names = value
        .as_object()
        .map(|it| it.keys().map(String::as_str).collect::<Vec<_>>())
        .unwrap_or_default();
    crate::nearest::listed(names)
}

fn line_span(text: &str, line: usize) -> Range<usize> {
    let mut start = 0;
    for (index, found) in text.split_inclusive('\n').enumerate() {
        if index + 1 == line {
            return start..start + found.trim_end().len();
        }
        start += found.len();
    }
    start..start
}
