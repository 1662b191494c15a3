//! Reads a definition file.

use std::io;

use camino::Utf8PathBuf;
use domain::{
    definition::{Definition, Known},
    name::DefinitionName,
};
use miette::Diagnostic;
use serde_json::Value;

use super::{convert::convert, explain, file::DefinitionFile};
use crate::{document::Document, problem::Problems, shape::Shape};

/// Why there is no definition.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum DefinitionFileError {
    /// No file and no built-in one has that name.
    #[error("there is no definition `{name}`{meant}")]
    Unknown {
        /// The name.
        name: DefinitionName,
        /// `, did you mean …?`, or nothing.
        meant: String,
        /// The ones that there are.
        #[help]
        help: String,
    },
    /// The file cannot be read.
    #[error("could not read {path}")]
    Read {
        /// The file.
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

/// Reads the `text` of the file that is called `file`, and checks it against what is known.
///
/// A `command` gate without a command has an empty `run` until [`super::resolve`] has asked the project.
pub fn parse(text: &str, file: &str, known: &Known<'_>) -> Result<Definition, Problems> {
    let document = Document::parse(file, text)?;
    Problems::check(Shape::of::<DefinitionFile>().check(&document))?;
    let (definition, mut problems) = convert(document.read()?, &document);
    if let Some(definition) = &definition {
        problems.extend(explain::problems(definition, known, &document));
    }
    Problems::check(problems)?;
    Ok(definition.expect("a definition without a problem has a start"))
}

/// The JSON Schema of definition files.
#[must_use]
pub fn schema() -> Value {
    Shape::of::<DefinitionFile>().into_schema()
}
