//! Where a process is to fail, as a test writes it down: `store.apply.after#2=abort`.

use std::str::FromStr;

use testkit::world::{Calls, Side};

/// A call of a port, a side of it, which one from the start of the process, and what happens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    call: String,
    side: Side,
    nth: u64,
    how: How,
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The process ends, as if it had been killed.
    Abort,
    /// The call never returns.
    Hang,
}

impl Point {
    /// Puts the trap into the way of the calls.
    pub(crate) fn arm(self, calls: &Calls) {
        // There is one a process, for its life.
        let call: &'static str = self.call.leak();
        match self.how {
            How::Abort => calls.abort_at(call, self.side, self.nth),
            How::Hang => calls.hang_at(call, self.side, self.nth),
        }
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (place, how) = text.split_once('=')?;
            let (place, nth) = match place.split_once('#') {
                Some((place, nth)) => (place, nth.parse().ok().filter(|nth| *nth > 0)?),
                None => (place, 1),
            };
            let (call, side) = place.rsplit_once('.')?;
            let side = match side {
                "before" => Side::Before,
                "after" => Side::After,
                _ => return None,
            };
            let how = match how {
                "abort" => How::Abort,
                "hang" => How::Hang,
                _ => return None,
            };
            Some(Self { call: call.to_owned(), side, nth, how })
        };
        parse().ok_or_else(|| {
            format!("`{text}` is no failpoint: PORT.CALL.before|after[#NTH]=abort|hang")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_says_call_side_number_and_what_happens() {
        let point = |side, nth, how| Point { call: "store.apply".to_owned(), side, nth, how };
        assert_eq!("store.apply.before=abort".parse(), Ok(point(Side::Before, 1, How::Abort)));
        assert_eq!("store.apply.after#12=hang".parse(), Ok(point(Side::After, 12, How::Hang)));
    }

    #[test]
    fn what_is_no_point_is_refused_with_its_text() {
        for text in ["", "apply", "store.apply=abort", "a.before#0=abort", "a.before=explode"] {
            let refusal = text.parse::<Point>().unwrap_err();
            assert!(refusal.contains(text) && refusal.contains("no failpoint"), "{refusal}");
        }
    }
}
