//! Delivers letters: one at a time to each destination, in the order of the events that they tell of.
//!
//! The loop that claims jobs takes letters too, under leases that outlive any delivery: nothing has to be renewed, and
//! what a dead process was delivering is taken again. A destination that hangs or refuses holds up nobody else.

mod deliver;
mod people;
mod recover;
mod settle;
mod under_way;

pub(crate) use under_way::{DELIVERY_GRACE, LETTER_GRACE, Outbox};
