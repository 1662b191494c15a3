//! When a spent window opens, as an agent's client says it in prose.
//!
//! A time of day means something in a time zone only. Where none is named, nobody guesses: the agent's may be another
//! than ours.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::{self, TimeZone},
};

/// What stands before a time.
const LEADS: [&str; 4] = ["resets at ", "resets ", "reset at ", "try again at "];
/// A time of day that passed this short a while ago is that of a window which has just opened, not tomorrow's.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(10);
/// The zone whose clocks are ahead of all others.
const EARLIEST: tz::Offset = tz::offset(14);

/// When a window opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Then.
    At(Timestamp),
    /// At a time of an unknown zone, and nowhere before this.
    NotBefore(Timestamp),
    /// At a time of day of an unknown zone.
    Unknown,
}

/// When words say that a spent window opens: `usage limit reached|1767225600`, `resets at 23:39 UTC`,
/// `resets Nov 27, 3pm (Europe/Berlin)`, `try again at Nov 27th, 2025 3:39 PM`.
pub(crate) fn opening_in(words: &str, now: Timestamp) -> Option<Opening> {
    if let Some((_, rest)) = words.split_once("limit reached|") {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        return Some(Opening::At(Timestamp::from_second(rest[..digits].parse().ok()?).ok()?));
    }
    let lower = words.to_ascii_lowercase();
    LEADS.iter().find_map(|lead| {
        let at = lower.find(lead)? + lead.len();
        said(&words[at..], now)
    })
}

fn said(words: &str, now: Timestamp) -> Option<Opening> {
    let first = words.split_whitespace().next()?.trim_end_matches(['.', ',', ')', ';']);
    if let Ok(at) = first.parse::<Timestamp>() {
        return Some(Opening::At(at));
    }
    let mut rest = Rest(words);
    let date = rest.date();
    rest.skip_word("at");
    let time = rest.time()?;
    match (date, rest.zone()) {
        (None, Some(zone)) => next(time, &zone, now).map(Opening::At),
        (None, None) => Some(Opening::Unknown),
        (Some(date), Some(zone)) => date.nearest(time, &zone, now).map(Opening::At),
        (Some(date), None) => {
            date.nearest(time, &TimeZone::fixed(EARLIEST), now).map(Opening::NotBefore)
        }
    }
}

/// The next time that it is so late there.
fn next(time: Time, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let earliest = now.checked_sub(JUST_NOW).ok()?;
    let today = zone.to_datetime(earliest).date();
    let days = [Some(today), today.tomorrow().ok()];
    let times = days.into_iter().flatten().filter_map(|date| at(date.to_datetime(time), zone));
    times.into_iter().find(|at| *at >= earliest)
}

fn at(datetime: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    // Clocks that are changed in that hour: the later of two, and the one after a gap.
    zone.to_ambiguous_zoned(datetime).later().ok().map(|zoned| zoned.timestamp())
}

/// A day, and the year where it is said.
#[derive(Clone, Copy)]
struct SaidDate {
    month: i8,
    day: i8,
    year: Option<i16>,
}

impl SaidDate {
    /// That time of the day, in the year in which it is nearest where none is said.
    fn nearest(self, time: Time, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let this = zone.to_datetime(now).year();
        let years = self.year.map_or_else(|| vec![this - 1, this, this + 1], |year| vec![year]);
        let dates = years.into_iter().filter_map(|year| Date::new(year, self.month, self.day).ok());
        let times = dates.filter_map(|date| at(date.to_datetime(time), zone));
        times.min_by_key(|at| at.duration_since(now).abs())
    }
}

