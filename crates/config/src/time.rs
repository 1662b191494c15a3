//! Lengths of time as people write them: `90s`, `10m`, `1h 30m`.

use std::{borrow::Cow, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Reads a length of time; there is none that is not longer than nothing.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let found = jiff::fmt::friendly::SpanParser::new().parse_unsigned_duration(text).ok()?;
    (!found.is_zero()).then_some(found)
}

/// Stands for a length of time in a schema.
pub(crate) struct TimeText;

impl JsonSchema for TimeText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-format": "time", "examples": ["90s", "10m", "1h 30m"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(parse("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse("1h 30m"), Some(Duration::from_mins(90)));
        for bad in ["", "10", "ten minutes", "-5m", "0s"] {
            assert!(parse(bad).is_none(), "{bad:?} was accepted");
        }
    }
}
