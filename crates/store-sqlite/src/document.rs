//! Values kept as JSON, with the version of their form.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::error::Error;

/// The form that this version writes. Raise it when an older form no longer reads as what it meant.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a, T> {
    version: u32,
    value: &'a T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found<'a> {
    version: u32,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// The value as a document.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<String, Error> {
    let document = Written { version: VERSION, value };
    serde_json::to_string(&document)
        .map_err(|source| Error::refused("write a value as JSON", source))
}

/// The value of a document, or what is wrong with it.
pub(crate) fn decode<T: DeserializeOwned>(document: &str) -> Result<T, String> {
    let Found { version, value } =
        serde_json::from_str(document).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!("its form has version {version}, this version knows {VERSION}"));
    }
    serde_json::from_str(value.get()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives() {
        let cost = 0.1 + 0.2;
        assert_eq!(decode(&encode(&cost).expect("a document")), Ok(cost));
    }

    #[test]
    fn a_form_of_another_version_is_not_guessed_at() {
        let error = decode::<u32>(r#"{"version":2,"value":7}"#).expect_err("an unknown form");
        assert_eq!(error, "its form has version 2, this version knows 1");
    }
}
