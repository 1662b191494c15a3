//! A short key for a project.

use domain::name::ProjectKey;

/// Longest key that is made.
const KEY_LEN_MAX: usize = 6;

/// The key of a project of that name: the first letters of its words, or the start of its only word.
#[must_use]
pub fn project_key(name: &str) -> ProjectKey {
    let words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let letters: String = match words.as_slice() {
        [only] => (*only).to_owned(),
        many => many.iter().filter_map(|word| word.chars().next()).collect(),
    };
    let key: String = letters.to_ascii_uppercase().chars().take(KEY_LEN_MAX).collect();
    // A name without a single letter or digit of ASCII.
    ProjectKey::new(key).unwrap_or_else(|_| ProjectKey::new("ITEM").expect("`ITEM` is a name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_says_where_it_comes_from() {
        let keys = [
            ("enduro-trails", "ET"),
            ("my_app", "MA"),
            ("greet", "GREET"),
            ("gatewright", "GATEWR"),
            ("a b c d e f g h", "ABCDEF"),
            ("проект", "ITEM"),
            ("", "ITEM"),
        ];
        for (name, key) in keys {
            assert_eq!(project_key(name).as_str(), key, "{name}");
        }
    }
}
