//! What may happen to a pipeline: the reviewed table, the stories, the properties.

mod fixtures;
mod properties;
mod stories;
mod table;
