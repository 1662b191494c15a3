//! Roles: Markdown files whose front matter says who plays them and whose body is the template of their brief.

mod book;
mod built_in;
mod filters;
mod parse;
mod quote;
mod sample;

pub use book::{DIRECTORY, RoleBook};
pub use built_in::built_in;
pub use parse::{RoleFileError, parse};
