//! The Messages protocol of Anthropic.

mod request;
mod response;

pub(super) use request::{Tools, read};
pub(super) use response::{error, respond};
