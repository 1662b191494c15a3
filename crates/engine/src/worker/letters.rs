//! Delivers what waits, where nothing else is to be done.

use std::sync::Arc;

use super::{
    StopMode, StopSignal,
    refusals::Refusals,
    report::STORE_RETRY,
    run_loop::{SAFETY_POLL, log_abnormal_end},
};
use crate::{
    Engine, EngineError, chain,
    outbox::{LETTER_GRACE, Outbox},
};

impl Engine {
    /// Delivers letters until none is due now, or until told to stop. Takes back first what a process that is gone was
    /// delivering. Does no other work, and starts nothing.
    ///
    /// A letter that fails waits for its next try and ends nothing here; so however many there are, each destination has
    /// been asked for everything that it can be asked for now.
    pub async fn deliver_letters(
        self: &Arc<Self>,
        mut stop: StopSignal,
    ) -> Result<(), EngineError> {
        self.recover_letters().await?;
        let mut outbox = Outbox::new();
        let mut refusals = Refusals::default();
        while stop.borrow_and_update().is_none() {
            let look_again = match self.send_letters(&mut outbox).await {
                Ok(()) => {
                    if let Some(count) = refusals.over() {
                        tracing::warn!("looks for letters again, after {count} tries that failed");
                    }
                    let now = self.ports.clock.now();
                    if outbox.is_at_rest(now) {
                        return Ok(());
                    }
                    outbox.look_again(now).min(self.after(SAFETY_POLL))
                }
                // What is under way goes on meanwhile.
                Err(error) if error.may_pass() && !refusals.are_too_many() => {
                    if refusals.one_more() {
                        tracing::error!("could not look for letters: {}", chain(&error));
                    }
                    self.after(STORE_RETRY)
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                biased;
                changed = stop.changed() => if changed.is_err() { break },
                Some(ended) = outbox.ended() => log_abnormal_end(&ended),
                () = self.ports.clock.sleep_until(look_again) => {}
            }
        }
        // What cannot end in time goes back, for the next process.
        outbox.close(self.after(LETTER_GRACE));
        while !outbox.is_empty() && *stop.borrow_and_update() != Some(StopMode::LeaveAgents) {
            tokio::select! {
                biased;
                Ok(()) = stop.changed() => {}
                Some(ended) = outbox.ended() => log_abnormal_end(&ended),
            }
        }
        outbox.abort();
        Ok(())
    }
}
