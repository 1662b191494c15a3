//! Times, tokens, money.

use std::time::Duration;

use jiff::Timestamp;

/// `0.4s`, `12s`, `1m02s`, `3h05m`, `2d04h`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("0.{}s", duration.subsec_millis() / 100),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// `850`, `12.3k`, `1.2M`.
pub(crate) fn tokens(tokens: u64) -> String {
    match tokens {
        0..1000 => tokens.to_string(),
        1000..1_000_000 => format!("{}.{}k", tokens / 1000, tokens / 100 % 10),
        _ => format!("{}.{}M", tokens / 1_000_000, tokens / 100_000 % 10),
    }
}

/// `$0.42`.
pub(crate) fn money(usd: f64) -> String {
    format!("${usd:.2}")
}

/// `just now`, `5m ago`, `in 2h`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let difference = now.duration_since(at);
    let amount = || {
        let seconds = difference.unsigned_abs().as_secs();
        match seconds {
            0..60 => format!("{seconds}s"),
            60..3600 => format!("{}m", seconds / 60),
            3600..86_400 => format!("{}h", seconds / 3600),
            _ => format!("{}d", seconds / 86_400),
        }
    };
    match difference.as_secs() {
        0 => "just now".to_owned(),
        1.. => format!("{} ago", amount()),
        _ => format!("in {}", amount()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_people_read_them() {
        for (millis, text) in [
            (0, "0.0s"),
            (450, "0.4s"),
            (59_999, "59s"),
            (62_000, "1m02s"),
            (3_725_000, "1h02m"),
            (187_200_000, "2d04h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn tokens_are_shortened_without_rounding_up() {
        for (count, text) in
            [(999, "999"), (12_399, "12.3k"), (999_999, "999.9k"), (1_250_000, "1.2M")]
        {
            assert_eq!(tokens(count), text);
        }
    }

    #[test]
    fn a_time_to_come_is_not_told_as_past() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        for (then, now, text) in [
            (0, 0, "just now"),
            (0, 59, "59s ago"),
            (0, 7200, "2h ago"),
            (90, 0, "in 1m"),
            (0, 200_000, "2d ago"),
        ] {
            assert_eq!(ago(at(then), at(now)), text);
        }
    }
}
