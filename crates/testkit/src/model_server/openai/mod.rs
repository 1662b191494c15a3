//! The Responses protocol of `OpenAI`.

mod request;
mod response;
mod stream;
mod tools;

pub(super) use request::read;
pub(super) use response::{error, models, respond};
pub(super) use tools::Tools;
