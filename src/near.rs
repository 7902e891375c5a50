//! The name that a mistyped word probably means.

/// Those of `names` that `word` is probably a typo of, in any letter case; the nearest first.
pub(crate) fn near<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let word = word.to_lowercase();
    let near = names.into_iter().filter_map(|name| {
        let distance = strsim::osa_distance(&word, &name.to_lowercase());
        let is_near = distance <= usize::min(1 + word.len() / 6, name.len() / 2);
        is_near.then_some((distance, name))
    });
    let mut near: Vec<(usize, &str)> = near.collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, name)| name).collect()
}

/// The one of `names` that `word` is most probably a typo of.
pub(crate) fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    near(word, names).first().copied()
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
        assert_eq!(
            near("team b", ["Team C", "Team B", "Teams B", "Other"]),
            ["Team B", "Team C", "Teams B"]
        );
    }
}
