//! Words for people: what happened, how long it took, what is wrong. Meaning is never in colour alone.

mod safe;
mod tone;

mod event;
mod figures;
mod findings;
mod mover;
mod status;
mod timeline;

mod problems;
mod table;

use event::job;
pub(crate) use event::{event_line, tone_of_event};
pub(crate) use figures::{ago, duration, money, tokens};
pub(crate) use findings::{findings_in_full, findings_in_short};
pub(crate) use mover::{MoverWords, asks, held_for, lives_on, refused};
pub(crate) use problems::{problem_views, problems};
pub(crate) use safe::{one_line, safe};
pub(crate) use status::status;
pub(crate) use table::table;
pub(crate) use timeline::timeline;
pub(crate) use tone::{Tone, paint, tone_of_attempt, tone_of_status, tone_of_verdict};
