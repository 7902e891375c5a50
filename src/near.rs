//! The name that a mistyped word probably means.

/// The one of `names` that `word` is probably a typo of.
pub(crate) fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let word = word.to_lowercase();
    let distance = |name: &str| strsim::osa_distance(&word, name);
    let near = names.into_iter().map(|name| (distance(name), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= usize::min(1 + word.len() / 6, name.len() / 2)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_near_and_another_word_is_not() {
        let names = ["arm", "graph", "storage", "--tenant", "--resource", "ai"];
        for (typed, meant) in [
            ("grpah", Some("graph")),
            ("Storge", Some("storage")),
            ("--tennant", Some("--tenant")),
            ("--resorce", Some("--resource")),
            ("amr", Some("arm")),
            ("x", None),
            ("--password", None),
            ("alice", None),
        ] {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
