//! YAML and JSON written by an agent: parsed strictly, within bounds.
//!
//! A short YAML file can stand for more values than fit into memory, by aliases of aliases or by many aliases of one
//! long list. So values are counted while they are made, not afterwards.

use std::{cell::Cell, fmt};

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Map, Value};

use crate::{
    limits::{REASON_BYTES_MAX, TEXT_BYTES_MAX, VALUES_MAX},
    text, yaml_cost,
};

/// Parses the documents of a YAML file. The error is the parser's, with the line.
pub(crate) fn parse_yaml(text: &str) -> Result<Vec<Value>, String> {
    yaml_cost::check(text)?;
    let budget = Budget::new();
    let documents = serde_yaml_ng::Deserializer::from_str(text);
    // Collecting stops at the first error; the deserializer repeats it for ever.
    documents
        .map(|document| budget.deserialize(document))
        .collect::<Result<_, _>>()
        .map_err(|e| reason(&e))
}

/// Parses a JSON file. The error is the parser's, with the line.
pub(crate) fn parse_json(text: &str) -> Result<Value, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Budget::new().deserialize(&mut json).map_err(|e| reason(&e))?;
    json.end().map_err(|e| reason(&e))?;
    Ok(value)
}

fn reason(error: &impl fmt::Display) -> String {
    let error = error.to_string();
    text::head(&text::visible(&error), REASON_BYTES_MAX).into_owned()
}

/// How much may still be made.
struct Budget {
    values: Cell<usize>,
    text: Cell<usize>,
}

impl Budget {
    const fn new() -> Self {
        Self { values: Cell::new(VALUES_MAX), text: Cell::new(TEXT_BYTES_MAX) }
    }

    fn spend<E: serde::de::Error>(&self, text: usize) -> Result<(), E> {
        let left = |have: &Cell<usize>, spent| {
            have.get().checked_sub(spent).ok_or_else(|| E::custom("it stands for too many values"))
        };
        self.values.set(left(&self.values, 1)?);
        self.text.set(left(&self.text, text)?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &Budget {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Budget {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        self.spend(0)?;
        Ok(value.into())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.spend(0)?;
        Ok(value.into())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.spend(0)?;
        Ok(value.into())
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.spend(0)?;
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.spend(value.len())?;
        Ok(value.into())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.spend(0)?;
        Ok(Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.spend(0)?;
        let mut values = Map::new();
        while let Some(key) = access.next_key_seed(self)? {
            let key = match key {
                Value::String(key) => key,
                other => other.to_string(),
            };
            // Parsers disagree about which of two wins, so neither does.
            if values.contains_key(&key) {
                let key = text::head(&key, REASON_BYTES_MAX / 2);
                return Err(A::Error::custom(format_args!("`{key}` is there twice")));
            }
            let value = access.next_value_seed(self)?;
            values.insert(key, value);
        }
        Ok(values.into())
    }

    /// A value with a tag of its own, `!Ref x`: the tag means something to others only.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (_, tagged) = access.variant::<IgnoredAny>()?;
        tagged.newtype_variant_seed(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;
    use crate::limits::FILE_BYTES_MAX;

    #[test]
    fn aliases_of_aliases_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let below = format!("*a{}", level - 1);
            writeln!(bomb, "a{level}: &a{level} [{}]", [below.as_str(); 9].join(", "))
                .expect("written");
        }
        parse_yaml(&bomb).expect_err("refused");
    }

    #[test]
    fn many_aliases_of_one_long_list_are_refused() {
        let bomb = format!("a: &a [{}]\nb: [{}]\n", "1,".repeat(150_000), "*a,".repeat(150_000));
        assert!(bomb.len() < FILE_BYTES_MAX);
        assert!(parse_yaml(&bomb).expect_err("refused").contains("too many values"));
    }

    #[test]
    fn many_aliases_of_one_long_text_are_refused() {
        let bomb = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a,".repeat(150_000));
        assert!(parse_yaml(&bomb).expect_err("refused").contains("too many values"));
    }

    #[test]
    fn a_list_that_holds_itself_and_a_bottomless_one_are_refused() {
        parse_yaml("a: &a [*a, *a]").expect_err("refused");
        parse_yaml(&"[".repeat(20_000)).expect_err("refused");
        parse_yaml(&format!("{}{}", "[".repeat(5_000), "]".repeat(5_000))).expect_err("refused");
        parse_json(&"[".repeat(FILE_BYTES_MAX)).expect_err("refused");
    }

    #[test]
    fn what_would_keep_the_yaml_parser_busy_for_minutes_is_refused_unparsed() {
        for line in ["[", "{a: ", "[ \"]\", ", "[ # ]\n", "[ !<]> "] {
            let deep = line.repeat(FILE_BYTES_MAX / line.len());
            assert!(
                parse_yaml(&deep).expect_err("refused").contains("nested too deeply"),
                "{line}"
            );
        }
        let directives = "%TAG !a! x\u{2028}".repeat(1000);
        assert!(parse_yaml(&directives).expect_err("refused").contains("%TAG"));
    }

    #[test]
    fn a_large_honest_file_full_of_brackets_is_read() {
        let line = "- {path: /users/{id}, tags: [a, b, [c]], text: 'some [text'}\n";
        parse_yaml(&line.replace("{id}", "x").repeat(4_000)).expect("read");
        parse_yaml(&"- an [open bracket\n".repeat(500)).expect("read");
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        assert!(
            parse_yaml("a: 1\nb: 2\na: 3\n").expect_err("refused").contains("`a` is there twice")
        );
        assert!(
            parse_json(r#"{"a": 1, "a": 2}"#).expect_err("refused").contains("`a` is there twice")
        );
    }

    #[test]
    fn a_file_with_honest_aliases_tags_and_documents_is_read() {
        let text = "base: &base {x: 1}\ncopy: *base\nref: !Ref name\n1: one\n---\n- .inf\n";
        let base = json!({"x": 1});
        let expected = json!({"base": base, "copy": base, "ref": "name", "1": "one"});
        assert_eq!(parse_yaml(text), Ok(vec![expected, json!([null])]));
    }

    #[test]
    fn errors_name_the_line_and_stay_short() {
        assert!(parse_yaml("a: 1\nb: [\n").expect_err("refused").contains("line"));
        assert!(parse_yaml("a: *missing").is_err());
        assert!(parse_json("{}\n{}").expect_err("refused").contains("line 2"));
        assert!(
            parse_json(&format!("{{\"{0}\":1,\"{0}\":1}}", "k".repeat(10_000)))
                .expect_err("refused")
                .len()
                < 600
        );
    }
}
