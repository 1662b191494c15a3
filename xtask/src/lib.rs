//! Checks on the source tree: what a reviewer should not have to look for.
//!
//! A check takes text and gives back complaints, so that each one is seen to fail on made-up text here, and
//! `tests/` runs it on the real tree. A check does not know where a file comes from; `tree` is the only reader.

pub mod complaint;
pub mod rust_source;
pub mod tree;

pub mod layering;
pub mod lockfile;
pub mod manifests;

pub mod attributes;
pub mod leftovers;
pub mod module_shape;
pub mod test_code;

pub mod changes;
pub mod links;
pub mod machine_paths;
pub mod named_tests;