/// What has not been read yet.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn skip_space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', ',', '\u{a0}', '\u{202f}']);
    }

    /// Takes letters.
    fn word(&mut self) -> Option<String> {
        self.skip_space();
        let end = self.0.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.0.len());
        let word = self.0[..end].to_ascii_lowercase();
        self.0 = &self.0[end..];
        (!word.is_empty()).then_some(word)
    }

    fn skip_word(&mut self, expected: &str) {
        let before = self.0;
        if self.word().as_deref() != Some(expected) {
            self.0 = before;
        }
    }

    /// Takes up to four digits.
    fn number(&mut self) -> Option<i16> {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let number = if end <= 4 { self.0[..end].parse().ok() } else { None };
        number.inspect(|_| self.0 = &self.0[end..])
    }

    /// Takes `Nov 27`, `November 27th, 2025`, or nothing.
    fn date(&mut self) -> Option<SaidDate> {
        let before = self.0;
        let found = self.try_date();
        if found.is_none() {
            self.0 = before;
        }
        found
    }

    fn try_date(&mut self) -> Option<SaidDate> {
        const MONTHS: [&str; 12] = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        let word = self.word().filter(|word| word.len() >= 3)?;
        let month = MONTHS.iter().position(|month| month.starts_with(&word))?;
        self.skip_space();
        let day = i8::try_from(self.number()?).ok()?;
        for ordinal in ["st", "nd", "rd", "th"] {
            self.skip_word(ordinal);
        }
        let before = self.0;
        self.skip_space();
        let year = self.number().filter(|year| *year >= 1000);
        if year.is_none() {
            self.0 = before;
        }
        Some(SaidDate { month: i8::try_from(month + 1).ok()?, day, year })
    }

    /// Takes `3pm`, `3:39 PM`, `23:39`, `23:39:05`. A number alone is no time.
    fn time(&mut self) -> Option<Time> {
        self.skip_space();
        let hour = i8::try_from(self.number()?).ok()?;
        let minute = self.colon_and_number();
        if minute.is_some() {
            // Whether it is a minute more or less.
            self.colon_and_number();
        }
        let before = self.0;
        let half = self.word().filter(|word| word == "am" || word == "pm");
        if half.is_none() {
            self.0 = before;
        }
        let hour = match half.as_deref() {
            None => minute.map(|_| hour)?,
            Some(_) if !(1..=12).contains(&hour) => return None,
            Some("pm") => hour % 12 + 12,
            Some(_) => hour % 12,
        };
        Time::new(hour, minute.unwrap_or(0), 0, 0).ok()
    }

    fn colon_and_number(&mut self) -> Option<i8> {
        let before = self.0;
        let number = self.0.strip_prefix(':').and_then(|rest| {
            self.0 = rest;
            i8::try_from(self.number()?).ok()
        });
        if number.is_none() {
            self.0 = before;
        }
        number
    }

    /// Takes `UTC`, `(UTC)`, `(Europe/Berlin)`; a name that nobody knows is no zone.
    fn zone(&mut self) -> Option<TimeZone> {
        let rest = self.0.trim_start().trim_start_matches('(');
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        let name = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        match name {
            "UTC" | "GMT" | "Z" => Some(TimeZone::UTC),
            name if name.contains('/') => TimeZone::get(name).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Wednesday, shortly before noon in London.
    const NOW: &str = "2025-11-26T11:50:00Z";

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn the_sentences_of_the_agents_tell_when_a_window_opens() {
        use Opening::{At, NotBefore, Unknown};
        for (words, opening) in [
            ("Claude AI usage limit reached|1445412480", Some(At(time("2015-10-21T07:28:00Z")))),
            (
                "You've hit your limit · resets 3am (Europe/Berlin)",
                Some(At(time("2025-11-27T02:00:00Z"))),
            ),
            (
                "You've hit your limit · resets 3:30pm (Europe/Berlin)",
                Some(At(time("2025-11-26T14:30:00Z"))),
            ),
            (
                "You've hit your weekly limit · resets Nov 27, 3pm (Europe/Berlin)",
                Some(At(time("2025-11-27T14:00:00Z"))),
            ),
            (
                "Claude usage limit reached. Your limit will reset at 3pm (America/Santiago).",
                Some(At(time("2025-11-26T18:00:00Z"))),
            ),
            ("the quota resets at 23:39 UTC", Some(At(time("2025-11-26T23:39:00Z")))),
            ("resets at 2025-11-27T09:00:00Z.", Some(At(time("2025-11-27T09:00:00Z")))),
            ("resets at 12:00 UTC", Some(At(time("2025-11-26T12:00:00Z")))),
            // It has just opened, and is not tomorrow's.
            ("resets at 11:45 UTC", Some(At(time("2025-11-26T11:45:00Z")))),
            ("resets 12am (UTC)", Some(At(time("2025-11-27T00:00:00Z")))),
            // The year that is nearest.
            ("resets Jan 2, 9am (UTC)", Some(At(time("2026-01-02T09:00:00Z")))),
            // No zone: nobody's is guessed.
            ("5-hour limit reached ∙ resets 3am", Some(Unknown)),
            ("You've hit your usage limit. Upgrade to Pro or try again at 3:39 PM.", Some(Unknown)),
            (
                "You've hit your usage limit. Try again at Nov 29th, 2025 3:39 PM.",
                Some(NotBefore(time("2025-11-29T01:39:00Z"))),
            ),
            ("resets 3am (Middle-earth/Shire)", Some(Unknown)),
        ] {
            assert_eq!(opening_in(words, time(NOW)), opening, "{words}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for words in [
            "",
            "resets ",
            "resets 3",
            "resets 25:00 UTC",
            "resets 13pm (UTC)",
            "resets 3:99 UTC",
            "resets soon",
            "resets the counter at noon",
            "resets Feb 30, 3pm (UTC)",
            "resets at 99999999999999999999",
            "usage limit reached|soon",
            "resets é",
            "resets May",
        ] {
            assert_eq!(opening_in(words, time(NOW)), None, "{words}");
        }
    }
}
