//! Pipeline definitions: the file format, the built-in ones, and which one a name means.

mod built_in;
mod convert;
mod explain;
mod file;
mod find;
mod hash;
mod parse;
mod resolve;

pub use built_in::{BUILT_IN, built_in};
pub(crate) use file::PathsTable;
pub use find::{DIRECTORY, Found, FoundIn, Places, find, list};
pub use hash::hash;
pub use parse::{DefinitionFileError, parse, schema};
pub use resolve::{ResolveError, resolve};
