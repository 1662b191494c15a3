//! Takes back the letters that a dead process was delivering.

use domain::outbox::{Letter, LetterInput, LetterState, LetterStateTag};
use ports::LetterFilter;

use crate::{Engine, EngineError, Tenancy};

impl Engine {
    /// Gives back the letters that nobody is delivering, for the start. Returns how many there were.
    ///
    /// Alone, those are all that this process is not delivering itself: the lock on the data directory proves that no
    /// other process is alive. Where others may be, their leases have to run out.
    pub async fn recover_letters(&self) -> Result<usize, EngineError> {
        if self.options.tenancy == Tenancy::Shared {
            return Ok(0);
        }
        let filter =
            LetterFilter { state: Some(LetterStateTag::Sending), ..LetterFilter::default() };
        let is_ours = |letter: &Letter| {
            let sending = self.sending.lock().expect("no holder panics");
            matches!(&letter.state, LetterState::Sending { owner, .. } if *owner == self.options.owner)
                && sending.contains(&letter.destination)
        };
        let mut count = 0;
        for letter in self.ports.store.list_letters(&filter).await? {
            if is_ours(&letter) {
                continue;
            }
            let next = letter.decide(&LetterInput::Lost, self.ports.clock.now())?;
            count += usize::from(self.ports.store.settle_letter(&next).await?);
        }
        Ok(count)
    }
}
