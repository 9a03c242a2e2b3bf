//! The name that somebody probably meant.

/// The candidate nearest to `word`, if one is near enough to be a slip of the hand.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = word.chars().count();
    // The distance is quadratic in the length, and no key is this long.
    if length > 64 {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let same = candidate.replace('-', "_");
            (strsim::damerau_levenshtein(&word, &same), candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= length.max(candidate.len()) / 3)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_does_not() {
        let names = ["learning_rate", "epochs", "warmup", "d_model"];
        let find = |word| nearest(word, names);
        assert_eq!(find("learnig_rate"), Some("learning_rate"));
        assert_eq!(find("learning-rate"), Some("learning_rate"));
        assert_eq!(find("Epoch"), Some("epochs"));
        assert_eq!(find("dmodel"), Some("d_model"));
        assert_eq!(find("zebra"), None);
        assert_eq!(find(""), None);
        assert_eq!(find(&"d".repeat(100_000)), None);
    }
}
