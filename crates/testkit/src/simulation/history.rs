//! One history, from its plan to its verdict.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    bell::Bell,
    coverage::Coverage,
    mutation::Mutation,
    plan::Plan,
    play::Play,
    record::{Record, Violation},
};

/// What came of a history.
#[derive(Clone, Debug)]
pub struct History {
    /// What must not be, if anything was.
    pub violation: Option<Violation>,
    /// The last calls and words of it.
    pub trace: Vec<String>,
    /// Stands for all of them.
    pub trace_hash: u64,
    /// What it reached.
    pub coverage: Coverage,
}

impl History {
    /// Plays a plan on a thread of its own time: nothing in it waits for anything outside.
    ///
    /// # Panics
    /// Where the runtime cannot be built.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self::with(plan, None)
    }

    /// The same, with something broken on purpose.
    #[must_use]
    pub fn mutated(plan: &Plan, mutation: Mutation) -> Self {
        Self::with(plan, Some(mutation))
    }

    fn with(plan: &Plan, mutation: Option<Mutation>) -> Self {
        let record = Arc::new(Record::default());
        let played = catch_unwind(AssertUnwindSafe(|| play(plan, mutation, &record)));
        if let Err(panic) = played {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
            record.violate("nothing panics", words.unwrap_or("a panic without words"));
        }
        let written = record.take();
        Self {
            violation: written.violation,
            trace: written.trace,
            trace_hash: written.trace_hash,
            coverage: written.coverage,
        }
    }
}

fn play(plan: &Plan, mutation: Option<Mutation>, record: &Arc<Record>) {
    let bell = Arc::new(Bell::default());
    let ringer = Arc::clone(&bell);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || ringer.idle())
        .build()
        .expect("a runtime without timers and sockets");
    runtime.block_on(async {
        let played = async {
            let mut history = Play::new(plan, mutation, Arc::clone(record), bell).await?;
            history.acts().await;
            if !record.is_violated() {
                history.ending().await?;
            }
            Ok::<(), ports::StoreError>(())
        };
        if let Err(error) = played.await {
            record.violate("the store is well where nobody makes it unwell", format!("{error:?}"));
        }
    });
}
