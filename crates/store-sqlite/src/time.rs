//! Times as the database holds them: nanoseconds since 1970.

use jiff::Timestamp;

/// As a column. A time after the year 2262 becomes the last one that fits: nothing waits that long.
pub(crate) fn to_column(time: Timestamp) -> i64 {
    let nanoseconds = time.as_nanosecond();
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}

/// As a value: every column is one.
pub(crate) fn from_column(column: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(column))
        .expect("64 bits of nanoseconds end in the year 2262")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_to_the_nanosecond() {
        let time = Timestamp::new(1_767_225_600, 123_456_789).expect("a time");
        assert_eq!(from_column(to_column(time)), time);
    }

    #[test]
    fn a_time_beyond_the_range_stays_at_its_end() {
        assert_eq!(to_column(Timestamp::MAX), i64::MAX);
        assert_eq!(to_column(Timestamp::MIN), i64::MIN);
    }
}
