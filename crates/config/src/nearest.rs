//! What somebody probably meant.

/// The candidate that `word` is most likely a slip of, if any is close enough.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let with_distance = candidates
        .into_iter()
        .map(|it| (strsim::damerau_levenshtein(&word, &it.to_lowercase()), it));
    let (distance, found) = with_distance.min()?;
    // A third of the word may be wrong: `pipline` is a slip of `pipeline`, `foo` is none of `for`.
    (distance <= word.chars().count().div_ceil(3).min(3)).then_some(found)
}

/// `, did you mean …?`, or nothing.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> String {
    nearest(word, candidates).map_or_else(String::new, |it| format!(", did you mean `{it}`?"))
}

/// Words in backquotes with commas between.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let keys = ["max_concurrency", "per_project", "per_agent"];
        assert_eq!(nearest("max_concurency", keys), Some("max_concurrency"));
        assert_eq!(nearest("Per-Agent", keys), Some("per_agent"));
        assert_eq!(nearest("colour", keys), None);
    }
}
