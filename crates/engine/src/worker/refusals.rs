//! How often the store has refused in a row, and which of those times are said.

use super::STORE_TRIES;

/// Tries in a row that failed. A disk that is full stays so for a while: of the tries the first is said, and then each
/// that doubles them.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    count: u32,
}

impl Refusals {
    /// Counts one more, and says whether it is news.
    pub(crate) const fn one_more(&mut self) -> bool {
        self.count = self.count.saturating_add(1);
        self.count.is_power_of_two()
    }

    /// Whether it is no use to try again.
    pub(crate) const fn are_too_many(&self) -> bool {
        self.count >= STORE_TRIES
    }

    /// Forgets them after a try that worked, and says how many there were, if any.
    pub(crate) fn over(&mut self) -> Option<u32> {
        Some(std::mem::take(&mut self.count)).filter(|count| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_said_ever_more_rarely_and_its_end_once() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.over(), None, "nothing was refused");
        let said: Vec<u32> = (1..=STORE_TRIES).filter(|_| refusals.one_more()).collect();
        assert_eq!(said, [1, 2, 4, 8, 16]);
        assert!(refusals.are_too_many());
        assert_eq!((refusals.over(), refusals.over()), (Some(STORE_TRIES), None));
        assert!(refusals.one_more() && !refusals.are_too_many(), "it begins anew");
    }
}
