//! How long the other side asks us to wait, in whatever way it says so.

use std::time::{Duration, SystemTime};

use domain::limits::BACKOFF_MAX;
use jiff::Timestamp;

/// The value of a `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3). Capped, since a header that asks for a
/// year has made a mistake; a date that has passed asks for no wait.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds ask for more than the cap as well.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        date.duration_since(SystemTime::from(now)).unwrap_or_default()
    };
    Some(wait.min(BACKOFF_MAX))
}

/// The `Retry-After` that words quote as a header: `retry-after: 120`, `"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"`.
pub(crate) fn retry_after_in(words: &str, now: Timestamp) -> Option<Duration> {
    const NAME: &str = "retry-after";
    let at = words.to_ascii_lowercase().find(NAME)?;
    let rest = words[at + NAME.len()..].trim_start_matches(['"', '\'', ' ']);
    let rest = rest.strip_prefix([':', '='])?.trim_start_matches(['"', '\'', ' ']);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if digits > 0 {
        return retry_after(&rest[..digits], now);
    }
    let end = rest.find("GMT").map_or(0, |at| at + "GMT".len());
    retry_after(&rest[..end], now)
}

/// The wait in `try again in 1s`, `in 6m0s`, `in 20ms`, `in 2 days 3 hours 5 minutes`, `retry after 15 s`, `resets in 2h`.
/// A number without a unit is none: it may be a try, a line, or minutes.
pub(crate) fn wait_in(words: &str) -> Option<Duration> {
    const LEADS: [&str; 5] =
        ["try again in ", "retry after ", "retry in ", "resets in ", "reset in "];
    let lower = words.to_ascii_lowercase();
    LEADS.iter().find_map(|lead| wait(&lower[lower.find(lead)? + lead.len()..]))
}

fn wait(words: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = words;
    loop {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(value) = rest[..number].parse::<f64>() else { break };
        let unit_and_rest = rest[number..].trim_start_matches(' ');
        let unit =
            unit_and_rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit_and_rest.len());
        let seconds = match &unit_and_rest[..unit] {
            "ms" => 0.001,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            _ => break,
        };
        total += value * seconds;
        rest = unit_and_rest[unit..].trim_start_matches([' ', ',']);
    }
    Duration::try_from_secs_f64(total).ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wed, 21 Oct 2015 07:28:00 GMT, the example of the standard.
    const DATE: i64 = 1_445_412_480;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn retry_after_is_seconds_or_one_of_three_forms_of_a_date() {
        let two_minutes = Some(Duration::from_mins(2));
        let now = at(DATE - 120);
        for value in [
            "120",
            " 120 ",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wednesday, 21-Oct-15 07:28:00 GMT",
            "Wed Oct 21 07:28:00 2015",
        ] {
            assert_eq!(retry_after(value, now), two_minutes, "{value}");
        }
    }

    #[test]
    fn retry_after_is_capped_and_never_made_up() {
        let now = at(DATE);
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:27:00 GMT", now), Some(Duration::ZERO));
        for long in ["86400", "99999999999999999999999999", "Fri, 31 Dec 2049 23:59:59 GMT"] {
            assert_eq!(retry_after(long, now), Some(BACKOFF_MAX), "{long}");
        }
        for none in ["", "-1", "1.5", "soon", "21 Oct", "\u{0}", "12 monkeys"] {
            assert_eq!(retry_after(none, now), None, "{none}");
        }
    }

    #[test]
    fn a_header_is_found_where_words_quote_it() {
        let now = at(DATE - 30);
        for (words, wait) in [
            ("429 Too Many Requests, Retry-After: 30", Some(30)),
            (r#"{"status":429,"headers":{"retry-after":"30"}}"#, Some(30)),
            ("retry-after=Wed, 21 Oct 2015 07:28:00 GMT; try later", Some(30)),
            ("retry-after", None),
            ("retry-after some time: maybe", None),
            ("retry-after: naïve", None),
        ] {
            assert_eq!(retry_after_in(words, now), wait.map(Duration::from_secs), "{words}");
        }
    }

    #[test]
    fn a_wait_is_read_in_every_unit_and_never_made_up() {
        assert_eq!(wait_in("Please try again in 1s."), Some(Duration::from_secs(1)));
        assert_eq!(wait_in("try again in 6m0s"), Some(Duration::from_mins(6)));
        assert_eq!(wait_in("try again in 20ms"), Some(Duration::from_millis(20)));
        let days = Duration::from_mins((2 * 24 + 3) * 60 + 5);
        assert_eq!(wait_in("try again in 2 days 3 hours 5 minutes."), Some(days));
        for (words, seconds) in [
            ("Retry after 15 s", 15),
            ("please retry in 90 seconds", 90),
            ("try again in 2 minutes", 120),
            ("Try again in 1 hr 5 mins.", 3_900),
            ("resets in 2h 30m", 9_000),
        ] {
            assert_eq!(wait_in(words), Some(Duration::from_secs(seconds)), "{words}");
        }
        for words in [
            "retry after 3 attempts",
            "retry in 15",
            "try again in a while",
            "try again in 3 fortnights",
            "try again in .",
            "try again in 9999999999999999999999999999h",
        ] {
            assert_eq!(wait_in(words), None, "{words}");
        }
    }
}
