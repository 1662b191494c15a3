//! What an engine does in a world, told as stories.

mod pipelines;

mod failures;

mod breakers;

mod preflight;

mod silence;

mod supervision;
mod sweeping;

mod explaining;

mod soak;

mod people;

mod merging;

mod applying;

mod stopping;

mod leases;

mod looping;

mod letters;

mod stranded;

mod crashes;

mod orders;

mod secrets;
